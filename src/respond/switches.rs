//! Kill switches: one for all actions, one for each. They are documents, so that who threw one and why is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use riskgraph_domain::Text;
use riskgraph_domain::document::{Document, DocumentStore};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::KillSwitch;
use riskgraph_domain::time::Clock;

const KIND: &str = "kill_switch";
/// The id of the switch for all.
const ALL: &str = "*";
/// Switches of one installation: more than there are actions.
const SWITCHES_MAX: usize = 500;

/// The switches as they are.
pub(super) struct Switches {
    documents: Arc<dyn DocumentStore>,
    clock: Arc<dyn Clock>,
    /// Off by the configuration.
    configured: Vec<String>,
    known: RwLock<BTreeMap<Text, KillSwitch>>,
}

impl Switches {
    /// Reads them.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn open(
        documents: Arc<dyn DocumentStore>,
        clock: Arc<dyn Clock>,
        configured: Vec<String>,
    ) -> Result<Self, Fault> {
        let mut known = BTreeMap::new();
        for document in documents.list(KIND, None, SWITCHES_MAX).await? {
            known.insert(document.id.clone(), read(&document));
        }
        Ok(Self { documents, clock, configured, known: RwLock::new(known) })
    }

    /// Actions that are off, with the reason; `*` stands for all.
    #[must_use]
    pub(super) fn killed(&self) -> BTreeMap<Text, String> {
        let configured =
            self.configured.iter().map(|name| (Text::from(name.as_str()), "by the configuration".to_owned()));
        let mut killed: BTreeMap<Text, String> = configured.collect();
        for (id, switch) in self.known.read().iter().filter(|(_, switch)| switch.on) {
            killed.insert(id.clone(), switch.reason.clone().unwrap_or_default());
        }
        killed
    }

    /// The global one first.
    #[must_use]
    pub(super) fn all(&self) -> Vec<KillSwitch> {
        let known = self.known.read();
        let mut all: BTreeMap<Text, KillSwitch> = known.clone();
        for name in self.configured.iter().map(String::as_str).chain([ALL]) {
            let on = name != ALL || self.configured.iter().any(|configured| configured == ALL);
            let configured = all.entry(name.into()).or_insert_with(|| KillSwitch {
                action: (name != ALL).then(|| name.into()),
                on,
                by: None,
                at: None,
                reason: on.then(|| "by the configuration".to_owned()),
            });
            configured.on |= on;
        }
        all.into_values().collect()
    }

    /// Throws a switch.
    ///
    /// # Errors
    /// `Conflict` when somebody else did at the same moment.
    pub(super) async fn set(&self, by: &str, switch: KillSwitch) -> Result<KillSwitch, Fault> {
        let id = switch.action.clone().unwrap_or_else(|| ALL.into());
        if !switch.on && self.configured.iter().any(|name| *name == *id) {
            let message = format!("'{id}' is switched off by respond.stopped in the configuration; change it there");
            return Err(Fault::new(FaultCode::Conflict, message));
        }
        if self.known.read().len() >= SWITCHES_MAX && !self.known.read().contains_key(&id) {
            return Err(Fault::new(
                FaultCode::BadInput,
                format!("there are {SWITCHES_MAX} switches; is the name right?"),
            ));
        }
        let newest = self.documents.get(KIND, &id).await?.map_or(0, |document| document.version);
        let at = self.clock.now();
        let document = Document {
            kind: KIND.into(),
            id: id.clone(),
            version: newest + 1,
            body: serde_json::json!({ "on": switch.on, "reason": switch.reason }),
            by: by.into(),
            at,
            note: None,
        };
        self.documents.put(document).await?;
        let switch = KillSwitch { by: Some(by.into()), at: Some(at), ..switch };
        self.known.write().insert(id, switch.clone());
        Ok(switch)
    }
}

fn read(document: &Document) -> KillSwitch {
    KillSwitch {
        action: (document.id.as_str() != ALL).then(|| document.id.clone()),
        // A switch that does not read is on: the safe side.
        on: document.body["on"].as_bool().unwrap_or(true),
        by: Some(document.by.clone()),
        at: Some(document.at),
        reason: document.body["reason"].as_str().map(str::to_owned),
    }
}
