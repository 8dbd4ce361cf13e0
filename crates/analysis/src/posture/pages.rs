//! The page of each check, written from the catalogue and its examples, so that it cannot say anything else than the code
//! does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use riskgraph_domain::posture::CheckResult;

use super::catalogue::catalogue;
use super::check::{Check, Factor};
use super::examples::{Example, examples};

/// Titles of the families, by what their ids begin with.
const FAMILIES: &[(&str, &str)] = &[
    ("DNS", "DNS and DNSSEC"),
    ("MAIL", "Mail"),
    ("TLS", "TLS and certificates"),
    ("HTTP", "HTTP headers, cookies, content"),
    ("PAY", "Payment pages and their scripts"),
    ("NET", "Exposure"),
    ("VULN", "Patching"),
    ("IMP", "Lookalikes"),
    ("TKO", "Takeover"),
    ("LEAK", "Leaks"),
    ("RAN", "Ransomware"),
    ("TRAN", "Transparency"),
    ("FP", "Fourth parties"),
    ("ATT", "Attribution"),
];

/// One page for each family that has checks: file name and Markdown.
#[must_use]
pub fn pages() -> Vec<(String, String)> {
    let mut by_family: BTreeMap<&str, Vec<&Check>> = BTreeMap::new();
    for check in catalogue() {
        by_family.entry(family(check.id)).or_default().push(check);
    }
    by_family
        .into_iter()
        .map(|(family, checks)| (format!("{}.md", family.to_lowercase()), page(family, &checks)))
        .collect()
}

/// The page of one check as Markdown, beginning with its heading; `None` when there is no such check.
#[must_use]
pub fn check_page(id: &str) -> Option<String> {
    let check = catalogue().find(|check| check.id.eq_ignore_ascii_case(id))?;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_check(&mut text, check);
    Some(text)
}

fn family(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

fn page(family: &str, checks: &[&Check]) -> String {
    let title = FAMILIES.iter().find(|(name, _)| *name == family).map_or(family, |(_, title)| title);
    let mut text = format!(
        "# {title}\n\nWritten from the catalogue by `cargo xtask gen`. What results mean and how they become a score: \
         [checks](../checks.md).\n"
    );
    for check in checks {
        let _ = writeln!(text).and_then(|()| write_check(&mut text, check));
    }
    text
}

fn write_check(out: &mut String, check: &Check) -> std::fmt::Result {
    writeln!(out, "## {}: {}\n", check.id, check.title)?;
    if !check.why.is_empty() {
        writeln!(out, "{}\n", check.why)?;
    }
    let factor = Factor::of_check(check.id).map_or("none", Factor::as_str);
    writeln!(out, "- **Looks at:** {}", check.observed)?;
    writeln!(out, "- **Rule:** {}", check.rule)?;
    writeln!(out, "- **To repair:** {}", check.recommendation)?;
    writeln!(out, "- **Rests on:** {}", check.reference)?;
    writeln!(out, "- **Severity:** {}, counts for {factor}", check.severity.as_str().to_lowercase())?;
    let mut shown: Vec<&Example> = examples().filter(|example| example.check == check.id).collect();
    shown.sort_by_key(|example| example.result != Some(CheckResult::Pass));
    for example in shown {
        let result =
            example.result.map_or_else(|| "does not apply".to_owned(), |result| result.as_str().to_lowercase());
        writeln!(out, "- Example, {result}: {}", example.says)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_as_the_catalogue_says() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checks/");
        for (name, wanted) in pages() {
            let found = std::fs::read_to_string(format!("{folder}{name}")).unwrap_or_default();
            assert!(found == wanted, "docs/checks/{name} is not as generated: run `cargo xtask gen`");
        }
    }

    #[test]
    fn a_page_says_what_why_and_how() {
        let page = check_page("tls-09").expect("there is one");
        for part in ["## TLS-09: ", "Looks at", "Rule", "To repair", "RFC 8996"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert_eq!(check_page("TLS-999"), None);
    }
}
