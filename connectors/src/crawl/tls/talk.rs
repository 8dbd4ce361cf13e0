//! One hello, one answer: short connections to one host, few at a time and counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::site::Site;
use super::flight::{Assembler, Flight, Progress};
use super::hello::Offer;
use super::ssl2;

/// Connections made for one host, all questions together. A server with everything switched on takes some 250.
const CONNECTIONS_MAX: u32 = 500;
/// Questions that may stay without an answer before no more are asked: the server is gone, or does not want us.
const SILENCES_MAX: u32 = 6;
/// How long the rest of an answer is awaited once the choice has come.
const REST: Duration = Duration::from_secs(2);
/// Bytes read at once.
const PIECE_BYTES: usize = 8 << 10;

/// What came of a hello.
#[derive(Debug)]
pub(super) enum Answer {
    Chosen(Box<Flight>),
    /// Refused with this alert.
    Alert(u8),
    /// Something that is not TLS.
    NotTls,
    /// The connection was closed or reset without a word.
    Closed,
    /// No answer in time, or no connection.
    Silent,
}

/// Asks one host.
pub(super) struct Talker<'a> {
    site: &'a Site<'a>,
    pub(super) host: &'a str,
    address: SocketAddr,
    provider: Arc<CryptoProvider>,
    slots: Semaphore,
    n_connections: AtomicU32,
    n_silences: AtomicU32,
}

impl<'a> Talker<'a> {
    pub(super) fn new(
        site: &'a Site<'a>,
        host: &'a str,
        address: SocketAddr,
        provider: Arc<CryptoProvider>,
    ) -> Talker<'a> {
        let slots = Semaphore::new(site.tools.limits.parallel_hellos.max(1));
        Self { site, host, address, provider, slots, n_connections: AtomicU32::new(0), n_silences: AtomicU32::new(0) }
    }

    /// Connections made so far.
    pub(super) fn n_connections(&self) -> u32 {
        self.n_connections.load(Ordering::Relaxed)
    }

    /// Sends a hello and reads the answer.
    pub(super) async fn ask(&self, offer: &Offer<'_>) -> Answer {
        let Some(random) = self.random() else { return Answer::Silent };
        let mut assembler = Assembler::default();
        let mut progress = Progress::More;
        let hello = offer.write(self.host, &random);
        let sent = self.exchange(&hello, |piece, deadline| {
            progress = assembler.feed(piece);
            if assembler.saw_hello() {
                *deadline = (*deadline).min(Instant::now() + REST);
            }
            progress == Progress::More
        });
        let ended = sent.await;
        match (progress, assembler.finish()) {
            (_, Some(flight)) => Answer::Chosen(Box::new(flight)),
            (Progress::Refused(code), None) => Answer::Alert(code),
            (Progress::NotTls, None) => Answer::NotTls,
            (_, None) => ended,
        }
    }

    /// Sends the hello of SSLv2; the suites the server lists, or why there are none.
    pub(super) async fn ask_ssl2(&self) -> Result<Vec<String>, Answer> {
        let Some(random) = self.random() else { return Err(Answer::Silent) };
        let mut bytes = Vec::new();
        let mut reply = ssl2::Reply::More;
        let hello = ssl2::hello(&random);
        let sent = self.exchange(&hello, |piece, _| {
            bytes.extend_from_slice(piece);
            reply = ssl2::read(&bytes);
            reply == ssl2::Reply::More && bytes.len() <= ssl2::ANSWER_MAX_BYTES
        });
        let ended = sent.await;
        match reply {
            ssl2::Reply::Suites(suites) => Ok(suites),
            ssl2::Reply::Refused => Err(Answer::NotTls),
            ssl2::Reply::More => Err(ended),
        }
    }

    /// Writes, and hands over what comes until it is told that there is enough; how the connection ended.
    async fn exchange(&self, hello: &[u8], mut wants_more: impl FnMut(&[u8], &mut Instant) -> bool) -> Answer {
        let Ok(_slot) = self.slots.acquire().await else { return Answer::Silent };
        if self.n_silences.load(Ordering::Relaxed) >= SILENCES_MAX
            || self.n_connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS_MAX
        {
            return Answer::Silent;
        }
        let wait = self.site.time_left(self.site.tools.limits.read);
        let mut deadline = Instant::now() + wait;
        let mut stream = match timeout(wait, self.site.open(&[self.address])).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) | Err(_) => return self.silent(),
        };
        let _ = stream.set_nodelay(true);
        match timeout_at(deadline, stream.write_all(hello)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Answer::Closed,
            Err(_) => return self.silent(),
        }
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        loop {
            piece.clear();
            match timeout_at(deadline, stream.read_buf(&mut piece)).await {
                Ok(Ok(0) | Err(_)) => return Answer::Closed,
                Ok(Ok(_)) if wants_more(&piece, &mut deadline) => {}
                Ok(Ok(_)) => return Answer::Closed,
                Err(_) => return self.silent(),
            }
        }
    }

    fn silent(&self) -> Answer {
        self.n_silences.fetch_add(1, Ordering::Relaxed);
        Answer::Silent
    }

    fn random(&self) -> Option<[u8; 64]> {
        let mut random = [0; 64];
        self.provider.secure_random.fill(&mut random).ok().map(|()| random)
    }
}
