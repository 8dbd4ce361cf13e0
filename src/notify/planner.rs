//! Follows the alert sequence and makes each channel's deliveries: the consumer side of the outbox.
//!
//! A channel's cursor moves in the transaction that inserts its deliveries, so a kill between two passes repeats or loses
//! nothing. A disabled channel's cursor stands still: what it misses waits in the sequence.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use riskgraph_domain::alert::{AlertChange, AlertEvent, AlertStatus};
use riskgraph_domain::delivery::{
    AlertMessage, Channel, ChannelPlan, ChannelState, Deliveries, Digest, DigestAlert, Message, NewDelivery, Told,
    Tries, When, delivery_id,
};
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::Records;
use riskgraph_domain::signal::Signal;
use riskgraph_domain::time::{Clock, SECOND_MS};
use riskgraph_domain::{AlertId, SignalId, Timestamp};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::book::Book;
use super::input::last_instant;
use super::pick;
use crate::ground::Ground;

/// How often repeats and digests are looked at, and states are read anew.
const TICK: Duration = Duration::from_secs(1);
/// Changes read at once.
const PAGE: usize = 200;
/// Deliveries of one channel that may wait; beyond it what follows waits in the sequence.
const WAITING_MAX: u64 = 10_000;
/// Signals a message carries.
const SIGNALS_MAX: usize = 8;
/// Repeats planned at once for one channel.
const REPEATS_MAX: usize = 100;
/// Pages of changes one digest covers; what is beyond is in the next, which follows at once.
const DIGEST_PAGES_MAX: usize = 100;
/// Alerts a digest lists.
const DIGEST_ALERTS_MAX: usize = 200;

/// Plans for all channels.
pub(super) struct Planner {
    book: Book,
    store: Arc<dyn Deliveries>,
    records: Arc<dyn Records>,
    clock: Arc<dyn Clock>,
    alerts: broadcast::Receiver<Arc<AlertEvent>>,
    stop: CancellationToken,
}

/// What one pass has read, shared by the channels of the pass.
#[derive(Default)]
struct Read {
    pages: HashMap<u64, Arc<Vec<AlertEvent>>>,
    signals: HashMap<u64, Vec<Signal>>,
}

impl Planner {
    pub(super) fn new(ground: &Ground, book: Book, store: Arc<dyn Deliveries>) -> Self {
        let sources = (Arc::clone(&ground.records), Arc::clone(&ground.clock));
        Self::of((book, store), sources, ground.announcements.alerts.subscribe(), ground.stop.clone())
    }

    pub(super) fn of(
        (book, store): (Book, Arc<dyn Deliveries>),
        (records, clock): (Arc<dyn Records>, Arc<dyn Clock>),
        alerts: broadcast::Receiver<Arc<AlertEvent>>,
        stop: CancellationToken,
    ) -> Self {
        Self { book, store, records, clock, alerts, stop }
    }

    /// Plans until stopped.
    pub(super) async fn run(mut self) {
        let mut book = self.book.watch();
        loop {
            match self.pass().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(fault) => tracing::warn!(%fault, "deliveries could not be planned; the next pass will"),
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = book.changed() => {}
                heard = self.alerts.recv() => match heard {
                    Err(RecvError::Closed) => return,
                    // What was missed is in the sequence.
                    Ok(_) | Err(RecvError::Lagged(_)) => while self.alerts.try_recv().is_ok() {},
                },
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Plans what there is, at most a page a channel; says whether there may be more.
    pub(super) async fn pass(&self) -> Result<bool, Fault> {
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        let channels = self.book.all();
        if channels.is_empty() {
            return Ok(false);
        }
        let states: HashMap<_, _> =
            self.store.channel_states().await?.into_iter().map(|state| (state.channel, state)).collect();
        let newest = self.records.alert_event_range().await?.map_or(0, |(_, newest)| newest);
        let mut read = Read::default();
        let mut plans = Vec::new();
        let mut more = false;
        for channel in channels.iter() {
            let Some(state) = states.get(&channel.id) else { continue };
            if state.disabled.is_some() || state.waiting >= WAITING_MAX {
                continue;
            }
            if channel.digest.is_some() {
                plans.extend(self.digest(channel, state).await?);
            } else if state.cursor < newest {
                let plan = self.changes(channel, state, &mut read).await?;
                more |= plan.as_ref().is_some_and(|plan| plan.cursor.is_some_and(|(_, to)| to < newest));
                plans.extend(plan);
            }
            plans.extend(self.repeats(channel).await?);
        }
        if !plans.is_empty() {
            let tells = plans.iter().any(|plan| !plan.deliveries.is_empty());
            self.store.plan(plans).await?;
            if tells {
                self.book.ring();
            }
        }
        Ok(more)
    }

    /// The next page of changes for one channel.
    async fn changes(
        &self,
        channel: &Channel,
        state: &ChannelState,
        read: &mut Read,
    ) -> Result<Option<ChannelPlan>, Fault> {
        let events = match read.pages.get(&state.cursor) {
            Some(events) => Arc::clone(events),
            None => {
                let events = Arc::new(self.records.alert_events(state.cursor, PAGE).await?);
                read.pages.insert(state.cursor, Arc::clone(&events));
                events
            }
        };
        let Some(last) = events.last() else { return Ok(None) };
        let mut known = self.known(channel, &events).await?;
        let mut plan = self.empty(channel, Some((state.cursor, last.sequence)));
        for event in events.iter() {
            let told = known.get(&event.alert.id);
            if pick::is_told(channel, event, told) {
                let signals = self.signals(event, read).await?;
                plan.deliveries.push(delivery(channel, event, signals));
                known.insert(event.alert.id, told_now(channel, event, plan.now));
            } else if let Some(told) = told {
                // Somebody may have acknowledged it: it is not told again then.
                let told = Told { repeats: pick::repeats(channel, &event.alert), ..told.clone() };
                known.insert(event.alert.id, told);
            }
        }
        plan.told = known.into_values().collect();
        plan.told.sort_by_key(|told| told.alert);
        Ok(Some(plan))
    }

    async fn known(&self, channel: &Channel, events: &[AlertEvent]) -> Result<HashMap<AlertId, Told>, Fault> {
        let mut alerts: Vec<AlertId> = events.iter().map(|event| event.alert.id).collect();
        alerts.sort();
        alerts.dedup();
        let told = self.store.told(channel.id, &alerts).await?;
        Ok(told.into_iter().map(|told| (told.alert, told)).collect())
    }

    /// The weightiest signals of a change.
    async fn signals(&self, event: &AlertEvent, read: &mut Read) -> Result<Vec<Signal>, Fault> {
        if let Some(found) = read.signals.get(&event.sequence) {
            return Ok(found.clone());
        }
        let mut ids: Vec<SignalId> = event.alert.timeline.iter().filter_map(|entry| entry.signal).collect();
        ids.sort();
        ids.dedup();
        let mut found = self.records.signals_by_id(&ids).await?;
        found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        found.truncate(SIGNALS_MAX);
        read.signals.insert(event.sequence, found.clone());
        Ok(found)
    }

    /// Open alerts nobody has looked at for a while.
    async fn repeats(&self, channel: &Channel) -> Result<Option<ChannelPlan>, Fault> {
        let Some(every_s) = channel.repeat_s.filter(|_| channel.digest.is_none()) else { return Ok(None) };
        let mut plan = self.empty(channel, None);
        let before = plan.now - i64::from(every_s) * SECOND_MS;
        for told in self.store.repeats_due(channel.id, before, plan.now, REPEATS_MAX).await? {
            let alert = self.records.alert(told.alert).await?;
            let Some(alert) = alert.filter(|alert| pick::repeats(channel, alert)) else {
                plan.told.push(Told { repeats: false, ..told });
                continue;
            };
            // Told in the future: the clock was set back. The wait begins anew, and nothing is told.
            if told.at <= plan.now {
                let n = told.n_repeats + 1;
                let message = AlertMessage {
                    sequence: told.sequence,
                    change: AlertChange::Updated,
                    repeat: n,
                    alert,
                    signals: Vec::new(),
                };
                plan.deliveries.push(NewDelivery {
                    id: delivery_id(channel.id, &format!("repeat {n}"), told.sequence),
                    alert: Some(told.alert),
                    change: None,
                    message: Message::Alert(Box::new(message)),
                    wait_ms: 0,
                    tries: Tries::Many,
                    when: When::NothingWaits,
                });
                plan.told.push(Told { at: plan.now, n_repeats: n, ..told });
            } else {
                plan.told.push(Told { at: plan.now, ..told });
            }
        }
        Ok((!plan.told.is_empty()).then_some(plan))
    }

    /// What happened since the last digest, when its time has come. A time that was missed is made up for once.
    async fn digest(&self, channel: &Channel, state: &ChannelState) -> Result<Option<ChannelPlan>, Fault> {
        let mut plan = self.empty(channel, None);
        if state.digest_at > plan.now {
            plan.digest_at = Some(plan.now);
            return Ok(Some(plan));
        }
        let due = last_instant(channel, plan.now).is_some_and(|at| at > state.digest_at);
        if !due {
            return Ok(None);
        }
        let mut gathered = Gathered::default();
        let mut to = state.cursor;
        for page in 0.. {
            let events = self.records.alert_events(to, PAGE).await?;
            let Some(last) = events.last() else {
                plan.digest_at = Some(plan.now);
                break;
            };
            to = last.sequence;
            let mut known = self.known(channel, &events).await?;
            known.extend(gathered.told.iter().map(|told| (told.alert, told.clone())));
            for event in &events {
                if pick::is_told(channel, event, known.get(&event.alert.id)) {
                    let told = told_now(channel, event, plan.now);
                    known.insert(event.alert.id, told.clone());
                    gathered.add(event, told);
                }
            }
            if page >= DIGEST_PAGES_MAX {
                break;
            }
        }
        plan.cursor = Some((state.cursor, to));
        if let Some((digest, told)) = gathered.digest(state.digest_at, plan.now) {
            plan.deliveries.push(NewDelivery {
                id: delivery_id(channel.id, "digest", state.cursor),
                alert: None,
                change: None,
                message: Message::Digest(digest),
                wait_ms: 0,
                tries: Tries::Many,
                when: When::Always,
            });
            plan.told = told;
        }
        Ok(Some(plan))
    }

    fn empty(&self, channel: &Channel, cursor: Option<(u64, u64)>) -> ChannelPlan {
        ChannelPlan {
            channel: channel.id,
            cursor,
            now: self.clock.now(),
            deliveries: Vec::new(),
            told: Vec::new(),
            digest_at: None,
        }
    }
}

fn delivery(channel: &Channel, event: &AlertEvent, signals: Vec<Signal>) -> NewDelivery {
    let message =
        AlertMessage { sequence: event.sequence, change: event.change, repeat: 0, alert: event.alert.clone(), signals };
    NewDelivery {
        id: delivery_id(channel.id, "alert", event.sequence),
        alert: Some(event.alert.id),
        change: Some(event.change),
        message: Message::Alert(Box::new(message)),
        wait_ms: i64::from(channel.group_wait_s) * SECOND_MS,
        tries: Tries::Many,
        when: When::Always,
    }
}

fn told_now(channel: &Channel, event: &AlertEvent, now: Timestamp) -> Told {
    Told {
        alert: event.alert.id,
        sequence: event.sequence,
        at: now,
        repeats: pick::repeats(channel, &event.alert),
        n_repeats: 0,
    }
}

/// A digest in the making.
#[derive(Default)]
struct Gathered {
    alerts: Vec<DigestAlert>,
    told: Vec<Told>,
    places: HashMap<AlertId, usize>,
    sequence: u64,
    n_changes: u32,
}

impl Gathered {
    fn add(&mut self, event: &AlertEvent, told: Told) {
        self.n_changes = self.n_changes.saturating_add(1);
        self.sequence = event.sequence;
        let place = *self.places.entry(event.alert.id).or_insert_with(|| {
            self.alerts.push(DigestAlert { alert: event.alert.clone(), changes: Vec::new() });
            self.told.push(told.clone());
            self.alerts.len() - 1
        });
        let entry = &mut self.alerts[place];
        entry.alert = event.alert.clone();
        if !entry.changes.contains(&event.change) {
            entry.changes.push(event.change);
        }
        self.told[place] = told;
    }

    /// The digest and what it tells; `None` when nothing happened.
    fn digest(mut self, since: Timestamp, until: Timestamp) -> Option<(Digest, Vec<Told>)> {
        if self.alerts.is_empty() {
            return None;
        }
        let alerts_total = u32::try_from(self.alerts.len()).unwrap_or(u32::MAX);
        let open = |entry: &DigestAlert| entry.alert.status != AlertStatus::Resolved;
        self.alerts.sort_by(|a, b| {
            (open(b), b.alert.severity)
                .cmp(&(open(a), a.alert.severity))
                .then(b.alert.score.total_cmp(&a.alert.score))
                .then(a.alert.id.cmp(&b.alert.id))
        });
        self.alerts.truncate(DIGEST_ALERTS_MAX);
        let digest = Digest {
            since,
            until,
            sequence: self.sequence,
            alerts: self.alerts,
            alerts_total,
            changes_total: self.n_changes,
        };
        Some((digest, self.told))
    }
}
