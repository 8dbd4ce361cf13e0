//! Serves a router on a socket, with the bounds `axum::serve` does not set: of connections, of the time a request's head
//! may take (a slow client would otherwise hold a connection for ever), and of the time the end may take.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::Layer as _;

use super::arrival::Peer;
use crate::services::ApiOptions;

/// Pause after a failed accept (no more file descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes read ahead on one HTTP/1 connection, which also bounds a request's head.
const READ_BUFFER_MAX: usize = 128 * 1024;
/// Bytes of one HTTP/2 header list, at most.
const H2_HEAD_BYTES_MAX: u32 = 32 * 1024;
/// Streams of one HTTP/2 connection, at most.
const H2_STREAMS_MAX: u32 = 100;

/// Serves until `options.stop` is cancelled, then lets running requests end within the drain timeout.
pub async fn serve(listener: TcpListener, router: axum::Router, options: &ApiOptions) -> io::Result<()> {
    let limits = &options.connections;
    let builder = builder(limits.header_timeout);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(limits.connections_max));
    loop {
        let place = tokio::select! {
            () = options.stop.cancelled() => break,
            place = Arc::clone(&places).acquire_owned() => place.map_err(io::Error::other)?,
        };
        let stream = tokio::select! {
            () = options.stop.cancelled() => break,
            stream = accept(&listener) => stream,
        };
        let (stream, peer) = stream;
        let service = TowerToHyperService::new(Extension(Peer(peer)).layer(router.clone()));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    Ok(())
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // A result should not wait for a packet to fill; when the option cannot be set, it waits.
                let _unset = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn builder(header_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(READ_BUFFER_MAX)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_header_list_size(H2_HEAD_BYTES_MAX)
        .keep_alive_interval(header_timeout)
        .keep_alive_timeout(header_timeout);
    builder
}
