//! One real handshake that completes whatever the certificate is, and an honest verdict on it.
//!
//! The examination must see bad chains to report them, so this verifier records and lets pass. Nothing is ever sent over
//! such a connection; pages are fetched by a client with the normal, strict verification.

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
use super::site::{Site, refused};
use super::suites;

/// Certificates read of one chain; public chains have two to four.
const CHAIN_MAX: usize = 10;
/// Largest certificate that is parsed, in bytes; the largest seen on the web are near 100 KiB of names.
const CERTIFICATE_MAX_BYTES: usize = 256 << 10;

/// Whom to trust: the web's authorities and the operator's own.
#[derive(Clone)]
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
}

impl Trust {
    /// Mozilla's roots and those in the PEM.
    pub(super) fn new(extra_ca_pem: Option<&[u8]>) -> Result<Self, String> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for certificate in extra_ca_pem.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self { provider, roots: Arc::new(roots) })
    }

    /// A client configuration with normal verification, for fetching pages.
    pub(super) fn strict_client(&self) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
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
    trust: &Trust,
    host: &str,
    address: SocketAddr,
) -> Result<Handshake, ProbeFailure> {
    let failed = |text: String| ProbeFailure::TlsFailed(text);
    let name = ServerName::try_from(host.to_owned()).map_err(|_| failed("not a server name".to_owned()))?;
    let recorder = Arc::new(Recorder {
        algorithms: trust.provider.signature_verification_algorithms,
        roots: Arc::clone(&trust.roots),
        seen: Mutex::default(),
    });
    let config = trust.recording_client(Arc::clone(&recorder)).map_err(|error| failed(error.to_string()))?;
    let _permit = site.turn(Some(host)).await;
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
    let seen = std::mem::take(&mut *recorder.seen.lock().unwrap_or_else(PoisonError::into_inner));
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

/// A TLS error, or the I/O error below it.
fn tls_failure(error: &std::io::Error) -> ProbeFailure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(tls) => ProbeFailure::TlsFailed(tls.to_string()),
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
    roots: Arc<RootCertStore>,
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
        let verdict = ParsedCertificate::try_from(end_entity).and_then(|parsed| {
            seen.hostname_matches = verify_server_name(&parsed, server_name).is_ok();
            let intermediates = &intermediates[..intermediates.len().min(CHAIN_MAX)];
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, intermediates, now, self.algorithms.all)
        });
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
    match error {
        Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired".to_owned(),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "not yet valid".to_owned(),
            CertificateError::UnknownIssuer if certificate::read(leaf).is_some_and(|facts| facts.self_signed) => {
                "self-signed".to_owned()
            }
            CertificateError::UnknownIssuer => "unknown issuer".to_owned(),
            CertificateError::BadSignature => "bad signature".to_owned(),
            CertificateError::BadEncoding => "unreadable certificate".to_owned(),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "not for servers".to_owned()
            }
            other => other.to_string(),
        },
        // A self-signed certificate that is its own authority is refused by webpki under another name.
        other if certificate::read(leaf).is_some_and(|facts| facts.self_signed) => format!("self-signed ({other})"),
        other => other.to_string(),
    }
}
