//! The prober against OpenSSL's own server, for what no library of today speaks. Without the program these say so and pass.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use riskgraph_connectors::crawl::{CrawlerOptions, HttpCrawler};
use riskgraph_domain::observation::{RevocationSource, RevocationState, TlsFacts};
use tempfile::TempDir;

use super::world::{always, http, quick, rule, serve, serve_dns};

/// Runs the program in a directory; `None` when there is none.
fn openssl(dir: &Path, arguments: &[&str]) -> Option<()> {
    match Command::new("openssl").args(arguments).current_dir(dir).stderr(Stdio::null()).stdout(Stdio::null()).status()
    {
        Ok(status) => {
            assert!(status.success(), "openssl {arguments:?}");
            Some(())
        }
        Err(error) => {
            eprintln!("skipped: the program openssl cannot be run ({error})");
            None
        }
    }
}

/// A directory with an authority and a certificate of RSA for `shop.example` that names a responder.
fn lab() -> Option<TempDir> {
    let dir = TempDir::new().expect("a directory");
    let at = dir.path();
    std::fs::write(
        at.join("leaf.cnf"),
        "subjectAltName=DNS:shop.example\nauthorityKeyIdentifier=keyid\nextendedKeyUsage=serverAuth\n\
         authorityInfoAccess=OCSP;URI:http://ocsp.shop.example/\n",
    )
    .expect("written");
    let new_key = ["-newkey", "rsa:2048", "-nodes", "-keyout"];
    let root =
        [&["req", "-x509"][..], &new_key, &["ca.key", "-out", "ca.pem", "-subj", "/CN=Lab", "-days", "9"]].concat();
    let wish = [&["req"][..], &new_key, &["leaf.key", "-out", "leaf.csr", "-subj", "/CN=shop.example"]].concat();
    let sign =
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 4660 -days 8 -extfile leaf.cnf -out leaf.pem";
    openssl(at, &root)?;
    openssl(at, &wish)?;
    openssl(at, &sign.split(' ').collect::<Vec<_>>())?;
    Some(dir)
}

/// A statement of the authority about the certificate.
fn statement(dir: &TempDir, status: &str) -> Vec<u8> {
    let at = dir.path();
    std::fs::write(at.join("index.txt"), format!("{status}\t1234\tunknown\t/CN=shop.example\n")).expect("written");
    let ask = "ocsp -issuer ca.pem -cert leaf.pem -reqout request.der -no_nonce";
    let say =
        "ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -reqin request.der -respout said.der -ndays 5";
    for command in [ask, say] {
        openssl(at, &command.split(' ').collect::<Vec<_>>()).expect("it ran before");
    }
    std::fs::read(at.join("said.der")).expect("a response")
}

const VALID: &str = "V\t350101000000Z\t";
const REVOKED: &str = "R\t350101000000Z\t250101000000Z,keyCompromise";

/// A running server; ends with the test.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(dir: &TempDir, arguments: &str) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert", "leaf.pem", "-key", "leaf.key"])
            .args(arguments.split_whitespace())
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it ran before");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let said = lines.find_map(|line| line.ok()?.strip_prefix("ACCEPT ").map(str::to_owned));
        let address = said.expect("it says where it listens").parse().expect("an address");
        // What it says later must go somewhere, or it waits.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn examine(dir: &TempDir, arguments: &str, response: Vec<u8>) -> TlsFacts {
    let server = Server::start(dir, arguments);
    let dns = serve_dns(&[("shop.example", "@ NS ns1\n@ A 192.0.2.10\nocsp A 192.0.2.11")]).await;
    let (responder, _) = serve([127, 0, 0, 1], 0, None, always(http("200 OK", &[], &response))).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        extra_ca_pem: Some(std::fs::read(dir.path().join("ca.pem")).expect("a certificate")),
        connect: vec![rule("shop.example", 443, server.address), rule("ocsp.shop.example", 80, responder)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    HttpCrawler::new(options).expect("options").observe_tls("shop.example", 443).await
}

fn spoken(facts: &TlsFacts) -> Vec<&str> {
    facts.versions.iter().filter(|probe| probe.accepted == Some(true)).map(|probe| probe.version.as_str()).collect()
}

fn suites<'a>(facts: &'a TlsFacts, version: &str) -> Vec<&'a str> {
    let probe = facts.versions.iter().find(|probe| probe.version.as_str() == version).expect("probed");
    assert!(probe.complete);
    let mut suites: Vec<&str> = probe.ciphers.iter().map(|suite| suite.as_str()).collect();
    suites.sort_unstable();
    suites
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_are_seen_and_their_chain_judged() {
    let Some(dir) = lab() else { return };
    let good = statement(&dir, VALID);
    for (arguments, version) in [("-www -tls1", "TLSv1.0"), ("-www -tls1_1", "TLSv1.1")] {
        let arguments = format!("{arguments} -cipher AES128-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0");
        let facts = examine(&dir, &arguments, good.clone()).await;
        assert_eq!(spoken(&facts), [version]);
        let want = ["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"];
        assert_eq!(suites(&facts, version), want);
        let shaken = facts.handshake.as_ref().expect("read in clear");
        assert_eq!((shaken.version.as_str(), &shaken.trust, shaken.hostname_matches), (version, &Ok(()), true));
        assert_eq!((shaken.chain[0].key_kind.as_str(), shaken.chain[0].key_bits), ("RSA", 2048));
        assert_eq!(shaken.chain[0].subject_rfc4514, "CN=shop.example");
        assert_eq!(facts.features.secure_renegotiation, Some(true));
        assert_eq!(facts.revocation[0].state, RevocationState::Good);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_features_are_seen() {
    let Some(dir) = lab() else { return };
    let good = statement(&dir, VALID);
    openssl(dir.path(), &["genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:modp_1536", "-out", "dh.pem"]);
    let arguments = "-www -tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -dhparam dh.pem -no_ticket";
    let facts = examine(&dir, arguments, good.clone()).await;
    assert_eq!(
        (spoken(&facts), suites(&facts, "TLSv1.2")),
        (vec!["TLSv1.2"], vec!["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"])
    );
    let field = &facts.features.dh_groups[0];
    assert_eq!((field.bits, field.known_as.as_ref().map(|name| name.as_str())), (1536, Some("RFC 3526 1536")));
    let features = &facts.features;
    assert_eq!((features.session_tickets, features.compression), (Some(false), Some(false)));
    assert_eq!((features.extended_master_secret, facts.versions[5].accepted), (Some(true), Some(false)));

    let facts = examine(&dir, "-early_data -groups P-384:X448 -cipher AES128-SHA -serverpref", good).await;
    assert_eq!(spoken(&facts), ["TLSv1.2", "TLSv1.3"]);
    let groups = facts.versions[5].groups.clone().unwrap_or_default();
    assert_eq!(groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(), ["secp384r1", "x448"]);
    assert_eq!((facts.versions[4].groups.as_ref(), facts.features.session_tickets), (None, Some(true)));
    assert_eq!(facts.features.early_data_bytes_max, Some(16_384));
    let wished = &facts.features.fallback[0];
    assert_eq!((wished.version.as_str(), wished.refused), ("TLSv1.2", Some(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn revocation_is_heard_of() {
    let Some(dir) = lab() else { return };
    let good = statement(&dir, VALID);
    std::fs::write(dir.path().join("staple.der"), &good).expect("written");
    let facts = examine(&dir, "-www -status_file staple.der", statement(&dir, REVOKED)).await;
    let told: Vec<_> = facts.revocation.iter().map(|probe| (probe.source, &probe.state)).collect();
    assert_eq!(told[0], (RevocationSource::Stapled, &RevocationState::Good));
    assert_eq!(told[1].0, RevocationSource::Ocsp);
    assert!(matches!(told[1].1, RevocationState::Revoked { reason: Some(why), .. } if why.as_str() == "keyCompromise"));
    assert!(facts.handshake.is_some_and(|shaken| shaken.ocsp_stapled));
    // An answer that is none says nothing.
    let facts = examine(&dir, "-www", b"<html>".to_vec()).await;
    assert_eq!(facts.revocation[0].state, RevocationState::Unusable("unreadable response".into()));
}
