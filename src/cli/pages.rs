//! `riskgraph pages`: payment pages from recorded visits: inventory, changes, evidence (PCI DSS 4.0.1, 6.4.3 and 11.6.1).
//!
//! Works on files alone: visits go in, in the order of their times, and a ledger file keeps what is known between calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use riskgraph_domain::Severity;
use riskgraph_domain::time::Clock as _;
use riskgraph_pages::har::Recording;
use riskgraph_pages::ledger::{Authorisation, Change, Ledger};
use riskgraph_pages::snapshot::Snapshot;
use riskgraph_pages::{churn, events, evidence};
use serde_json::{Value, json};

use super::{Done, EXIT_DONE, EXIT_FINDINGS, Failure, Format};
use crate::clock::SystemClock;

/// Ledgers kept in one file.
const LEDGERS_MAX: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(super) struct Pages {
    /// Recorded visits of payment pages (HTTP Archive), oldest first; those with times are put in order.
    #[arg(value_name = "HAR")]
    visits: Vec<PathBuf>,
    /// File that keeps the inventory and its changes between calls; made when missing.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Take these visits for one page, whatever their addresses.
    #[arg(long, value_name = "NAME")]
    page: Option<String>,
    /// Authorise a script: its address, or a host for all of its scripts. Needs --because.
    #[arg(long, value_name = "SCRIPT", requires = "because")]
    authorise: Vec<String>,
    /// Why the authorised scripts are needed (6.4.3 asks for it in writing).
    #[arg(long, value_name = "TEXT")]
    because: Option<String>,
    /// Who authorises; without it the name of the user.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Folder to write the evidence to: inventory.csv, changes.csv, ledger.json.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// File for the told changes as events, one a line: `riskgraph ingest` sends them to a running service, which alerts.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// Exit with 1 when a change is told at this severity or above, or a page is overdue.
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Pages {
    pub(super) fn run(&self) -> Done {
        let limit = match &self.fail_on {
            None => None,
            Some(text) => Some(Severity::parse(&text.to_uppercase()).ok_or_else(|| {
                Failure::Use(anyhow!("'{text}' is no severity; use INFO, LOW, MEDIUM, HIGH or CRITICAL"))
            })?),
        };
        let now = SystemClock.now();
        let mut ledgers = self.load()?;
        let mut looks = Vec::with_capacity(self.visits.len());
        for file in &self.visits {
            looks.push((file, self.look(file)?));
        }
        looks.sort_by_key(|(_, look)| look.at);
        let mut changes: Vec<(String, &Path, Vec<Change>)> = Vec::new();
        for (file, look) in looks {
            if !ledgers.contains_key(&look.page) && ledgers.len() >= LEDGERS_MAX {
                return Err(Failure::Use(anyhow!("a ledger file keeps {LEDGERS_MAX} pages at most; use another")));
            }
            let ledger = ledgers.entry(look.page.clone()).or_insert_with(|| Ledger::new(look.page.clone()));
            changes.push((look.page.clone(), file, ledger.observe(&look)));
        }
        self.authorise(&mut ledgers)?;
        self.save(&ledgers)?;
        self.export(&ledgers)?;
        if let Some(file) = &self.events {
            let all = changes.iter().flat_map(|(page, _, all)| all.iter().map(move |change| (page.as_str(), change)));
            std::fs::write(file, events::lines(all))?;
        }
        let told = changes.iter().flat_map(|(_, _, all)| all).filter(|change| change.told);
        let worst = told.map(|change| change.severity).max();
        let overdue = ledgers.values().any(|ledger| ledger.overdue_days(now).is_some());
        match self.format {
            Format::Text => print_text(&ledgers, &changes),
            Format::Json => println!("{}", serde_json::to_string_pretty(&report(&ledgers, &changes))?),
        }
        let found = limit.is_some_and(|limit| worst.is_some_and(|worst| worst >= limit) || overdue);
        Ok(if found { EXIT_FINDINGS } else { EXIT_DONE })
    }

    fn look(&self, file: &Path) -> Result<Snapshot, Failure> {
        let unusable = |error: String| Failure::Use(anyhow!("{} cannot be read: {error}", file.display()));
        let bytes = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
        let recording = Recording::read(&bytes).map_err(|error| unusable(error.to_string()))?;
        let mut look = Snapshot::of_recording(&recording, SystemClock.now());
        if let Some(name) = &self.page {
            look.page.clone_from(name);
        }
        Ok(look)
    }

    fn load(&self) -> Result<BTreeMap<String, Ledger>, Failure> {
        let Some(file) = self.ledger.as_ref().filter(|file| file.exists()) else { return Ok(BTreeMap::new()) };
        let unusable = |error: String| Failure::Use(anyhow!("{} is no ledger: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
        let ledgers: Vec<Ledger> = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        Ok(ledgers.into_iter().map(|ledger| (ledger.page.clone(), ledger)).collect())
    }

    /// Writes beside and renames: a ledger is evidence and must not be half a file.
    fn save(&self, ledgers: &BTreeMap<String, Ledger>) -> Result<(), Failure> {
        let Some(file) = &self.ledger else { return Ok(()) };
        let all: Vec<&Ledger> = ledgers.values().collect();
        let beside = file.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec_pretty(&all)?)?;
        std::fs::rename(&beside, file)?;
        Ok(())
    }

    fn authorise(&self, ledgers: &mut BTreeMap<String, Ledger>) -> Result<(), Failure> {
        let Some(because) = &self.because else { return Ok(()) };
        let user = || std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
        let by = self.by.clone().unwrap_or_else(user);
        let authorisation = Authorisation { by, at: SystemClock.now(), justification: because.clone() };
        for script in &self.authorise {
            let n: usize = ledgers.values_mut().map(|ledger| ledger.authorise(script, &authorisation)).sum();
            if n == 0 {
                let known = churn::identity(script);
                return Err(Failure::Use(anyhow!(
                    "no page has a script '{script}' ({known}); the inventory names them"
                )));
            }
        }
        Ok(())
    }

    fn export(&self, ledgers: &BTreeMap<String, Ledger>) -> Result<(), Failure> {
        let Some(folder) = &self.export else { return Ok(()) };
        let all: Vec<&Ledger> = ledgers.values().collect();
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("inventory.csv"), evidence::inventory_csv(&all))?;
        std::fs::write(folder.join("changes.csv"), evidence::changes_csv(&all))?;
        std::fs::write(folder.join("ledger.json"), serde_json::to_vec_pretty(&all)?)?;
        Ok(())
    }
}

/// One object for each page: where it stands, and what each visit brought.
fn report(ledgers: &BTreeMap<String, Ledger>, changes: &[(String, &Path, Vec<Change>)]) -> Value {
    let now = SystemClock.now();
    let page = |ledger: &Ledger| {
        let visits: Vec<Value> = changes
            .iter()
            .filter(|(page, _, _)| *page == ledger.page)
            .map(|(_, file, all)| json!({ "file": file.display().to_string(), "changes": all.iter().map(shown).collect::<Vec<_>>() }))
            .collect();
        let scripts: Vec<Value> = ledger
            .scripts
            .iter()
            .map(|script| {
                let last = script.versions.last();
                json!({
                    "identity": script.identity, "url": script.url, "host": script.host, "kind": script.kind,
                    "on_page": script.present, "integrity": script.integrity, "first_at": script.first_at,
                    "last_at": script.last_at, "authorisation": script.authorisation,
                    "sha256": last.map(|version| &version.sha256), "behaviour": last.map(|version| &version.behaviour),
                    "versions": script.versions.len(),
                })
            })
            .collect();
        json!({
            "page": ledger.page, "looks": ledger.n_looks, "last_at": ledger.last_at,
            "overdue_days": ledger.overdue_days(now), "unauthorised": ledger.unauthorised().count(), "visits": visits,
            "scripts": scripts, "headers": ledger.headers, "frames": ledger.frames, "forms": ledger.forms,
        })
    };
    Value::Array(ledgers.values().map(page).collect())
}

/// A change with the name of its check.
fn shown(change: &Change) -> Value {
    let mut value = serde_json::to_value(change).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.insert("check".to_owned(), Value::from(change.kind.check()));
    }
    value
}

fn print_text(ledgers: &BTreeMap<String, Ledger>, changes: &[(String, &Path, Vec<Change>)]) {
    for (_, file, all) in changes {
        for change in all.iter().filter(|change| change.told) {
            println!(
                "{:<8} {:<6} {} {}",
                change.severity.as_str(),
                change.kind.check(),
                change.kind.as_str(),
                change.subject
            );
            println!("         {} ({})", change.why, file.display());
        }
        let noted = all.iter().filter(|change| !change.told).count();
        if noted > 0 {
            println!("         {noted} harmless changes noted ({})", file.display());
        }
    }
    for ledger in ledgers.values() {
        print!("{}", evidence::summary(ledger, SystemClock.now()));
    }
}
