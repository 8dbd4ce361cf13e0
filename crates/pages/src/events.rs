//! A told change as the event that the service makes a signal of. It must *not* know how it is sent.

use serde_json::{Map, Value, json};

use crate::html::sha256;
use crate::ledger::Change;

/// Longest text of one label, in characters.
const TEXT_MAX_CHARS: usize = 300;

/// The event of a change on a page. Its id is the change's, so that sending it twice tells once.
#[must_use]
pub fn event(page: &str, change: &Change) -> Value {
    let id = format!("{page} {} {} {}", change.kind.as_str(), change.subject, change.at.millis());
    let mut labels = Map::new();
    let mut label = |name: &str, value: &str| {
        if !value.is_empty() {
            labels.insert(name.to_owned(), Value::from(cut(value)));
        }
    };
    label("page", &if page.starts_with("//") { format!("https:{page}") } else { page.to_owned() });
    label("change", change.kind.as_str());
    label("check", change.kind.check());
    label("severity", change.severity.as_str());
    label("why", &change.why);
    label("host", change.host.as_deref().unwrap_or(""));
    label("before", change.before.as_deref().unwrap_or(""));
    label("after", change.after.as_deref().unwrap_or(""));
    json!({
        "id": format!("page:{}", sha256(id.as_bytes())), "time": change.at, "kind": "script.seen", "source": "pages",
        "object": { "type": "script", "id": cut(&change.subject) }, "labels": labels,
    })
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}

/// The told changes as NDJSON.
#[must_use]
pub fn lines<'a>(changes: impl Iterator<Item = (&'a str, &'a Change)>) -> String {
    changes.filter(|(_, change)| change.told).map(|(page, change)| event(page, change).to_string() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::{Severity, Timestamp};

    use super::*;
    use crate::ledger::ChangeKind;

    #[test]
    fn says_what_was_told_and_nothing_else() {
        let change = Change {
            at: Timestamp(1_770_000_000_000),
            kind: ChangeKind::ScriptAdded,
            subject: "https://cdn.example/a.js".to_owned(),
            host: Some("cdn.example".to_owned()),
            before: None,
            after: Some("aa".to_owned()),
            severity: Severity::High,
            told: true,
            why: "new".to_owned(),
        };
        let noted = Change { told: false, ..change.clone() };
        let text = lines([("//shop.example/pay", &change), ("//shop.example/pay", &noted)].into_iter());
        assert_eq!(text.lines().count(), 1);
        let event: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(event["labels"]["page"], "https://shop.example/pay");
        assert_eq!(event["labels"]["severity"], "HIGH");
        assert_eq!(event["object"]["id"], "https://cdn.example/a.js");
        assert_eq!(lines([("//shop.example/pay", &change)].into_iter()), text);
    }
}
