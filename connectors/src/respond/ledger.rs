//! What we did on systems that keep no marks of ours, one small file a key: the memory that makes a repetition after a crash
//! safe and lets undo take back only ours. It must *not* know what the entries are about.

use std::path::{Path, PathBuf};

use riskgraph_domain::Timestamp;
use riskgraph_domain::error::Fault;
use riskgraph_domain::time::DAY_MS;
use serde::{Deserialize, Serialize};

use super::fault::{configuration, conflict, file};
use super::file::{blocking, read_now, write_now};

/// Entries of one connector; a busy installation acts some hundred times a day.
const ENTRIES_MAX: usize = 50_000;
/// Days after which an entry is forgotten: no run waits that long to be undone.
const KEEP_MS: i64 = 400 * DAY_MS;

/// How far an action came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// About to be done: whether it was is not known.
    Started,
    /// Done, or found done.
    Done,
    /// Taken back.
    Undone,
}

/// What is remembered of one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub action: String,
    pub target: String,
    pub stage: Stage,
    /// Whether we changed something; what was so before us is not ours to take back.
    pub ours: bool,
    /// What undo needs.
    pub receipt: serde_json::Value,
    pub at: Timestamp,
}

/// The entries of one connector, in a folder of its own.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    /// Opens the folder, made if need be, and forgets what is too old.
    ///
    /// # Errors
    /// `Configuration` when it cannot be made.
    pub(super) fn open(state_dir: &Path, connector: &str, now: Timestamp) -> Result<Self, Fault> {
        let folder = state_dir.join(connector);
        std::fs::create_dir_all(&folder)
            .map_err(|error| configuration(format!("the memory of connector {connector}: {}", error.kind())))?;
        let ledger = Self { folder };
        ledger.sweep(now);
        Ok(ledger)
    }

    /// What is remembered of this key. An entry of another action or target is somebody else's key.
    ///
    /// # Errors
    /// `Conflict` then; otherwise when it cannot be read.
    pub(super) async fn get(&self, key: &str, action: &str, target: &str) -> Result<Option<Entry>, Fault> {
        let path = self.path(key);
        let text = blocking(move || read_now(&path)).await?;
        if text.is_empty() {
            return Ok(None);
        }
        let entry: Entry = serde_json::from_str(&text)
            .map_err(|_| conflict(format!("the memory of {key} is damaged: look at the target by hand")))?;
        if entry.action != action || entry.target != target {
            return Err(conflict(format!("the key {key} belongs to {} of another target", entry.action)));
        }
        Ok(Some(entry))
    }

    /// Remembers; durable when it returns.
    ///
    /// # Errors
    /// When it cannot be written, or there are too many entries.
    pub(super) async fn put(&self, key: &str, entry: &Entry) -> Result<(), Fault> {
        let path = self.path(key);
        let folder = self.folder.clone();
        let text = serde_json::to_vec(entry).unwrap_or_default();
        blocking(move || {
            if !path.exists() && std::fs::read_dir(&folder).map_or(0, Iterator::count) >= ENTRIES_MAX {
                return Err(conflict("the connector remembers too many actions: undo or remove old ones"));
            }
            write_now(&path, &text).map_err(|error| file("the connector's memory", &error))
        })
        .await
    }

    /// Forgets a key, whose action is known not to have happened.
    pub(super) async fn forget(&self, key: &str) {
        let path = self.path(key);
        // An entry that stays says 'started', which is safe.
        let _ =
            blocking(move || std::fs::remove_file(path).map_err(|error| file("the connector's memory", &error))).await;
    }

    /// Everything remembered, in the order of the keys.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(super) async fn all(&self) -> Result<Vec<(String, Entry)>, Fault> {
        let folder = self.folder.clone();
        blocking(move || entries(&folder)).await
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    fn sweep(&self, now: Timestamp) {
        for (key, entry) in entries(&self.folder).unwrap_or_default() {
            if entry.stage != Stage::Started && now - entry.at > KEEP_MS {
                let _ = std::fs::remove_file(self.path(&key));
            }
        }
    }
}

fn entries(folder: &Path) -> Result<Vec<(String, Entry)>, Fault> {
    let listed = std::fs::read_dir(folder).map_err(|error| file("the connector's memory", &error))?;
    let mut entries = Vec::new();
    for path in listed.take(ENTRIES_MAX * 2).flatten().map(|entry| entry.path()) {
        let Some(key) = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")) else { continue };
        if let Ok(entry) = serde_json::from_str(&read_now(&path)?) {
            entries.push((key.to_owned(), entry));
        }
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(stage: Stage, at: Timestamp) -> Entry {
        let receipt = serde_json::json!({"id": 7});
        Entry { action: "a".into(), target: "t".into(), stage, ours: true, receipt, at }
    }

    #[tokio::test]
    async fn remembers_over_restarts_and_forgets_the_old() {
        let dir = tempfile::tempdir().expect("dir");
        let start = Timestamp(1_772_000_000_000);
        let ledger = Ledger::open(dir.path(), "waf", start).expect("opens");
        assert_eq!(ledger.get("k1", "a", "t").await, Ok(None));
        ledger.put("k1", &entry(Stage::Done, start)).await.expect("written");
        ledger.put("k2", &entry(Stage::Started, start)).await.expect("written");
        ledger.put("k3", &entry(Stage::Started, start)).await.expect("written");
        ledger.forget("k3").await;
        let again = Ledger::open(dir.path(), "waf", start).expect("opens");
        assert_eq!(again.get("k1", "a", "t").await, Ok(Some(entry(Stage::Done, start))));
        assert!(again.get("k1", "a", "other").await.is_err(), "a key means one thing");
        let late = Ledger::open(dir.path(), "waf", start + KEEP_MS + 1).expect("opens");
        let kept: Vec<_> = late.all().await.expect("list").into_iter().map(|(key, _)| key).collect();
        assert_eq!(kept, ["k2"], "what may have happened is not forgotten");
    }
}
