//! The port of the audit log, and the table of vendors.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::audit::chain::{self, Link};
use riskgraph_domain::audit::{Audit, AuditFilter, AuditLog, Entry, Head, Record, Recorder, Verification, Verify};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::{Fault, FaultCode, Reject};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::time::{Clock, Timestamp};
use riskgraph_domain::vendor::{VendorInput, VendorRows, VendorTable};

use super::super::sample::NOW;
use super::World;

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        NOW
    }
}

impl World {
    pub(crate) fn audit(self: &Arc<Self>) -> Audit {
        Audit { recorder: self.clone(), log: self.clone(), verify: self.clone(), clock: Arc::new(Stopped) }
    }

    /// What the log holds of an action, oldest first.
    pub(crate) fn recorded(&self, action: &str) -> Vec<Record> {
        let tables = self.tables.lock();
        tables.entries.iter().map(|entry| entry.record.clone()).filter(|record| &*record.action == action).collect()
    }
}

#[async_trait]
impl Recorder for World {
    async fn record(&self, record: Record) -> Result<Head, Fault> {
        let mut tables = self.tables.lock();
        if let Some(fault) = &tables.log_broken {
            return Err(fault.clone());
        }
        let (sequence, previous) = tables.entries.last().map_or((1, Sum::ZERO), |last| (last.sequence + 1, last.hash));
        let hash = chain::hash(previous, &record.body(sequence));
        let at = record.at;
        tables.entries.push(Entry { sequence, record, previous, hash });
        Ok(Head { sequence, hash, at })
    }
}

#[async_trait]
impl AuditLog for World {
    async fn entries(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<Entry>, Fault> {
        let tables = self.tables.lock();
        let wanted = tables.entries.iter().rev().filter(|entry| {
            filter.action.as_ref().is_none_or(|action| *action == entry.record.action)
                && filter.actor.as_ref().is_none_or(|actor| *actor == entry.record.actor)
        });
        let items = wanted.take(page.first).map(|entry| (entry.sequence.to_string(), entry.clone())).collect();
        Ok(Page { items, has_next: false, total: None })
    }
    async fn links_after(&self, _: u64, _: usize) -> Result<Vec<Link>, Fault> {
        Ok(Vec::new())
    }
    async fn head(&self) -> Result<Option<Head>, Fault> {
        Ok(None)
    }
    async fn anchor(&self) -> Result<Option<Head>, Fault> {
        Ok(None)
    }
    async fn last_anchor(&self, _: Timestamp) -> Result<Option<Head>, Fault> {
        Ok(None)
    }
    async fn anchor_at(&self, _: u64) -> Result<Option<Head>, Fault> {
        Ok(None)
    }
    async fn cut(&self, _: Head) -> Result<u64, Fault> {
        Ok(0)
    }
}

#[async_trait]
impl Verify for World {
    async fn verify(&self) -> Result<Verification, Fault> {
        let entries = self.tables.lock().entries.len() as u64;
        Ok(Verification { whole: true, entries, head: None, first_broken: None, reason: None })
    }
}

/// A line is a name and a domain.
impl VendorTable for World {
    fn read(&self, csv: &[u8]) -> Result<VendorRows, Fault> {
        let text = String::from_utf8_lossy(csv);
        let mut rows = VendorRows::default();
        for (at, line) in text.lines().enumerate() {
            let line_number = at as u64 + 1;
            match line.split_once(',') {
                Some((name, domain)) => {
                    let domains = vec![domain.into()];
                    let input = VendorInput { name: name.into(), domains, tier: None, owner: None, integrations: None };
                    rows.rows.push((line_number, input));
                }
                None => rows.rejected.push(Reject::new(line_number, FaultCode::Field, "no comma")),
            }
        }
        Ok(rows)
    }
}
