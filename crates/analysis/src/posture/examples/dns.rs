//! Examples of the DNS checks.

use super::parts::{DOMAIN, records};
use super::{Example, fails, passes, warns};

pub(super) const EXAMPLES: &[Example] = &[
    passes("DNS-02", "two name servers at two addresses", |_| {}),
    fails("DNS-02", "one name server", |subject| {
        subject.seen.dns.name_servers.truncate(1);
        subject.seen.dns.lookups.retain(|lookup| lookup.kind.as_str() != "NS");
        subject.seen.dns.lookups.push(records(DOMAIN, "NS", &["ns1.example.net"]));
    }),
    warns("DNS-02", "two name servers at one address", |subject| {
        let address = subject.seen.dns.name_servers[0].addresses.clone();
        subject.seen.dns.name_servers[1].addresses = address;
    }),
];
