//! The service in the bench's own process, behind its real HTTP interface.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use riskgraph::app::App;
use riskgraph::clock::SystemClock;
use riskgraph::config::Config;
use tokio::net::TcpListener;

/// A service in this process, listening on loopback.
pub(crate) struct Service {
    pub(crate) app: Arc<App>,
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) client: reqwest::Client,
}

impl Service {
    pub(crate) async fn start(dir: &Path) -> Self {
        let mut config = Config::load(None).expect("the shipped configuration loads");
        config.store.data_dir = dir.to_owned();
        let app = Arc::new(App::start(config, Arc::new(SystemClock)).await.expect("the service starts"));
        let (_, token) = app.guard.first_token().await.expect("the store works").expect("the folder is fresh");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let serving = Arc::clone(&app);
        tokio::spawn(async move { serving.serve(listener).await });
        let client = reqwest::Client::builder().no_proxy().build().expect("client builds");
        Self { app, url, token, client }
    }

    /// Sends one body; waits as told when the service is busy. Gives how often it had to.
    pub(crate) async fn send(&self, body: Vec<u8>) -> u32 {
        let mut waits = 0;
        loop {
            let request =
                self.client.post(format!("{}/v1/events", self.url)).bearer_auth(&self.token).body(body.clone());
            let response = request.send().await.expect("the service answers");
            match response.status().as_u16() {
                200 => return waits,
                429 => {
                    waits += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                status => panic!("status {status}"),
            }
        }
    }

    pub(crate) async fn wait_judged(&self) {
        while self.app.counters.lag() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}
