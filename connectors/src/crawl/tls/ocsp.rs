//! OCSP requests and responses (RFC 6960), as far as one certificate needs them.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use riskgraph_domain::observation::RevocationState;
use riskgraph_domain::{Text, Timestamp};
use x509_parser::asn1_rs::{BitString, FromDer, GeneralizedTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::verify::verify_signature;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::der::{Der, ENUMERATED, Element, GENERALIZED_TIME, INTEGER, OCTETS, SEQUENCE, element};

/// SHA-1, which CertID uses by tradition: as an identifier, not as a proof.
const SHA1_OID: &[u8] = &[0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256_OID: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const NULL: &[u8] = &[0x05, 0x00];
/// id-kp-OCSPSigning.
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// How far clocks may differ, in milliseconds.
const SKEW_MS: i64 = 300_000;
/// Statements and certificates looked at in one response.
const PARTS_MAX: usize = 20;

/// Whose status is asked: the certificate and who issued it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// Content of the serial number.
    pub(super) serial: &'a [u8],
    /// DER of the issuer's name.
    pub(super) issuer_name: &'a [u8],
    pub(super) issuer_key: &'a SubjectPublicKeyInfo<'a>,
}

/// A statement and how long it holds.
pub(super) type Statement = (RevocationState, Option<Timestamp>);

/// Writes a request for this certificate.
pub(super) fn request(subject: &Subject<'_>) -> Vec<u8> {
    let name = digest(&SHA1_FOR_LEGACY_USE_ONLY, subject.issuer_name);
    let key = digest(&SHA1_FOR_LEGACY_USE_ONLY, &subject.issuer_key.subject_public_key.data);
    let id = element(
        SEQUENCE,
        &[
            &element(SEQUENCE, &[SHA1_OID, NULL]),
            &element(OCTETS, &[name.as_ref()]),
            &element(OCTETS, &[key.as_ref()]),
            &element(INTEGER, &[subject.serial]),
        ],
    );
    element(SEQUENCE, &[&element(SEQUENCE, &[&element(SEQUENCE, &[&element(SEQUENCE, &[&id])])])])
}

/// What a response states about the certificate; only a signed, fresh statement counts.
pub(super) fn read(response: &[u8], subject: &Subject<'_>, now: Timestamp) -> Statement {
    let unusable = |why: &str| (RevocationState::Unusable(why.to_owned()), None);
    let basic = match basic_response(response) {
        Ok(basic) => basic,
        Err(why) => return unusable(&why),
    };
    let Some(parsed) = Basic::parse(basic) else { return unusable("unreadable response") };
    if !parsed.is_signed_for(subject, now) {
        return unusable("not signed by the authority");
    }
    let Some(statement) = parsed.statement_on(subject) else { return unusable("about another certificate") };
    if statement.this_update > now + SKEW_MS {
        return unusable("not yet valid");
    }
    if statement.next_update.is_some_and(|next| next + SKEW_MS < now) {
        return unusable("out of date");
    }
    (statement.state, statement.next_update)
}

/// The signed part of a successful response.
fn basic_response(response: &[u8]) -> Result<&[u8], String> {
    let unreadable = || "unreadable response".to_owned();
    let mut outer = Der(response).of(SEQUENCE).ok_or_else(unreadable)?.inside();
    let status = outer.of(ENUMERATED).ok_or_else(unreadable)?.body;
    match status {
        [0] => {}
        [1] => return Err("the responder found the request malformed".to_owned()),
        [2] => return Err("the responder has an internal error".to_owned()),
        [3] => return Err("the responder says to try later".to_owned()),
        [5] => return Err("the responder wants a signed request".to_owned()),
        [6] => return Err("the responder is not authorised".to_owned()),
        _ => return Err(unreadable()),
    }
    let bytes = outer.of(0xa0).and_then(|bytes| bytes.inside().of(SEQUENCE)).ok_or_else(unreadable)?;
    let mut inside = bytes.inside();
    inside.next().ok_or_else(unreadable)?;
    inside.of(OCTETS).map(|octets| octets.body).ok_or_else(unreadable)
}

struct Basic<'a> {
    data: Element<'a>,
    algorithm: AlgorithmIdentifier<'a>,
    signature: BitString<'a>,
    certificates: Vec<&'a [u8]>,
}

/// One single response.
struct Single {
    state: RevocationState,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
}

impl<'a> Basic<'a> {
    fn parse(basic: &'a [u8]) -> Option<Self> {
        let mut all = Der(basic).of(SEQUENCE)?.inside();
        let data = all.of(SEQUENCE)?;
        let (_, algorithm) = AlgorithmIdentifier::from_der(all.of(SEQUENCE)?.whole).ok()?;
        let (_, signature) = BitString::from_der(all.of(0x03)?.whole).ok()?;
        let mut certificates = Vec::new();
        if let Some(list) = all.maybe(0xa0) {
            let mut list = list.inside().of(SEQUENCE)?.inside();
            while certificates.len() < PARTS_MAX
                && let Some(certificate) = list.next()
            {
                certificates.push(certificate.whole);
            }
        }
        Some(Self { data, algorithm, signature, certificates })
    }

    /// Signed by the issuer, or by somebody the issuer made for it (RFC 6960 4.2.2.2).
    fn is_signed_for(&self, subject: &Subject<'_>, now: Timestamp) -> bool {
        let by = |key: &SubjectPublicKeyInfo<'_>| {
            verify_signature(key, &self.algorithm, &self.signature, self.data.whole).is_ok()
        };
        by(subject.issuer_key)
            || self.certificates.iter().any(|der| {
                X509Certificate::from_der(der).is_ok_and(|(_, delegate)| {
                    delegate.issuer().as_raw() == subject.issuer_name
                        && delegate.verify_signature(Some(subject.issuer_key)).is_ok()
                        && signs_ocsp(&delegate)
                        && in_time(&delegate, now)
                        && by(delegate.public_key())
                })
            })
    }

    fn statement_on(&self, subject: &Subject<'_>) -> Option<Single> {
        let mut data = self.data.inside();
        data.maybe(0xa0); // Version.
        data.next()?; // Responder.
        data.of(GENERALIZED_TIME)?;
        let mut responses = data.of(SEQUENCE)?.inside();
        for _ in 0..PARTS_MAX {
            let mut single = responses.of(SEQUENCE)?.inside();
            if is_about(single.of(SEQUENCE)?, subject) {
                return statement(single);
            }
        }
        None
    }
}

fn is_about(id: Element<'_>, subject: &Subject<'_>) -> bool {
    let fields = || {
        let mut id = id.inside();
        let algorithm = id.of(SEQUENCE)?.inside().next()?.whole;
        Some((algorithm, id.of(OCTETS)?.body, id.of(OCTETS)?.body, id.of(INTEGER)?.body))
    };
    let Some((algorithm, name, key, serial)) = fields() else { return false };
    let algorithm = match algorithm {
        SHA1_OID => &SHA1_FOR_LEGACY_USE_ONLY,
        SHA256_OID => &SHA256,
        _ => return false,
    };
    serial == subject.serial
        && name == digest(algorithm, subject.issuer_name).as_ref()
        && key == digest(algorithm, &subject.issuer_key.subject_public_key.data).as_ref()
}

fn statement(mut single: Der<'_>) -> Option<Single> {
    let status = single.next()?;
    let this_update = moment(single.of(GENERALIZED_TIME)?)?;
    let next_update = match single.maybe(0xa0) {
        Some(next) => Some(moment(next.inside().of(GENERALIZED_TIME)?)?),
        None => None,
    };
    let state = match status.tag {
        0x80 => RevocationState::Good,
        0xa1 => {
            let mut revoked = status.inside();
            let at = moment(revoked.of(GENERALIZED_TIME)?)?;
            let code = revoked.maybe(0xa0).and_then(|code| code.inside().of(ENUMERATED));
            RevocationState::Revoked { at, reason: code.and_then(|code| reason(*code.body.first()?)) }
        }
        0x82 => RevocationState::Unknown,
        _ => return None,
    };
    Some(Single { state, this_update, next_update })
}

/// The name of a reason (RFC 5280 5.3.1).
pub(super) fn reason(code: u8) -> Option<Text> {
    const REASONS: [&str; 11] = [
        "unspecified",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "",
        "removeFromCRL",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    REASONS.get(usize::from(code)).filter(|name| !name.is_empty()).map(|name| Text::from(*name))
}

fn moment(time: Element<'_>) -> Option<Timestamp> {
    let (_, time) = GeneralizedTime::from_der(time.whole).ok()?;
    Some(Timestamp(time.utc_datetime().ok()?.unix_timestamp().saturating_mul(1_000)))
}

fn signs_ocsp(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.extended_key_usage().ok().flatten();
    usage.is_some_and(|usage| {
        usage.value.ocsp_signing || usage.value.other.iter().any(|oid| oid.to_id_string() == OCSP_SIGNING)
    })
}

fn in_time(certificate: &X509Certificate<'_>, now: Timestamp) -> bool {
    let seconds = now.0.div_euclid(1_000);
    let validity = certificate.validity();
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&seconds)
}

#[cfg(test)]
mod tests;
