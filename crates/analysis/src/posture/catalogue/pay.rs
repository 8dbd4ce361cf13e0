//! Payment pages and their scripts.

use riskgraph_domain::Severity::Critical;

use super::super::check::Check;
use super::super::check::Judge::Page;
use super::super::scripts;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "PAY-08",
    severity: Critical,
    judge: Page(scripts::forms),
    title: "Card numbers and passwords go to the own site over https",
    observed: "forms with card numbers or passwords",
    rule: "F not https; F card to another site; W password to another site (M)",
    why: "",
    recommendation: "Send the form to https on the own site or the approved payment provider.",
    reference: "PCI DSS 4.0.1 6.4.3",
}];
