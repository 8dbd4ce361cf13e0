//! Exposure: open ports, forgotten hosts, listed addresses, routes. What a scan must show comes from imported files.

use std::net::IpAddr;

use riskgraph_domain::Severity;
use riskgraph_domain::known::{BucketAccess, KnownFacts, OpenPort, RouteState};
use riskgraph_domain::observation::{DnsAnswer, WebFacts};
use riskgraph_domain::time::DAY_MS;
use serde_json::{Value, json};

use super::check::{Case, Judged, Skip, Verdict, describe, unknown};
use super::names::{is_public, registrable};

/// Things named in evidence.
const NAMED_MAX: usize = 20;
/// Milliseconds in a day, for reals.
const DAY: f64 = DAY_MS as f64;
/// Ports by which machines are run; what they are and how bad an open one is.
const REMOTE: &[(u16, &str)] = &[
    (21, "FTP"),
    (23, "Telnet"),
    (135, "MSRPC"),
    (137, "NetBIOS"),
    (139, "NetBIOS"),
    (445, "SMB"),
    (512, "rexec"),
    (513, "rlogin"),
    (514, "rsh"),
    (873, "rsync"),
    (1900, "UPnP"),
    (2049, "NFS"),
    (3389, "RDP"),
    (5800, "VNC"),
    (5900, "VNC"),
    (5901, "VNC"),
    (5985, "WinRM"),
    (5986, "WinRM"),
];
/// Of these an open one is critical: they are what extortion begins with.
const REMOTE_CRITICAL: &[u16] = &[23, 139, 445, 3389, 5900, 5901];
/// Ports of stores that trust whoever reaches them.
const STORES: &[(u16, &str)] = &[
    (1433, "SQL Server"),
    (1521, "Oracle"),
    (2375, "Docker"),
    (2379, "etcd"),
    (2380, "etcd"),
    (3306, "MySQL"),
    (4369, "Erlang"),
    (5432, "PostgreSQL"),
    (5601, "Kibana"),
    (5672, "AMQP"),
    (5984, "CouchDB"),
    (6379, "Redis"),
    (6443, "Kubernetes"),
    (7000, "Cassandra"),
    (8086, "InfluxDB"),
    (8500, "Consul"),
    (9042, "Cassandra"),
    (9092, "Kafka"),
    (9200, "Elasticsearch"),
    (9300, "Elasticsearch"),
    (10250, "Kubelet"),
    (11211, "memcached"),
    (15672, "RabbitMQ"),
    (27017, "MongoDB"),
    (27018, "MongoDB"),
    (50070, "Hadoop"),
];
/// Labels of hosts that are not meant for customers.
const INTERNAL: &[&str] = &[
    "admin",
    "administrator",
    "backend",
    "backoffice",
    "beta",
    "cpanel",
    "dev",
    "develop",
    "development",
    "gitlab",
    "grafana",
    "internal",
    "intranet",
    "jenkins",
    "jira",
    "kibana",
    "old",
    "phpmyadmin",
    "pma",
    "preprod",
    "preview",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "test",
    "testing",
    "uat",
    "vpn-admin",
    "webmin",
];
/// Titles of pages that a server shows before anybody has set it up.
const DEFAULT_TITLES: &[&str] = &[
    "welcome to nginx",
    "apache2 ubuntu default page",
    "apache2 debian default page",
    "apache http server test page",
    "test page for the apache",
    "test page for the nginx",
    "iis windows server",
    "welcome to centos",
    "welcome to caddy",
    "default web site page",
    "plesk",
    "index of /",
    "welcome to openresty",
    "http server test page",
    "it works",
];

/// NET-01: doors for running the machine stand open.
pub(super) fn remote_access(case: &Case<'_>) -> Judged {
    let verdict = ports(case, REMOTE)?;
    let open = open_ports(case)?;
    let is_critical = open.iter().any(|port| REMOTE_CRITICAL.contains(&port.port));
    Ok(verdict.severity(if is_critical { Severity::Critical } else { Severity::High }))
}

/// NET-02: databases, caches and queues stand open.
pub(super) fn stores(case: &Case<'_>) -> Judged {
    ports(case, STORES)
}

fn ports(case: &Case<'_>, wanted: &[(u16, &str)]) -> Judged {
    let open = open_ports(case)?;
    let name = |port: &OpenPort| wanted.iter().find(|(number, _)| *number == port.port).map(|(_, name)| *name);
    let found: Vec<Value> = open
        .iter()
        .filter_map(|port| {
            Some(json!({ "address": port.address, "host": port.host, "port": port.port, "service": name(port)?,
                "product": port.service, "seen": port.seen }))
        })
        .take(NAMED_MAX)
        .collect();
    let evidence = json!({ "open": found });
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// What the imported scan found lately on the domain's addresses.
fn open_ports<'a>(case: &Case<'a>) -> Result<Vec<&'a OpenPort>, Skip> {
    let Some(scan) = known(case).ok().and_then(|known| known.scan.as_ref()) else { return Err(Skip::NotApplicable) };
    let now = case.seen.finished_at;
    let is_fresh =
        |port: &&OpenPort| port.seen.is_none_or(|seen| (now.0 - seen.0) as f64 / DAY <= case.config.net.scan_days);
    let fresh: Vec<&OpenPort> = scan.open.iter().filter(is_fresh).collect();
    if fresh.is_empty() && !scan.open.is_empty() {
        return unknown(format!("the imported scan is older than {} days", case.config.net.scan_days));
    }
    Ok(fresh)
}

/// NET-03: hosts for administration and tests are named in public.
pub(super) fn internal_hosts(case: &Case<'_>) -> Judged {
    let own = registrable(case.domain()).unwrap_or(case.domain());
    let certificates = case.seen.tls.iter().filter_map(|tls| tls.handshake.as_ref()).flat_map(|shaken| &shaken.chain);
    let by_certificate = certificates.take(1).flat_map(|leaf| &leaf.names).map(|name| name.as_str());
    let answered = case.seen.dns.lookups.iter().filter(|lookup| matches!(lookup.answer, DnsAnswer::Records(_)));
    let resolved = answered.filter(|lookup| matches!(lookup.kind.as_str(), "A" | "AAAA")).map(|it| it.name.as_str());
    let scanned = known(case).ok().and_then(|known| known.scan.as_ref());
    let named = scanned.into_iter().flat_map(|scan| &scan.open).filter_map(|port| port.host.as_deref());
    if case.seen.tls.iter().all(|tls| tls.handshake.is_none()) {
        return unknown("no certificate was seen");
    }
    let mut found: Vec<String> = by_certificate
        .chain(resolved)
        .chain(named)
        .map(str::to_ascii_lowercase)
        .filter(|name| name != case.domain() && name.strip_suffix(own).is_some_and(is_internal))
        .collect();
    found.sort();
    found.dedup();
    found.truncate(NAMED_MAX);
    let evidence = json!({ "hosts": found });
    // A name in a certificate does not prove that the host still answers.
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence).confidence(0.6) })
}

/// Whether the labels before the domain say that customers have no business there.
fn is_internal(before: &str) -> bool {
    before.split(['.', '-']).any(|word| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        INTERNAL.contains(&word)
    })
}

/// NET-04: storage containers the page loads from are open to strangers.
pub(super) fn buckets(case: &Case<'_>) -> Judged {
    let Some(buckets) = &known(case)?.buckets else { return Err(Skip::NotApplicable) };
    let evidence = json!({ "containers": buckets.iter().take(NAMED_MAX).collect::<Vec<_>>() });
    let any = |access: BucketAccess| buckets.iter().any(|bucket| bucket.access == access);
    Ok(if any(BucketAccess::List) {
        Verdict::fail(evidence)
    } else if any(BucketAccess::Read) {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// NET-05: the site stands behind a delivery service, and another name tells where it really is.
pub(super) fn origin(case: &Case<'_>) -> Judged {
    let Some(delivery) = &known(case)?.delivery else { return Err(Skip::NotApplicable) };
    if delivery.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let own = registrable(case.domain()).unwrap_or(case.domain());
    let exchangers: Vec<String> = case
        .seen
        .dns
        .records(case.domain(), "MX")
        .iter()
        .filter_map(|record| record.split(' ').nth(1))
        .map(super::names::bare)
        .collect();
    let found: Vec<Value> = case
        .seen
        .dns
        .lookups
        .iter()
        .filter(|lookup| lookup.kind.as_str() == "A" && lookup.name.ends_with(own))
        .filter(|lookup| !exchangers.iter().any(|host| host == lookup.name.as_str()))
        .filter(|lookup| !case.seen.dns.name_servers.iter().any(|server| server.name == lookup.name))
        .flat_map(|lookup| {
            let records = match &lookup.answer {
                DnsAnswer::Records(records) => records.as_slice(),
                _ => &[],
            };
            let outside = records.iter().filter(|text| text.parse::<IpAddr>().is_ok_and(is_public));
            outside
                .filter(|text| !delivery.iter().any(|address| address.as_str() == text.as_str()))
                .map(|text| json!({ "name": lookup.name, "address": text }))
        })
        .take(NAMED_MAX)
        .collect();
    let evidence = json!({ "behind": delivery, "outside": found });
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence).confidence(0.6) })
}

/// NET-06: an address stands on lists of bad ones.
pub(super) fn listed(case: &Case<'_>) -> Judged {
    let Some(listed) = &known(case)?.listed else { return Err(Skip::NotApplicable) };
    let worst = listed.iter().map(|entry| entry.level.max(u32::try_from(entry.lists.len()).unwrap_or(u32::MAX))).max();
    let evidence = json!({ "listed": listed.iter().take(NAMED_MAX).collect::<Vec<_>>() });
    let limits = &case.config.net;
    Ok(match worst.unwrap_or(0) {
        level if level >= limits.lists_fail => Verdict::fail(evidence),
        level if level >= limits.lists_warn => Verdict::warn(evidence),
        _ => Verdict::pass(evidence),
    })
}

/// NET-07: routes to the domain's addresses are authorised.
pub(super) fn routes(case: &Case<'_>) -> Judged {
    let Some(origins) = &known(case)?.origins else { return Err(Skip::NotApplicable) };
    if origins.is_empty() {
        return unknown("the table of routes has none of the domain's addresses");
    }
    let any = |state: RouteState| origins.iter().any(|origin| origin.state == state);
    let evidence = json!({ "origins": origins.iter().take(NAMED_MAX).collect::<Vec<_>>() });
    Ok(if any(RouteState::Invalid) {
        Verdict::fail(evidence).severity(Severity::Medium)
    } else if any(RouteState::NotFound) {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// NET-08: the site can be reached over IPv6.
pub(super) fn ipv6(case: &Case<'_>) -> Judged {
    let v4 = case.records(case.domain(), "A")?;
    let v6 = case.records(case.domain(), "AAAA")?;
    if v4.is_empty() && v6.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let evidence = json!({ "a": v4.len(), "aaaa": v6.len() });
    Ok(if v6.is_empty() { Verdict::warn(evidence) } else { Verdict::pass(evidence) })
}

/// NET-09: a host that nobody looks after.
pub(super) fn stale(case: &Case<'_>) -> Judged {
    let mut signs: Vec<String> = Vec::new();
    let leaf = case.main_endpoint().and_then(|tls| tls.handshake.as_ref()).and_then(|shaken| shaken.chain.first());
    let expired_days = leaf.map(|leaf| (case.seen.finished_at.0 - leaf.not_after.0) as f64 / DAY);
    if let Some(days) = expired_days.filter(|days| *days > case.config.net.stale_certificate_days) {
        signs.push(format!("the certificate ended {days:.0} days ago"));
    }
    let fetches: Vec<&WebFacts> = [&case.seen.https, &case.seen.http].into_iter().flatten().collect();
    let titles = fetches.iter().filter_map(|web| web.page.as_ref()?.title.as_deref()).map(str::to_lowercase);
    if let Some(title) =
        titles.into_iter().find(|title| DEFAULT_TITLES.iter().any(|known| title.trim().starts_with(known)))
    {
        signs.push(format!("a page of the server's own: {title}"));
    }
    let answered: Vec<u16> = fetches.iter().filter_map(|web| Some(web.last()?.status)).collect();
    if answered.len() == 2 && answered.iter().all(|status| matches!(status, 500 | 502 | 504)) {
        signs.push(format!("nothing but errors ({answered:?})"));
    }
    if signs.is_empty() && answered.is_empty() && leaf.is_none() {
        let why =
            fetches.iter().find_map(|web| web.failure.as_ref()).map_or_else(|| "nothing answered".to_owned(), describe);
        return unknown(why);
    }
    let evidence = json!({ "signs": signs });
    Ok(if signs.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

fn known<'a>(case: &Case<'a>) -> Result<&'a KnownFacts, Skip> {
    case.seen.known.as_ref().ok_or(Skip::NotApplicable)
}
