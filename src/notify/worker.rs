//! One channel's sender: takes what is due, tries it, writes down what came of it.
//!
//! Deliveries of one alert go one after the other (the store gives out only the first); different alerts go at once, as many
//! as the rules allow. Waiting uses the runtime's clock; what is due is decided by the wall clock and the store, so a clock
//! that jumps costs at most one early try for each delivery.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use riskgraph_domain::delivery::{
    Attempt, Channel, Deliveries, Disabled, Due, Outcome, Outgoing, Sender, Sent, Settled, Tries, message_id,
};
use riskgraph_domain::error::Fault;
use riskgraph_domain::secret::{Secret, Vault};
use riskgraph_domain::time::Clock;
use riskgraph_domain::{ChannelId, DeliveryId};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::book::Book;
use super::disabled::tell_others;
use super::input::{TARGET, TOKEN, purpose, secret_purpose};

/// How long a worker sleeps at most while something waits, and when nothing does.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(20);
/// Pause before a failed write of a result is tried again, and how often it is.
const SETTLE_PAUSE: Duration = Duration::from_millis(200);
const SETTLE_TRIES: u32 = 50;
/// Longest pause of an overloaded channel that does not say itself how long it wants.
const SLOW_MAX_MS: i64 = 60_000;
/// The most that a failure while nothing was tried adds to how long a channel has been failing.
const FAILING_STEP_MIN_MS: i64 = 1_000;
/// A tenth of a delay is chance, so that deliveries that failed together do not come back together.
const JITTER_SHARE: i64 = 10;

/// How often and how hard is tried.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// The wait before each try; beyond the last the delivery is dead.
    pub(super) schedule_ms: Vec<i64>,
    /// A channel that failed so long without a success is disabled.
    pub(super) disable_after_ms: i64,
    /// Deliveries of one channel in one moment.
    pub(super) parallel: usize,
    /// Beyond it a try counts as failed, whatever the sender does.
    pub(super) send_limit: Duration,
    /// How long a test waits for its answer.
    pub(super) test_patience: Duration,
}

impl Rules {
    /// The wait after so many failed tries; `None` when that was the last.
    fn delay_ms(&self, id: DeliveryId, n_failed: u32) -> Option<i64> {
        let delay = *self.schedule_ms.get(usize::try_from(n_failed).ok()?)?;
        // The id is a hash: its bits are chance, and the same at every start.
        let chance = i64::try_from((id.0 >> (n_failed % 64)) & 0xffff).unwrap_or(0);
        Some(delay + delay / JITTER_SHARE * chance / 0xffff)
    }

    fn failing_step_max_ms(&self) -> i64 {
        let longest = self.schedule_ms.iter().copied().max().unwrap_or(0);
        (longest + longest / JITTER_SHARE).max(FAILING_STEP_MIN_MS)
    }

    /// The pause of an overloaded channel after so many such answers in a row.
    fn slow_ms(&self, n_slow: u32, asked_ms: Option<i64>) -> i64 {
        let first = self.schedule_ms.get(1).copied().unwrap_or(SLOW_MAX_MS).min(SLOW_MAX_MS);
        let own = first.saturating_mul(1 << n_slow.min(10)).min(SLOW_MAX_MS);
        asked_ms.unwrap_or(0).max(own)
    }
}

/// Sends for one channel.
pub(super) struct Worker {
    pub(super) id: ChannelId,
    pub(super) book: Book,
    pub(super) store: Arc<dyn Deliveries>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) sender: Arc<dyn Sender>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: Arc<Rules>,
    pub(super) stop: CancellationToken,
}

/// A finished try.
struct Done {
    due: Due,
    at: riskgraph_domain::Timestamp,
    took: Duration,
    sent: Sent,
}

/// How the channel does right now.
#[derive(Default)]
struct Pace {
    /// Answers in a row that say it is overloaded.
    n_slow: u32,
    resume_at: Option<Instant>,
}

impl Worker {
    /// Runs until stopped. Tries under way are dropped then: their deliveries stay due.
    pub(super) async fn run(self) {
        let mut bell = self.book.listen();
        let mut tries: JoinSet<Done> = JoinSet::new();
        let mut under_way: HashMap<tokio::task::Id, DeliveryId> = HashMap::new();
        let mut pace = Pace::default();
        loop {
            bell.borrow_and_update();
            let wait = match self.start_tries(&mut tries, &mut under_way, &pace).await {
                Ok(wait) => wait,
                Err(fault) => {
                    tracing::warn!(channel.id = %self.id, %fault, "deliveries could not be read; tried again soon");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                Some(ended) = tries.join_next_with_id() => match ended {
                    Ok((task, done)) => {
                        self.finish(done, &mut pace).await;
                        under_way.remove(&task);
                    }
                    Err(error) => {
                        tracing::error!(channel.id = %self.id, "a try to deliver broke off; it is tried again");
                        under_way.remove(&error.id());
                    }
                },
                changed = bell.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Starts what is due and has room; says how long nothing more will be.
    async fn start_tries(
        &self,
        tries: &mut JoinSet<Done>,
        under_way: &mut HashMap<tokio::task::Id, DeliveryId>,
        pace: &Pace,
    ) -> Result<Duration, Fault> {
        if let Some(left) = pace.resume_at.and_then(|at| at.checked_duration_since(Instant::now())) {
            return Ok(left.min(LOOK_EVERY));
        }
        let parallel = if pace.n_slow > 0 { 1 } else { self.rules.parallel };
        let room = parallel.saturating_sub(under_way.len());
        if room == 0 {
            return Ok(IDLE);
        }
        let Some(channel) = self.book.get(self.id) else { return Ok(IDLE) };
        if self.store.channel_state(self.id).await?.is_none_or(|state| state.disabled.is_some()) {
            return Ok(IDLE);
        }
        let now = self.clock.now();
        let due = self.store.due(self.id, now, room + under_way.len()).await?;
        let fresh: Vec<Due> =
            due.into_iter().filter(|due| !under_way.values().any(|id| *id == due.id)).take(room).collect();
        for due in fresh {
            let id = due.id;
            let task = tries.spawn(self.try_once(Arc::clone(&channel), due));
            under_way.insert(task.id(), id);
        }
        let next = self.store.next_due(self.id).await?;
        Ok(next.map_or(IDLE, |at| {
            let left = u64::try_from(at - now).unwrap_or(0);
            // Of what is under way the time has passed: it is waited for, not looked for.
            if left == 0 && !under_way.is_empty() {
                LOOK_EVERY
            } else {
                Duration::from_millis(left.max(1)).min(LOOK_EVERY)
            }
        }))
    }

    fn try_once(&self, channel: Arc<Channel>, due: Due) -> impl Future<Output = Done> + Send + 'static {
        let (sender, clock, limit) = (Arc::clone(&self.sender), Arc::clone(&self.clock), self.rules.send_limit);
        let at = clock.now();
        let outgoing = open(&*self.vault, &channel, &due, at);
        async move {
            let began = Instant::now();
            let failed = |error: &str| Sent::Failed {
                status: None,
                error: error.to_owned(),
                slow_down: false,
                retry_after_ms: None,
            };
            let sent = match outgoing {
                Ok(outgoing) => tokio::time::timeout(limit, sender.send(outgoing))
                    .await
                    .unwrap_or_else(|_| failed("the try took too long")),
                Err(fault) => failed(&fault.message),
            };
            Done { due, at, took: began.elapsed(), sent }
        }
    }

    /// Writes down what came of a try, and what it says of the channel.
    async fn finish(&self, done: Done, pace: &mut Pace) {
        let now = self.clock.now();
        let (status, error) = match &done.sent {
            // Files have no status.
            Sent::Taken { status } => ((*status != 0).then_some(*status), None),
            Sent::Failed { status, error, .. } | Sent::Refused { status, error } => (*status, Some(error.clone())),
            Sent::Gone { status, error } => (Some(*status), Some(error.clone())),
        };
        let attempt = Attempt {
            at: done.at,
            duration_ms: u32::try_from(done.took.as_millis()).unwrap_or(u32::MAX),
            status,
            error: error.clone(),
        };
        let outcome = self.outcome(&done);
        match &error {
            None => tracing::debug!(channel.id = %self.id, delivery.id = %done.due.id, "delivered"),
            Some(error) => {
                tracing::info!(channel.id = %self.id, delivery.id = %done.due.id, %error, ?outcome, "not delivered");
            }
        }
        let settled = Settled {
            delivery: done.due.id,
            channel: self.id,
            attempt,
            outcome,
            now,
            failing_step_max_ms: self.rules.failing_step_max_ms(),
        };
        let failing_ms = self.settle(settled).await;
        match done.sent {
            Sent::Taken { .. } => *pace = Pace::default(),
            Sent::Failed { slow_down: true, retry_after_ms, .. } => {
                let pause = self.rules.slow_ms(pace.n_slow, retry_after_ms);
                pace.n_slow = pace.n_slow.saturating_add(1);
                pace.resume_at = Some(Instant::now() + Duration::from_millis(u64::try_from(pause).unwrap_or(0)));
            }
            Sent::Gone { error, .. } => self.disable(format!("the receiver {error}")).await,
            Sent::Failed { .. } | Sent::Refused { .. } => {}
        }
        if failing_ms >= self.rules.disable_after_ms
            && let Some(error) = error
        {
            let long = span(failing_ms);
            self.disable(format!("failing for {long} without a success; the last answer: {error}")).await;
        }
    }

    fn outcome(&self, done: &Done) -> Outcome {
        let retry_after = match &done.sent {
            Sent::Taken { .. } => return Outcome::Delivered,
            Sent::Refused { .. } => return Outcome::Dead,
            Sent::Failed { retry_after_ms, .. } => retry_after_ms.unwrap_or(0),
            Sent::Gone { .. } => 0,
        };
        if done.due.tries == Tries::One {
            return Outcome::Dead;
        }
        match self.rules.delay_ms(done.due.id, done.due.n_failed.saturating_add(1)) {
            Some(delay) => Outcome::Retry { delay_ms: delay.max(retry_after) },
            None => Outcome::Dead,
        }
    }

    /// Writes a result until it is written; when it never is, the delivery stays due and goes again under the same id.
    async fn settle(&self, settled: Settled) -> i64 {
        for n in 1..=SETTLE_TRIES {
            match self.store.settle(settled.clone()).await {
                Ok(failing_ms) => return failing_ms,
                Err(fault) => {
                    if n.is_power_of_two() {
                        tracing::warn!(channel.id = %self.id, %fault, "a delivery's result was not written; tried again");
                    }
                    tokio::time::sleep(SETTLE_PAUSE).await;
                }
            }
        }
        0
    }

    async fn disable(&self, reason: String) {
        tracing::error!(channel.id = %self.id, reason, "the channel is disabled; its deliveries are kept");
        let at = self.clock.now();
        let told = self.book.get(self.id).map(|channel| tell_others(&channel, &reason, at, &self.book.all()));
        if let Err(fault) = self.store.set_disabled(self.id, Some(Disabled { at, reason })).await {
            tracing::warn!(channel.id = %self.id, %fault, "the channel could not be disabled");
            return;
        }
        if let Err(fault) = self.store.plan(told.unwrap_or_default()).await {
            tracing::warn!(channel.id = %self.id, %fault, "the other channels could not be told");
        }
        self.book.ring();
    }
}

/// A time in words, in its largest unit.
fn span(ms: i64) -> String {
    match ms {
        ..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}

/// Everything a sender needs, with its secrets opened.
fn open(vault: &dyn Vault, channel: &Channel, due: &Due, now: riskgraph_domain::Timestamp) -> Result<Outgoing, Fault> {
    let target = vault.open(&purpose(channel.id, TARGET), &channel.target)?;
    let token = channel.token.as_ref().map(|sealed| vault.open(&purpose(channel.id, TOKEN), sealed)).transpose()?;
    let secrets: Vec<Secret> = channel
        .secrets
        .iter()
        .filter(|secret| secret.retires_at.is_none_or(|at| at > now))
        .map(|secret| vault.open(&secret_purpose(channel.id), &secret.sealed))
        .collect::<Result<_, _>>()?;
    Ok(Outgoing {
        channel: channel.clone(),
        target,
        token,
        secrets,
        message_id: message_id(due.id),
        message: due.message.clone(),
        changes: due.changes.clone(),
        created_at: due.created_at,
        now,
    })
}
