//! Makes the connectors an operator configured, and finds the one a request is for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Clock;

use super::any::Http;
use super::aws_waf::AwsWaf;
use super::cloudflare::Cloudflare;
use super::config::{ConnectorConfig, ConnectorsConfig};
use super::csp::Csp;
use super::fault::{bad_input, configuration};
use super::mark;
use super::nftables::Nftables;
use super::nginx::Nginx;
use super::{shop, ticket};

/// Connectors of one installation.
const CONNECTORS_MAX: usize = 64;
/// Longest name of a connector.
const NAME_MAX: usize = 40;
/// Bytes of all parameters of a request together.
const PARAMETERS_MAX_BYTES: usize = 32 << 10;

/// What connectors are made with.
#[derive(Clone)]
pub struct Tools {
    pub clock: Arc<dyn Clock>,
    /// Folder of what connectors must remember over a crash; one installation alone writes it.
    pub state_dir: PathBuf,
}

/// Every configured connector. It is a [`Responder`] itself: requests go to the connector they name, or, where they name none,
/// to the first by name that has the action.
pub struct Responders {
    by_name: BTreeMap<Text, Arc<dyn Responder>>,
    specs: Vec<ActionSpec>,
}

impl Responders {
    /// Makes the connectors.
    ///
    /// # Errors
    /// `Configuration` with the connector and the key that cannot be used.
    pub fn build(config: &ConnectorsConfig, tools: &Tools) -> Result<Self, Fault> {
        if config.len() > CONNECTORS_MAX {
            return Err(configuration(format!("respond.connectors: at most {CONNECTORS_MAX}")));
        }
        let mut by_name = BTreeMap::new();
        for (name, connector) in config {
            let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
            if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(good) {
                let message = format!("respond.connectors: '{name}' must be 1 to {NAME_MAX} of a-z 0-9 _ -");
                return Err(configuration(message));
            }
            by_name.insert(Text::from(name.as_str()), connector_of(name, connector, tools)?);
        }
        Ok(Self::of(by_name))
    }

    /// Connectors that were made elsewhere: tests and other kinds.
    #[must_use]
    pub fn of(by_name: BTreeMap<Text, Arc<dyn Responder>>) -> Self {
        let specs = by_name.values().flat_map(|responder| responder.actions()).collect();
        Self { by_name, specs }
    }

    /// The spec and connector of a request that can be tried at all.
    fn find(&self, request: &ActionRequest) -> Result<&Arc<dyn Responder>, Fault> {
        mark::key(request)?;
        let fits = |spec: &&ActionSpec| {
            spec.action == request.action && (request.connector.is_empty() || spec.connector == request.connector)
        };
        let spec = self.specs.iter().find(fits).ok_or_else(|| {
            let place = if request.connector.is_empty() { "no connector" } else { request.connector.as_str() };
            bad_input(format!("{place} has no action '{}'", request.action))
        })?;
        let fits_target = match &request.target {
            Some(target) => spec.targets.contains(&target.kind),
            None => false,
        };
        let named = spec.parameters.iter().any(|parameter| request.parameters.contains_key(parameter.name.as_str()));
        if !spec.targets.is_empty() && !fits_target && !named {
            let kinds: Vec<&str> = spec.targets.iter().map(|kind| kind.as_str()).collect();
            return Err(bad_input(format!("{} needs a target of kind {}", request.action, kinds.join(" or "))));
        }
        let lacks = |name: &str| request.parameters.get(name).is_none_or(serde_json::Value::is_null);
        if let Some(missing) = spec.parameters.iter().find(|parameter| parameter.required && lacks(&parameter.name)) {
            return Err(bad_input(format!("{} needs the parameter '{}'", request.action, missing.name)));
        }
        if serde_json::to_vec(&request.parameters).map_or(0, |bytes| bytes.len()) > PARAMETERS_MAX_BYTES {
            return Err(bad_input(format!("the parameters are longer than {} KiB", PARAMETERS_MAX_BYTES >> 10)));
        }
        self.by_name.get(&spec.connector).ok_or_else(|| bad_input(format!("there is no connector {}", spec.connector)))
    }
}

fn connector_of(name: &str, config: &ConnectorConfig, tools: &Tools) -> Result<Arc<dyn Responder>, Fault> {
    Ok(match config {
        ConnectorConfig::Nginx(config) => Arc::new(Nginx::new(name, config)?),
        ConnectorConfig::Nftables(config) => Arc::new(Nftables::new(name, config, tools)?),
        ConnectorConfig::Cloudflare(config) => Arc::new(Cloudflare::new(name, config)?),
        ConnectorConfig::AwsWaf(config) => Arc::new(AwsWaf::new(name, config, tools)?),
        ConnectorConfig::Csp(config) => Arc::new(Csp::new(name, config)?),
        ConnectorConfig::Ticket(config) => Arc::new(ticket::build(name, config, tools)?),
        ConnectorConfig::Http(config) => Arc::new(Http::new(name, config, tools)?),
        ConnectorConfig::Shop(config) => Arc::new(shop::build(name, config, tools)?),
    })
}

#[async_trait]
impl Responder for Responders {
    fn actions(&self) -> Vec<ActionSpec> {
        self.specs.clone()
    }
    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        self.find(request)?.dry_run(request).await
    }
    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        self.find(request)?.execute(request).await
    }
    async fn verify(&self, request: &ActionRequest, effect: &Effect) -> Result<Verified, Fault> {
        self.find(request)?.verify(request, effect).await
    }
    async fn undo(&self, request: &ActionRequest, effect: &Effect) -> Result<Effect, Fault> {
        self.find(request)?.undo(request, effect).await
    }
}
