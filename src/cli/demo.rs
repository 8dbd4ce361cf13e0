//! `riskgraph demo`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::StreamExt as _;
use parking_lot::Mutex;
use riskgraph_domain::Severity;
use riskgraph_domain::access::Role;
use riskgraph_domain::alert::{AlertChange, AlertEvent};
use riskgraph_domain::command::Change;
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::{Live as _, VendorFilter};
use riskgraph_domain::time::Clock as _;
use riskgraph_lab::{Gate, Internet, InternetOptions, Shop, ShopServer, Truth};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::serve::{print_first_token, print_link, wait_for_signal};
use super::{Done, EXIT_DONE, Failure};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::demo::containment;
use crate::demo::shipper::{Shipper, shop_options};
use crate::demo::summary::{Summary, resident_mb};
use crate::vendor_csv;

/// Alert changes kept for the summary.
const CHANGES_MAX: usize = 200_000;

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Folder of the data; without it a temporary one that is removed at the end.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Simulated seconds a second on the day of attacks.
    #[arg(long, value_name = "N", default_value_t = 2_400.0)]
    speed: f64,
    /// End after so many seconds, with a summary; without it the demo runs until Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl Demo {
    pub(super) async fn run(self) -> Done {
        if !(self.speed.is_finite() && self.speed >= 1.0) {
            return Err(Failure::Use(anyhow::anyhow!("--speed must be at least 1")));
        }
        let listener = TcpListener::bind(self.listen)
            .await
            .with_context(|| format!("cannot listen on {}; choose another address with --listen", self.listen))
            .map_err(Failure::Use)?;
        let folder = Folder::make(self.data_dir.clone())?;
        let shop = Shop::new(shop_options(SystemClock.now()));
        let internet =
            Internet::start(InternetOptions { seed: shop.options().seed, ..InternetOptions::default() }).await?;
        let lab_shop = ShopServer::start(&folder.path.join("edge")).await?;
        let mut config = config(&internet, &folder.path)?;
        config.respond.connectors = containment::connectors(&lab_shop, &folder.path)?;
        // The port may be one the kernel chose; links of reports and channels must lead here.
        let base = format!("http://{}", listener.local_addr()?);
        config.server.public_url.clone_from(&base);
        let app = Arc::new(App::start(config, Arc::new(SystemClock)).await?);
        println!("riskgraph demo on {base}");
        let link = match app.guard.first_token().await? {
            Some((token, bearer)) => {
                print_first_token(&bearer);
                app.guard.code_for(token.id).await?
            }
            None => app.guard.link(Role::Admin).await?,
        };
        print_link(&link, &base);
        let end = app.stop.clone();
        let serving = Arc::clone(&app);
        let server = tokio::spawn(async move { serving.serve(listener).await });
        let changes = watch_alerts(&app).await?;
        add_vendors(&app, &internet).await?;
        let truth = Arc::new(Mutex::new(Truth::default()));
        let played = Played { shop, gate: lab_shop.gate(), speed: self.speed };
        let shipping = ship(&app, played, Arc::clone(&truth), end.child_token());
        println!(
            "a week of everyday traffic is judged first, then a day of attacks; the link above shows them as they come\n"
        );
        self.wait(&end).await;
        shipping.stop.cancel();
        let _ = shipping.task.await;
        wait_judged(&app).await;
        let sheet = truth.lock().compare(changes.lock().iter().map(Arc::as_ref));
        let summary = summarise(&app, &changes, sheet).await?;
        println!("{}", summary.render());
        end.cancel();
        let _ = server.await;
        if let Ok(app) = Arc::try_unwrap(app) {
            app.shut_down().await;
        }
        drop(lab_shop);
        drop(internet);
        drop(folder);
        Ok(EXIT_DONE)
    }

    async fn wait(&self, end: &CancellationToken) {
        let timer = async {
            match self.seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = timer => {}
            () = wait_for_signal() => {}
            () = end.cancelled() => {}
        }
    }
}

/// The data's folder; a temporary one is removed when dropped.
struct Folder {
    path: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Folder {
    fn make(given: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(path) = given else {
            let temporary = tempfile::Builder::new()
                .prefix("riskgraph-demo-")
                .tempdir()
                .context("no temporary folder can be made")?;
            return Ok(Self { path: temporary.path().to_owned(), _temporary: Some(temporary) });
        };
        std::fs::create_dir_all(&path).context("the data folder cannot be made")?;
        Ok(Self { path, _temporary: None })
    }
}

/// The service's configuration with the crawler wired to the lab.
fn config(internet: &Internet, folder: &std::path::Path) -> Result<Config, Failure> {
    let mut config = Config::load(None)?;
    let ca_file = folder.join("lab-ca.pem");
    std::fs::write(&ca_file, &internet.ca_pem)?;
    let anchors = folder.join("lab-dnssec.txt");
    std::fs::write(&anchors, &internet.dnssec_anchor)?;
    config.crawler.dnssec_anchors = anchors;
    config.store.data_dir = folder.to_owned();
    config.crawler.ca_file = ca_file;
    config.crawler.resolver = internet.resolver.to_string();
    config.crawler.connect = internet.connect.iter().map(|(host, address)| format!("{host}={address}")).collect();
    config.crawler.allow_networks = internet.allow_networks.map(str::to_owned).to_vec();
    Ok(config)
}

/// Prints alerts as they come, and keeps their changes for the summary.
async fn watch_alerts(app: &Arc<App>) -> Result<Arc<Mutex<Vec<Arc<AlertEvent>>>>, Failure> {
    let mut stream = app.live.alerts(Some(0)).await?;
    let changes = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&changes);
    tokio::spawn(async move {
        while let Some(live) = stream.next().await {
            print_change(&live.event);
            let mut kept = kept.lock();
            if kept.len() < CHANGES_MAX {
                kept.push(live.event);
            }
        }
    });
    Ok(changes)
}

/// One line for what a person would want to see pass by.
fn print_change(event: &AlertEvent) {
    let alert = &event.alert;
    let is_news = matches!(event.change, AlertChange::Opened | AlertChange::Escalated | AlertChange::Retracted);
    if is_news && alert.severity > Severity::Low {
        println!("{}  {:<8} {:<9} {}", alert.updated_at, alert.severity.as_str(), event.change.as_str(), alert.title);
    }
}

async fn add_vendors(app: &App, internet: &Internet) -> Result<(), Failure> {
    let (inputs, _) = vendor_csv::read(internet.csv().as_bytes())
        .map_err(|problem| anyhow::anyhow!("the lab's vendors: {problem}"))?;
    for (_, input) in inputs {
        let id = input.vendor_id();
        app.desk.change("demo", Change::AddVendor { id, input }).await?;
        app.queue.enqueue(id).await?;
    }
    Ok(())
}

struct Shipping {
    task: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

/// What is played, how fast, and what it meets on its way.
struct Played {
    shop: Shop,
    gate: Gate,
    speed: f64,
}

fn ship(app: &App, played: Played, truth: Arc<Mutex<Truth>>, stop: CancellationToken) -> Shipping {
    let Played { shop, gate, speed } = played;
    let intake = Arc::new(app.door.clone());
    let shipper = Shipper { intake, clock: Arc::new(SystemClock), speed, gate, truth, stop: stop.clone() };
    let (progress, mut days) = mpsc::channel::<String>(64);
    tokio::spawn(async move {
        while let Some(day) = days.recv().await {
            println!("{day}");
        }
    });
    Shipping { task: tokio::spawn(shipper.run(shop, progress)), stop }
}

async fn wait_judged(app: &App) {
    while app.counters.lag() > 0 && !app.stop.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn summarise(
    app: &App,
    changes: &Mutex<Vec<Arc<AlertEvent>>>,
    sheet: riskgraph_lab::Sheet,
) -> Result<Summary, Failure> {
    let page = app.records.vendors(VendorFilter::default(), PageRequest::first(PAGE_MAX)).await?;
    let mut vendors = Vec::new();
    for (_, vendor) in page.items {
        let posture = app.records.postures(vendor.id, None).await?.into_iter().next();
        vendors.push((vendor, posture));
    }
    let mut worst = std::collections::BTreeMap::new();
    for event in changes.lock().iter() {
        let severity = worst.entry(event.alert.id).or_insert(event.alert.severity);
        *severity = (*severity).max(event.alert.severity);
    }
    Ok(Summary {
        vendors,
        n_accepted: app.counters.accepted.get(),
        n_judged: app.counters.judged.get(),
        n_signals: app.counters.signals.get(),
        n_alerts: worst.len(),
        n_above_low: worst.values().filter(|severity| **severity > Severity::Low).count(),
        sheet,
        resident_mb: resident_mb(),
    })
}
