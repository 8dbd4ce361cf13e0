//! Whether the authority still stands by a certificate: the stapled answer, its OCSP responder, its list.
//!
//! Responders are named by the certificate, so by a stranger: they are asked through the same guard and bounds as pages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use riskgraph_domain::observation::{RevocationProbe, RevocationSource, RevocationState};
use riskgraph_domain::{Text, Timestamp};
use rustls::pki_types::UnixTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::super::site::Site;
use super::der::{SEQUENCE, element};
use super::ocsp::{self, Statement, Subject};
use super::survey::Means;
use super::trust::{CERTIFICATE_MAX_BYTES, Trust, facts};

/// Largest answer of a responder, and largest list, in bytes. Lists of public authorities are cut into parts of this size;
/// longer ones are left unread and so unknown.
const OCSP_MAX_BYTES: usize = 64 << 10;
const CRL_MAX_BYTES: usize = 8 << 20;
/// Responders and lists asked of one certificate.
const URLS_MAX: usize = 2;

/// What the stapled answer states.
pub(super) fn stapled(trust: &Trust, chain: &[Vec<u8>], staple: &[u8]) -> RevocationProbe {
    let statement = with_subject(trust, chain, |subject| ocsp::read(staple, subject, now()));
    probe(RevocationSource::Stapled, None, statement.unwrap_or_else(no_issuer))
}

/// Asks the responders the certificate names, and its lists when no responder says anything.
pub(super) async fn asked(site: &Site<'_>, (trust, fetcher): Means<'_>, chain: &[Vec<u8>]) -> Vec<RevocationProbe> {
    let Some(leaf) = chain.first().and_then(|leaf| facts(std::slice::from_ref(leaf)).into_iter().next()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let request = with_subject(trust, chain, |subject| STANDARD.encode(ocsp::request(subject)));
    for url in leaf.ocsp_urls.iter().take(URLS_MAX) {
        let Some(request) = &request else {
            found.push(probe(RevocationSource::Ocsp, Some(url), no_issuer()));
            break;
        };
        let path = request.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let asked = format!("{}/{path}", url.trim_end_matches('/'));
        let statement = match fetcher.bytes_up_to(site, &asked, OCSP_MAX_BYTES).await {
            Ok(response) => with_subject(trust, chain, |subject| ocsp::read(&response, subject, now())),
            Err(failure) => Some((RevocationState::Failed(failure), None)),
        };
        found.push(probe(RevocationSource::Ocsp, Some(url), statement.unwrap_or_else(no_issuer)));
        if is_told(&found) {
            return found;
        }
    }
    for url in leaf.crl_urls.iter().take(URLS_MAX) {
        let statement = match fetcher.bytes_up_to(site, url, CRL_MAX_BYTES).await {
            Ok(list) => listed(trust.clone(), chain.to_vec(), list).await,
            Err(failure) => (RevocationState::Failed(failure), None),
        };
        found.push(probe(RevocationSource::Crl, Some(url), statement));
        if is_told(&found) {
            break;
        }
    }
    found
}

fn is_told(found: &[RevocationProbe]) -> bool {
    let told = |probe: &RevocationProbe| matches!(probe.state, RevocationState::Good | RevocationState::Revoked { .. });
    found.last().is_some_and(told)
}

fn probe(source: RevocationSource, url: Option<&String>, (state, next_update): Statement) -> RevocationProbe {
    RevocationProbe { source, url: url.cloned(), state, next_update }
}

fn no_issuer() -> Statement {
    (RevocationState::Unusable("the issuer's certificate is not known".to_owned()), None)
}

/// A long list takes longer to read than an async task may block.
async fn listed(trust: Trust, chain: Vec<Vec<u8>>, list: Vec<u8>) -> Statement {
    let reading = tokio::task::spawn_blocking(move || {
        with_subject(&trust, &chain, |subject| read_list(&list, subject, now())).unwrap_or_else(no_issuer)
    });
    reading.await.unwrap_or_else(|_| (RevocationState::Unusable("unreadable list".to_owned()), None))
}

/// What a list states about the certificate (RFC 5280 5).
fn read_list(list: &[u8], subject: &Subject<'_>, now: Timestamp) -> Statement {
    let unusable = |why: &str| (RevocationState::Unusable(why.to_owned()), None);
    let Ok((_, crl)) = CertificateRevocationList::from_der(list) else { return unusable("unreadable list") };
    if crl.issuer().as_raw() != subject.issuer_name || crl.verify_signature(subject.issuer_key).is_err() {
        return unusable("not signed by the authority");
    }
    let moment = |seconds: i64| Timestamp(seconds.saturating_mul(1_000));
    let next = crl.next_update().map(|time| moment(time.timestamp()));
    if next.is_some_and(|next| next < now) {
        return unusable("out of date");
    }
    let state = match crl.iter_revoked_certificates().find(|revoked| revoked.raw_serial() == subject.serial) {
        Some(revoked) => RevocationState::Revoked {
            at: moment(revoked.revocation_date.timestamp()),
            reason: revoked
                .reason_code()
                .and_then(|(_, code)| ocsp::reason(code.0))
                .or_else(|| Some(Text::from("unspecified"))),
        },
        None => RevocationState::Good,
    };
    (state, next)
}

/// Finds the issuer's key, in the chain or among the roots, and hands both over.
fn with_subject<T>(trust: &Trust, chain: &[Vec<u8>], use_it: impl FnOnce(&Subject<'_>) -> T) -> Option<T> {
    let (leaf, others) = chain.split_first()?;
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let name = leaf.issuer().as_raw();
    let signed_by = |key: &SubjectPublicKeyInfo<'_>| leaf.verify_signature(Some(key)).is_ok();
    for other in others.iter().filter(|der| der.len() <= CERTIFICATE_MAX_BYTES) {
        if let Ok((_, issuer)) = X509Certificate::from_der(other)
            && issuer.subject().as_raw() == name
            && signed_by(issuer.public_key())
        {
            let subject = Subject { serial: leaf.raw_serial(), issuer_name: name, issuer_key: issuer.public_key() };
            return Some(use_it(&subject));
        }
    }
    // Roots are kept without the outer tag of name and key.
    let bare_name = super::der::Der(name).of(SEQUENCE)?.body;
    let key = element(SEQUENCE, &[&trust.root_key(bare_name)?]);
    let (_, key) = SubjectPublicKeyInfo::from_der(&key).ok()?;
    signed_by(&key).then(|| use_it(&Subject { serial: leaf.raw_serial(), issuer_name: name, issuer_key: &key }))
}

fn now() -> Timestamp {
    Timestamp(i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000))
}

#[cfg(test)]
mod tests;
