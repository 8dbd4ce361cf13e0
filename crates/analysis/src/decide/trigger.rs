//! Whether an alert is one of a playbook's, and why.

use riskgraph_domain::playbook::Playbook;
use serde_json::Value;

use super::condition;
use super::facts::VARIABLES;

/// Whether the trigger holds over these facts, and the reason in words. A trigger that fails does not hold.
#[must_use]
pub fn matches(playbook: &Playbook, facts: &Value) -> (bool, String) {
    let holds = |source: &str| condition::compile(source, VARIABLES).and_then(|condition| condition.holds(facts));
    match holds(&playbook.trigger) {
        Ok(true) => (true, format!("the alert is {}", told(facts))),
        Err(message) => (false, format!("the trigger cannot be judged: {message}")),
        Ok(false) => {
            let parts = conjuncts(&playbook.trigger);
            let broken = parts.iter().find(|part| !matches!(holds(part), Ok(true)));
            let broken = broken.map_or(playbook.trigger.trim(), |part| part);
            (false, format!("the alert is {}; this does not hold: {broken}", told(facts)))
        }
    }
}

/// What of an alert triggers mostly ask for.
fn told(facts: &Value) -> String {
    let words = |list: &str| {
        let items = facts[list].as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let severity = facts["alert"]["severity"].as_str().unwrap_or_default();
    let detectors = words("detectors");
    if detectors.is_empty() { severity.to_owned() } else { format!("{severity} by {detectors}") }
}

/// The parts of a condition that are joined by `&&` outside of brackets and quotes; the whole, where `||` or `?` stand beside.
fn conjuncts(source: &str) -> Vec<&str> {
    let bytes = source.as_bytes();
    let (mut depth, mut quote, mut start) = (0_usize, None, 0);
    let mut parts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match quote {
            Some(_) if byte == b'\\' => at += 1,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None => match byte {
                b'\'' | b'"' => quote = Some(byte),
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                b'?' if depth == 0 => return vec![source.trim()],
                b'|' if depth == 0 => return vec![source.trim()],
                b'&' if depth == 0 && bytes.get(at + 1) == Some(&b'&') => {
                    parts.push(source[start..at].trim());
                    at += 1;
                    start = at + 1;
                }
                _ => {}
            },
        }
        at += 1;
    }
    parts.push(source[start.min(source.len())..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_only_at_the_top() {
        assert_eq!(conjuncts("a && (b && c) && d == '&&'"), ["a", "(b && c)", "d == '&&'"]);
        assert_eq!(conjuncts("a && b || c"), ["a && b || c"]);
    }
}
