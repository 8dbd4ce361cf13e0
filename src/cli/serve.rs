//! `riskgraph serve`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::{Done, EXIT_DONE, Failure, SettingsArgs};
use crate::app::App;
use crate::clock::SystemClock;
use crate::gatekeeper::Link;

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
        let signalled = wait_for_signal();
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}; choose another address with --listen"))
            .map_err(Failure::Use)?;
        let app = App::start(config, Arc::new(SystemClock)).await?;
        let base = format!("http://{}", listener.local_addr()?);
        if let Some((token, bearer)) = app.guard.first_token().await? {
            print_first_token(&bearer);
            print_link(&app.guard.code_for(token.id).await?, &base);
        }
        println!("riskgraph listens on {base}");
        let stop = app.stop.clone();
        tokio::spawn(async move {
            signalled.await;
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

/// Shows a link that signs in once.
pub(super) fn print_link(link: &Link, base: &str) {
    println!("open this to sign in (works once, until {}):\n\n  {}\n", link.expires_at, link.url(base));
}

/// Waits for Ctrl-C or a termination signal. They are listened for from the call on, not only once it is awaited.
pub(super) fn wait_for_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = signal(SignalKind::terminate()).and_then(|end| Ok((end, signal(SignalKind::interrupt())?)));
    async move {
        match signals {
            Ok((mut terminate, mut interrupt)) => tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            },
            Err(_) => {
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
}
