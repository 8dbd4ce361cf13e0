//! The lab's own certificate authority: a root, an intermediate, and certificates good and bad.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, Days};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use riskgraph_domain::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::profile::Profile;

/// Days a good certificate is valid for, as public authorities issue them.
const VALID_DAYS: i64 = 85;

/// A certificate authority for this run only.
pub(super) struct Authority {
    /// The root, to be trusted.
    pub ca_pem: String,
    intermediate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    now: Timestamp,
}

impl Authority {
    /// A new root and intermediate.
    pub(super) fn new(now: Timestamp) -> Result<Self> {
        let root_key = KeyPair::generate()?;
        let root = ca_params("Lab Root CA", now, 1);
        let root_cert = root.self_signed(&root_key)?;
        let root_issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate()?;
        let params = ca_params("Lab Issuing CA", now, 0);
        let intermediate = params.signed_by(&key, &root_issuer)?;
        Ok(Self {
            ca_pem: root_cert.pem(),
            intermediate: intermediate.der().clone(),
            issuer: Issuer::new(params, key),
            now,
        })
    }

    /// TLS settings of a site, with the certificate its profile has.
    pub(super) fn server(&self, domain: &str, profile: Profile) -> Result<Arc<ServerConfig>> {
        let key = KeyPair::generate()?;
        let names = match profile {
            Profile::WrongName => vec!["shared.hosting.example".to_owned()],
            _ => ["", "www.", "mta-sts.", "cdn.", "api."].iter().map(|host| format!("{host}{domain}")).collect(),
        };
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name.remove(DnType::CommonName);
        params.distinguished_name.push(DnType::CommonName, names[0].as_str());
        let (from, to) = if profile == Profile::ExpiredCertificate { (-106, -21) } else { (-20, VALID_DAYS - 20) };
        valid(&mut params, self.now, from, to);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let chain = if profile == Profile::SelfSigned {
            vec![params.self_signed(&key)?.der().clone()]
        } else {
            params.use_authority_key_identifier_extension = true;
            vec![params.signed_by(&key, &self.issuer)?.der().clone(), self.intermediate.clone()]
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = if profile == Profile::LegacyTls {
            builder.with_protocol_versions(&[&rustls::version::TLS12])
        } else {
            builder.with_safe_default_protocol_versions()
        };
        let mut config = builder.context("TLS versions")?.with_no_client_auth().with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn ca_params(name: &str, now: Timestamp, path_length: u8) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid(&mut params, now, -400, 3_000);
    params
}

/// Sets validity, in days from now, at midnights.
fn valid(params: &mut CertificateParams, now: Timestamp, from: i64, to: i64) {
    let today = DateTime::from_timestamp_millis(now.0).unwrap_or_default().date_naive();
    let day = |days: i64| {
        let step = Days::new(days.unsigned_abs());
        let date = if days < 0 { today.checked_sub_days(step) } else { today.checked_add_days(step) };
        let date = date.unwrap_or(today);
        date_time_ymd(date.year(), date.month() as u8, date.day() as u8)
    };
    (params.not_before, params.not_after) = (day(from), day(to));
}
