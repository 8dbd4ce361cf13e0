//! Lookalikes that harm nobody: for sale with a parking service, or registered by the domain's own people.
//!
//! Only services that do nothing but park are listed; a name server that also hosts ordinary sites would hide phishing.

use std::net::IpAddr;

use ipnet::IpNet;
use riskgraph_domain::lookalike::{Lookalike, Suppressed};

/// Name servers of parking and domain sale services.
const NAME_SERVERS: &[&str] = &[
    "above.com",
    "afternic.com",
    "atom.com",
    "bodis.com",
    "brandbucket.com",
    "cashparking.com",
    "cnomy.com",
    "dan.com",
    "domainmarket.com",
    "domainparking.ru",
    "dsredirection.com",
    "dsredirects.com",
    "eftydns.com",
    "efty.com",
    "expirationwarning.net",
    "expired.uniregistry-dns.com",
    "fabulous.com",
    "fastpark.net",
    "hugedomains.com",
    "ibspark.com",
    "namebrightdns.com",
    "namefind.com",
    "ndsplitter.com",
    "parking-page.net",
    "parkingcrew.net",
    "parkingspa.com",
    "parklogic.com",
    "parktons.com",
    "perfectdomain.com",
    "redirectdom.com",
    "searchreinvented.com",
    "sedo.com",
    "sedoparking.com",
    "smartname.com",
    "snparking.ru",
    "squadhelp.com",
    "sslparking.com",
    "trafficcontrolrouter.com",
    "undeveloped.com",
    "uniregistrymarket.link",
    "voodoo.com",
    "weaponizedcow.com",
];

/// Mail exchangers that parking services set; they deliver to nobody.
const EXCHANGERS: &[&str] =
    &["commonmx.com", "domainmx.com", "h-email.net", "hope-mail.com", "mx-host.com", "park-mx.above.com"];

/// Networks in which only parking pages are served.
const NETWORKS: &[&str] = &[
    "103.224.182.0/23",
    "103.224.212.0/23",
    "185.53.176.0/22",
    "199.59.240.0/22",
    "204.11.56.0/23",
    "208.91.196.0/23",
    "209.99.64.0/24",
];

/// Marks a lookalike that is not to be held against anybody. Wildcards were marked by whoever asked.
pub fn suppress(lookalike: &mut Lookalike, domain: &str) {
    if lookalike.suppressed.is_none() {
        lookalike.suppressed = reason(lookalike, domain);
    }
}

fn reason(lookalike: &Lookalike, domain: &str) -> Option<Suppressed> {
    let dns = &lookalike.dns;
    let registrable = psl::domain_str(domain).unwrap_or(domain);
    let leads_home = lookalike.page.as_ref().and_then(|page| url::Url::parse(&page.url).ok());
    if leads_home.and_then(|url| url.domain().map(|host| is_below(host, registrable))).unwrap_or(false)
        || (!dns.ns.is_empty() && dns.ns.iter().all(|host| is_below(host, registrable)))
    {
        return Some(Suppressed::Own);
    }
    let listed = |host: &str, list: &[&str]| list.iter().any(|known| is_below(host, known));
    let parked_servers = !dns.ns.is_empty() && dns.ns.iter().all(|host| listed(host, NAME_SERVERS));
    let parked_addresses = !dns.a.is_empty() && dns.a.iter().all(|address| is_parked(address));
    let own_mail =
        dns.takes_mail() && !dns.mx.iter().all(|host| listed(host, EXCHANGERS) || listed(host, NAME_SERVERS));
    ((parked_servers || parked_addresses) && !own_mail).then_some(Suppressed::Parking)
}

fn is_parked(address: &str) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    NETWORKS.iter().filter_map(|network| network.parse::<IpNet>().ok()).any(|network| network.contains(&address))
}

/// Whether a host is this domain or below it.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::Text;
    use riskgraph_domain::lookalike::{LookalikeDns, PageLikeness};

    use super::*;

    #[test]
    fn what_is_suppressed() {
        let check = |ns: &[&str], a: &[&str], mx: &[&str], want: Option<Suppressed>| {
            let texts = |list: &[&str]| list.iter().map(|&text| Text::from(text)).collect();
            let dns = LookalikeDns { a: texts(a), aaaa: Vec::new(), ns: texts(ns), mx: texts(mx) };
            let mut lookalike = Lookalike { dns, registered: Some(true), ..Lookalike::default() };
            suppress(&mut lookalike, "www.example.com");
            assert_eq!(lookalike.suppressed, want, "{ns:?} {a:?} {mx:?}");
        };
        check(&["ns1.sedoparking.com", "ns2.sedoparking.com"], &["192.0.2.1"], &[], Some(Suppressed::Parking));
        check(&["ns1.sedoparking.com"], &[], &["mx.commonmx.com"], Some(Suppressed::Parking));
        check(&["ns1.sedoparking.com"], &[], &["mail.attacker.example"], None);
        check(&["ns1.sedoparking.com", "ns1.hoster.example"], &["192.0.2.1"], &[], None);
        check(&["ns.hoster.example"], &["185.53.177.9"], &[], Some(Suppressed::Parking));
        check(&["ns.hoster.example"], &["185.53.177.9", "192.0.2.1"], &[], None);
        check(&["ns.notsedo.com"], &["192.0.2.1"], &[], None);
        check(&["ns1.example.com", "ns2.example.com"], &["192.0.2.1"], &["mx.example.com"], Some(Suppressed::Own));
        check(&["ns1.notexample.com"], &["192.0.2.1"], &[], None);
        check(&[], &[], &[], None);
    }

    #[test]
    fn a_redirect_home_is_own() {
        let check = |url: &str, want: Option<Suppressed>| {
            let page = PageLikeness { url: url.to_owned(), ..PageLikeness::default() };
            let mut lookalike = Lookalike { page: Some(page), registered: Some(true), ..Lookalike::default() };
            suppress(&mut lookalike, "example.com");
            assert_eq!(lookalike.suppressed, want, "{url}");
        };
        check("https://www.example.com/", Some(Suppressed::Own));
        check("https://example.com.evil.test/", None);
        check("https://examp1e.com/", None);
    }
}
