//! Where playbooks lie: shipped ones in the binary, files of the operator's own, and versions made through the API.
//!
//! The later in this row goes before the earlier of the same name. A version of the API keeps its text and whether it is on;
//! turning a shipped one on makes such a version too.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use riskgraph_analysis::decide::rules::Caps;
use riskgraph_analysis::decide::{source, trial};
use riskgraph_domain::document::{Document, DocumentStore};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::{KeptPlaybook, Playbook, PlaybookSource, PlaybookVersion, Switch};
use riskgraph_domain::time::Clock;
use riskgraph_domain::{PlaybookId, Text};
use serde::{Deserialize, Serialize};

/// Kind of the documents.
const KIND: &str = "playbook";
/// Documents of one page.
const PAGE: usize = 100;
/// Playbooks of one installation.
const PLAYBOOKS_MAX: usize = 500;
/// Problems of one text that are told at once.
const PROBLEMS_TOLD: usize = 20;

/// The playbooks in the binary, by file.
pub const SHIPPED: &[(&str, &str)] = &[
    ("notify-high.toml", include_str!("../../config/playbooks/notify-high.toml")),
    ("stuffing-contain.toml", include_str!("../../config/playbooks/stuffing-contain.toml")),
    ("carding-contain.toml", include_str!("../../config/playbooks/carding-contain.toml")),
    ("key-theft-contain.toml", include_str!("../../config/playbooks/key-theft-contain.toml")),
    ("vendor-breach-contain.toml", include_str!("../../config/playbooks/vendor-breach-contain.toml")),
];

/// What a document holds.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    text: String,
    enabled: bool,
}

/// All playbooks, read once and kept up to date.
pub struct Library {
    documents: Arc<dyn DocumentStore>,
    clock: Arc<dyn Clock>,
    kept: RwLock<BTreeMap<Text, Arc<KeptPlaybook>>>,
}

impl Library {
    /// Reads all. A version of the API that no longer reads is left out and logged; a file that does not is an error.
    ///
    /// # Errors
    /// When a file is wrong, or the store cannot be read.
    pub async fn open(documents: Arc<dyn DocumentStore>, clock: Arc<dyn Clock>, folder: &Path) -> Result<Self, Fault> {
        let mut kept = files(folder)?;
        let mut after: Option<Text> = None;
        loop {
            let page = documents.list(KIND, after.as_deref(), PAGE).await?;
            for document in &page {
                match read(document) {
                    Ok(playbook) => drop(kept.insert(playbook.playbook.name.clone(), Arc::new(playbook))),
                    Err(fault) => {
                        tracing::error!(playbook = %document.id, %fault, "a stored playbook does not read; it is left out")
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE && kept.len() < PLAYBOOKS_MAX => after = Some(last.id.clone()),
                _ => break,
            }
        }
        Ok(Self { documents, clock, kept: RwLock::new(kept) })
    }

    /// By name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<KeptPlaybook>> {
        self.kept.read().values().cloned().collect()
    }

    #[must_use]
    pub fn get(&self, id: PlaybookId) -> Option<Arc<KeptPlaybook>> {
        self.kept.read().values().find(|kept| kept.playbook.id() == id).cloned()
    }

    /// Makes a version of this text. A new playbook is on when its text says so; another stays on or off as it is.
    ///
    /// # Errors
    /// `BadInput` with everything that is wrong with the text; `Conflict` when somebody else was faster.
    pub async fn save(&self, by: &str, text: &str, note: Option<String>) -> Result<KeptPlaybook, Fault> {
        let playbook = parse(text)?;
        let known = self.kept.read().get(&playbook.name).cloned();
        if known.is_none() && self.kept.read().len() >= PLAYBOOKS_MAX {
            return Err(Fault::new(
                FaultCode::BadInput,
                format!("there are {PLAYBOOKS_MAX} playbooks; change one of them"),
            ));
        }
        let enabled = known.map_or(playbook.enabled, |known| known.enabled);
        self.put(by, playbook, Body { text: text.to_owned(), enabled }, note).await
    }

    /// Turns a playbook on or off.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when somebody else was faster.
    pub async fn switch(&self, by: &str, id: PlaybookId, switch: Switch) -> Result<KeptPlaybook, Fault> {
        let kept = self.get(id).ok_or_else(|| Fault::not_found("playbook"))?;
        let enabled = switch == Switch::On;
        if kept.enabled == enabled {
            return Ok((*kept).clone());
        }
        let note = Some(if enabled { "turned on" } else { "turned off" }.to_owned());
        self.put(by, kept.playbook.clone(), Body { text: kept.text.clone(), enabled }, note).await
    }

    async fn put(&self, by: &str, playbook: Playbook, body: Body, note: Option<String>) -> Result<KeptPlaybook, Fault> {
        let newest = self.documents.get(KIND, &playbook.name).await?.map_or(0, |document| document.version);
        let value = serde_json::to_value(&body);
        let value = value.map_err(|_| Fault::new(FaultCode::Internal, "the playbook cannot be written"))?;
        let document = Document {
            kind: KIND.into(),
            id: playbook.name.clone(),
            version: newest + 1,
            body: value,
            by: by.into(),
            at: self.clock.now(),
            note,
        };
        self.documents.put(document).await?;
        let kept = KeptPlaybook {
            playbook,
            source: PlaybookSource::Api,
            version: newest + 1,
            text: body.text,
            enabled: body.enabled,
        };
        self.kept.write().insert(kept.playbook.name.clone(), Arc::new(kept.clone()));
        Ok(kept)
    }

    /// Newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn versions(&self, id: PlaybookId) -> Result<Vec<PlaybookVersion>, Fault> {
        let Some(kept) = self.get(id) else { return Ok(Vec::new()) };
        let documents = self.documents.versions(KIND, &kept.playbook.name).await?;
        let version = |document: Document| PlaybookVersion {
            version: document.version,
            by: document.by,
            at: document.at,
            note: document.note,
        };
        Ok(documents.into_iter().map(version).collect())
    }
}

/// Reads a text, or says everything that is wrong with it.
///
/// # Errors
/// `BadInput`.
pub fn parse(text: &str) -> Result<Playbook, Fault> {
    source::parse(text).map_err(|problems| {
        let told: Vec<String> = problems.iter().take(PROBLEMS_TOLD).map(ToString::to_string).collect();
        Fault::new(FaultCode::BadInput, format!("the playbook cannot be used: {}", told.join("; ")))
    })
}

fn read(document: &Document) -> Result<KeptPlaybook, Fault> {
    let body: Body = serde_json::from_value(document.body.clone())
        .map_err(|_| Fault::new(FaultCode::Internal, "the document is no playbook"))?;
    let playbook = parse(&body.text)?;
    Ok(KeptPlaybook {
        playbook,
        source: PlaybookSource::Api,
        version: document.version,
        text: body.text,
        enabled: body.enabled,
    })
}

/// Shipped playbooks and those of a folder, by name.
///
/// # Errors
/// `Configuration` with the file and what is wrong with it.
pub fn files(folder: &Path) -> Result<BTreeMap<Text, Arc<KeptPlaybook>>, Fault> {
    let mut kept = BTreeMap::new();
    for (source, file, text) in texts(folder)? {
        add(&mut kept, source, &file, text)?;
    }
    Ok(kept)
}

/// A playbook file by name, with how many of its tests passed or what is wrong.
pub type Checked = (String, Result<usize, String>);

/// Reads every playbook file and runs the tests in it.
///
/// # Errors
/// When the folder cannot be read.
pub fn check(folder: &Path, caps: Caps) -> Result<Vec<Checked>, Fault> {
    let judged = texts(folder)?.into_iter().map(|(_, file, text)| {
        let result = parse(&text).map_err(|fault| fault.message);
        let result = result.and_then(|playbook| {
            trial::run_tests(&playbook, caps.within(&playbook.limits)).map_err(|failed| failed.join("; "))
        });
        (file, result)
    });
    Ok(judged.collect())
}

/// The files with their texts: shipped ones, then those of the folder by name.
fn texts(folder: &Path) -> Result<Vec<(PlaybookSource, String, String)>, Fault> {
    let shipped = SHIPPED.iter().map(|(file, text)| (PlaybookSource::Shipped, (*file).to_owned(), (*text).to_owned()));
    let mut texts: Vec<_> = shipped.collect();
    if folder.as_os_str().is_empty() {
        return Ok(texts);
    }
    let wrong = |error: std::io::Error| {
        let message = format!("respond.playbooks_dir: {} cannot be read ({error})", folder.display());
        Fault::new(FaultCode::Configuration, message)
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    for path in paths.into_iter().take(PLAYBOOKS_MAX) {
        let too_long = std::fs::metadata(&path).map_err(wrong)?.len() > source::TEXT_MAX as u64;
        // A text that is too long is told as such when it is read.
        let text =
            if too_long { " ".repeat(source::TEXT_MAX + 1) } else { std::fs::read_to_string(&path).map_err(wrong)? };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        texts.push((PlaybookSource::File, name, text));
    }
    Ok(texts)
}

fn add(
    kept: &mut BTreeMap<Text, Arc<KeptPlaybook>>,
    source: PlaybookSource,
    file: &str,
    text: String,
) -> Result<(), Fault> {
    let playbook = parse(&text).map_err(|fault| {
        Fault::new(FaultCode::Configuration, format!("config/playbooks, file {file}: {}", fault.message))
    })?;
    let enabled = playbook.enabled;
    kept.insert(playbook.name.clone(), Arc::new(KeptPlaybook { playbook, source, version: 0, text, enabled }));
    Ok(())
}
