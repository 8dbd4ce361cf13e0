//! Mozilla's TLS profiles 5.7 as sslyze 6.3 checks them: the same issues under the same keys.
//!
//! sslyze also tries three exploits (Heartbleed, CCS injection, ROBOT), which are not probed; their issues never appear.
//! Sets stand in its texts in no order; here they are sorted.

use std::collections::BTreeSet;

use riskgraph_domain::observation::{CertificateFacts, Preference, TlsFacts, VersionProbe};
use riskgraph_domain::time::DAY_MS;
use serde_json::{Map, Value, json};

mod profiles;

use profiles::{PROFILES, Profile, VERSION};

/// What sslyze starts with when it looks for the smallest.
const NO_SIZE: u32 = 100_000;

/// The best profile the endpoint complies with, and what keeps it from each; `None` when it was not seen well enough.
pub(super) fn verdict(tls: &TlsFacts) -> Option<Value> {
    let scan = Scan::of(tls)?;
    let mut issues = Map::new();
    let mut best = Value::Null;
    for profile in PROFILES.iter().rev() {
        let found = scan.issues(profile);
        if found.is_empty() {
            best = Value::from(profile.name);
        }
        issues.insert(profile.name.to_owned(), Value::Object(found));
    }
    Some(json!({ "version": VERSION, "profile": best, "issues": issues }))
}

/// The facts as sslyze has them.
struct Scan<'a> {
    tls: &'a TlsFacts,
    versions: BTreeSet<&'a str>,
    suites: BTreeSet<&'a str>,
    suites_13: BTreeSet<&'a str>,
    dh_bits: u32,
}

impl<'a> Scan<'a> {
    fn of(tls: &'a TlsFacts) -> Option<Self> {
        tls.handshake.as_ref()?.chain.first()?;
        let told = |name: &str| tls.versions.iter().any(|p| p.version.as_str() == name && p.accepted.is_some());
        if !["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"].iter().all(|name| told(name)) {
            return None;
        }
        let can = Abilities::of(tls);
        let mut scan = Self {
            tls,
            versions: BTreeSet::new(),
            suites: BTreeSet::new(),
            suites_13: BTreeSet::new(),
            dh_bits: NO_SIZE,
        };
        for probe in tls.versions.iter().filter(|probe| probe.accepted == Some(true)) {
            let modern = probe.version.as_str() == "TLSv1.3";
            let tried = probe.ciphers.iter().map(|suite| suite.as_str()).filter(|suite| modern || can.complete(suite));
            let tried: Vec<&str> = tried.collect();
            if tried.is_empty() {
                continue;
            }
            scan.versions.insert(if probe.version.as_str() == "TLSv1.0" { "TLSv1" } else { probe.version.as_str() });
            if modern {
                scan.suites_13.extend(tried)
            } else {
                scan.suites.extend(tried)
            }
            // Curves are offered by OpenSSL's defaults, of which none is too small; sslyze sees no others' sizes.
            let fields = probe.exchanges.iter().filter(|exchange| exchange.group.as_str() == "DH");
            let fields = fields.filter(|exchange| can.complete(&exchange.suite)).map(|exchange| exchange.bits);
            scan.dh_bits = fields.fold(scan.dh_bits, u32::min);
        }
        Some(scan)
    }

    fn issues(&self, profile: &Profile) -> Map<String, Value> {
        let mut found = Map::new();
        let mut add = |key: &str, text: String| {
            found.insert(key.to_owned(), Value::from(text));
        };
        self.certificates(profile, &mut add);
        self.versions_and_suites(profile, &mut add);
        self.curves(profile, &mut add);
        self.weaknesses(&mut add);
        found
    }

    fn certificates(&self, profile: &Profile, add: &mut impl FnMut(&str, String)) {
        let Some(shaken) = &self.tls.handshake else { return };
        // Its verifier is stricter than browsers' about the certificates of the chain.
        let strict = |chain: &[CertificateFacts]| {
            chain.iter().enumerate().all(|(at, one)| (at > 0 && one.self_signed) || one.profile_faults.is_empty())
        };
        let good = |trust: &Result<(), String>, named: bool, chain: &[CertificateFacts]| {
            trust.is_ok() && named && strict(chain)
        };
        let own = (&shaken.chain, good(&shaken.trust, shaken.hostname_matches, &shaken.chain));
        let others = self.tls.other_chains.iter().map(|o| (&o.chain, good(&o.trust, o.hostname_matches, &o.chain)));
        let mut kinds = BTreeSet::new();
        let mut signatures = BTreeSet::new();
        for (leaf, good) in std::iter::once(own).chain(others).filter_map(|(chain, good)| Some((chain.first()?, good)))
        {
            if !good {
                add(
                    "certificate_path_validation",
                    format!("Certificate path validation failed for {}.", leaf.subject_rfc4514),
                );
            }
            kinds.insert(kind(leaf));
            let curve = leaf.curve.as_ref().map_or("", |curve| curve.as_str());
            if leaf.key_kind.as_str() == "EC" && !profile.certificate_curves.contains(&curve) {
                let want = set(profile.certificate_curves);
                add("certificate_curves", format!("Certificate curve is {curve}, should be one of {want}."));
            }
            if let Some(min) = profile.rsa_bits.filter(|min| leaf.key_kind.as_str() == "RSA" && leaf.key_bits < *min) {
                add("rsa_key_size", format!("RSA key size is {}, minimum allowed is {min}.", leaf.key_bits));
            }
            signatures.insert(signature(leaf));
            let days = (leaf.not_after - leaf.not_before).div_euclid(DAY_MS);
            if days > profile.lifespan_days {
                let text =
                    format!("Certificate life span is {days} days, should be less than {}.", profile.lifespan_days);
                add("maximum_certificate_lifespan", text);
            }
        }
        if !profile.certificate_types.iter().any(|wanted| kinds.contains(*wanted)) {
            let (have, want) = (set(&kinds), set(profile.certificate_types));
            let text = format!("Deployed certificate types are {have}, should have at least one of {want}.");
            add("certificate_types", text);
        }
        if !profile.signatures.iter().any(|wanted| signatures.contains(*wanted)) {
            let (have, want) = (set(&signatures), set(profile.signatures));
            let text = format!("Deployed certificate signatures are {have}, should have at least one of {want}.");
            add("certificate_signatures", text);
        }
    }

    fn versions_and_suites(&self, profile: &Profile, add: &mut impl FnMut(&str, String)) {
        let beyond = |have: &BTreeSet<&'a str>, allowed: &[&str]| -> Option<String> {
            let beyond: BTreeSet<&str> = have.iter().copied().filter(|one| !allowed.contains(one)).collect();
            (!beyond.is_empty()).then(|| set(&beyond))
        };
        if let Some(names) = beyond(&self.versions, profile.versions) {
            add("tls_versions", format!("TLS versions {names} are supported, but should be rejected."));
        }
        if let Some(names) = beyond(&self.suites_13, profiles::SUITES_13) {
            add("ciphersuites", format!("TLS 1.3 cipher suites {names} are supported, but should be rejected."));
        }
        if let Some(names) = beyond(&self.suites, profile.suites) {
            add("ciphers", format!("Cipher suites {names} are supported, but should be rejected."));
        }
        if let Some(min) = profile.dh_bits.filter(|min| self.dh_bits < *min) {
            let bits = self.dh_bits;
            add("dh_param_size", format!("DH parameter size is {bits}, should be superior or equal to {min}."));
        }
    }

    fn curves(&self, profile: &Profile, add: &mut impl FnMut(&str, String)) {
        let highest = self.tls.versions.iter().rev().find(|probe| probe.accepted == Some(true));
        let groups = highest.and_then(|probe| probe.groups_alone.as_ref().or(probe.groups.as_ref()));
        let names = groups.into_iter().flatten().filter_map(|group| curve_name(group));
        let names = names.filter(|name| highest.is_none_or(|probe| self.takes_curve(probe, name)));
        let beyond: BTreeSet<&str> = names.filter(|name| !profile.curves.contains(name)).collect();
        if !beyond.is_empty() {
            add("tls_curves", format!("TLS curves {} are supported, but should be rejected.", set(&beyond)));
        }
    }

    /// Whether sslyze gets to try the curve. Below TLS 1.2 OpenSSL's client takes an ECDSA certificate only when it offered
    /// the certificate's curve.
    fn takes_curve(&self, highest: &VersionProbe, name: &str) -> bool {
        match highest.version.as_str() {
            "TLSv1.3" => true,
            "TLSv1.2" => Abilities::of(self.tls).new_curves,
            _ => {
                let leaf = self.tls.handshake.as_ref().and_then(|shaken| shaken.chain.first());
                let curve = leaf.and_then(|leaf| leaf.curve.as_ref());
                let free = highest.ciphers.iter().any(|suite| suite.contains("ECDHE_RSA"));
                begins_on_curve(highest) && (free || curve.is_none_or(|curve| curve.as_str() == name))
            }
        }
    }

    fn weaknesses(&self, add: &mut impl FnMut(&str, String)) {
        let features = &self.tls.features;
        if features.compression == Some(true) {
            add("tls_vulnerability_compression", "Server is vulnerable to TLS compression attacks.".to_owned());
        }
        if self.takes_fallback() {
            let text = "Server is vulnerable to TLS downgrade attacks because it does not support the TLS_FALLBACK_SCSV mechanism.";
            add("tls_vulnerability_fallback_scsv", text.to_owned());
        }
        if features.secure_renegotiation == Some(false) {
            let text = "Server is vulnerable to the insecure renegotiation attack.";
            add("tls_vulnerability_renegotiation", text.to_owned());
        }
        if !self.versions.contains("TLSv1.3") && features.extended_master_secret == Some(false) {
            let text = "Server does not support the Extended Master Secret TLS extension.";
            add("tls_vulnerability_extended_master_secret", text.to_owned());
        }
    }

    /// Whether a fallback from the highest version below TLS 1.3 to the one before it is taken.
    fn takes_fallback(&self) -> bool {
        const ORDER: [&str; 5] = ["SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2"];
        let name = |listed: &str| if listed == "TLSv1.0" { "TLSv1" } else { listed }.to_owned();
        let spoken = |listed: &&str| self.versions.contains(name(listed).as_str());
        let highest = match self.versions.contains("TLSv1.3") {
            true => ORDER.len() - 1,
            false => ORDER.iter().rposition(spoken).unwrap_or(0),
        };
        let Some(below) = highest.checked_sub(1).map(|at| ORDER[at]) else { return false };
        self.tls.features.fallback.iter().any(|probe| probe.version.as_str() == below && probe.refused == Some(false))
    }
}

/// Whether the first suite that sslyze gets below TLS 1.2 is agreed on over a curve; only then it tries curves there.
/// OpenSSL 1.0.2 sorts by the length of keys, then curves first, and leaves out what does not authenticate or encrypt.
fn begins_on_curve(probe: &VersionProbe) -> bool {
    let usual = |suite: &&str| !["_anon_", "NULL", "EXPORT", "_DES_", "PSK"].iter().any(|part| suite.contains(part));
    let mut suites = probe.ciphers.iter().map(|suite| suite.as_str()).filter(usual);
    let on_curve = |suite: &str| suite.contains("ECDH");
    let first = match probe.preference {
        Some(Preference::Server) => suites.next(),
        _ => suites.max_by_key(|suite| (suite.contains("_256_"), on_curve(suite))),
    };
    first.is_some_and(on_curve)
}

/// What sslyze's two builds of OpenSSL can do with this endpoint: most suites below TLS 1.3 it tries with OpenSSL 1.0.2.
struct Abilities {
    /// The older build knows a curve that the server takes; it has neither X25519 nor X448.
    old_curves: bool,
    /// The newer build offers a curve that the server takes.
    new_curves: bool,
    /// The older build knows the kind of key in the ECDSA suites' certificate.
    old_keys: bool,
}

impl Abilities {
    fn of(tls: &TlsFacts) -> Self {
        let older = tls.versions.iter().filter(|probe| probe.version.as_str() != "TLSv1.3");
        let groups: Vec<&str> =
            older.filter_map(|probe| probe.groups.as_ref()).flatten().map(|group| group.as_str()).collect();
        let old = |group: &&str| !matches!(*group, "x25519" | "x448" | "curveSM2");
        let new = |group: &&str| matches!(*group, "x25519" | "secp256r1" | "x448" | "secp521r1" | "secp384r1");
        let old_curves = groups.is_empty() || groups.iter().any(old);
        let new_curves = groups.is_empty() || groups.iter().any(new);
        let kinds = tls.handshake.iter().map(|shaken| &shaken.chain).chain(tls.other_chains.iter().map(|o| &o.chain));
        let old_keys = kinds.filter_map(|chain| chain.first()).any(|leaf| leaf.key_kind.as_str() == "EC");
        Self { old_curves, new_curves, old_keys }
    }

    /// Whether sslyze tries the suite and gets to the end of the handshake.
    fn complete(&self, suite: &str) -> bool {
        let modern_build = ["CHACHA20", "CCM", "ARIA"].iter().any(|part| suite.contains(part))
            || (suite.contains("CAMELLIA") && (suite.ends_with("SHA256") || suite.ends_with("SHA384")));
        let curve = suite.contains("ECDHE_") || suite.contains("ECDH_anon");
        let ecdsa = suite.contains("ECDHE_ECDSA");
        is_tried(suite)
            && match modern_build {
                true => !curve || self.new_curves,
                false => (!curve || self.old_curves) && (!ecdsa || self.old_keys),
            }
    }
}

/// The name Python's cryptography has for a key that is neither RSA nor on a curve.
fn kind(leaf: &CertificateFacts) -> String {
    match leaf.key_kind.as_str() {
        "EC" => "ecdsa".to_owned(),
        "RSA" => "rsa".to_owned(),
        other => format!("{other}PublicKey"),
    }
}

fn signature(leaf: &CertificateFacts) -> String {
    match leaf.signature_algorithm.as_str() {
        "rsassa-pss" | "id-RSASSA-PSS" | "rsassaPss" => "RSASSA-PSS".to_owned(),
        "Ed25519" | "id-Ed25519" | "1.3.101.112" => "ed25519".to_owned(),
        "Ed448" | "id-Ed448" | "1.3.101.113" => "ed448".to_owned(),
        other => other.to_owned(),
    }
}

/// Whether sslyze can try the suite below TLS 1.3: what its two builds of OpenSSL know, without shared secrets. The newer
/// build knows anonymous Camellia-SHA-256 but its security level forbids it.
fn is_tried(suite: &str) -> bool {
    let has = |part: &str| suite.contains(part);
    let secret = ["PSK", "SRP", "KRB5", "GOST", "ECCPWD", "EXPORT1024", "SM4"].iter().any(|part| has(part));
    let unknown = suite.starts_with("OLD_")
        || suite.starts_with("0x")
        || suite == "TLS_DHE_DSS_WITH_RC4_128_SHA"
        || suite == "SSL_CK_RC4_64_WITH_MD5"
        || (has("CAMELLIA") && has("GCM"))
        || (has("ARIA") && has("CBC"));
    let fixed =
        ["TLS_DH_DSS_", "TLS_DH_RSA_", "TLS_ECDH_RSA_", "TLS_ECDH_ECDSA_"].iter().any(|start| suite.starts_with(start));
    let late = has("ARIA") || (has("CAMELLIA") && has("SHA256")) || (has("CAMELLIA") && has("SHA384"));
    !(secret || unknown || (fixed && (late || has("EXPORT"))) || (late && has("anon")))
}

/// sslyze's name of a group, when it tries it.
fn curve_name(group: &str) -> Option<&str> {
    match group {
        "x25519" => Some("X25519"),
        "x448" => Some("X448"),
        "brainpoolP256r1" | "brainpoolP384r1" | "brainpoolP512r1" => Some(group),
        _ if group.contains("MLKEM") || group.contains("Kyber") => None,
        _ if group.starts_with("secp") || group.starts_with("sect") => Some(group),
        _ => None,
    }
}

/// A set as Python prints it, sorted.
fn set<T: AsRef<str> + Ord>(items: impl IntoIterator<Item = T>) -> String {
    let sorted: BTreeSet<T> = items.into_iter().collect();
    let quoted: Vec<String> = sorted.iter().map(|item| format!("'{}'", item.as_ref())).collect();
    format!("{{{}}}", quoted.join(", "))
}

#[cfg(test)]
mod tests;
