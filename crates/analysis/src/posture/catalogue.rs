//! The table of all checks, by family. `docs/checks.md` is written from it; ids never change their meaning.

mod brand;
mod dns;
mod http;
mod leaks;
mod mail;
mod net;
mod pay;
mod takeover;
mod tls;
mod transparency;
mod vuln;

use super::check::Check;

/// The families in the catalogue's order.
const FAMILIES: &[&[Check]] = &[
    dns::CHECKS,
    mail::CHECKS,
    tls::CHECKS,
    http::CHECKS,
    pay::CHECKS,
    net::CHECKS,
    vuln::CHECKS,
    brand::CHECKS,
    takeover::CHECKS,
    leaks::CHECKS,
    transparency::CHECKS,
];

/// Every check, in the catalogue's order.
pub fn catalogue() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().copied().flatten()
}
