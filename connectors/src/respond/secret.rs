//! Where a connector's token comes from: a file or a variable, never the configuration itself. It must *not* log or keep it.

use std::path::PathBuf;

use base64::Engine as _;
use riskgraph_domain::error::Fault;
use riskgraph_domain::secret::Secret;

use super::fault::configuration;

/// Largest secret, bytes.
const SECRET_MAX_BYTES: usize = 8 << 10;

/// A file, or else a variable of the environment; read each time, so that a rotated token is used at once.
#[derive(Debug, Clone, Default)]
pub(super) struct SecretSource {
    pub file: PathBuf,
    pub env: String,
    /// When set, the secret is this user's password and read as the credentials of HTTP Basic (RFC 7617).
    pub basic_user: String,
}

impl SecretSource {
    pub(super) fn new(file: &std::path::Path, env: &str) -> Self {
        Self { file: file.to_owned(), env: env.to_owned(), basic_user: String::new() }
    }

    /// The secret; `None` when the connector has none.
    ///
    /// # Errors
    /// `Configuration` when one is named and cannot be had.
    pub(super) fn read(&self) -> Result<Option<Secret>, Fault> {
        let text = if !self.file.as_os_str().is_empty() {
            std::fs::read_to_string(&self.file)
                .map_err(|error| configuration(format!("the connector's token file: {}", error.kind())))?
        } else if self.env.is_empty() {
            return Ok(None);
        } else {
            std::env::var(&self.env).map_err(|_| {
                configuration(format!("the variable {} with the connector's token is not set", self.env))
            })?
        };
        let text = text.trim();
        if text.is_empty() || text.len() > SECRET_MAX_BYTES || text.chars().any(char::is_control) {
            return Err(configuration("the connector's token is empty, too long or no line of text"));
        }
        if self.basic_user.is_empty() {
            return Ok(Some(Secret::new(text)));
        }
        let credentials = format!("{}:{text}", self.basic_user);
        Ok(Some(Secret::new(base64::engine::general_purpose::STANDARD.encode(credentials))))
    }

    /// The secret, which the connector cannot do without.
    ///
    /// # Errors
    /// As [`SecretSource::read`], and when none is named.
    pub(super) fn required(&self, connector: &str) -> Result<Secret, Fault> {
        self.read()?.ok_or_else(|| configuration(format!("connector {connector} needs a token")))
    }
}
