//! How much of the shop's recent life a target is: counted over the tail of the journal, so that it is known right after a
//! restart as well. Only what succeeded counts: an attack's own failures are no loss when they stop.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use riskgraph_analysis::decide::rules::network;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::journal::{Position, Record, StoredBatch};
use riskgraph_domain::playbook::{BlastPart, Impact};
use riskgraph_domain::ports::Journal;
use riskgraph_domain::time::{Clock, HOUR_MS};
use riskgraph_domain::{EntityKey, EntityKind, Event, Text};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Records looked at, newest ones: half a second of work.
const RECORDS_MAX: u64 = 50_000;
/// How far back a record may have been accepted.
const WINDOW_MS: i64 = HOUR_MS;
/// Successful events below which a share says nothing.
const JUDGED_FROM: u64 = 500;
/// How long a count is used.
const FRESH: Duration = Duration::from_secs(15);
/// Accounts listed for one address.
const ACCOUNTS_MAX: usize = 200;
/// Accounts listed for one target.
const ACCOUNTS_OF_TARGET_MAX: usize = 1_000;

/// Counts over the journal's tail.
pub struct JournalImpact {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    counted: Mutex<Option<(Instant, Arc<Tail>)>>,
}

#[derive(Default)]
struct Tail {
    n_ok: u64,
    addresses: HashMap<IpAddr, (u64, BTreeSet<Text>)>,
    people: HashMap<Text, u64>,
    keys: HashMap<Text, u64>,
    integrations: HashMap<Text, u64>,
    money: HashMap<Text, f64>,
}

impl JournalImpact {
    #[must_use]
    pub fn new(journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Self {
        Self { journal, clock, counted: Mutex::new(None) }
    }

    async fn tail(&self) -> Result<Arc<Tail>, Fault> {
        let mut counted = self.counted.lock().await;
        if let Some((at, tail)) = &*counted
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(tail));
        }
        let end = self.journal.end().await?;
        let mut after = Position(end.0.saturating_sub(RECORDS_MAX));
        let since = self.clock.now() - WINDOW_MS;
        let mut tail = Tail::default();
        while after < end {
            let batches = self.journal.read_after(after, 10_000).await?;
            let Some(last) = batches.last() else { break };
            after = Position(last.first.0 + u64::from(last.batch.n_records.max(1)) - 1);
            let recent: Vec<StoredBatch> =
                batches.into_iter().filter(|stored| stored.batch.accepted_at >= since).collect();
            let count = move || {
                recent.iter().for_each(|stored| tail.add(&stored.batch.lines));
                tail
            };
            tail = tokio::task::spawn_blocking(count)
                .await
                .map_err(|_| Fault::new(FaultCode::Internal, "the recent traffic could not be counted"))?;
        }
        let tail = Arc::new(tail);
        *counted = Some((Instant::now(), Arc::clone(&tail)));
        Ok(tail)
    }
}

#[async_trait]
impl Impact for JournalImpact {
    async fn impact(&self, targets: &[EntityKey]) -> Result<Vec<BlastPart>, Fault> {
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let tail = self.tail().await?;
        Ok(targets.iter().map(|target| tail.part(target)).collect())
    }
}

impl Tail {
    fn add(&mut self, lines: &[u8]) {
        for line in lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            if let Ok(Record::Event(event)) = Record::read_line(line) {
                self.event(&event);
            }
        }
    }

    fn event(&mut self, event: &Event) {
        if let (Some(object), Some(amount)) =
            (event.object_id(), event.money.as_ref().and_then(|money| money.amount_minor))
        {
            self.money.insert(object.clone(), amount.max(0) as f64);
        }
        let failed = event.http.as_ref().and_then(|http| http.status).is_some_and(|status| status >= 400);
        if event.outcome.refused() || failed {
            return;
        }
        let who = event.login();
        let address = event.client.ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical());
        if who.is_none() && address.is_none() && event.actor.key.is_none() && event.actor.integration.is_none() {
            return;
        }
        self.n_ok += 1;
        if let Some(address) = address {
            let (n_ok, accounts) = self.addresses.entry(address).or_default();
            *n_ok += 1;
            if let Some(who) = who.filter(|_| accounts.len() < ACCOUNTS_MAX) {
                accounts.insert(who.clone());
            }
        }
        let counts = [
            (&mut self.people, who),
            (&mut self.keys, event.actor.key.as_ref()),
            (&mut self.integrations, event.actor.integration.as_ref()),
        ];
        for (map, key) in counts {
            if let Some(key) = key {
                *map.entry(key.clone()).or_default() += 1;
            }
        }
    }

    fn part(&self, target: &EntityKey) -> BlastPart {
        let count = |map: &HashMap<Text, u64>| map.get(&target.key).copied().unwrap_or_default();
        let (n_ok, accounts): (u64, Vec<Text>) = match target.kind {
            EntityKind::Address | EntityKind::Network => {
                let Some(net) = network(&target.key) else { return BlastPart::default() };
                let inside = self.addresses.iter().filter(|(address, _)| net.contains(*address));
                let (mut n_ok, mut accounts) = (0, BTreeSet::new());
                for (_, (count, people)) in inside {
                    n_ok += count;
                    accounts.extend(people.iter().cloned());
                }
                (n_ok, accounts.into_iter().take(ACCOUNTS_OF_TARGET_MAX).collect())
            }
            EntityKind::User | EntityKind::Staff => (count(&self.people), vec![target.key.clone()]),
            EntityKind::Session | EntityKind::Device => (0, vec![target.key.clone()]),
            EntityKind::ApiKey => (count(&self.keys), Vec::new()),
            EntityKind::Integration => (count(&self.integrations), Vec::new()),
            _ => (0, Vec::new()),
        };
        let money_minor = match target.kind {
            EntityKind::Order | EntityKind::GiftCard => self.money.get(&target.key).copied().unwrap_or_default(),
            _ => 0.0,
        };
        let traffic_share = if self.n_ok < JUDGED_FROM { 0.0 } else { n_ok as f64 / self.n_ok as f64 };
        BlastPart { accounts, traffic_share, money_minor }
    }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::{EventKind, Outcome, Timestamp};

    use super::*;

    #[test]
    fn counts_what_succeeded() {
        let mut tail = Tail::default();
        for n in 0..1_000_u32 {
            let mut event = Event::new(n.to_string(), Timestamp(0), EventKind::AuthLogin);
            event.client.ip =
                Some(if n % 4 == 0 { "203.0.113.7".into() } else { format!("198.51.100.{}", n % 100).into() });
            event.actor.user = Some(format!("u{}", n % 10).into());
            event.outcome = if n % 8 == 0 { Outcome::Failure } else { Outcome::Success };
            tail.event(&event);
        }
        let part = tail.part(&EntityKey::new(EntityKind::Address, "203.0.113.7"));
        assert!((part.traffic_share - 125.0 / 875.0).abs() < 1e-9, "{part:?}");
        assert!(!part.accounts.is_empty());
        let whole = tail.part(&EntityKey::new(EntityKind::Network, "0.0.0.0/0"));
        assert!((whole.traffic_share - 1.0).abs() < 1e-9);
        let nobody = tail.part(&EntityKey::new(EntityKind::Address, "192.0.2.1"));
        assert_eq!(nobody, BlastPart::default());
    }
}
