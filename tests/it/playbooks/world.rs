//! A service in this process with an attack in it, responders of our own, and a store that can die at any write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use riskgraph::app::App;
use riskgraph::config::Config;
use riskgraph::ground::Ground;
use riskgraph::respond::{Parts, Responses, start};
use riskgraph_domain::access::{Role, Viewer};
use riskgraph_domain::alert::{Alert, AlertFilter};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::playbook::{
    BlastPart, Impact, PlaybookDesk as _, Run, RunChange, RunRecord, RunState, RunStep, RunStore,
};
use riskgraph_domain::ports::{Intake as _, RawBatch};
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::time::Clock;
use riskgraph_domain::{EntityKey, EntityKind, PlaybookId, RunId, Text, Timestamp, TokenId};
use riskgraph_lab::{ScenarioId, Shop, ShopOptions};
use riskgraph_store::{Store, StoreOptions};
use tokio_util::sync::CancellationToken;

use crate::support::wait_for;

/// A clock that is set by hand.
pub struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Acquire))
    }
}

impl HandClock {
    pub fn move_by(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::AcqRel);
    }
}

/// How an action of the fake behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Fine,
    /// Never answers.
    Stalls,
    /// Answers with an error that may pass.
    Fails,
    /// Breaks down.
    Panics,
    /// Says it did it, and did not.
    Lies,
}

#[derive(Default)]
pub struct Done {
    /// Keys whose effect is there, with action and target.
    pub held: BTreeMap<String, (String, String)>,
    /// Effects that changed something, in order.
    pub changed: Vec<(String, String)>,
    pub undone: Vec<(String, String)>,
    pub moods: BTreeMap<String, Mood>,
}

/// A responder that remembers.
#[derive(Default)]
pub struct Fake(pub Mutex<Done>);

impl Fake {
    pub fn mood(&self, action: &str, mood: Mood) {
        self.0.lock().moods.insert(action.to_owned(), mood);
    }
    fn of(request: &ActionRequest) -> (String, String) {
        let target = request.target.as_ref().map_or(String::new(), |target| target.key.to_string());
        (request.action.to_string(), target)
    }
}

#[async_trait]
impl Responder for Fake {
    fn actions(&self) -> Vec<ActionSpec> {
        let spec = |action: &str, kind, reversible| ActionSpec {
            action: action.into(),
            connector: "fake".into(),
            description: format!("does {action}"),
            targets: vec![kind],
            reversible,
            parameters: Vec::new(),
        };
        vec![
            spec("block_address", EntityKind::Address, true),
            spec("throttle_address", EntityKind::Address, true),
            spec("freeze_account", EntityKind::User, true),
            spec("end_sessions", EntityKind::User, false),
        ]
    }
    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        let (action, target) = Self::of(request);
        Ok(PlannedEffect { text: format!("would {action} {target}"), changes: true })
    }
    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        let mood = self.0.lock().moods.get(request.action.as_str()).copied().unwrap_or(Mood::Fine);
        match mood {
            Mood::Stalls => std::future::pending().await,
            Mood::Fails => return Err(Fault::new(FaultCode::Upstream, "the other side answered 500")),
            Mood::Panics => panic!("a connector broke down"),
            Mood::Lies | Mood::Fine => {}
        }
        let mut done = self.0.lock();
        let key = request.idempotency_key.to_string();
        if mood == Mood::Fine && !done.held.contains_key(&key) {
            done.held.insert(key, Self::of(request));
            done.changed.push(Self::of(request));
        }
        Ok(Effect { text: "did it".to_owned(), ours: true, receipt: serde_json::json!({ "n": 1 }) })
    }
    async fn verify(&self, request: &ActionRequest, _effect: &Effect) -> Result<Verified, Fault> {
        let holds = self.0.lock().held.contains_key(request.idempotency_key.as_str());
        Ok(Verified { holds, text: "looked".to_owned() })
    }
    async fn undo(&self, request: &ActionRequest, _effect: &Effect) -> Result<Effect, Fault> {
        let mut done = self.0.lock();
        if let Some(effect) = done.held.remove(request.idempotency_key.as_str()) {
            done.undone.push(effect);
        }
        Ok(Effect { text: "took it back".to_owned(), ours: true, receipt: serde_json::Value::Null })
    }
}

/// Where a store dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    Before,
    After,
}

/// A store that never answers again from its n-th write on.
pub struct Mortal {
    pub inner: Arc<dyn RunStore>,
    pub left: AtomicU64,
    pub death: Death,
    pub dead: tokio::sync::Notify,
}

impl Mortal {
    async fn die(&self) {
        self.dead.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl RunStore for Mortal {
    async fn plan(&self, runs: Vec<RunRecord>, cursor: Option<(&'static str, u64)>) -> Result<Vec<RunId>, Fault> {
        self.inner.plan(runs, cursor).await
    }
    async fn cursor(&self, consumer: &str) -> Result<Option<u64>, Fault> {
        self.inner.cursor(consumer).await
    }
    async fn save(&self, change: RunChange) -> Result<(), Fault> {
        let left = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        if left.is_err() && self.death == Death::Before {
            self.die().await;
        }
        self.inner.save(change).await?;
        if left.is_err() {
            self.die().await;
        }
        Ok(())
    }
    async fn load(&self, id: RunId) -> Result<Option<RunRecord>, Fault> {
        self.inner.load(id).await
    }
    async fn active(&self) -> Result<Vec<RunId>, Fault> {
        self.inner.active().await
    }
    async fn expiring(&self) -> Result<Vec<(RunId, Timestamp)>, Fault> {
        self.inner.expiring().await
    }
    async fn effects_since(&self, since: Timestamp) -> Result<Vec<(RunId, RunStep)>, Fault> {
        self.inner.effects_since(since).await
    }
}

/// Every address is a tenth of the traffic, every account itself.
struct Tenth;

#[async_trait]
impl Impact for Tenth {
    async fn impact(&self, targets: &[EntityKey]) -> Result<Vec<BlastPart>, Fault> {
        let part = |target: &EntityKey| BlastPart {
            accounts: if target.kind == EntityKind::User { vec![target.key.clone()] } else { Vec::new() },
            traffic_share: if target.kind == EntityKind::Address { 0.1 } else { 0.0 },
            money_minor: 0.0,
        };
        Ok(targets.iter().map(part).collect())
    }
}

/// One engine; it stops when it goes out of scope.
pub struct Engine {
    desk: Responses,
    stop: CancellationToken,
}

impl std::ops::Deref for Engine {
    type Target = Responses;
    fn deref(&self) -> &Responses {
        &self.desk
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The service, the attack, and a second set of runs of our own.
pub struct World {
    pub app: App,
    pub clock: Arc<HandClock>,
    pub fake: Arc<Fake>,
    pub store: Store,
    pub alert: Alert,
    pub address: String,
    pub user: String,
    _folders: (tempfile::TempDir, tempfile::TempDir),
}

impl World {
    pub async fn new() -> Self {
        let folders = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        let mut config = Config::load(None).expect("defaults");
        config.store.data_dir = folders.0.path().to_owned();
        let now = Timestamp::parse_rfc3339("2026-05-04T10:00:00Z").expect("time");
        let clock = Arc::new(HandClock(AtomicI64::new(now.millis())));
        let app = App::start(config, Arc::clone(&clock) as _).await.expect("starts");
        let at = now - 3 * 3_600_000;
        let shop = Shop::new(ShopOptions { seed: 11, start: at, ..ShopOptions::default() });
        let mut events = shop.scenario(ScenarioId::S1, at, 0.15);
        events.sort_by_key(|labelled| labelled.event.time);
        let mut body = Vec::new();
        for labelled in &events {
            serde_json::to_writer(&mut body, &labelled.event).expect("writes");
            body.push(b'\n');
        }
        let batch = RawBatch { format: "native".into(), body: body.into(), sender: "shop".into() };
        let receipt = app.door.accept(batch).await.expect("accepted");
        app.wait_applied(receipt.position.expect("new")).await;
        let alerts = app.records.alerts(AlertFilter::default(), PageRequest::first(50)).await.expect("alerts");
        let key =
            |alert: &Alert, kind| alert.entities.iter().find(|key| key.kind == kind).map(|key| key.key.to_string());
        let found = alerts.items.into_iter().find_map(|(_, alert)| {
            let (address, user) = (key(&alert, EntityKind::Address)?, key(&alert, EntityKind::User)?);
            Some((alert, address, user))
        });
        let (alert, address, user) = found.expect("an alert with an address and a user");
        let url = format!("sqlite://{}/runs.db", folders.1.path().display());
        let store = Store::open(StoreOptions::new(url)).await.expect("opens");
        Self { app, clock, fake: Arc::default(), store, alert, address, user, _folders: folders }
    }

    /// An engine on our runs.
    pub async fn engine(&self) -> Engine {
        self.engine_on(self.store.run_store()).await
    }

    pub async fn engine_on(&self, store: Arc<dyn RunStore>) -> Engine {
        let stop = CancellationToken::new();
        let parts = Parts {
            ground: Ground { stop: stop.clone(), ..self.app.ground.clone() },
            responders: Arc::clone(&self.fake) as _,
            store,
            runs: self.store.runs(),
            impact: Arc::new(Tenth),
            notifier: None,
        };
        Engine { desk: start(parts).await.expect("starts").0, stop }
    }

    /// Keeps a playbook whose steps aim at the one address and user, and gives its id.
    pub async fn playbook(&self, desk: &Responses, name: &str, steps: &str) -> PlaybookId {
        let steps = steps
            .replace("ADDRESS", &format!("'entities.filter(e, e.key == \"{}\")'", self.address))
            .replace("USER", &format!("'entities.filter(e, e.key == \"{}\")'", self.user));
        let text = format!("name = \"{name}\"\ntitle = \"{name}\"\ntrigger = \"false\"\n{steps}");
        desk.save(&viewer("ann", Role::Admin), &text, None).await.expect("saves").playbook.id()
    }

    pub async fn start(&self, desk: &Responses, playbook: PlaybookId, by: &str) -> RunId {
        // Two runs of one person in one millisecond are one run.
        self.clock.move_by(1);
        desk.start(&viewer(by, Role::Analyst), playbook, self.alert.id).await.expect("starts")
    }

    /// Waits until the run is in this state.
    pub async fn wait(&self, run: RunId, state: RunState) -> Run {
        let last = Mutex::new(None);
        wait_for("the run's state", || async {
            let found = self.store.runs().run(run).await.expect("reads").expect("is there");
            let is_there = found.state == state;
            if *last.lock() != Some(found.state) && !is_there {
                *last.lock() = Some(found.state);
                eprintln!("{run} is {:?}: {:?}", found.state, found.reason);
            }
            (is_there && (found.finished_at.is_some() || found.state.is_active())).then_some(found)
        })
        .await
    }

    pub async fn steps(&self, run: RunId) -> Vec<RunStep> {
        self.store.runs().run_steps(run).await.expect("reads")
    }
}

pub fn viewer(name: &str, role: Role) -> Viewer {
    Viewer { token: TokenId::of(&[name]), name: Text::from(name), role, expires_at: None }
}

/// Distinct targets of effects that changed something.
pub fn distinct(changed: &[(String, String)]) -> usize {
    changed.iter().collect::<BTreeSet<_>>().len()
}
