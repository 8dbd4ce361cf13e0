//! One real handshake that completes whatever the certificate is.
//!
//! TLS 1.3 encrypts the certificate, so here a library shakes hands. The examination must see bad chains to report them,
//! so this verifier records and lets pass. Nothing is ever sent over such a connection but its end; pages are fetched by
//! other clients (`fetch`).

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use riskgraph_domain::Text;
use riskgraph_domain::observation::{Handshake, ProbeFailure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, NamedGroup, ProtocolVersion, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::fetch::Fetcher;
use super::super::site::{Site, refused};
use super::flight::CHAIN_MAX;
use super::trust::{self, CERTIFICATE_MAX_BYTES, Trust, UNKNOWN_ISSUER};
use super::{certificate, groups, suites};

/// How long tickets are awaited behind a handshake. They come with the server's next words, or not at all.
const TICKETS: Duration = Duration::from_secs(1);

/// A handshake, and what is not kept as a fact.
#[derive(Debug)]
pub(in crate::crawl) struct Shaken {
    pub(in crate::crawl) facts: Handshake,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) staple: Option<Vec<u8>>,
    pub(super) alpn: Option<Text>,
    /// Tickets, and the bytes of early data they allow; `None` below TLS 1.3.
    pub(super) tickets: Option<(u32, u32)>,
}

/// Shakes hands with the server at this address under this host name.
pub(super) async fn perform(
    site: &Site<'_>,
    trust: &Trust,
    host: &str,
    address: SocketAddr,
) -> Result<Shaken, ProbeFailure> {
    let permit = site.turn(Some(host)).await;
    let stream = site.open(&[address]).await?;
    over(site, trust, host, (stream, permit)).await
}

/// Shakes hands over a connection that is open already, as after STARTTLS, and gives its permit back.
pub(in crate::crawl) async fn over(
    site: &Site<'_>,
    trust: &Trust,
    host: &str,
    (stream, permit): (TcpStream, Option<SemaphorePermit<'_>>),
) -> Result<Shaken, ProbeFailure> {
    let failed = |text: String| ProbeFailure::TlsFailed(text);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| failed("not a server name".to_owned()))?;
    let algorithms = trust.provider().signature_verification_algorithms;
    let recorder = Arc::new(Recorder { algorithms, seen: Mutex::default() });
    let tickets = Arc::new(Tickets::default());
    let config =
        client(trust, Arc::clone(&recorder), Arc::clone(&tickets)).map_err(|error| failed(error.to_string()))?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let mut stream = match tokio::time::timeout(site.time_left(site.tools.limits.connect), shaking).await {
        Err(_) => return Err(ProbeFailure::Timeout),
        Ok(Err(error)) => return Err(tls_failure(&error)),
        Ok(Ok(stream)) => stream,
    };
    let connection = stream.get_ref().1;
    let modern = connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    let cipher = connection.negotiated_cipher_suite().map_or(0, |suite| u16::from(suite.suite()));
    let group = connection.negotiated_key_exchange_group().map(|group| u16::from(group.name()));
    let alpn = connection.alpn_protocol().map(|name| Text::from(String::from_utf8_lossy(name).into_owned()));
    if modern {
        let _ = tokio::time::timeout(site.time_left(TICKETS), tickets.arrive(&mut stream)).await;
    }
    drop(permit);
    let seen = std::mem::take(&mut *recorder.seen.lock().unwrap_or_else(PoisonError::into_inner));
    let verdict = trust.judge(&seen.chain, host, UnixTime::now());
    let chain = trust.facts(&seen.chain);
    // The library cannot check signatures of every kind of key; what it cannot check is no fault.
    let checkable = chain.first().is_some_and(|leaf| match leaf.key_kind.as_str() {
        "RSA" => (2_048..=8_192).contains(&leaf.key_bits),
        "EC" => {
            matches!(leaf.key_bits, 256 | 384 | 521)
                && leaf.curve.as_ref().is_some_and(|curve| curve.starts_with("secp") && curve.ends_with("r1"))
        }
        kind => kind == "Ed25519",
    });
    let trusted = match (verdict.trust, seen.bad_signature.filter(|_| checkable)) {
        (Ok(()), Some(error)) => Err(format!("the handshake signature does not verify: {error}")),
        (verdict, _) => verdict,
    };
    Ok(Shaken {
        facts: Handshake {
            version: Text::from(if modern { "TLSv1.3" } else { "TLSv1.2" }),
            cipher: Text::from(suites::name(cipher)),
            key_exchange: group.map(|group| Text::from(groups::name(group))),
            ocsp_stapled: seen.staple.is_some(),
            hostname_matches: verdict.hostname_matches,
            trust: trusted,
            chain,
        },
        chain: seen.chain,
        staple: seen.staple,
        alpn,
        tickets: modern.then(|| tickets.seen()),
    })
}

fn client(trust: &Trust, recorder: Arc<Recorder>, tickets: Arc<Tickets>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(trust.provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(recorder)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::store(tickets);
    Ok(config)
}

/// The chain with the certificate that its last one names as its issuer (RFC 5280 4.2.2.1), when that makes it trusted.
///
/// Servers that forget their intermediate work in browsers that fetch or remember it; that is sloppy, not untrusted.
pub(super) async fn completed(
    site: &Site<'_>,
    (trust, fetcher): (&Trust, &Fetcher),
    host: &str,
    chain: &[Vec<u8>],
    verdict: &Result<(), String>,
) -> Option<Vec<Vec<u8>>> {
    if verdict.as_ref().err().map(String::as_str) != Some(UNKNOWN_ISSUER) {
        return None;
    }
    let url = chain.last().and_then(|last| certificate::issuer_url(last))?;
    let issuer = fetcher.bytes(site, &url).await.ok()?;
    let whole: Vec<_> = chain.iter().cloned().chain(std::iter::once(issuer)).collect();
    trust.judge(&whole, host, UnixTime::now()).trust.is_ok().then_some(whole)
}

/// A TLS error, or the I/O error below it.
fn tls_failure(error: &std::io::Error) -> ProbeFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(tls) => ProbeFailure::TlsFailed(trust::describe(tls)),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ProbeFailure::TlsFailed("the server closed the connection".to_owned())
        }
        None => refused(error),
    }
}

/// Counts tickets and keeps none.
#[derive(Debug, Default)]
struct Tickets {
    count: AtomicU32,
    early_data_bytes: AtomicU32,
}

impl Tickets {
    fn seen(&self) -> (u32, u32) {
        (self.count.load(Ordering::Relaxed), self.early_data_bytes.load(Ordering::Relaxed))
    }

    /// Says goodbye and reads to the end: servers send tickets before they hear it.
    async fn arrive(&self, stream: &mut TlsStream<TcpStream>) {
        let mut nothing = [0; 512];
        if stream.shutdown().await.is_err() {
            return;
        }
        while self.count.load(Ordering::Relaxed) == 0 && matches!(stream.read(&mut nothing).await, Ok(1..)) {}
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.early_data_bytes.fetch_max(value.max_early_data_size(), Ordering::Relaxed);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Vec<u8>>,
    staple: Option<Vec<u8>>,
    bad_signature: Option<String>,
}

/// Records what the server shows and lets the handshake go on.
#[derive(Debug)]
struct Recorder {
    algorithms: WebPkiSupportedAlgorithms,
    seen: Mutex<Seen>,
}

impl Recorder {
    /// A signature that does not verify means the server does not hold the key of the chain it shows.
    fn note_signature(&self, result: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        if let Err(error) = result {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.bad_signature = Some(error.to_string());
        }
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).take(CHAIN_MAX);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen {
            chain: chain.filter(|der| der.len() <= CERTIFICATE_MAX_BYTES).map(|der| der.to_vec()).collect(),
            staple: (!ocsp_response.is_empty()).then(|| ocsp_response.to_vec()),
            bad_signature: None,
        };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note_signature(verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note_signature(verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
