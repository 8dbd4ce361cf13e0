//! Transparency: whom to call, what is published.

use riskgraph_domain::Severity::Low;

use super::super::check::Check;
use super::super::check::Judge::Domain;
use super::super::transparency;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "TRAN-01",
    severity: Low,
    judge: Domain(transparency::security_txt),
    title: "A valid security.txt tells whom to call",
    observed: "security.txt",
    rule: "F expired or without Contact/Expires; W none or blemished",
    why: "",
    recommendation: "Publish /.well-known/security.txt with Contact and an Expires date less than a year away.",
    reference: "RFC 9116",
}];
