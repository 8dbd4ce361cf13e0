//! `riskgraph serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::{Done, EXIT_DONE, Failure, SettingsArgs};
use crate::app::App;
use crate::clock::SystemClock;

#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self) -> Done {
        let mut config = self.settings.load()?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        let listen = config.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; choose another address with --listen"))
            .map_err(Failure::Use)?;
        let app = App::start(config, Arc::new(SystemClock)).await?;
        if let Some(bearer) = app.guard.first_token().await? {
            print_first_token(&bearer);
        }
        println!("riskgraph listens on http://{}", listener.local_addr()?);
        let stop = app.stop.clone();
        tokio::spawn(async move {
            wait_for_signal().await;
            stop.cancel();
        });
        app.serve(listener).await?;
        app.shut_down().await;
        Ok(EXIT_DONE)
    }
}

/// Shows the admin token; it is kept nowhere in clear.
pub(super) fn print_first_token(bearer: &str) {
    println!("admin token (shown once, valid until revoked):\n\n  {bearer}\n");
}

/// Waits for Ctrl-C or a termination signal.
pub(super) async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
