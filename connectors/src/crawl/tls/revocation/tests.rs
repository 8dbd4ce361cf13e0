use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};

use super::*;

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A list of this authority that names serial 5 and ends in this year.
fn list(params: &CertificateParams, key: &KeyPair, until: i32) -> Vec<u8> {
    let revoked = RevokedCertParams {
        serial_number: SerialNumber::from(5),
        revocation_time: date_time_ymd(2026, 1, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2025, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![revoked],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&Issuer::from_params(params, key)).expect("a list").der().to_vec()
}

#[test]
fn reads_lists() {
    let params = params("Ours");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let (_, certificate) = X509Certificate::from_der(certificate.der()).expect("a certificate");
    let check = |list: &[u8], serial: u8, want: RevocationState| {
        let subject = Subject {
            serial: &[serial],
            issuer_name: certificate.subject().as_raw(),
            issuer_key: certificate.public_key(),
        };
        assert_eq!(read_list(list, &subject, NOW).0, want);
    };
    let current = list(&params, &key, 2030);
    let at = Timestamp(1_767_225_600_000);
    check(&current, 5, RevocationState::Revoked { at, reason: Some(Text::from("keyCompromise")) });
    check(&current, 6, RevocationState::Good);
    let unusable = |why: &str| RevocationState::Unusable(why.to_owned());
    check(&list(&params, &key, 2026), 6, unusable("out of date"));
    let other = KeyPair::generate().expect("a key");
    check(&list(&params, &other, 2030), 6, unusable("not signed by the authority"));
    check(b"-----BEGIN", 6, unusable("unreadable list"));
}
