//! Planning and sending with a clock that jumps and a receiver that plays a script.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, AlertEvent};
use riskgraph_domain::delivery::{ChannelFilter, DeliveryFilter, DeliveryState, Outgoing, PayloadFormat, Sent};
use riskgraph_domain::journal::Position;
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::secret::{Secret, Vault};
use riskgraph_domain::time::{Clock, DAY_MS, HOUR_MS};
use riskgraph_domain::{AlertId, ChannelId, Severity, Text, Timestamp};
use riskgraph_store::{Store, StoreOptions};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::worker::{Rules, Worker};
use super::*;

const START: Timestamp = Timestamp(1_772_438_400_000);
/// Longest wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

struct SetClock(AtomicI64);

impl SetClock {
    fn jump(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Opens anything.
struct OpenVault;

impl Vault for OpenVault {
    fn seal(&self, _: &str, secret: &Secret) -> Result<String, Fault> {
        Ok(secret.expose().to_owned())
    }
    fn open(&self, _: &str, sealed: &str) -> Result<Secret, Fault> {
        Ok(Secret::new(sealed))
    }
}

/// Answers by a script, then with yes.
#[derive(Default)]
struct Player {
    script: Mutex<VecDeque<Sent>>,
    got: Mutex<Vec<String>>,
}

#[async_trait]
impl Sender for Player {
    async fn send(&self, outgoing: Outgoing) -> Sent {
        self.got.lock().push(outgoing.message_id);
        self.script.lock().pop_front().unwrap_or(Sent::Taken { status: 200 })
    }
    fn check_target(&self, _: ChannelKind, _: &Secret) -> Result<String, Fault> {
        Ok(String::new())
    }
}

fn no() -> Sent {
    Sent::Failed { status: Some(500), error: "answered 500".to_owned(), slow_down: false, retry_after_ms: None }
}

/// A store, one channel, and both sides of the part.
struct Yard {
    _folder: TempDir,
    store: Store,
    book: Book,
    clock: Arc<SetClock>,
    player: Arc<Player>,
    channel: ChannelId,
    stop: CancellationToken,
    sequence: u64,
}

impl Drop for Yard {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Yard {
    async fn new(shape: impl FnOnce(&mut Channel)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}/rg.db", folder.path().display());
        let store = Store::open(StoreOptions::new(url)).await.expect("opens");
        let id = ChannelId::of(&["c"]);
        let mut channel = blank(id);
        shape(&mut channel);
        let body = serde_json::to_value(&channel).expect("writes");
        let document = riskgraph_domain::document::Document {
            kind: Text::from(book::KIND),
            id: Text::from(id.to_string()),
            version: 1,
            body,
            by: Text::from("t"),
            at: START,
            note: None,
        };
        store.documents().put(document).await.expect("puts");
        store.deliveries().open_channel(id, 0, START).await.expect("opens");
        let book = Book::open(store.documents(), store.deliveries()).await.expect("opens");
        Self {
            _folder: folder,
            store,
            book,
            clock: Arc::new(SetClock(AtomicI64::new(START.millis()))),
            player: Arc::default(),
            channel: id,
            stop: CancellationToken::new(),
            sequence: 0,
        }
    }

    fn planner(&self) -> Planner {
        let (alerts, _) = tokio::sync::broadcast::channel(1);
        Planner::of(
            (self.book.clone(), self.store.deliveries()),
            (self.store.records(), Arc::clone(&self.clock) as _),
            alerts.subscribe(),
            self.stop.clone(),
        )
    }

    async fn plan(&self) {
        let planner = self.planner();
        while planner.pass().await.expect("plans") {}
    }

    fn work(&self, schedule_ms: Vec<i64>) {
        let worker = Worker {
            id: self.channel,
            book: self.book.clone(),
            store: self.store.deliveries(),
            vault: Arc::new(OpenVault),
            sender: Arc::clone(&self.player) as _,
            clock: Arc::clone(&self.clock) as _,
            rules: Arc::new(Rules {
                schedule_ms,
                disable_after_ms: 5 * DAY_MS,
                parallel: 4,
                send_limit: PATIENCE,
                test_patience: PATIENCE,
            }),
            stop: self.stop.clone(),
        };
        tokio::spawn(worker.run());
    }

    /// An alert changes.
    async fn happen(&mut self, name: &str, change: AlertChange) {
        self.sequence += 1;
        let mut alert = Alert::new(AlertId::of(&[name]), name, START);
        alert.severity = Severity::High;
        let event = AlertEvent {
            sequence: self.sequence,
            change,
            cause: AlertCause::Signal,
            actor: None,
            at: self.clock.now(),
            alert,
        };
        let delta = Delta { position: Position(self.sequence), alert_events: vec![event], ..Delta::default() };
        self.store.state().apply(delta).await.expect("applies");
    }

    async fn got(&self, n: usize) -> Vec<String> {
        let ask = async {
            loop {
                let got = self.player.got.lock().clone();
                if got.len() >= n {
                    return got;
                }
                tokio::task::yield_now().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ask).await.unwrap_or_else(|_| panic!("waited in vain for {n} messages"))
    }

    async fn states(&self) -> Vec<(DeliveryState, usize)> {
        let page = self.store.deliveries().deliveries(DeliveryFilter::default(), PageRequest::first(100)).await;
        let page = page.expect("lists");
        page.items.into_iter().map(|(_, one)| (one.state, one.attempts.len())).collect()
    }

    async fn settled(&self, want: &[(DeliveryState, usize)]) {
        let ask = async {
            while self.states().await != want {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, ask).await;
        assert!(done.is_ok(), "{:?} instead of {want:?}", self.states().await);
    }

    /// Whether the worker leaves the receiver alone for as long as it would need to look several times.
    async fn is_quiet(&self) -> bool {
        let before = self.player.got.lock().len();
        for _ in 0..4 {
            self.book.ring();
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        self.player.got.lock().len() == before
    }
}

fn blank(id: ChannelId) -> Channel {
    Channel {
        id,
        name: Text::from("c"),
        kind: ChannelKind::Webhook,
        format: PayloadFormat::Native,
        target: "https://hook.example/".to_owned(),
        target_shown: String::new(),
        token: None,
        secrets: Vec::new(),
        filter: ChannelFilter::default(),
        digest: None,
        time_zone: None,
        group_wait_s: 0,
        repeat_s: None,
        created_by: Text::from("t"),
        created_at: START,
    }
}

#[tokio::test]
async fn a_clock_set_back_stalls_nothing_and_starts_no_storm() {
    let mut yard = Yard::new(|_| {}).await;
    yard.player.script.lock().extend([no(), no(), no()]);
    yard.happen("a", AlertChange::Opened).await;
    yard.plan().await;
    yard.work(vec![0, HOUR_MS, HOUR_MS, HOUR_MS]);
    yard.settled(&[(DeliveryState::Retrying, 1)]).await;
    assert!(yard.is_quiet().await, "the next try is in an hour");
    yard.clock.jump(-30 * DAY_MS);
    yard.settled(&[(DeliveryState::Retrying, 2)]).await;
    assert!(yard.is_quiet().await, "one early try, and an hour again");
    yard.clock.jump(365 * DAY_MS);
    yard.settled(&[(DeliveryState::Retrying, 3)]).await;
    assert!(yard.is_quiet().await);
    yard.clock.jump(2 * HOUR_MS);
    yard.settled(&[(DeliveryState::Delivered, 4)]).await;
    let state = yard.store.deliveries().channel_state(yard.channel).await.expect("reads").expect("is there");
    assert!(state.disabled.is_none(), "a year's jump is no year of failing");
    let got = yard.got(4).await;
    assert!(got.iter().all(|id| *id == got[0]), "one message, one id");
}

#[tokio::test]
async fn repeats_and_digests_survive_jumps() {
    let mut yard = Yard::new(|channel| channel.repeat_s = Some(3_600)).await;
    yard.happen("a", AlertChange::Opened).await;
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 1);
    yard.work(vec![0, 1]);
    yard.got(1).await;
    yard.settled(&[(DeliveryState::Delivered, 1)]).await;
    yard.clock.jump(400 * DAY_MS);
    yard.plan().await;
    yard.plan().await;
    yard.got(2).await;
    assert_eq!(yard.states().await.len(), 2, "a year missed is one repeat");
    yard.clock.jump(-800 * DAY_MS);
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 2, "set back: the wait begins anew");
    yard.clock.jump(2 * HOUR_MS);
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 3, "and ends as usual");

    let mut yard = Yard::new(|channel| channel.digest = Some("0 * * * *".to_owned())).await;
    yard.happen("a", AlertChange::Opened).await;
    yard.happen("b", AlertChange::Opened).await;
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 0, "not yet");
    yard.clock.jump(50 * HOUR_MS);
    yard.plan().await;
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 1, "what was missed is told once");
    yard.happen("a", AlertChange::Escalated).await;
    yard.clock.jump(-100 * DAY_MS);
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 1);
    yard.clock.jump(HOUR_MS);
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 2, "the next full hour of the clock as it is now");
}

#[tokio::test]
async fn planning_again_after_a_crash_makes_nothing_twice() {
    let mut yard = Yard::new(|_| {}).await;
    for n in 0..7 {
        yard.happen(if n % 2 == 0 { "a" } else { "b" }, AlertChange::Updated).await;
    }
    // Two planners that know nothing of each other, as before and after a kill.
    let (one, two) = (yard.planner(), yard.planner());
    one.pass().await.expect("plans");
    two.pass().await.expect("plans");
    yard.plan().await;
    assert_eq!(yard.states().await.len(), 7);
    yard.work(vec![0, 1]);
    let got = yard.got(7).await;
    let unique: std::collections::BTreeSet<&String> = got.iter().collect();
    assert_eq!(unique.len(), 7);
}

#[tokio::test]
async fn the_schedule_ends_in_a_dead_letter_and_gone_keeps_it() {
    let mut yard = Yard::new(|_| {}).await;
    yard.player.script.lock().extend([no(), no(), no()]);
    yard.happen("a", AlertChange::Opened).await;
    yard.plan().await;
    yard.work(vec![0, 1, 1]);
    yard.clock.jump(10);
    let ticking = Arc::clone(&yard.clock);
    let stop = yard.stop.clone();
    tokio::spawn(async move {
        while !stop.is_cancelled() {
            ticking.jump(5);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    yard.settled(&[(DeliveryState::Dead, 3)]).await;
    yard.player.script.lock().push_back(Sent::Gone { status: 410, error: "answered 410".to_owned() });
    yard.happen("b", AlertChange::Opened).await;
    yard.plan().await;
    yard.book.ring();
    yard.settled(&[(DeliveryState::Retrying, 1), (DeliveryState::Dead, 3)]).await;
    let state = yard.store.deliveries().channel_state(yard.channel).await.expect("reads").expect("is there");
    assert!(state.disabled.is_some_and(|disabled| disabled.reason.contains("410")));
    assert!(yard.is_quiet().await, "a disabled channel is left alone");
    let id = yard.channel;
    yard.store.deliveries().set_disabled(id, None).await.expect("enables");
    yard.book.ring();
    yard.settled(&[(DeliveryState::Delivered, 2), (DeliveryState::Dead, 3)]).await;
}
