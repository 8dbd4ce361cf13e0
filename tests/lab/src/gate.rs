//! What traffic meets: the same edge and the same holds that requests over HTTP meet, for events of the generator. What they
//! would refuse comes out as refused. It must *not* know which events are attacks.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use riskgraph_domain::event::Http;
use riskgraph_domain::{Event, EventKind, Outcome, Text};

use crate::edge::{EdgeFiles, Meter, Rules};
use crate::locks::{Lever, Locks};

/// How long the files are taken as read: a stream of events asks thousands of times a second,
/// and the demo lives through minutes in that time.
const READ_EVERY: Duration = Duration::from_millis(20);

/// The edge and the shop's holds, as one gate.
#[derive(Debug)]
pub struct Gate {
    files: EdgeFiles,
    locks: Arc<Mutex<Locks>>,
    read: Mutex<(Instant, Rules)>,
    meter: Mutex<Meter>,
    n_refused: std::sync::atomic::AtomicU64,
}

impl Gate {
    #[must_use]
    pub fn new(files: EdgeFiles, locks: Arc<Mutex<Locks>>) -> Self {
        let rules = Rules::read(&files);
        Self {
            files,
            locks,
            read: Mutex::new((Instant::now(), rules)),
            meter: Mutex::new(Meter::default()),
            n_refused: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// Events refused so far.
    #[must_use]
    pub fn n_refused(&self) -> u64 {
        self.n_refused.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Lets an event pass, or makes of it what a refused request leaves behind: outcome denied, status and reason.
    pub fn pass(&self, event: &mut Event) {
        let Some((status, reason)) = self.refusal(event) else { return };
        self.n_refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        event.outcome = Outcome::Denied;
        event.reason = Some(Text::from(reason));
        // A request that was refused returned nothing, changed nothing and took nothing.
        event.records = None;
        event.change = None;
        if let Some(http) = &mut event.http {
            http.status = Some(status);
            http.bytes_out = None;
        } else if matches!(event.kind, EventKind::HttpRequest | EventKind::ApiCall) {
            event.http = Some(Box::new(Http { status: Some(status), ..Http::default() }));
        }
    }

    fn refusal(&self, event: &Event) -> Option<(u16, &'static str)> {
        if !comes_from_a_client(event.kind) {
            return None;
        }
        self.at_the_edge(event).or_else(|| self.in_the_shop(event))
    }

    fn at_the_edge(&self, event: &Event) -> Option<(u16, &'static str)> {
        let mut read = lock(&self.read);
        if read.0.elapsed() >= READ_EVERY {
            *read = (Instant::now(), Rules::read(&self.files));
        }
        let rules = &read.1;
        if rules.is_idle() {
            return None;
        }
        let client: IpAddr = event.client.ip.as_ref()?.parse().ok()?;
        if rules.denies(client) {
            return Some((403, "blocked_address"));
        }
        let slowed = rules.slows(client) && !lock(&self.meter).take(client, Instant::now());
        slowed.then_some((429, "throttled"))
    }

    fn in_the_shop(&self, event: &Event) -> Option<(u16, &'static str)> {
        let mut locks = lock(&self.locks);
        if locks.is_idle() {
            return None;
        }
        if let Some(key) = &event.actor.key
            && (locks.held(Lever::Suspend, key) || locks.held(Lever::Rotate, key))
        {
            return Some((403, "key_suspended"));
        }
        if let Some(who) = event.login() {
            if locks.held(Lever::Freeze, who) {
                return Some((403, "account_frozen"));
            }
            if locks.held(Lever::Reset, who) {
                return Some((403, "reset_required"));
            }
            if event.kind == EventKind::AuthLogin {
                if event.outcome == Outcome::Success {
                    locks.logged_in(who);
                }
            } else if locks.is_logged_out(who) {
                return Some((401, "session_ended"));
            }
        }
        let id = event.object_id()?;
        match event.kind {
            EventKind::GiftcardRedeem if locks.held(Lever::HoldCard, id) => Some((409, "gift_card_held")),
            EventKind::OrderRefund if locks.held(Lever::HoldOrder, id) => Some((409, "order_held")),
            _ => None,
        }
    }
}

/// Whether the event is somebody's request to the shop, rather than something it was told.
const fn comes_from_a_client(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::HttpRequest
            | EventKind::AuthLogin
            | EventKind::AuthMfa
            | EventKind::AccountChange
            | EventKind::DataAccess
            | EventKind::StaffAction
            | EventKind::ApiCall
            | EventKind::PaymentAttempt
            | EventKind::OrderCreated
            | EventKind::OrderRefund
            | EventKind::CartHold
            | EventKind::GiftcardPurchase
            | EventKind::GiftcardRedeem
    )
}

/// A lock whose holder panicked holds what it held.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
