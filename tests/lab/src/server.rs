//! The shop over HTTP on loopback: its pages and API behind the edge, and the admin API beside it. They ask the same locks
//! the generator's events meet.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::edge::{EdgeFiles, Meter};
use crate::gate::Gate;
use crate::locks::Locks;

mod admin;
mod front;
mod tracker;

/// The admin API's bearer token. It opens nothing but this lab.
pub const ADMIN_TOKEN: &str = "lab-admin-token";
/// Scripts the checkout loads, by source.
const SCRIPTS: &[&str] =
    &["'self'", "https://pay.cardpath.example", "https://cdn.tagdock.example", "https://chat.helpbay.example"];

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    files: EdgeFiles,
    locks: Arc<Mutex<Locks>>,
    meter: Arc<Mutex<Meter>>,
}

/// The running shop; it ends when dropped.
pub struct ShopServer {
    /// Where clients come, through the edge.
    pub edge: SocketAddr,
    /// Where the admin API is.
    pub admin: SocketAddr,
    pub files: EdgeFiles,
    pub locks: Arc<Mutex<Locks>>,
    stop: CancellationToken,
}

impl ShopServer {
    /// Starts it, with the edge's files in this folder.
    ///
    /// # Errors
    /// When the files or the ports cannot be had.
    pub async fn start(folder: &Path) -> Result<Self> {
        let files = EdgeFiles::make(folder, SCRIPTS)?;
        let locks = Arc::new(Mutex::new(Locks::default()));
        let shared = Shared { files: files.clone(), locks: locks.clone(), meter: Arc::default() };
        let stop = CancellationToken::new();
        let edge = serve(front::router(shared.clone()), &stop).await?;
        let admin = serve(admin::router(shared), &stop).await?;
        Ok(Self { edge, admin, files, locks, stop })
    }

    /// The gate for generated traffic.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate::new(self.files.clone(), self.locks.clone())
    }
}

impl Drop for ShopServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(router: Router, stop: &CancellationToken) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let stop = stop.clone();
    tokio::spawn(async move {
        let ended = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = ended {
            tracing::warn!(%error, "the lab's shop ended");
        }
    });
    Ok(address)
}
