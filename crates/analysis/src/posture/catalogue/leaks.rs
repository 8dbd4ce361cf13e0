//! Leaks and extortion.

use riskgraph_domain::Severity::{Critical, High, Medium};

use super::super::check::Check;
use super::super::check::Judge::Domain;
use super::super::leaks;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "LEAK-01",
        severity: Medium,
        judge: Domain(leaks::credentials),
        title: "No passwords of the domain were lost lately",
        observed: "breaches of the domain in the operator's list, with passwords among what was lost",
        rule: "W within two years",
        why: "Lost passwords are tried everywhere: whoever used one at the vendor may use it in your systems.",
        recommendation: "Have the vendor reset them, and ask for a second factor.",
        reference: "Have I Been Pwned API v3",
    },
    Check {
        id: "LEAK-02",
        severity: Critical,
        judge: Domain(leaks::code),
        title: "No secret of ours stands in the vendor's public code",
        observed: "findings of a secret scanner in the vendor's public repositories, listed by the operator",
        rule: "F any",
        why: "A key in public code is used within minutes of being pushed.",
        recommendation: "Revoke the secret now, then have it removed.",
        reference: "CWE-798; gitleaks",
    },
    Check {
        id: "LEAK-03",
        severity: High,
        judge: Domain(leaks::breach),
        title: "No confirmed breach lately",
        observed: "verified breaches of the domain in the operator's list",
        rule: "F within a year",
        why: "Who was breached once is breached again more often than others, and your data may be among what was taken.",
        recommendation: "Ask what was taken, when, and what has changed since.",
        reference: "GDPR 33",
    },
    Check {
        id: "RAN-01",
        severity: Critical,
        judge: Domain(leaks::extortion),
        title: "No extortion group names the domain",
        observed: "posts on leak sites in the operator's list that name the domain",
        rule: "F within 180 days",
        why: "What the vendor holds of yours may be published within days.",
        recommendation: "Ask the vendor at once; cut its access and change what it knows.",
        reference: "ransomware.live; RansomLook",
    },
    Check {
        id: "RAN-02",
        severity: Medium,
        judge: Domain(leaks::susceptibility),
        title: "Extortion would not be easy",
        observed: "open remote access, holes extortion groups use, forged mail, lost passwords, each by its weight",
        rule: "F index 0.5 or more (H), W 0.25 or more; at least one beside mail must be told",
        why: "Extortion groups come through few doors; a vendor with several of them open is next.",
        recommendation: "Close what is named, the heaviest first.",
        reference: "Black Kite RSI (idea)",
    },
];
