use proptest::prelude::*;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SigningKey,
};

use super::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const ECDSA_SHA256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const SERIAL: &[u8] = &[0x12, 0x34];
const BEFORE: &str = "20260920000000Z";
const LATER: &str = "20270101000000Z";

/// An authority that signs statements.
struct Signer {
    key: KeyPair,
    certificate: Certificate,
    params: CertificateParams,
}

fn authority(name: &str) -> Signer {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    Signer { key, certificate, params }
}

impl Signer {
    /// One below it, for these uses.
    fn delegate(&self, usages: Vec<ExtendedKeyUsagePurpose>) -> Signer {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.extended_key_usages = usages;
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        Signer { key, certificate, params }
    }

    fn with<T>(&self, use_it: impl FnOnce(&Subject<'_>) -> T) -> T {
        let (_, certificate) = X509Certificate::from_der(self.certificate.der()).expect("a certificate");
        use_it(&Subject {
            serial: SERIAL,
            issuer_name: certificate.subject().as_raw(),
            issuer_key: certificate.public_key(),
        })
    }

    /// A response with this status about this serial, signed by the key and with these certificates.
    fn respond(&self, said: &Said<'_>, by: &Signer) -> Vec<u8> {
        let id = self.with(|subject| {
            let request = request(&Subject { serial: said.serial, ..*subject });
            let mut inside = Der(&request);
            for _ in 0..4 {
                inside = inside.of(SEQUENCE).expect("a sequence").inside();
            }
            inside.of(SEQUENCE).expect("the id").whole.to_vec()
        });
        let time = |text: &str| element(GENERALIZED_TIME, &[text.as_bytes()]);
        let next = said.next.map(|next| element(0xa0, &[&time(next)])).unwrap_or_default();
        let single = element(SEQUENCE, &[&id, said.status, &time(said.this), &next]);
        let responder = element(0xa2, &[&element(OCTETS, &[&[7; 20]])]);
        let data = element(SEQUENCE, &[&responder, &time(BEFORE), &element(SEQUENCE, &[&single])]);
        let signature = by.key.sign(&data).expect("a signature");
        let basic = element(
            SEQUENCE,
            &[
                &data,
                &element(SEQUENCE, &[ECDSA_SHA256]),
                &element(0x03, &[&[0], &signature]),
                &element(0xa0, &[&element(SEQUENCE, &[by.certificate.der().as_ref()])]),
            ],
        );
        let kind = [0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
        let bytes = element(SEQUENCE, &[&kind, &element(OCTETS, &[&basic])]);
        element(SEQUENCE, &[&element(ENUMERATED, &[&[0]]), &element(0xa0, &[&bytes])])
    }
}

/// What a response says.
struct Said<'a> {
    serial: &'a [u8],
    status: &'a [u8],
    this: &'a str,
    next: Option<&'a str>,
}

const GOOD: Said<'static> = Said { serial: SERIAL, status: &[0x80, 0], this: BEFORE, next: Some(LATER) };

#[track_caller]
fn check(authority: &Signer, response: &[u8], want: &RevocationState) {
    let (state, _) = authority.with(|subject| read(response, subject, NOW));
    assert_eq!(&state, want);
}

fn unusable(why: &str) -> RevocationState {
    RevocationState::Unusable(why.to_owned())
}

#[test]
fn signed_statements_count() {
    let ours = authority("Ours");
    check(&ours, &ours.respond(&GOOD, &ours), &RevocationState::Good);
    check(&ours, &ours.respond(&Said { next: None, ..GOOD }, &ours), &RevocationState::Good);
    let time = element(GENERALIZED_TIME, &[b"20260901000000Z"]);
    let code = element(0xa0, &[&element(ENUMERATED, &[&[1]])]);
    let revoked = element(0xa1, &[&time, &code]);
    let at = Timestamp(1_788_220_800_000);
    let want = RevocationState::Revoked { at, reason: Some(Text::from("keyCompromise")) };
    check(&ours, &ours.respond(&Said { status: &revoked, ..GOOD }, &ours), &want);
    let bare = element(0xa1, &[&time]);
    let want = RevocationState::Revoked { at, reason: None };
    check(&ours, &ours.respond(&Said { status: &bare, ..GOOD }, &ours), &want);
    check(&ours, &ours.respond(&Said { status: &[0x82, 0], ..GOOD }, &ours), &RevocationState::Unknown);
    let delegate = ours.delegate(vec![ExtendedKeyUsagePurpose::OcspSigning]);
    check(&ours, &ours.respond(&GOOD, &delegate), &RevocationState::Good);
}

#[test]
fn others_do_not() {
    let ours = authority("Ours");
    let unsigned = unusable("not signed by the authority");
    check(&ours, &ours.respond(&GOOD, &authority("Ours")), &unsigned);
    let server = ours.delegate(vec![ExtendedKeyUsagePurpose::ServerAuth]);
    check(&ours, &ours.respond(&GOOD, &server), &unsigned);
    let mut spoilt = ours.respond(&GOOD, &ours);
    let at = spoilt.windows(2).position(|part| part == [0x80, 0]).expect("the status");
    spoilt[at] = 0x82;
    check(&ours, &spoilt, &unsigned);
    check(&ours, &ours.respond(&Said { serial: &[1], ..GOOD }, &ours), &unusable("about another certificate"));
    let old = Said { this: "20260101000000Z", next: Some("20260108000000Z"), ..GOOD };
    check(&ours, &ours.respond(&old, &ours), &unusable("out of date"));
    let early = Said { this: "20270101000000Z", next: None, ..GOOD };
    check(&ours, &ours.respond(&early, &ours), &unusable("not yet valid"));
    check(&ours, &[0x30, 3, 0x0a, 1, 3], &unusable("the responder says to try later"));
    check(&ours, &[0x30, 3, 0x0a, 1, 6], &unusable("the responder is not authorised"));
    check(&ours, b"<html>", &unusable("unreadable response"));
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..200, with in any::<u8>()) {
        let ours = authority("Ours");
        let mut spoilt = ours.respond(&GOOD, &ours);
        let at = at % spoilt.len();
        spoilt[at] = with;
        ours.with(|subject| {
            read(&bytes, subject, NOW);
            read(&spoilt, subject, NOW);
        });
    }
}
