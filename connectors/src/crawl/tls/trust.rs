//! Whom to trust, and the verdict on a chain in words that are the same each time.

use std::sync::Arc;

use riskgraph_domain::Text;
use riskgraph_domain::observation::CertificateFacts;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use super::certificate;
use super::profile::{self, Role};

/// The verdict on a chain whose top nobody here knows, and on one that only lacks what its issuer publishes.
pub(super) const UNKNOWN_ISSUER: &str = "unknown issuer";
pub(super) const INCOMPLETE: &str = "incomplete chain: the server does not send the intermediate certificate";
/// Largest certificate that is parsed, in bytes; the largest seen on the web are near 100 KiB of names.
pub(super) const CERTIFICATE_MAX_BYTES: usize = 256 << 10;

/// Whom to trust: the web's authorities and the operator's own.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    /// What strict verifiers miss in the operator's own authorities, by the DER of their names.
    faulty: Arc<Vec<(Vec<u8>, Vec<Text>)>>,
}

/// What is thought of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) trust: Result<(), String>,
    pub(super) hostname_matches: bool,
}

impl Trust {
    /// Mozilla's roots and those in the PEM.
    pub(crate) fn new(extra_ca_pem: Option<&[u8]>) -> Result<Self, String> {
        let mut faulty = Vec::new();
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for certificate in extra_ca_pem.map(CertificateDer::pem_slice_iter).into_iter().flatten() {
            let certificate = certificate.map_err(|error| error.to_string())?;
            let faults = profile::faults(&certificate, Role::Authority);
            if let Some(name) = certificate::subject(&certificate).filter(|_| !faults.is_empty()) {
                faulty.push((name, faults));
            }
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(Self { provider, roots: Arc::new(roots), faulty: Arc::new(faulty) })
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

    pub(in crate::crawl) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    /// Judges a chain, leaf first, for this host at this moment.
    pub(super) fn judge(&self, chain: &[Vec<u8>], host: &str, now: UnixTime) -> Verdict {
        let Some((leaf, others)) = chain.split_first() else {
            return Verdict { trust: Err("no certificate was shown".to_owned()), hostname_matches: false };
        };
        let der = CertificateDer::from(leaf.as_slice());
        let named = ServerName::try_from(host).is_ok_and(|name| {
            ParsedCertificate::try_from(&der).and_then(|parsed| verify_server_name(&parsed, &name)).is_ok()
        });
        let others: Vec<_> = others.iter().map(|other| CertificateDer::from(other.as_slice())).collect();
        let trust = self.verify(&der, &others, now).map_err(|error| reason_of(&error, leaf));
        Verdict { trust, hostname_matches: named }
    }

    /// The key of a root with this subject (the content of the name, without its tag), when it is trusted.
    pub(super) fn root_key(&self, subject: &[u8]) -> Option<Vec<u8>> {
        let root = self.roots.roots.iter().find(|root| root.subject.as_ref() == subject)?;
        Some(root.subject_public_key_info.as_ref().to_vec())
    }

    /// The facts of a chain, its leaf burdened with what is missed in its root.
    pub(super) fn facts(&self, chain: &[Vec<u8>]) -> Vec<CertificateFacts> {
        let mut facts = facts(chain);
        let issuers: Vec<Vec<u8>> = chain.iter().filter_map(|one| certificate::issuer(one)).collect();
        let faulty = self.faulty.iter().filter(|known| issuers.contains(&known.0)).flat_map(|known| &known.1);
        if let Some(leaf) = facts.first_mut() {
            leaf.profile_faults.extend(faulty.map(|fault| Text::from(format!("its root: {fault}"))));
        }
        facts
    }

    fn verify(&self, leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>], now: UnixTime) -> Result<(), Error> {
        let algorithms = self.provider.signature_verification_algorithms.all;
        let parsed = ParsedCertificate::try_from(leaf)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, others, now, algorithms)
    }
}

/// The facts of a chain; what is no certificate, or too large for one, is left out.
pub(super) fn facts(chain: &[Vec<u8>]) -> Vec<CertificateFacts> {
    let readable = chain.iter().enumerate().filter(|(_, der)| der.len() <= CERTIFICATE_MAX_BYTES);
    let read = |(at, der): (usize, &Vec<u8>)| {
        let facts = certificate::read(der)?;
        // Strays behind the leaf that are no authorities play no part.
        let profile_faults = match at {
            0 => profile::faults(der, Role::Leaf),
            _ if facts.is_authority => profile::faults(der, Role::Authority),
            _ => Vec::new(),
        };
        Some(CertificateFacts { profile_faults, ..facts })
    };
    readable.filter_map(read).collect()
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
pub(in crate::crawl) fn describe(error: &Error) -> String {
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
