//! The table of all checks, by family. `docs/checks.md` is written from it; ids never change their meaning.

mod dns;
mod http;
mod mail;
mod pay;
mod takeover;
mod tls;
mod transparency;

use super::check::Check;

/// The families in the catalogue's order.
const FAMILIES: &[&[Check]] =
    &[dns::CHECKS, mail::CHECKS, tls::CHECKS, http::CHECKS, pay::CHECKS, takeover::CHECKS, transparency::CHECKS];

/// Every check, in the catalogue's order.
pub fn catalogue() -> impl Iterator<Item = &'static Check> {
    FAMILIES.iter().copied().flatten()
}
