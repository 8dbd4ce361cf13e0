//! Secrets that have to be known again: shared keys of channels, routing keys, signing keys. It must *not* know how they are
//! sealed.

use crate::error::Fault;

/// A text that is never printed, logged or serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; to be called where it is used, not where it is passed on.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Seals secrets for storage. What is sealed can only be opened with the installation's key and for the same purpose.
pub trait Vault: Send + Sync {
    /// Seals a secret. `purpose` names what it belongs to, such as `channel/ch_1`; it is authenticated, not hidden.
    ///
    /// # Errors
    /// When the system gives no randomness.
    fn seal(&self, purpose: &str, secret: &Secret) -> Result<String, Fault>;
    /// Opens what [`Vault::seal`] made for the same purpose.
    ///
    /// # Errors
    /// When it was sealed with another key or for another purpose, or is damaged.
    fn open(&self, purpose: &str, sealed: &str) -> Result<Secret, Fault>;
}
