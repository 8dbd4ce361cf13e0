//! Headers that decide what a page may do, and which way a change of one goes. It must *not* know pages or alerts.

use std::collections::{BTreeMap, BTreeSet};

/// Headers that PCI DSS 4.0.1 11.6.1 calls security-impacting.
pub const IMPACTING: &[&str] = &[
    "content-security-policy",
    "content-security-policy-report-only",
    "strict-transport-security",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "feature-policy",
    "cross-origin-opener-policy",
    "cross-origin-embedder-policy",
    "cross-origin-resource-policy",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "x-xss-protection",
];

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Something more is allowed, or a protection is gone.
    Weaker,
    /// Something less is allowed, or a protection came.
    Stronger,
    /// Different, and not plainly one or the other.
    Other,
}

/// The impacting headers of an answer, in a form in which nonces, hashes and order do not count.
#[must_use]
pub fn read(headers: &[(String, String)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| IMPACTING.contains(&name.as_str())) {
        all.entry(name.clone()).or_default().push(normal(name, value));
    }
    all.into_iter().map(|(name, values)| (name, values.join(", "))).collect()
}

/// The value with what changes from answer to answer taken out and order without meaning removed.
#[must_use]
pub fn normal(name: &str, value: &str) -> String {
    match name {
        "content-security-policy" | "content-security-policy-report-only" => {
            let policies: Vec<String> = value.split(',').map(policy).filter(|policy| !policy.is_empty()).collect();
            policies.join(", ")
        }
        "strict-transport-security" | "permissions-policy" | "feature-policy" => {
            let split = if name == "permissions-policy" { ',' } else { ';' };
            let mut parts: Vec<String> = value
                .split(split)
                .map(|part| words(&part.to_ascii_lowercase()))
                .filter(|part| !part.is_empty())
                .collect();
            parts.sort_unstable();
            parts.join(&format!("{split} "))
        }
        _ => words(&value.to_ascii_lowercase()),
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn policy(text: &str) -> String {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for directive in text.split(';') {
        let mut parts = directive.split_whitespace();
        let Some(name) = parts.next() else { continue };
        let name = name.to_ascii_lowercase();
        if all.contains_key(&name) {
            continue;
        }
        let reports = matches!(name.as_str(), "report-uri" | "report-to");
        let sources = parts.map(|source| source_of(source, reports)).collect();
        all.insert(name, sources);
    }
    let directive = |(name, sources): (String, BTreeSet<String>)| {
        std::iter::once(name).chain(sources).collect::<Vec<_>>().join(" ")
    };
    all.into_iter().map(directive).collect::<Vec<_>>().join("; ")
}

/// A source without its nonce or hash; a report address without its query.
fn source_of(source: &str, reports: bool) -> String {
    let lower = source.to_ascii_lowercase();
    for kind in ["'nonce-", "'sha256-", "'sha384-", "'sha512-"] {
        if lower.starts_with(kind) {
            return format!("{kind}*'");
        }
    }
    if reports { lower.split('?').next().unwrap_or("").to_owned() } else { lower }
}

/// Which way the change from one value to another goes; `None` stands for an absent header.
#[must_use]
pub fn direction(name: &str, before: Option<&str>, after: Option<&str>) -> Direction {
    // To let others read is what these say, so their coming is the weakening.
    let allows = name.starts_with("access-control-");
    match (before, after) {
        (None, None) => Direction::Other,
        (None, Some(_)) if allows => Direction::Weaker,
        (Some(_), None) if allows => Direction::Stronger,
        (None, Some(_)) => Direction::Stronger,
        (Some(_), None) if name == "content-security-policy-report-only" => Direction::Other,
        (Some(_), None) => Direction::Weaker,
        (Some(a), Some(b)) => match name {
            "content-security-policy" => policies(a, b),
            "strict-transport-security" => transport(a, b),
            "x-frame-options" => by_rank(a, b, &["deny", "sameorigin"]),
            "x-content-type-options" => by_rank(a, b, &["nosniff"]),
            "referrer-policy" => by_rank(
                a,
                b,
                &[
                    "no-referrer",
                    "same-origin",
                    "strict-origin",
                    "strict-origin-when-cross-origin",
                    "origin",
                    "origin-when-cross-origin",
                    "no-referrer-when-downgrade",
                    "unsafe-url",
                ],
            ),
            "cross-origin-opener-policy" => by_rank(a, b, &["same-origin", "same-origin-allow-popups", "unsafe-none"]),
            "cross-origin-embedder-policy" => by_rank(a, b, &["require-corp", "credentialless", "unsafe-none"]),
            "cross-origin-resource-policy" => by_rank(a, b, &["same-origin", "same-site", "cross-origin"]),
            _ => Direction::Other,
        },
    }
}

/// Values from best to worst; an unknown one is worse than all.
fn by_rank(a: &str, b: &str, order: &[&str]) -> Direction {
    let rank = |value: &str| order.iter().position(|known| *known == value).unwrap_or(order.len());
    match rank(b).cmp(&rank(a)) {
        std::cmp::Ordering::Greater => Direction::Weaker,
        std::cmp::Ordering::Less => Direction::Stronger,
        std::cmp::Ordering::Equal => Direction::Other,
    }
}

fn transport(a: &str, b: &str) -> Direction {
    let age = |text: &str| {
        let found = text.split(';').find_map(|part| part.trim().strip_prefix("max-age="));
        found.and_then(|digits| digits.trim_matches('"').parse::<u64>().ok()).unwrap_or(0)
    };
    let wide = |text: &str| text.contains("includesubdomains");
    if age(b) < age(a) || (wide(a) && !wide(b)) {
        Direction::Weaker
    } else if age(b) > age(a) || (!wide(a) && wide(b)) {
        Direction::Stronger
    } else {
        Direction::Other
    }
}

/// Of policies: a directive gone or a source more is weaker; the other way round is stronger; both at once is weaker.
fn policies(a: &str, b: &str) -> Direction {
    let read = |text: &str| -> BTreeMap<String, BTreeSet<String>> {
        let directives = text.split([';', ',']).filter_map(|directive| {
            let mut parts = directive.split_whitespace().map(str::to_owned);
            Some((parts.next()?, parts.collect::<BTreeSet<String>>()))
        });
        directives.collect()
    };
    let (a, b) = (read(a), read(b));
    let reports = |name: &str| matches!(name, "report-uri" | "report-to");
    let mut weaker = a.keys().any(|name| !b.contains_key(name) && !reports(name));
    let mut stronger = b.keys().any(|name| !a.contains_key(name) && !reports(name));
    let closes =
        |source: &str| matches!(source, "'none'" | "'strict-dynamic'" | "'report-sample'") || source.ends_with("*'");
    for (name, before) in a.iter().filter(|(name, _)| !reports(name)) {
        let Some(after) = b.get(name) else { continue };
        weaker |= after.difference(before).any(|source| !closes(source));
        weaker |= before.difference(after).any(|source| closes(source) && source != "'report-sample'");
        stronger |= before.difference(after).any(|source| !closes(source));
    }
    match (weaker, stronger) {
        (true, _) => Direction::Weaker,
        (false, true) => Direction::Stronger,
        (false, false) => Direction::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_hashes_and_order_do_not_count() {
        let same = |name: &str, a: &str, b: &str, want: bool| {
            assert_eq!(normal(name, a) == normal(name, b), want, "{a} / {b}")
        };
        let csp = "content-security-policy";
        same(csp, "script-src 'nonce-abc' 'self'; img-src *", "img-src *;script-src 'self'  'nonce-xyz';", true);
        same(csp, "script-src 'sha256-abc'", "script-src 'sha256-xyz'", true);
        same(csp, "report-uri /r?t=1", "report-uri /r?t=2", true);
        same(csp, "script-src 'self'", "script-src 'self' https://a.example", false);
        same("strict-transport-security", "max-age=1; includeSubDomains", "includeSubdomains;max-age=1", true);
        same("x-frame-options", "DENY", "deny ", true);
    }

    #[test]
    fn tells_which_way_a_change_goes() {
        use Direction::{Other, Stronger, Weaker};
        let check = |name: &str, a: Option<&str>, b: Option<&str>, want: Direction| {
            assert_eq!(direction(name, a, b), want, "{name} {a:?} {b:?}");
        };
        let csp = "content-security-policy";
        check(csp, Some("script-src 'self'"), None, Weaker);
        check(csp, None, Some("script-src 'self'"), Stronger);
        check(csp, Some("script-src 'self'"), Some("script-src 'self' https://a.example"), Weaker);
        check(csp, Some("script-src 'self' https:"), Some("script-src 'self'"), Stronger);
        check(csp, Some("img-src *; script-src 'self'"), Some("img-src *"), Weaker);
        check(csp, Some("script-src 'nonce-*' 'self'"), Some("script-src 'self'"), Weaker);
        check("strict-transport-security", Some("max-age=10"), Some("max-age=1"), Weaker);
        check("x-frame-options", Some("sameorigin"), Some("deny"), Stronger);
        check("referrer-policy", Some("no-referrer"), Some("unsafe-url"), Weaker);
        check("access-control-allow-origin", None, Some("*"), Weaker);
        check("permissions-policy", Some("payment=()"), Some("payment=*"), Other);
    }
}
