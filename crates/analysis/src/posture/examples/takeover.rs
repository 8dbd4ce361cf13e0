//! Examples of the takeover checks.

use riskgraph_domain::Text;
use riskgraph_domain::observation::*;

use super::dns::put;
use super::parts::{DOMAIN, records, reply};
use super::{Example, Subject, fails, passes, warns};

/// Makes `shop.` below the domain an alias that ends like this.
fn alias(subject: &mut Subject, target: &str, end: DnsAnswer, page: Option<(u16, &str)>) {
    let host = format!("shop.{DOMAIN}");
    let page =
        page.map(|(status, text)| Ok(AliasPage { url: format!("http://{host}/"), status, text: text.to_owned() }));
    subject.seen.aliases =
        vec![AliasFacts { host: Text::from(host), chain: vec![Text::from(target)], end, end_zone: None, page }];
}

fn there() -> DnsAnswer {
    DnsAnswer::Records(vec!["192.0.2.80".to_owned()])
}

/// Hands the zone to this server, which answers with this code.
fn delegate(subject: &mut Subject, names: [&str; 2], rcode: &str) {
    for (server, name) in subject.seen.dns.name_servers.iter_mut().zip(names) {
        server.name = Text::from(name);
        let refused = ServerReply { authoritative: false, rcode: Text::from(rcode), serial: None, ..reply(1) };
        let given = if rcode == "NOERROR" { reply(1) } else { refused };
        (server.udp, server.tcp) = (Some(Ok(given.clone())), Some(Ok(given)));
    }
}

/// The domain stands at an address of a cloud.
fn rented(subject: &mut Subject) {
    put(subject, records(DOMAIN, "A", &["203.0.113.7"]));
    put(subject, records("7.113.0.203.in-addr.arpa", "PTR", &["ec2-203-0-113-7.eu-west-1.compute.amazonaws.com."]));
}

const BUCKET: &str = "shop-example.s3.amazonaws.com";

pub(super) const EXAMPLES: &[Example] = &[
    passes("TKO-01", "an alias of a bucket that serves a page", |s| {
        alias(s, BUCKET, there(), Some((200, "<h1>Shop</h1>")));
    }),
    fails("TKO-01", "an alias of a bucket that is gone", |s| {
        let text = "<Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>";
        alias(s, BUCKET, there(), Some((404, text)));
    }),
    fails("TKO-01", "an alias of a cloud app that does not exist", |s| {
        alias(s, "shop-example.azurewebsites.net", DnsAnswer::NxDomain, None);
    }),
    passes("TKO-01", "a generic page that is not found", |s| {
        alias(s, BUCKET, there(), Some((404, "<h1>404 Not Found</h1>")));
    }),
    passes("TKO-02", "the end exists", |s| alias(s, BUCKET, there(), Some((200, "")))),
    fails("TKO-02", "the end is under a free domain", |s| {
        alias(s, "pages.gone-service.com", DnsAnswer::NxDomain, None);
        s.seen.aliases[0].end_zone = Some(DnsAnswer::NxDomain);
    }),
    passes("TKO-03", "the DNS service holds the zone", |s| {
        delegate(s, ["ns1.digitalocean.com", "ns2.digitalocean.com"], "NOERROR");
    }),
    fails("TKO-03", "the DNS service does not know the zone", |s| {
        delegate(s, ["ns1.digitalocean.com", "ns2.digitalocean.com"], "REFUSED");
    }),
    passes("TKO-04", "an app that is there", |s| {
        alias(s, "shop-example.herokuapp.com", there(), Some((200, "<h1>Shop</h1>")));
    }),
    warns("TKO-04", "an app that is gone", |s| {
        alias(s, "shop-example.herokuapp.com", there(), Some((404, "<title>No such app</title>")));
    }),
    passes("TKO-05", "a machine that serves the domain", rented),
    warns("TKO-05", "a machine that refuses", |s| {
        rented(s);
        for web in [&mut s.seen.https, &mut s.seen.http].into_iter().flatten() {
            web.hops.clear();
            web.failure = Some(ProbeFailure::Refused("connection refused".to_owned()));
        }
    }),
];
