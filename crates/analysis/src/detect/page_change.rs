//! `page_change`: the ledger of a payment page told a change (PCI DSS 4.0.1, 11.6.1). Keeps no state: what is a change and
//! how grave it is was judged by the ledger; here it gets its place in the graph, with the host and vendor it came from.

use riskgraph_domain::EntityKind;
use riskgraph_domain::event::Event;
use riskgraph_domain::signal::{Signal, TouchRole};

use super::Context;
use super::draft::Draft;
use crate::facts::host_of;
use crate::resolve::registrable;

/// Name in signals, configuration and documentation.
pub const NAME: &str = "page_change";

/// Scores in the middle of the severity that the ledger gave.
const SCORES: &[(&str, f64)] = &[("LOW", 0.3), ("MEDIUM", 0.5), ("HIGH", 0.7), ("CRITICAL", 0.9)];

/// Makes a signal of a `script.seen` that tells a change (label `change`); sightings without one are only facts.
pub fn observe(event: &Event, context: &Context, signals: &mut Vec<Signal>) {
    let Some(change) = event.label("change") else { return };
    let Some(subject) = event.object_id() else { return };
    let severity = event.label("severity").unwrap_or("MEDIUM");
    let Some((_, score)) = SCORES.iter().find(|(name, _)| *name == severity) else { return };
    let page = event.label("page").unwrap_or("");
    let host = event.label("host").or_else(|| host_of(subject)).unwrap_or("");
    let title = format!("Payment page changed: {} ({})", change.replace('-', " "), shown(host, subject));
    let mut draft = Draft::new(NAME, format!("{page} {change} {subject}"), title);
    let why = event.label("why").unwrap_or("a change that nobody has looked at");
    draft.reason(*score, why, subject.chars().take(300).collect::<String>());
    let kind = if change.starts_with("script") || change == "skimmer" || change == "integrity-lost" {
        EntityKind::Script
    } else {
        EntityKind::Domain
    };
    if kind == EntityKind::Script {
        draft.touch(TouchRole::Subject, kind, subject);
    }
    draft.touch(
        if kind == EntityKind::Script { TouchRole::Involved } else { TouchRole::Subject },
        EntityKind::Domain,
        &registrable(host),
    );
    if let Some(own) = host_of(page) {
        draft.touch(TouchRole::Involved, EntityKind::Domain, own);
    }
    draft.techniques(if change == "skimmer" { &["T1056.003", "T1195.002"] } else { &["T1195.002"] });
    draft.advice(if change == "skimmer" {
        &[
            "Take the script off the page now and keep its text as evidence.",
            "List the payments made since it came: their cards are to be taken for stolen.",
            "Tell the vendor it came from.",
        ]
    } else {
        &[
            "Find out who changed the page: a deployment, a tag manager, or the vendor.",
            "Authorise the change with its reason, or undo it.",
        ]
    });
    for name in ["page", "change", "check", "sha256", "before", "after", "host"] {
        if let Some(value) = event.label(name) {
            draft.evidence(name, value);
        }
    }
    signals.push(draft.finish(event, context));
}

fn shown<'a>(host: &'a str, subject: &'a str) -> &'a str {
    if host.is_empty() { subject } else { host }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::event::EventKind;
    use riskgraph_domain::journal::Position;
    use riskgraph_domain::{Severity, Timestamp};

    use super::*;

    fn signals(labels: &[(&str, &str)]) -> Vec<Signal> {
        let object = r#""object":{"type":"script","id":"https://cdn.tags.example/t.js"}"#;
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        let text = format!(
            r#"{{"id":"e1","time":1772438403,"kind":"script.seen",{object},"labels":{{{}}}}}"#,
            labels.join(",")
        );
        let event = crate::normalise::decode_line(text.as_bytes(), Timestamp(1_772_438_403_000)).expect("an event");
        assert_eq!(event.kind, EventKind::ScriptSeen);
        let context = Context { position: Position(1), accepted_at: Timestamp(0), now: Timestamp(0) };
        let mut found = Vec::new();
        observe(&event, &context, &mut found);
        found
    }

    #[test]
    fn tells_what_the_ledger_told() {
        assert!(signals(&[("page", "https://shop.example/pay")]).is_empty());
        let found = signals(&[
            ("page", "https://shop.example/pay"),
            ("change", "skimmer"),
            ("severity", "CRITICAL"),
            ("why", "looks like a card skimmer"),
        ]);
        let signal = &found[0];
        assert_eq!((signal.severity, signal.detector.as_str()), (Severity::Critical, NAME));
        let named: Vec<(EntityKind, &str)> =
            signal.entities.iter().map(|touched| (touched.entity.kind, touched.entity.key.as_str())).collect();
        assert_eq!(
            named,
            [
                (EntityKind::Script, "https://cdn.tags.example/t.js"),
                (EntityKind::Domain, "tags.example"),
                (EntityKind::Domain, "shop.example"),
            ]
        );
        assert_eq!(signals(&[("change", "header-changed"), ("severity", "LOW")])[0].severity, Severity::Low);
        assert!(signals(&[("change", "script-added"), ("severity", "INFO")]).is_empty());
    }
}
