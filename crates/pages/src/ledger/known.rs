//! What is known of one script: its versions and who authorised it. It must *not* know what a change means.

use riskgraph_domain::observation::Behaviour;
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use crate::snapshot::{Integrity, ScriptKind, SeenScript};

/// Versions kept of one script, the newest.
const VERSIONS_MAX: usize = 30;

/// That a script may be on the page, and why (6.4.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorisation {
    pub by: String,
    pub at: Timestamp,
    /// The written business or technical reason that the standard asks for.
    pub justification: String,
}

/// One content of a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    pub sha256: Text,
    pub size_bytes: u64,
    pub url: Option<String>,
    pub behaviour: Behaviour,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// It was told of as dangerous: it is told again whenever it returns.
    pub suspect: bool,
    /// It was there when the script was authorised.
    pub authorised: bool,
}

/// A script of the inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownScript {
    pub identity: String,
    pub kind: ScriptKind,
    pub url: Option<String>,
    pub host: Option<String>,
    pub integrity: Integrity,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub present: bool,
    pub authorisation: Option<Authorisation>,
    /// Oldest first; empty when its text was never read.
    pub versions: Vec<Version>,
}

impl KnownScript {
    pub(super) fn new(script: &SeenScript, at: Timestamp) -> Self {
        Self {
            identity: script.identity.clone(),
            kind: script.kind,
            url: script.url.clone(),
            host: script.host.clone(),
            integrity: script.integrity,
            first_at: at,
            last_at: at,
            present: true,
            authorisation: None,
            versions: Vec::new(),
        }
    }

    /// Every host that any version named.
    pub(super) fn hosts(&self) -> Vec<String> {
        self.versions.iter().flat_map(|version| version.behaviour.hosts.iter().cloned()).collect()
    }

    pub(super) fn version(&self, sha256: &Text) -> Option<&Version> {
        self.versions.iter().find(|version| version.sha256 == *sha256)
    }

    /// Notes a content; whether it is new.
    pub(super) fn note(&mut self, script: &SeenScript, at: Timestamp) -> bool {
        self.last_at = at;
        self.present = true;
        self.url.clone_from(&script.url);
        let (Some(sha256), Some(behaviour)) = (&script.sha256, &script.behaviour) else { return false };
        if let Some(known) = self.versions.iter_mut().find(|version| version.sha256 == *sha256) {
            known.last_at = at;
            known.url.clone_from(&script.url);
            return false;
        }
        if self.versions.len() >= VERSIONS_MAX {
            // The oldest that says nothing of an attack.
            let place = self.versions.iter().position(|version| !version.suspect).unwrap_or(0);
            self.versions.remove(place);
        }
        self.versions.push(Version {
            sha256: sha256.clone(),
            size_bytes: script.size_bytes,
            url: script.url.clone(),
            behaviour: behaviour.clone(),
            first_at: at,
            last_at: at,
            suspect: false,
            authorised: false,
        });
        true
    }

    pub(super) fn mark_suspect(&mut self, sha256: Option<&Text>) {
        for version in self.versions.iter_mut().filter(|version| Some(&version.sha256) == sha256) {
            version.suspect = true;
        }
    }

    pub(super) fn authorise(&mut self, authorisation: Authorisation) {
        self.authorisation = Some(authorisation);
        for version in &mut self.versions {
            version.authorised = true;
            version.suspect = false;
        }
    }
}
