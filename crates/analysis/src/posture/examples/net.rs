//! Examples of the checks of exposure.

use riskgraph_domain::Text;
use riskgraph_domain::known::*;
use riskgraph_domain::observation::DnsAnswer;
use riskgraph_domain::time::DAY_MS;

use super::parts::{DOMAIN, NOW, answered, records};
use super::{Example, Subject, fails, passes, warns};

pub(super) const EXAMPLES: &[Example] = &[
    passes("NET-01", "only 443 is open", |it| scanned(it, &[443])),
    fails("NET-01", "3389 (RDP) is open", |it| scanned(it, &[443, 3389])),
    passes("NET-02", "only 443 is open", |it| scanned(it, &[443])),
    fails("NET-02", "6379 (Redis) is open", |it| scanned(it, &[443, 6379])),
    passes("NET-03", "the certificate names the shop alone", |_| {}),
    warns("NET-03", "the certificate names jenkins and staging-2", |it| {
        if let Some(leaf) = it.seen.tls.iter_mut().find_map(|tls| tls.handshake.as_mut()?.chain.first_mut()) {
            leaf.names.extend(["jenkins.example.com", "staging-2.example.com"].map(Text::from));
        }
    }),
    passes("NET-04", "strangers may not read", |it| bucket(it, BucketAccess::Private)),
    warns("NET-04", "strangers may read", |it| bucket(it, BucketAccess::Read)),
    fails("NET-04", "strangers may list", |it| bucket(it, BucketAccess::List)),
    passes("NET-05", "every name stands behind the delivery service", behind),
    warns("NET-05", "direct. has an address outside", |it| {
        behind(it);
        it.seen.dns.lookups.push(records(&format!("direct.{DOMAIN}"), "A", &["198.51.100.77"]));
    }),
    passes("NET-06", "on one list", |it| listed(it, 1)),
    warns("NET-06", "on two lists", |it| listed(it, 2)),
    fails("NET-06", "on five lists", |it| listed(it, 5)),
    passes("NET-07", "an authorised origin", |it| origin(it, RouteState::Valid)),
    warns("NET-07", "no authorisation", |it| origin(it, RouteState::NotFound)),
    fails("NET-07", "another may announce it, this one not", |it| origin(it, RouteState::Invalid)),
    passes("NET-08", "an AAAA record", |_| {}),
    warns("NET-08", "only an A record", |it| {
        it.seen.dns.lookups.retain(|lookup| lookup.kind.as_str() != "AAAA" || lookup.name.as_str() != DOMAIN);
        it.seen.dns.lookups.push(answered(DOMAIN, "AAAA", DnsAnswer::NoData));
    }),
    passes("NET-09", "a page of its own", |_| {}),
    warns("NET-09", "the server's own first page", |it| {
        if let Some(page) = it.seen.https.as_mut().and_then(|web| web.page.as_mut()) {
            page.title = Some("Welcome to nginx!".to_owned());
        }
    }),
];

fn known(it: &mut Subject, known: KnownFacts) {
    it.seen.known = Some(known);
}

fn scanned(it: &mut Subject, ports: &[u16]) {
    let open = |&port: &u16| OpenPort {
        address: Text::from("203.0.113.7"),
        host: None,
        port,
        service: None,
        seen: Some(NOW - DAY_MS),
    };
    let scan = Scan { n_addresses: 1, open: ports.iter().map(open).collect() };
    known(it, KnownFacts { scan: Some(scan), ..KnownFacts::default() });
}

fn bucket(it: &mut Subject, access: BucketAccess) {
    let bucket = Bucket { url: "shop-img.s3.amazonaws.com".to_owned(), access };
    known(it, KnownFacts { buckets: Some(vec![bucket]), ..KnownFacts::default() });
}

fn behind(it: &mut Subject) {
    known(it, KnownFacts { delivery: Some(vec![Text::from("203.0.113.7")]), ..KnownFacts::default() });
}

fn listed(it: &mut Subject, level: u32) {
    let entry = ListedAddress { address: Text::from("203.0.113.7"), lists: vec![Text::from("ipsum")], level };
    known(it, KnownFacts { listed: Some(vec![entry]), ..KnownFacts::default() });
}

fn origin(it: &mut Subject, state: RouteState) {
    let (address, prefix) = (Text::from("203.0.113.7"), Text::from("203.0.113.0/24"));
    let origin = RouteOrigin { address, prefix, asn: 64_500, state };
    known(it, KnownFacts { origins: Some(vec![origin]), ..KnownFacts::default() });
}
