//! Wires the parts into a running service.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use riskgraph_analysis::detect::{DetectConfig, Detectors};
use riskgraph_analysis::posture::PostureConfig;
use riskgraph_analysis::spread::RiskConfig;
use riskgraph_analysis::stage::Stage;
use riskgraph_api::{ApiOptions, IngestLimits, Networks, Reads, Services};
use riskgraph_connectors::crawl::HttpCrawler;
use riskgraph_domain::audit::{Audit, AuditLog};
use riskgraph_domain::delivery::Deliveries;
use riskgraph_domain::document::DocumentStore;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::journal::Position;
use riskgraph_domain::playbook::{RunStore, Runs};
use riskgraph_domain::ports::{Crawler, JobStore, Journal, Records, StateStore, TokenStore};
use riskgraph_domain::report::{History, ReportStore};
use riskgraph_domain::secret::Vault;
use riskgraph_domain::session::SessionStore;
use riskgraph_domain::time::{Clock, DAY_MS};
use riskgraph_domain::triage::TriageRecords;
use riskgraph_store::{Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::commands::Desk;
use crate::config::Config;
use crate::counters::Counters;
use crate::gatekeeper::{Guard, GuardParts};
use crate::ground::Ground;
use crate::intake::{Door, DoorParts};
use crate::jobs::Queue;
use crate::jobs::assess::Runner;
use crate::jobs::pages::{PageWatch, WithStandings};
use crate::jobs::review::Reviewer;
use crate::jobs::schedule::Schedule;
use crate::live::Streams;
use crate::past::Past;
use crate::pipeline::apply::{self, Announcements, Keeping, Outcome};
use crate::pipeline::judge::{checkpoint_key, read_checkpoint};
use crate::pipeline::{self, PipelineParts};
use crate::posture_desk::ScoreDesk;
use crate::reports::ReportingParts;
use crate::respond::impact::JournalImpact;
use crate::respond::tell::ChannelNotifier;
use crate::seen::Seen;
use crate::status::Health;
use crate::vault::FileVault;
use crate::views::{SharedBaselines, SharedGraph};

/// Outcomes that wait for the applier: one, so that a slow store makes larger transactions instead of a longer queue.
const OUTCOMES_MAX: usize = 1;
/// Steps of assessments a subscriber may be behind.
const PROGRESS_BACKLOG: usize = 256;
/// What a stopping pipeline gets to write its last delta and checkpoint.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A running service.
pub struct App {
    pub config: Config,
    pub door: Door,
    pub desk: Arc<Desk>,
    pub guard: Arc<Guard>,
    pub records: Arc<dyn Records>,
    pub graph: Arc<SharedGraph>,
    pub live: Arc<Streams>,
    pub announcements: Announcements,
    pub counters: Arc<Counters>,
    pub queue: Queue,
    pub ground: Ground,
    pub stop: CancellationToken,
    /// For what parts of the service do by themselves.
    pub audit: Audit,
    services: Services,
    proxies: Networks,
    judge: Option<std::thread::JoinHandle<()>>,
    tasks: Vec<JoinHandle<()>>,
    scheduler: Option<tokio_cron_scheduler::JobScheduler>,
}

/// The makers of the store's ports.
struct Ports {
    journal: Arc<dyn Journal>,
    state: Arc<dyn StateStore>,
    records: Arc<dyn Records>,
    triage: Arc<dyn TriageRecords>,
    jobs: Arc<dyn JobStore>,
    tokens: Arc<dyn TokenStore>,
    documents: Arc<dyn DocumentStore>,
    vault: Arc<dyn Vault>,
    sessions: Arc<dyn SessionStore>,
    deliveries: Arc<dyn Deliveries>,
    run_store: Arc<dyn RunStore>,
    runs: Arc<dyn Runs>,
    history: Arc<dyn History>,
    reports: Arc<dyn ReportStore>,
    audit: Arc<dyn AuditLog>,
}

/// State as of the last stop or crash.
struct Loaded {
    detectors: Detectors,
    checkpoint: Position,
    checkpoint_key: [u8; 16],
    stage: Stage,
    applied: Position,
    seen: Seen,
}

impl App {
    /// Opens the store, loads the state, judges what the journal still holds, and starts jobs.
    ///
    /// # Errors
    /// When the configuration is wrong or the store cannot be opened or read.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Fault> {
        let proxies = Networks::parse("server.trusted_proxies", &config.server.trusted_proxies)?;
        let ports = open(&config).await?;
        let loaded = load(&ports, &config).await?;
        let http = Arc::new(crawler(&config)?);
        let crawler: Arc<dyn Crawler> = Arc::new(WithStandings {
            crawler: Arc::new(crate::observer::Observer::new(&config)?),
            documents: Arc::clone(&ports.documents),
            urls: config.pages.urls.clone(),
        });
        let stop = CancellationToken::new();
        let counters = Arc::new(Counters::default());
        counters.start_at(ports.journal.end().await?.0, loaded.applied.0);
        let announcements = Announcements::new(loaded.applied);
        let (feed, stretches) = pipeline::feed();
        let (outcomes_in, outcomes_out) = mpsc::channel(OUTCOMES_MAX);
        let detectors = Arc::new(RwLock::new(loaded.detectors));
        let stage = Arc::new(RwLock::new(loaded.stage));
        let graph = Arc::new(SharedGraph(Arc::clone(&stage)));
        let parts = PipelineParts {
            journal: Arc::clone(&ports.journal),
            detectors: Arc::clone(&detectors),
            stage,
            clock: Arc::clone(&clock),
            checkpoint: loaded.checkpoint,
            checkpoint_key: loaded.checkpoint_key,
            applied: loaded.applied,
            checkpoint_every: Duration::from_secs(u64::from(config.pipeline.checkpoint_every_s.max(1))),
            stop: stop.clone(),
        };
        let judge = spawn_judge(parts, stretches, outcomes_in)?;
        let applier = tokio::spawn(apply::run(
            Arc::clone(&ports.state),
            Keeping {
                journal: Arc::clone(&ports.journal),
                clock: Arc::clone(&clock),
                keep_ms: i64::from(config.journal.keep_days) * DAY_MS,
            },
            Arc::clone(&counters),
            announcements.clone(),
            outcomes_out,
        ));
        let door = Door::new(DoorParts {
            journal: Arc::clone(&ports.journal),
            clock: Arc::clone(&clock),
            feed,
            counters: Arc::clone(&counters),
            seen: loaded.seen,
            lag_max: config.pipeline.lag_max,
        });
        let queue = Queue::new(Arc::clone(&ports.jobs), Arc::clone(&clock));
        let desk = Arc::new(Desk {
            door: door.clone(),
            records: Arc::clone(&ports.records),
            triage: Arc::clone(&ports.triage),
            queue: queue.clone(),
            clock: Arc::clone(&clock),
        });
        let reviewer = Reviewer {
            stage: Arc::clone(&graph.0),
            desk: Arc::clone(&desk),
            clock: Arc::clone(&clock),
            stop: stop.clone(),
        };
        let watch = PageWatch {
            urls: config.pages.urls.clone(),
            every_h: config.pages.every_h,
            crawler: http,
            documents: Arc::clone(&ports.documents),
            intake: Arc::new(door.clone()),
            clock: Arc::clone(&clock),
            stop: stop.clone(),
        };
        let ground = Ground {
            config: Arc::new(config.clone()),
            records: Arc::clone(&ports.records),
            documents: Arc::clone(&ports.documents),
            vault: Arc::clone(&ports.vault),
            responders: crate::responders::build(&config, Arc::clone(&clock))?,
            graph: Arc::clone(&graph) as _,
            desk: Arc::clone(&desk),
            announcements: announcements.clone(),
            clock: Arc::clone(&clock),
            stop: stop.clone(),
        };
        let guard = Arc::new(Guard::new(GuardParts {
            tokens: Arc::clone(&ports.tokens),
            sessions: Arc::clone(&ports.sessions),
            clock: Arc::clone(&clock),
            limits: config.session_limits(),
        }));
        let notifying = crate::notify::start(&ground, Arc::clone(&ports.deliveries)).await?;
        let reporting = crate::reports::start(
            &ground,
            ReportingParts {
                history: Arc::clone(&ports.history),
                store: Arc::clone(&ports.reports),
                journal: Arc::clone(&ports.journal),
                counters: Arc::clone(&counters),
                delivery: Arc::clone(&notifying.desk),
            },
        );
        let (progress, _) = broadcast::channel(PROGRESS_BACKLOG);
        let live = Arc::new(Streams {
            records: Arc::clone(&ports.records),
            graph: Arc::clone(&graph) as _,
            announcements: announcements.clone(),
            assessments: progress.clone(),
        });
        let health = Health {
            counters: Arc::clone(&counters),
            journal: Arc::clone(&ports.journal),
            graph: Arc::clone(&graph),
            detectors: Arc::clone(&detectors),
            deliveries: Arc::clone(&ports.deliveries),
            clock: Arc::clone(&clock),
            stop: stop.clone(),
        };
        let (responses, respond_task) = crate::respond::start(crate::respond::Parts {
            responders: Arc::clone(&ground.responders),
            impact: Arc::new(JournalImpact::new(Arc::clone(&ports.journal), Arc::clone(&clock))),
            notifier: Some(Arc::new(ChannelNotifier {
                desk: Arc::clone(&notifying.desk),
                clock: Arc::clone(&clock),
                public_url: config.public_url(),
            })),
            store: ports.run_store,
            runs: Arc::clone(&ports.runs),
            ground: ground.clone(),
        })
        .await?;
        let folder = (&config.audit, config.store.data_dir.as_path());
        let audited = crate::audit::start(ports.audit, Arc::clone(&clock), folder, stop.clone()).await?;
        let quantities = Arc::new(PostureConfig::built_in().map_err(shipped_is_wrong)?);
        let services = Services {
            intake: Arc::new(door.clone()),
            graph: Arc::clone(&graph) as _,
            baseline: Arc::new(SharedBaselines(detectors)),
            records: Arc::clone(&ports.records),
            triage: Arc::clone(&ports.triage),
            past: Arc::new(Past { triage: Arc::clone(&ports.triage) }),
            commands: Arc::clone(&desk) as _,
            live: Arc::clone(&live) as _,
            gatekeeper: Arc::clone(&guard) as _,
            sessions: Arc::clone(&guard) as _,
            audit: audited.audit.clone(),
            vendor_table: Arc::new(crate::vendor_csv::Table),
            status: Arc::new(health),
            delivery: notifying.desk,
            runs: Arc::clone(&ports.runs),
            playbooks: Arc::new(responses),
            reports: reporting.desk,
            postures: Arc::new(ScoreDesk {
                records: Arc::clone(&ports.records),
                graph: Arc::clone(&graph) as _,
                config: Arc::clone(&quantities),
            }),
        };
        let runner = Runner {
            store: Arc::clone(&ports.jobs),
            queue: queue.clone(),
            records: Arc::clone(&ports.records),
            crawler,
            desk: Arc::clone(&desk),
            config: quantities,
            clock: Arc::clone(&clock),
            progress,
            stop: stop.clone(),
        };
        if config.store.url.is_empty() {
            // SQLite has one service: leases that are left are of runners that died with the last one.
            ports.jobs.release_all().await?;
        }
        let reviewing = tokio::spawn(reviewer.run());
        let watching = tokio::spawn(watch.run());
        let mut tasks = vec![applier, respond_task, reviewing, watching, reporting.task, audited.keeper];
        tasks.extend(notifying.tasks);
        tasks.extend((0..config.assessment.parallel).map(|_| tokio::spawn(runner.clone().run())));
        let schedule = Schedule::new(
            &config.assessment,
            Arc::clone(&ports.records),
            ports.jobs,
            queue.clone(),
            Arc::clone(&clock),
        )?;
        let scheduler = Some(schedule.start().await?);
        Ok(Self {
            config,
            door,
            desk,
            guard,
            records: ports.records,
            graph,
            live,
            announcements,
            counters,
            queue,
            ground,
            stop,
            audit: audited.audit,
            services,
            proxies,
            judge: Some(judge),
            tasks,
            scheduler,
        })
    }

    /// What the API runs with.
    #[must_use]
    pub fn api_options(&self) -> ApiOptions {
        ApiOptions {
            ingest: IngestLimits {
                wire_bytes_max: self.config.server.body_bytes_max,
                decoded_bytes_max: self.config.server.decoded_bytes_max,
                ..IngestLimits::default()
            },
            stop: self.stop.clone(),
            proxies: self.proxies.clone(),
            reads: if self.config.audit.reads { Reads::Recorded } else { Reads::Unrecorded },
            ..ApiOptions::default()
        }
    }

    /// Serves until stopped, then lets requests end.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        let options = self.api_options();
        let router = riskgraph_api::router(self.services.clone(), options.clone()).merge(riskgraph_console::router());
        riskgraph_api::serve(listener, router, &options).await
    }

    /// Waits until everything up to this position is judged and stored.
    pub async fn wait_applied(&self, position: Position) {
        let mut applied = self.announcements.applied.subscribe();
        // The sender lives as long as the app.
        let _ = applied.wait_for(|&at| at >= position).await;
    }

    /// Stops: no new input, the judged is stored, a last checkpoint is written.
    pub async fn shut_down(mut self) {
        self.stop.cancel();
        if let Some(mut scheduler) = self.scheduler.take() {
            let _ = scheduler.shutdown().await;
        }
        if let Some(judge) = self.judge.take() {
            let joined = tokio::task::spawn_blocking(move || judge.join());
            if tokio::time::timeout(STOP_PATIENCE, joined).await.is_err() {
                tracing::warn!("the pipeline did not end in time; the journal keeps what is left");
            }
        }
        for task in self.tasks.drain(..) {
            if tokio::time::timeout(STOP_PATIENCE, task).await.is_err() {
                tracing::warn!("a task did not end in time");
            }
        }
    }
}

/// A shipped configuration that does not parse is a fault of the build.
fn shipped_is_wrong(error: impl std::fmt::Display) -> Fault {
    Fault::new(FaultCode::Configuration, format!("a shipped configuration is wrong: {error}"))
}

async fn open(config: &Config) -> Result<Ports, Fault> {
    std::fs::create_dir_all(&config.store.data_dir).map_err(|error| {
        Fault::new(
            FaultCode::Configuration,
            format!("the data folder cannot be made ({error}); choose another with --data-dir"),
        )
    })?;
    let store = open_store(config).await?;
    Ok(Ports {
        journal: store.journal(),
        state: store.state(),
        records: store.records(),
        triage: store.triage(),
        jobs: store.jobs(),
        tokens: store.tokens(),
        documents: store.documents(),
        deliveries: store.deliveries(),
        history: store.history(),
        reports: store.reports(),
        vault: Arc::new(FileVault::open(&config.store.data_dir)?),
        sessions: store.sessions(),
        run_store: store.run_store(),
        runs: store.runs(),
        audit: store.audit(),
    })
}

/// Opens the store alone, without judging; for the command line.
///
/// # Errors
/// When it cannot be opened or migrated.
pub async fn open_store(config: &Config) -> Result<Store, Fault> {
    Store::open(store_options(config)).await.map_err(|error| Fault::new(FaultCode::Store, error.to_string()))
}

/// The store's options as configured.
#[must_use]
pub fn store_options(config: &Config) -> StoreOptions {
    StoreOptions {
        journal_url: Some(config.journal_url()),
        audit_url: Some(config.audit_url()),
        ..StoreOptions::new(config.store_url())
    }
}

async fn load(ports: &Ports, config: &Config) -> Result<Loaded, Fault> {
    let detect = DetectConfig::shipped().map_err(shipped_is_wrong)?;
    let risk = RiskConfig::defaults().map_err(shipped_is_wrong)?;
    let applied = ports.state.applied().await?;
    let kept = ports.state.load_checkpoint().await?;
    let usable = kept.and_then(|(position, state)| Some((position, read_checkpoint(&state, &detect)?)));
    let (checkpoint, detectors) = usable.unwrap_or_else(|| (Position(0), Detectors::new(&detect)));
    let stage = crate::restore::stage(ports.state.as_ref(), &risk, &config.alert_policy()?).await?;
    let known = ports.journal.recent_identities(config.journal.dedupe_ids).await?;
    let seen = Seen::new(config.journal.dedupe_ids, &known);
    Ok(Loaded { detectors, checkpoint, checkpoint_key: checkpoint_key(&detect), stage, applied, seen })
}

/// Runs the judge on a thread of its own: it computes, and must not hold up the runtime.
fn spawn_judge(
    parts: PipelineParts,
    stretches: mpsc::Receiver<pipeline::Stretch>,
    outcomes: mpsc::Sender<Outcome>,
) -> Result<std::thread::JoinHandle<()>, Fault> {
    let runtime = tokio::runtime::Handle::current();
    let stop = parts.stop.clone();
    let judge = move || {
        if let Err(fault) = pipeline::run(parts, stretches, outcomes, &runtime)
            && !stop.is_cancelled()
        {
            tracing::error!(%fault, "judging stopped; the service ends, the journal keeps its input");
            stop.cancel();
        }
    };
    std::thread::Builder::new()
        .name("judge".to_owned())
        .spawn(judge)
        .map_err(|error| Fault::new(FaultCode::Internal, format!("the judging thread cannot start: {error}")))
}

/// The crawler as configured.
///
/// # Errors
/// When an address, network or file of the configuration is wrong.
pub fn crawler(config: &Config) -> Result<HttpCrawler, Fault> {
    let options = crate::crawl_options::of(&config.crawler)?;
    HttpCrawler::new(options)
}
