//! What of an argument the log may hold. Must not know any field.
//!
//! Nothing called `token`, `secret`, `code` or `password`, no path of a URL (webhook addresses are secrets), no long
//! text: of those length and hash are kept, which is enough to prove later which text it was. Of a query no free text
//! is kept at all: what was found is told by ids.

use riskgraph_domain::digest::Sum;
use riskgraph_domain::time::Timestamp;
use serde_json::{Map, Value, json};

/// Parts of a name whose value is never kept.
const SECRET_NAMES: [&str; 4] = ["token", "secret", "code", "password"];
const REDACTED: &str = "[redacted]";
/// Characters of a text that is kept as it is.
const TEXT_LENGTH_MAX: usize = 200;
/// Members of a list or object, and levels, that are kept.
const MEMBERS_MAX: usize = 64;
const LEVELS_MAX: usize = 6;
/// Bytes of all arguments of a field.
const BYTES_MAX: usize = 8 << 10;
/// Letters of an enum value.
const WORD_LENGTH_MAX: usize = 40;

/// Which texts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Short texts: what a person changed.
    Texts,
    /// Only ids, times and words of the schema.
    Words,
}

/// An argument as the log tells it.
pub(super) fn argument(name: &str, value: &Value, keep: Keep) -> Value {
    redact(name, value, keep, 0)
}

/// All arguments of a field, when they are not too many.
pub(super) fn bounded(arguments: Value) -> Value {
    let n_bytes = arguments.to_string().len();
    if n_bytes <= BYTES_MAX {
        return arguments;
    }
    json!({ "cut": n_bytes })
}

/// Whether the text has the form of a global id.
pub(super) fn is_id(text: &str) -> bool {
    let Some((prefix, digits)) = text.split_once('_') else { return false };
    let is_prefix = (2..=8).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
    is_prefix && digits.len() == 26 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

fn redact(name: &str, value: &Value, keep: Keep, level: usize) -> Value {
    let lower = name.to_ascii_lowercase();
    let is_secret = SECRET_NAMES.iter().any(|secret| lower.contains(secret));
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        _ if is_secret => REDACTED.into(),
        Value::Number(_) => value.clone(),
        Value::String(text) => self::text(text, keep),
        _ if level >= LEVELS_MAX => "[too deep]".into(),
        Value::Array(items) => {
            let mut kept: Vec<Value> =
                items.iter().take(MEMBERS_MAX).map(|item| redact(name, item, keep, level + 1)).collect();
            if items.len() > MEMBERS_MAX {
                kept.push(format!("and {} more", items.len() - MEMBERS_MAX).into());
            }
            Value::Array(kept)
        }
        Value::Object(members) => {
            let kept = members.iter().take(MEMBERS_MAX);
            let kept: Map<_, _> =
                kept.map(|(name, value)| (name.clone(), redact(name, value, keep, level + 1))).collect();
            Value::Object(kept)
        }
    }
}

fn text(text: &str, keep: Keep) -> Value {
    let n_chars = text.chars().count();
    let is_word = n_chars <= WORD_LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if is_id(text) || is_word || Timestamp::parse_rfc3339(text).is_some() {
        return text.into();
    }
    match keep {
        Keep::Words => format!("text of {n_chars} characters").into(),
        Keep::Texts if n_chars > TEXT_LENGTH_MAX => {
            json!({ "characters": n_chars, "sha256": Sum::of(&[text.as_bytes()]) })
        }
        Keep::Texts => without_paths(text).into(),
    }
}

/// The text with every URL cut behind its host; what stands before an `@` in it goes too.
fn without_paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        out.push_str(before);
        let end = behind
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '\'' | '<' | '>'))
            .unwrap_or(behind.len());
        let (url, left) = behind.split_at(end);
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        out.push_str(authority.rsplit('@').next().unwrap_or_default());
        if url.len() > authority.len() {
            out.push_str("/...");
        }
        rest = left;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_kept() {
        let check =
            |name: &str, given: Value, expected: Value| assert_eq!(argument(name, &given, Keep::Texts), expected);
        check(
            "input",
            json!({ "name": "ops", "token": "xoxb", "nested": { "apiSecret": ["a"], "code": 7 } }),
            json!({ "name": "ops", "token": REDACTED, "nested": { "apiSecret": REDACTED, "code": REDACTED } }),
        );
        check(
            "target",
            json!("https://u:p@hooks.slack.example/services/T0/B0/xyz?q=1"),
            json!("https://hooks.slack.example/..."),
        );
        check(
            "text",
            json!("see http://a.example/x, https://b.example and mail"),
            json!("see http://a.example/..., https://b.example and mail"),
        );
        check("token", Value::Null, Value::Null);
        let long = "s".repeat(201);
        check("csv", json!(long), json!({ "characters": 201, "sha256": Sum::of(&[long.as_bytes()]) }));
    }

    #[test]
    fn everything_has_a_bound() {
        let many: Vec<u32> = (0..1_000).collect();
        let kept = argument("ids", &json!(many), Keep::Texts);
        assert_eq!(kept.as_array().map(Vec::len), Some(MEMBERS_MAX + 1));
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(argument("x", &deep, Keep::Texts).to_string().contains("too deep"));
        let wide: Map<String, Value> = (0..64).map(|n| (format!("k{n}"), json!("v".repeat(200)))).collect();
        assert!(bounded(Value::Object(wide))["cut"].as_u64().is_some_and(|n| n > BYTES_MAX as u64));
    }
}
