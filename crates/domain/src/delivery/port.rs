//! The doors between planning, sending, keeping and showing deliveries.

use async_trait::async_trait;

use super::{Attempt, Channel, ChannelInput, ChannelStatus, ChannelView, Delivery, DeliveryState, Message, Notice};
use crate::access::Viewer;
use crate::alert::AlertChange;
use crate::error::Fault;
use crate::id::{AlertId, ChannelId, DeliveryId};
use crate::page::{Page, PageRequest};
use crate::secret::Secret;
use crate::text::Text;
use crate::time::Timestamp;

type Result<T> = std::result::Result<T, Fault>;

/// How a channel does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    pub channel: ChannelId,
    /// Everything up to here of the alert sequence is planned.
    pub cursor: u64,
    /// The last digest's instant.
    pub digest_at: Timestamp,
    pub last_delivered_at: Option<Timestamp>,
    /// How long it has been failing without a success between, milliseconds. A jump of the clock adds little to it.
    pub failing_ms: i64,
    pub disabled: Option<Disabled>,
    /// Deliveries not done.
    pub waiting: u64,
    /// Deliveries given up.
    pub dead: u64,
}

impl ChannelState {
    #[must_use]
    pub const fn status(&self) -> ChannelStatus {
        if self.disabled.is_some() { ChannelStatus::Disabled } else { ChannelStatus::Active }
    }
}

/// Since when and why a channel is told nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    pub at: Timestamp,
    pub reason: String,
}

/// A delivery to be inserted.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub alert: Option<AlertId>,
    /// The change it tells; `None` when it tells of no single alert.
    pub change: Option<AlertChange>,
    pub message: Message,
    /// Earliest try, from now.
    pub wait_ms: i64,
    /// Whether a failed try is repeated.
    pub tries: Tries,
    pub when: When,
}

/// Whether a delivery is made while an earlier one of its alert is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It goes after it.
    Always,
    /// It is not made: what waits says the same.
    NothingWaits,
}

/// How often a delivery is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// By the schedule.
    Many,
    /// Once: somebody looks at the result.
    One,
}

/// What a channel has told of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub alert: AlertId,
    /// The newest change it was told of.
    pub sequence: u64,
    pub at: Timestamp,
    /// Whether the alert may be told again: it is open, not acknowledged and not muted.
    pub repeats: bool,
    /// How often it was told again since that change.
    pub n_repeats: u32,
}

/// What planning came to for one channel; written in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelPlan {
    pub channel: ChannelId,
    /// Where the cursor was and goes; when it is elsewhere by now, nothing of the plan is written. `None` leaves it alone.
    pub cursor: Option<(u64, u64)>,
    pub now: Timestamp,
    /// In order of the sequence. One that waits is folded into the alert's newest one that was never tried.
    pub deliveries: Vec<NewDelivery>,
    pub told: Vec<Told>,
    pub digest_at: Option<Timestamp>,
}

/// A delivery whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    pub id: DeliveryId,
    pub alert: Option<AlertId>,
    pub created_at: Timestamp,
    /// Failed tries by the schedule so far.
    pub n_failed: u32,
    pub tries: Tries,
    pub message: Message,
    /// What the message tells, oldest first, when changes were folded.
    pub changes: Vec<AlertChange>,
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// Again after so many milliseconds.
    Retry {
        delay_ms: i64,
    },
    /// Given up; the next delivery of the alert may go.
    Dead,
}

/// The end of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    pub delivery: DeliveryId,
    pub channel: ChannelId,
    pub attempt: Attempt,
    pub outcome: Outcome,
    pub now: Timestamp,
    /// What one failure adds to [`ChannelState::failing_ms`] at most.
    pub failing_step_max_ms: i64,
}

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub channel: Option<ChannelId>,
    pub alert: Option<AlertId>,
    pub states: Vec<DeliveryState>,
}

/// How many deliveries there are in each state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    pub by_state: Vec<(DeliveryState, u64)>,
    /// When the oldest one not done was made.
    pub oldest_waiting: Option<Timestamp>,
    pub channels_disabled: u64,
}

/// Keeps deliveries and how channels do.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Makes room for a channel, which begins after `cursor`; nothing when it is there.
    async fn open_channel(&self, channel: ChannelId, cursor: u64, now: Timestamp) -> Result<()>;
    /// Removes a channel's deliveries and state.
    async fn close_channel(&self, channel: ChannelId) -> Result<()>;
    async fn channel_states(&self) -> Result<Vec<ChannelState>>;
    async fn channel_state(&self, channel: ChannelId) -> Result<Option<ChannelState>>;
    /// Disables or enables; enabling forgets how long it had failed.
    async fn set_disabled(&self, channel: ChannelId, disabled: Option<Disabled>) -> Result<()>;

    /// Writes the plans in one transaction; what is planned is on disk when it returns.
    async fn plan(&self, plans: Vec<ChannelPlan>) -> Result<()>;
    /// What the channel has told of these alerts.
    async fn told(&self, channel: ChannelId, alerts: &[AlertId]) -> Result<Vec<Told>>;
    /// Alerts that repeat and were last told before an instant (or after `now`: the clock was set back), oldest first.
    async fn repeats_due(&self, channel: ChannelId, before: Timestamp, now: Timestamp, max: usize)
    -> Result<Vec<Told>>;

    /// Deliveries of a channel whose time has come, longest due first, at most one an alert. Without their message
    /// changing any more: the first call that gives a delivery out closes it for folding.
    async fn due(&self, channel: ChannelId, now: Timestamp, max: usize) -> Result<Vec<Due>>;
    /// When the next delivery of a channel is due.
    async fn next_due(&self, channel: ChannelId) -> Result<Option<Timestamp>>;
    /// Writes what became of a try, and says how long the channel has been failing.
    async fn settle(&self, settled: Settled) -> Result<i64>;

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>>;
    /// Newest first.
    async fn deliveries(&self, filter: DeliveryFilter, page: PageRequest) -> Result<Page<Delivery>>;
    /// Has a delivery tried again now, from the start of the schedule; `false` when there is none.
    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool>;
    /// Has everything made since an instant delivered again, oldest first, at most `max`; says how many.
    async fn recover(&self, channel: ChannelId, since: Timestamp, now: Timestamp, max: usize) -> Result<u64>;
    async fn census(&self) -> Result<Census>;
}

/// A message on its way: everything a sender needs, opened.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub channel: Channel,
    pub target: Secret,
    pub token: Option<Secret>,
    /// Newest first; all of them sign.
    pub secrets: Vec<Secret>,
    pub message_id: String,
    pub message: Message,
    pub changes: Vec<AlertChange>,
    /// When the delivery was made.
    pub created_at: Timestamp,
    /// When it is tried.
    pub now: Timestamp,
}

/// What the receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It has it.
    Taken { status: u16 },
    /// It has not, but may at another try.
    Failed {
        status: Option<u16>,
        error: String,
        /// The receiver is overloaded: the whole channel goes slower.
        slow_down: bool,
        /// How long the receiver asked to be left alone, milliseconds.
        retry_after_ms: Option<i64>,
    },
    /// It will never take this message; others may pass.
    Refused { status: Option<u16>, error: String },
    /// It wants no message ever again.
    Gone { status: u16, error: String },
}

/// Brings messages to their receivers.
#[async_trait]
pub trait Sender: Send + Sync {
    /// Tries once, within the time limit.
    async fn send(&self, outgoing: Outgoing) -> Sent;
    /// Checks what a person gave as a target, without connecting; gives it as people may see it.
    ///
    /// # Errors
    /// `BadInput` with what is wrong.
    fn check_target(&self, kind: super::ChannelKind, target: &Secret) -> Result<String>;
}

/// What people do with channels and deliveries.
#[async_trait]
pub trait DeliveryDesk: Send + Sync {
    /// By name.
    async fn channels(&self, page: PageRequest) -> Result<Page<ChannelView>>;
    async fn channel(&self, id: ChannelId) -> Result<Option<ChannelView>>;
    /// Makes a channel; a webhook's secret is given once.
    async fn create(&self, viewer: &Viewer, input: ChannelInput) -> Result<(ChannelView, Option<Secret>)>;
    async fn update(&self, viewer: &Viewer, id: ChannelId, input: ChannelInput) -> Result<ChannelView>;
    async fn remove(&self, id: ChannelId) -> Result<bool>;
    async fn enable(&self, id: ChannelId) -> Result<ChannelView>;
    async fn disable(&self, id: ChannelId, reason: String) -> Result<ChannelView>;
    /// A new secret; the old one signs along for a day.
    async fn rotate(&self, viewer: &Viewer, id: ChannelId) -> Result<(ChannelView, Option<Secret>)>;
    /// Sends a test message and waits a moment for the answer.
    async fn test(&self, viewer: &Viewer, id: ChannelId) -> Result<Delivery>;
    async fn recover(&self, id: ChannelId, since: Timestamp) -> Result<u64>;
    async fn retry(&self, id: DeliveryId) -> Result<Delivery>;
    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>>;
    async fn deliveries(&self, filter: DeliveryFilter, page: PageRequest) -> Result<Page<Delivery>>;
    /// Tells a channel something that is no alert. The key says what: the same key is told once.
    async fn tell(&self, channel: ChannelId, key: Text, notice: Notice) -> Result<DeliveryId>;
}
