//! Brand: names that look like the domain.

use riskgraph_domain::Severity::{High, Info, Medium};

use super::super::brand;
use super::super::check::Check;
use super::super::check::Judge::Domain;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "IMP-01",
        severity: Info,
        judge: Domain(brand::registered),
        title: "No name that looks like the domain is registered",
        observed: "records of every permutation dnstwist makes, and of ours",
        rule: "W any with records of its own; wildcards, parking and names that lead home do not count",
        why: "Typing errors, bit errors and forged letters lead customers to whoever registered the wrong name. Most such names are harmless; the list is where looking begins.",
        recommendation: "Register the likeliest names yourself, and watch or dispute (UDRP) the ones that harm.",
        reference: "dnstwist 20250130; ICANN UDRP",
    },
    Check {
        id: "IMP-02",
        severity: Medium,
        judge: Domain(brand::mail_of_own),
        title: "No lookalike of the shop takes mail",
        observed: "MX of registered lookalikes of own domains",
        rule: "W any but the null MX",
        why: "A name with a mail exchanger collects misdirected orders and answers, and sends invoices that look right.",
        recommendation: "Tell staff and customers, filter mail of these names, and dispute them.",
        reference: "RFC 5321; RFC 7505",
    },
    Check {
        id: "IMP-03",
        severity: High,
        judge: Domain(brand::similar_page),
        title: "No lookalike shows the domain's page",
        observed: "page behind each registered lookalike: shared text (MinHash), title, files of the domain it loads, fields for passwords and cards",
        rule: "F half of the text is the same; F same title or borrowed files together with such fields or some of the text",
        why: "A copy of the page under a lookalike name is phishing, whatever it says of itself.",
        recommendation: "Report the page to its host and registrar, and to the browsers' lists; warn customers.",
        reference: "Broder 1997; CISA phishing guidance",
    },
    Check {
        id: "IMP-04",
        severity: High,
        judge: Domain(brand::newly_certified),
        title: "No lookalike was certified lately",
        observed: "certificates of lookalikes in the operator's list (crt.sh JSON)",
        rule: "F one issued within 30 days; absent without a list",
        why: "A certificate is the last thing made before a phishing page opens: the name will be used within days.",
        recommendation: "Block the name in mail and web filters before it is used, and report it.",
        reference: "RFC 6962",
    },
    Check {
        id: "IMP-05",
        severity: Info,
        judge: Domain(brand::suppressed),
        title: "The list of lookalikes is whole and without noise",
        observed: "names left out (wildcard, parking, own) and names nobody answered for",
        rule: "W more than 5 % of the names got no answer",
        why: "Zones that answer for every name, parking pages and broken servers make up most of a raw list; counted, they would bury the few that matter.",
        recommendation: "Use a resolver that answers; SERVFAIL and silence are not counted as registered.",
        reference: "dnstwist issues 163, 221",
    },
    Check {
        id: "IMP-06",
        severity: Medium,
        judge: Domain(brand::mail_of_vendor),
        title: "No lookalike of the vendor takes mail",
        observed: "MX of registered lookalikes of vendors' domains",
        rule: "W any but the null MX",
        why: "Changed bank details come from names that look like a vendor's. Those of vendors are watched by nobody else at the shop.",
        recommendation: "Filter mail of these names and tell whoever pays the vendor's invoices; tell the vendor.",
        reference: "FBI IC3 on business e-mail compromise",
    },
];
