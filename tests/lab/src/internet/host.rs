//! Serves a site over plain HTTP and TLS.
//!
//! A responder of its own instead of a web framework: bad vendors send what a framework would not let them send.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::legacy;
use super::pages::{Ask, Scheme, Site, answer};
use super::profile::Profile;

/// Largest request head: nobody who looks at the lab sends more.
const HEAD_MAX_BYTES: usize = 16_384;
/// Requests on one connection.
const REQUESTS_MAX: usize = 100;
/// Connections to one port of a site in one moment.
const CONNECTIONS_MAX: usize = 128;
/// Silence after which a connection is closed.
const IDLE: Duration = Duration::from_secs(10);
/// How long a slow site thinks: long enough to be noticed, short of a crawler's patience.
const SLOW: Duration = Duration::from_millis(1_800);

/// A site with what it needs to serve.
pub(super) struct Host {
    pub site: Site,
    pub tls: Arc<ServerConfig>,
    pub n_requests: AtomicU64,
}

/// Accepts connections until cancelled.
pub(super) async fn serve(host: Arc<Host>, listener: TcpListener, scheme: Scheme, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: let others finish first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (host, stop) = (host.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection(&host, stream, scheme) => {}
            }
        });
    }
}

async fn connection(host: &Host, stream: TcpStream, scheme: Scheme) {
    if scheme == Scheme::Plain {
        return talk(host, stream, scheme).await;
    }
    let mut stream = stream;
    if host.site.profile == Profile::LegacyTls {
        match tokio::time::timeout(IDLE, legacy::greet(&mut stream)).await {
            Ok(Ok(legacy::Greeting::Modern)) => {}
            _ => return,
        }
    }
    let acceptor = TlsAcceptor::from(host.tls.clone());
    if let Ok(Ok(stream)) = tokio::time::timeout(IDLE, acceptor.accept(stream)).await {
        talk(host, stream, scheme).await;
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(host: &Host, mut stream: S, scheme: Scheme) {
    for _ in 0..REQUESTS_MAX {
        let Ok(Some(head)) = tokio::time::timeout(IDLE, head(&mut stream)).await else { break };
        let Some(ask) = read(&head, scheme, host.n_requests.fetch_add(1, Ordering::Relaxed)) else { break };
        if host.site.profile == Profile::Slow {
            tokio::time::sleep(SLOW).await;
        }
        let bytes = answer(&host.site, &ask).bytes(&ask.method);
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            break;
        }
    }
    let _ = stream.shutdown().await;
}

/// Reads a request's head; `None` when the peer left or said too much.
async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::with_capacity(1_024);
    let mut chunk = [0_u8; 1_024];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            bytes.truncate(end);
            return String::from_utf8(bytes).ok();
        }
        if bytes.len() > HEAD_MAX_BYTES {
            return None;
        }
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&chunk[..n]),
            _ => return None,
        }
    }
}

fn read(head: &str, scheme: Scheme, number: u64) -> Option<Ask> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    if !path.starts_with('/') || !words.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim().split(':').next().unwrap_or("").to_ascii_lowercase())
        .unwrap_or_default();
    Some(Ask { scheme, method, path, host, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_requests_and_refuses_nonsense() {
        let check = |head: &str, want: Option<(&str, &str)>| {
            let ask = read(head, Scheme::Tls, 0);
            assert_eq!(ask.as_ref().map(|ask| (ask.path.as_str(), ask.host.as_str())), want, "{head}");
        };
        check("GET /a?b HTTP/1.1\r\nHost: A.Example:443", Some(("/a?b", "a.example")));
        check("GET / HTTP/1.0", Some(("/", "")));
        check("GET http://a/ HTTP/1.1", None);
        check("GET / SPDY/3", None);
        check("", None);
    }
}
