//! Playbooks of the CACAO 2.0 standard (OASIS, security playbooks): the subset start, end, action, parallel, if-condition and
//! playbook variables.
//!
//! What CACAO has no word for (target expressions, approvals, expiry, tests) travels in an extension named `x-riskgraph`,
//! which others ignore; so what we export reads back the same. It must *not* know where a playbook is kept.

mod export;
mod import;

pub use export::export;
pub use import::import;

use riskgraph_domain::id::hash128;

/// Name of our extension, and where it is described.
const EXTENSION: &str = "x-riskgraph";
const EXTENSION_SCHEMA: &str = "https://github.com/riskgraph/riskgraph/blob/main/docs/playbooks.md#cacao";
/// When nothing else is known: CACAO wants times, a playbook of ours has none.
const EPOCH: &str = "2026-01-01T00:00:00.000Z";

/// A CACAO identifier: its type and a UUID (version 8: made from a hash), the same for the same name.
fn identifier(kind: &str, parts: &[&str]) -> String {
    let mut bytes = hash128(parts).to_be_bytes();
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}--{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn extension_id() -> String {
    identifier("extension-definition", &[EXTENSION])
}
