//! One real handshake that completes whatever the certificate is, and an honest verdict on it.
//!
//! The examination must see bad chains to report them, so this verifier records and lets pass. Nothing is ever sent over
//! such a connection; pages are fetched by other clients (`fetch`).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use riskgraph_domain::Text;
use riskgraph_domain::observation::{Handshake, ProbeFailure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::certificate;
use super::fetch::Fetcher;
use super::site::{Site, refused};
use super::suites;

/// Certificates read of one chain; public chains have two to four.
const CHAIN_MAX: usize = 10;
/// The verdict on a chain whose top nobody here knows, and on one that only lacks what its issuer publishes.
const UNKNOWN_ISSUER: &str = "unknown issuer";
const INCOMPLETE: &str = "incomplete chain: the server does not send the intermediate certificate";
/// Largest certificate that is parsed, in bytes; the largest seen on the web are near 100 KiB of names.
const CERTIFICATE_MAX_BYTES: usize = 256 << 10;

/// Whom to trust: the web's authorities and the operator's own.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
}

impl Trust {
    /// Mozilla's roots and those in the PEM.
    pub(crate) fn new(extra_ca_pem: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for certificate in extra_ca_pem.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self { provider, roots: Arc::new(roots) })
    }

    /// A client configuration with normal verification, for fetching pages.
    pub(crate) fn strict_client(&self) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    /// Whether the leaf is trusted with the help of these other certificates.
    fn verify(&self, leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, others, now, algorithms)
    }

    fn recording_client(&self, recorder: Arc<Recorder>) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(recorder)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Shakes hands with the server at this address under this host name.
pub(super) async fn perform(
    site: &Site<'_>,
    (trust, fetcher): (&Trust, &Fetcher),
    host: &str,
    address: SocketAddr,
) -> Result<Handshake, ProbeFailure> {
    let failed = |text: String| ProbeFailure::TlsFailed(text);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| failed("not a server name".to_owned()))?;
    let algorithms = trust.provider.signature_verification_algorithms;
    let recorder = Arc::new(Recorder { algorithms, trust: trust.clone(), seen: Mutex::default() });
    let config = trust.recording_client(Arc::clone(&recorder)).map_err(|error| failed(error.to_string()))?;
    let permit = site.turn(Some(host)).await;
    let stream = site.open(&[address]).await?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let stream = match tokio::time::timeout(site.time_left(site.tools.limits.connect), shaking).await {
        Err(_) => return Err(ProbeFailure::Timeout),
        Ok(Err(error)) => return Err(tls_failure(&error)),
        Ok(Ok(stream)) => stream,
    };
    let connection = stream.get_ref().1;
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "TLSv1.2",
    };
    let cipher = connection.negotiated_cipher_suite().map_or(0, |suite| u16::from(suite.suite()));
    let group = connection.negotiated_key_exchange_group().map(|group| Text::from(format!("{:?}", group.name())));
    let mut seen = std::mem::take(&mut *recorder.seen.lock().unwrap_or_else(PoisonError::into_inner));
    drop(permit);
    if seen.trust == Some(Err(UNKNOWN_ISSUER.to_owned()))
        && lacks_only_published(site, trust, fetcher, &seen.chain).await
    {
        seen.trust = Some(Err(INCOMPLETE.to_owned()));
    }
    Ok(Handshake {
        version: Text::from(version),
        cipher: Text::from(suites::name(cipher)),
        key_exchange: group,
        ocsp_stapled: seen.ocsp_stapled,
        hostname_matches: seen.hostname_matches,
        trust: seen.trust.unwrap_or_else(|| Err("no certificate was shown".to_owned())),
        chain: seen.chain.iter().filter_map(|der| certificate::read(der)).collect(),
    })
}

/// Whether the chain is good with the certificate that its last one names as its issuer (RFC 5280 4.2.2.1).
///
/// Servers that forget their intermediate work in browsers that fetch or remember it; that is sloppy, not untrusted.
async fn lacks_only_published(site: &Site<'_>, trust: &Trust, fetcher: &Fetcher, chain: &[Vec<u8>]) -> bool {
    let Some(url) = chain.last().and_then(|last| certificate::issuer_url(last)) else { return false };
    let Ok(issuer) = fetcher.bytes(site, &url).await else { return false };
    let der = |bytes: &Vec<u8>| CertificateDer::from(bytes.clone());
    let others: Vec<_> = chain.iter().skip(1).chain(std::iter::once(&issuer)).map(der).collect();
    chain.first().is_some_and(|leaf| trust.verify(&der(leaf), &others, UnixTime::now()).is_ok())
}

/// A TLS error, or the I/O error below it.
fn tls_failure(error: &std::io::Error) -> ProbeFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(tls) => ProbeFailure::TlsFailed(describe(tls)),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ProbeFailure::TlsFailed("the server closed the connection".to_owned())
        }
        None => refused(error),
    }
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Vec<u8>>,
    ocsp_stapled: bool,
    hostname_matches: bool,
    trust: Option<Result<(), String>>,
}

/// Records what the server shows and lets the handshake go on.
#[derive(Debug)]
struct Recorder {
    algorithms: WebPkiSupportedAlgorithms,
    trust: Trust,
    seen: Mutex<Seen>,
}

impl Recorder {
    /// A signature that does not verify means the server does not hold the key of the chain it shows.
    fn note_signature(&self, result: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        if let Err(error) = result {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if seen.trust == Some(Ok(())) {
                seen.trust = Some(Err(format!("the handshake signature does not verify: {error}")));
            }
        }
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates).take(CHAIN_MAX);
        let mut seen = Seen {
            chain: chain.filter(|der| der.len() <= CERTIFICATE_MAX_BYTES).map(|der| der.to_vec()).collect(),
            ocsp_stapled: !ocsp_response.is_empty(),
            ..Seen::default()
        };
        let named = ParsedCertificate::try_from(end_entity).and_then(|leaf| verify_server_name(&leaf, server_name));
        seen.hostname_matches = named.is_ok();
        let verdict = self.trust.verify(end_entity, &intermediates[..intermediates.len().min(CHAIN_MAX)], now);
        seen.trust = Some(verdict.map_err(|error| reason_of(&error, end_entity)));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
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

/// Why a chain is not trusted, in the few words checks know.
fn reason_of(error: &Error, leaf: &[u8]) -> String {
    let self_signed = || certificate::read(leaf).is_some_and(|facts| facts.self_signed);
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) if self_signed() => "self-signed".to_owned(),
        // A self-signed certificate that is its own authority is refused by webpki under another name.
        Error::InvalidCertificate(CertificateError::Other(_)) if self_signed() => "self-signed".to_owned(),
        other => describe(other),
    }
}

/// A TLS error in words that are the same each time: no moments, no names.
pub(super) fn describe(error: &Error) -> String {
    let Error::InvalidCertificate(reason) = error else { return error.to_string() };
    let words = match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "not yet valid",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "for another name",
        CertificateError::UnknownIssuer => UNKNOWN_ISSUER,
        CertificateError::BadSignature => "bad signature",
        CertificateError::BadEncoding => "unreadable certificate",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "not for servers",
        other => return other.to_string(),
    };
    words.to_owned()
}
