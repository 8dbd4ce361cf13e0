//! A ledger as evidence for an assessor: the inventory of 6.4.3 and the record of changes of 11.6.1, as CSV. JSON is the
//! ledger itself. It must *not* know files or who asks.

use std::fmt::Write as _;

use riskgraph_domain::Timestamp;

use crate::ledger::{Change, KnownScript, Ledger};

/// The inventory: one line for each script that is or was on the page.
#[must_use]
pub fn inventory_csv(ledgers: &[&Ledger]) -> String {
    let mut out = line(&[
        "page",
        "script",
        "kind",
        "host",
        "on_page",
        "integrity",
        "sha256",
        "versions",
        "first_seen",
        "last_seen",
        "authorised_by",
        "authorised_at",
        "justification",
        "sends_by",
        "reads",
        "hosts_named",
        "hides_by",
    ]);
    for ledger in ledgers {
        for script in &ledger.scripts {
            out.push_str(&script_line(&ledger.page, script));
        }
    }
    out
}

fn script_line(page: &str, script: &KnownScript) -> String {
    let last = script.versions.last();
    let authorised = script.authorisation.as_ref();
    let list = |all: Option<&Vec<String>>| all.map(|all| all.join(" ")).unwrap_or_default();
    line(&[
        page,
        script.url.as_deref().unwrap_or(&script.identity),
        kind(script),
        script.host.as_deref().unwrap_or(""),
        if script.present { "yes" } else { "no" },
        script.integrity.as_str(),
        last.map_or("", |version| version.sha256.as_str()),
        &script.versions.len().to_string(),
        &script.first_at.to_rfc3339(),
        &script.last_at.to_rfc3339(),
        authorised.map_or("", |found| found.by.as_str()),
        &authorised.map(|found| found.at.to_rfc3339()).unwrap_or_default(),
        authorised.map_or("", |found| found.justification.as_str()),
        &list(last.map(|version| &version.behaviour.sinks)),
        &list(last.map(|version| &version.behaviour.sources)),
        &list(last.map(|version| &version.behaviour.hosts)),
        &list(last.map(|version| &version.behaviour.obfuscation)),
    ])
}

fn kind(script: &KnownScript) -> &'static str {
    use crate::snapshot::ScriptKind::{External, Handlers, Injected, Inline};
    match script.kind {
        External => "external",
        Inline => "inline",
        Handlers => "handlers",
        Injected => "injected",
    }
}

/// The changes, oldest first.
#[must_use]
pub fn changes_csv(ledgers: &[&Ledger]) -> String {
    let mut out =
        line(&["page", "at", "check", "change", "subject", "host", "severity", "told", "why", "before", "after"]);
    for ledger in ledgers {
        for change in &ledger.changes {
            out.push_str(&change_line(&ledger.page, change));
        }
    }
    out
}

fn change_line(page: &str, change: &Change) -> String {
    line(&[
        page,
        &change.at.to_rfc3339(),
        change.kind.check(),
        change.kind.as_str(),
        &change.subject,
        change.host.as_deref().unwrap_or(""),
        change.severity.as_str(),
        if change.told { "yes" } else { "no" },
        &change.why,
        change.before.as_deref().unwrap_or(""),
        change.after.as_deref().unwrap_or(""),
    ])
}

/// How the page stands against the two requirements now, in words for the first page of a report.
#[must_use]
pub fn summary(ledger: &Ledger, now: Timestamp) -> String {
    let mut out = String::new();
    let on_page = ledger.scripts.iter().filter(|script| script.present).count();
    let told = ledger.changes.iter().filter(|change| change.told).count();
    let _ = writeln!(out, "{}", ledger.page);
    let _ = writeln!(
        out,
        "  looks {}, last {}",
        ledger.n_looks,
        ledger.last_at.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339)
    );
    let _ = writeln!(out, "  scripts {on_page}, without authorisation {}", ledger.unauthorised().count());
    let _ = writeln!(out, "  changes {}, of which told {told}", ledger.changes.len());
    if let Some(days) = ledger.overdue_days(now) {
        let _ = writeln!(
            out,
            "  OVERDUE: last looked at {days} days ago; 11.6.1 asks for {} at most",
            crate::ledger::DAYS_MAX
        );
    }
    out
}

/// One line of CSV (RFC 4180). A value that a spreadsheet would take for a formula gets a quote before it: page content is a
/// stranger's.
fn line(cells: &[&str]) -> String {
    let mut out = String::new();
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = if formula { format!("'{cell}") } else { (*cell).to_owned() };
        if text.contains([',', '"', '\n', '\r']) {
            let _ = write!(out, "\"{}\"", text.replace('"', "\"\""));
        } else {
            out.push_str(&text);
        }
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Authorisation;
    use crate::snapshot::{Snapshot, Visit};

    #[test]
    fn writes_what_an_assessor_asks_for() {
        let mut ledger = Ledger::new("//shop.example/pay");
        let html = "<script src='https://cdn.example/=a,b.js'></script><form action=/x><input name=cardnumber></form>";
        let at = Timestamp::parse_rfc3339("2026-03-01T00:00:00Z").expect("a time");
        let visit = Visit { url: "https://shop.example/pay", at, status: 200, headers: &[], html };
        ledger.observe(&Snapshot::read(visit, |_| Some("fetch('/x')")));
        let authorisation = Authorisation { by: "mia".into(), at, justification: "=needed, \"really\"".into() };
        assert_eq!(ledger.authorise("cdn.example", &authorisation), 1);
        let csv = inventory_csv(&[&ledger]);
        let second = csv.lines().nth(1).expect("a line");
        assert!(second.contains("\"https://cdn.example/=a,b.js\",external,cdn.example,yes,none,"), "{second}");
        assert!(second.contains("mia,2026-03-01T00:00:00.000Z,\"'=needed, \"\"really\"\"\",fetch"), "{second}");
        assert_eq!(changes_csv(&[&ledger]).lines().count(), 1);
        let later = Timestamp(at.0 + 8 * 86_400_000);
        assert!(summary(&ledger, later).contains("OVERDUE: last looked at 8 days ago"));
    }
}
