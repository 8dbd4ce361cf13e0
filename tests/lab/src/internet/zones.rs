//! The lab's DNS: a signed root and `example`, a zone each for the vendors and the shop.
//!
//! One server answers for all zones, so a stub resolver pointed at it finds everything. Questions for a DS record
//! are answered by the parent's zone, as a real delegation would have it (RFC 4035 3.1.4.1).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use hickory_server::dnssec::NxProofKind;
use hickory_server::net::runtime::{Time, TokioRuntimeProvider};
use hickory_server::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_server::proto::dnssec::rdata::{DNSKEY, DS};
use hickory_server::proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey};
use hickory_server::proto::rr::{LowerName, Name, RecordSet, RecordType, RrKey};
use hickory_server::proto::serialize::txt::Parser;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneHandler, ZoneType};

use super::pages::Site;
use super::profile::Profile;

/// Signatures outlive any run of the lab.
const SIGNATURE_LIFE: Duration = Duration::from_secs(30 * 86_400);
const RSA_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp3v/FCI8/1uBO98Ha8RCMK/haLr557Hn1PUN4d3CRDZ/O26qCf1Agk21f8LNHTfDCZHVQDKLGl+zls71a/JEWGUSdtJPo7T9HidJoTrX+qKyuKWFMlgfo1riVm4NXg2rcWaUNiRMoM8l+Mqb3/KIJ6OMxwQ8Kz/R1Dm9AZoMMPAUiwX94W7Cn0CmtwPKtI5oTe6QWjCpQHycZvIYOGdD5ONf2yw7z8rYe4UjYrDJfO9hwSgrBo20Yg2Zjppa5gAQLytn7U8CnfIgVU/SVxmcpjZsaJtyEDEvp4l0364JzYaQag3B2uXQphx85xyh8GKd0+OtXN2G96+Gb0U2JqMSvwIDAQAB";

/// A site and its address.
pub(super) struct Zone<'a> {
    pub site: &'a Site,
    pub address: Ipv4Addr,
}

/// What the name server answers from.
pub(super) struct Names {
    all: Catalog,
    /// Without the vendors' own zones: what their parents say about them.
    parents: Catalog,
    root: Catalog,
}

/// The names and the trust anchor of the root, in zone file form.
pub(super) fn build(zones: &[Zone<'_>], server: IpAddr, extra: &[(String, Ipv4Addr)]) -> Result<(Names, String)> {
    let mut children: Vec<(String, Arc<dyn ZoneHandler>)> = Vec::new();
    let mut delegations = String::new();
    for zone in zones {
        let domain = &zone.site.domain;
        let (handler, delegation) = child(zone, server)?;
        delegations.push_str(&delegation);
        children.push((domain.clone(), handler));
    }
    for (host, address) in extra {
        delegations.push_str(&format!("{host}. 300 IN A {address}\n"));
    }
    let head = |origin: &str| {
        let at = if origin == "." { String::new() } else { origin.to_owned() };
        format!(
            "{origin} 300 IN SOA ns.lab.example. hostmaster.lab.example. 2026010101 7200 900 1209600 60\n\
             {origin} 300 IN NS ns.lab.example.\n{}",
            if at.is_empty() { String::new() } else { format!("ns.lab.{at} 300 IN A {server}\n") }
        )
    };
    let (example, example_ds) = signed("example.", &format!("{}{delegations}", head("example.")))?;
    let glue = format!("example. 300 IN NS ns.lab.example.\n{example_ds}");
    let (root, anchor) = signed_root(&format!("{}{glue}", head(".")))?;
    let mut names = Names { all: Catalog::new(), parents: Catalog::new(), root: Catalog::new() };
    for catalog in [&mut names.all, &mut names.parents, &mut names.root] {
        catalog.upsert(lower(".")?, vec![root.clone()]);
    }
    for catalog in [&mut names.all, &mut names.parents] {
        catalog.upsert(lower("example.")?, vec![example.clone()]);
    }
    for (domain, handler) in children {
        names.all.upsert(lower(&domain)?, vec![handler]);
    }
    Ok((names, anchor))
}

fn lower(domain: &str) -> Result<LowerName> {
    let mut name = Name::from_ascii(domain)?;
    name.set_fqdn(true);
    Ok(LowerName::from(name))
}

#[async_trait::async_trait]
impl RequestHandler for Names {
    async fn handle_request<R: ResponseHandler, T: Time>(&self, request: &Request, response: R) -> ResponseInfo {
        let catalog = match request.request_info() {
            Ok(info) if info.query.query_type() == RecordType::DS => {
                if info.query.name().num_labels() <= 1 {
                    &self.root
                } else {
                    &self.parents
                }
            }
            _ => &self.all,
        };
        catalog.handle_request::<R, T>(request, response).await
    }
}

/// A vendor's zone and what its parent says about it.
fn child(zone: &Zone<'_>, server: IpAddr) -> Result<(Arc<dyn ZoneHandler>, String)> {
    let (site, domain) = (zone.site, format!("{}.", zone.site.domain));
    let mut servers = vec![format!("ns1.{domain}")];
    servers.push(if site.profile == Profile::WeakHeaders { format!("ns9.{domain}") } else { format!("ns2.{domain}") });
    let mut text = format!("{domain} 300 IN SOA ns1.{domain} hostmaster.{domain} 2026010101 7200 900 1209600 300\n");
    let mut delegation = String::new();
    for name in &servers {
        let address = server_address(site.profile, name, server);
        for line in [format!("{domain} 300 IN NS {name}\n"), format!("{name} 300 IN A {address}\n")] {
            text.push_str(&line);
            delegation.push_str(&line);
        }
    }
    for host in ["", "www.", "mta-sts.", "cdn.", "mail.", "api."] {
        text.push_str(&format!("{host}{domain} 300 IN A {}\n", zone.address));
    }
    text.push_str(&mail(site, &domain));
    if site.profile == Profile::Exemplary {
        let (handler, ds) = signed(&domain, &text)?;
        delegation.push_str(&ds);
        return Ok((handler, delegation));
    }
    Ok((Arc::new(unsigned(&domain, &text)?), delegation))
}

/// The address a name server is said to have. Careful vendors have two in different networks, others one for both;
/// a dead one has an address of its own, where nobody answers.
fn server_address(profile: Profile, name: &str, server: IpAddr) -> IpAddr {
    let apart = matches!(profile, Profile::Exemplary | Profile::Average | Profile::LegacyTls | Profile::Slow);
    match name.split('.').next() {
        Some("ns9") => IpAddr::V4(Ipv4Addr::new(127, 53, 9, 9)),
        Some("ns2") if apart => IpAddr::V4(Ipv4Addr::new(127, 54, 0, 53)),
        _ => server,
    }
}

/// Mail authentication and CAA, as the profile has them.
fn mail(site: &Site, domain: &str) -> String {
    let mut text = format!("{domain} 300 IN MX 10 mail.{domain}\n");
    let (spf, dmarc) = match site.profile {
        Profile::Exemplary => (
            "v=spf1 mx -all",
            Some(format!("v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s; rua=mailto:dmarc@{}", site.domain)),
        ),
        Profile::OpenMail => ("v=spf1 +all", None),
        Profile::WeakHeaders | Profile::SelfSigned => ("v=spf1 a mx ~all", None),
        Profile::Dead | Profile::LegacyTls => {
            ("v=spf1 mx -all", Some(format!("v=DMARC1; p=quarantine; rua=mailto:dmarc@{}", site.domain)))
        }
        _ => ("v=spf1 mx ~all", Some(format!("v=DMARC1; p=none; rua=mailto:dmarc@{}", site.domain))),
    };
    text.push_str(&format!("{domain} 300 IN TXT \"{spf}\"\n"));
    if let Some(dmarc) = dmarc {
        text.push_str(&format!("_dmarc.{domain} 300 IN TXT \"{dmarc}\"\n"));
    }
    if site.profile != Profile::OpenMail {
        let (first, rest) = RSA_KEY.split_at(200);
        text.push_str(&format!("s1._domainkey.{domain} 300 IN TXT \"v=DKIM1; k=rsa; p={first}\" \"{rest}\"\n"));
    }
    if site.profile == Profile::Exemplary {
        text.push_str(&format!("_mta-sts.{domain} 300 IN TXT \"v=STSv1; id=20260101T000000\"\n"));
        text.push_str(&format!("_smtp._tls.{domain} 300 IN TXT \"v=TLSRPTv1; rua=mailto:tls@{}\"\n", site.domain));
        text.push_str(&format!("{domain} 300 IN CAA 0 issue \"ca.lab.example\"\n"));
        text.push_str(&format!("{domain} 300 IN CAA 0 issuewild \";\"\n"));
    }
    if matches!(site.profile, Profile::LegacyTls | Profile::Slow) {
        text.push_str(&format!("{domain} 300 IN CAA 0 issue \"ca.lab.example\"\n"));
    }
    if site.profile == Profile::LooseScripts {
        // Dangling: the service behind it was given up.
        text.push_str(&format!("old.{domain} 300 IN CNAME unclaimed-app.hosting.example.\n"));
    }
    text
}

type Records = BTreeMap<RrKey, RecordSet>;
type Handler = InMemoryZoneHandler<TokioRuntimeProvider>;

fn parse(origin: &str, text: &str) -> Result<(Name, Records)> {
    let name = Name::from_ascii(origin)?;
    let (_, records) = Parser::new(text, None, Some(name.clone())).parse().with_context(|| format!("zone {origin}"))?;
    Ok((name, records))
}

fn unsigned(origin: &str, text: &str) -> Result<Handler> {
    let (name, records) = parse(origin, text)?;
    InMemoryZoneHandler::new(name, records, ZoneType::Primary, AxfrPolicy::Deny, None).map_err(|why| anyhow!(why))
}

/// A zone signed with a fresh Ed25519 key (RFC 8080), and the key.
fn sign(origin: &str, text: &str) -> Result<(Arc<dyn ZoneHandler>, DNSKEY)> {
    let (name, records) = parse(origin, text)?;
    let proof = Some(NxProofKind::Nsec);
    let mut zone: Handler = InMemoryZoneHandler::new(name.clone(), records, ZoneType::Primary, AxfrPolicy::Deny, proof)
        .map_err(|why| anyhow!(why))?;
    let key = Ed25519SigningKey::from_pkcs8(&Ed25519SigningKey::generate_pkcs8()?)?;
    let public = DNSKEY::from_key(&key.to_public_key()?);
    zone.add_zone_signing_key_mut(DnssecSigner::new(public.clone(), Box::new(key), name, SIGNATURE_LIFE))?;
    zone.secure_zone_mut()?;
    Ok((Arc::new(zone), public))
}

/// A signed zone and its DS record for the parent.
fn signed(origin: &str, text: &str) -> Result<(Arc<dyn ZoneHandler>, String)> {
    let (zone, key) = sign(origin, text)?;
    let name = Name::from_ascii(origin)?;
    let digest = key.to_digest(&name, DigestType::SHA256)?;
    let ds = DS::new(key.calculate_key_tag()?, Algorithm::ED25519, DigestType::SHA256, digest.as_ref().to_owned());
    Ok((zone, format!("{origin} 300 IN DS {ds}\n")))
}

fn signed_root(text: &str) -> Result<(Arc<dyn ZoneHandler>, String)> {
    let (zone, key) = sign(".", text)?;
    Ok((zone, format!(". 300 IN DNSKEY {key}\n")))
}
