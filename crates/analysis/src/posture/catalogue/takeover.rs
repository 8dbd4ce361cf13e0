//! Names that others can claim.

use riskgraph_domain::Severity::{Critical, Medium};

use super::super::check::Check;
use super::super::check::Judge::Domain;
use super::super::dns::takeover;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "TKO-01",
        severity: Critical,
        judge: Domain(takeover::claimable),
        title: "No alias points to a service where anyone can claim the host",
        observed: "aliases of the domain's hosts, their ends, and what the services answer",
        rule: "F confirmed: alias, words and status of an unclaimed host, or a name that the service does not know; W unlikely: its words in a page served with success",
        why: "Whoever claims the host there serves pages, scripts and cookies under the vendor's name, with a valid certificate.",
        recommendation: "Remove the alias, or claim the host at the service.",
        reference: "can-i-take-over-xyz (CC-BY-4.0)",
    },
    Check {
        id: "TKO-02",
        severity: Critical,
        judge: Domain(takeover::unregistered),
        title: "No alias ends under a domain that nobody registered",
        observed: "ends of aliases that do not exist, and their registrable domains",
        rule: "F the domain is not registered",
        why: "Registering that domain costs a few euros and takes over every host that points there.",
        recommendation: "Remove the alias.",
        reference: "RFC 1034 3.6.2",
    },
    Check {
        id: "TKO-03",
        severity: Critical,
        judge: Domain(takeover::delegation),
        title: "The zone is held by the service it is delegated to",
        observed: "name servers of DNS services where anyone can create a zone",
        rule: "F confirmed: none of all servers holds the zone; W potential: those of the service do not, others do",
        why: "Whoever creates the zone at that service answers for the whole domain.",
        recommendation: "Create the zone at the service, or change the delegation.",
        reference: "RFC 1912 2.8",
    },
    Check {
        id: "TKO-04",
        severity: Medium,
        judge: Domain(takeover::edge_cases),
        title: "No alias points to an unclaimed host of a service that gives hosts away in some cases",
        observed: "aliases into services where it depends on the account or the host",
        rule: "W potential: words and status of an unclaimed host",
        why: "Some accounts of the service can claim the host and speak as the vendor.",
        recommendation: "Remove the alias, or claim and verify the host at the service.",
        reference: "can-i-take-over-xyz (CC-BY-4.0)",
    },
    Check {
        id: "TKO-05",
        severity: Medium,
        judge: Domain(takeover::released_address),
        title: "The domain does not point to a rented address that was given back",
        observed: "addresses whose reverse name is of a cloud, and what answers there",
        rule: "W potential: another's trusted certificate; W unlikely: HTTP and HTTPS are refused; a bare address is never a failure",
        why: "The next tenant of the address receives the vendor's visitors.",
        recommendation: "Remove the record, or point it to an address in use.",
        reference: "dnsReaper confidence levels",
    },
];
