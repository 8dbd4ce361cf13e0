//! The one door into the audit log: masks what must not be kept, whoever records it.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_analysis::mask::mask_text;
use riskgraph_domain::audit::{AuditLog, Head, Record, Recorder};
use riskgraph_domain::error::Fault;
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Clock;
use serde_json::Value;

/// Bytes of a text that is masked as a whole; the API keeps none as long.
const TEXT_BYTES_MAX: usize = 4_096;
/// Levels of a detail that are walked; below, nothing is kept.
const LEVELS_MAX: usize = 16;

/// Records with every card number and known form of secret masked.
pub struct Ledger {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
}

impl Ledger {
    #[must_use]
    pub fn new(log: Arc<dyn AuditLog>, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock }
    }

    /// Records what a part of the service did by itself.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn by_system(
        &self,
        actor: &str,
        action: &str,
        target: Option<&str>,
        detail: Value,
    ) -> Result<Head, Fault> {
        let record = Record::of_system(self.clock.now(), actor, action);
        self.record(Record { target: target.map(Text::from), detail, ..record }).await
    }
}

#[async_trait]
impl Recorder for Ledger {
    async fn record(&self, record: Record) -> Result<Head, Fault> {
        let masked = Record {
            actor: masked_text(&record.actor).into(),
            target: record.target.as_deref().map(|text| Text::from(masked_text(text))),
            detail: masked(record.detail, 0),
            ..record
        };
        self.log.record(masked).await
    }
}

/// Who uses the command line: nobody is signed in there, so it is whom the system says.
#[must_use]
pub fn local_actor() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let user: String = user.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
    if user.is_empty() { "command line".to_owned() } else { format!("command line ({user})") }
}

fn masked(value: Value, level: usize) -> Value {
    match value {
        Value::String(text) => Value::String(masked_text(&text)),
        Value::Array(_) | Value::Object(_) if level >= LEVELS_MAX => Value::Null,
        Value::Array(items) => items.into_iter().map(|item| masked(item, level + 1)).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, masked(value, level + 1))).collect(),
        plain => plain,
    }
}

fn masked_text(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    mask_text(&without_bearers(&text[..end])).to_string()
}

/// Our own tokens and secrets of channels, wherever they stand, keep nothing but their beginning.
fn without_bearers(text: &str) -> String {
    let word_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '/' | '=');
    let mut kept = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !word_of(c)) {
        let word = part.trim_end_matches(|c: char| !word_of(c));
        match SECRETS.iter().find(|begin| word.starts_with(**begin) && word.len() > SECRET_BYTES_MIN) {
            Some(begin) => {
                kept.push_str(begin);
                kept.push_str("****");
                kept.push_str(&part[word.len()..]);
            }
            None => kept.push_str(part),
        }
    }
    kept
}

/// What our tokens, one-time codes and secrets of webhooks begin with.
const SECRETS: [&str; 2] = ["rg_", "whsec_"];
/// Bytes from which on such a word is a secret and not a name.
const SECRET_BYTES_MIN: usize = 24;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_secret_is_masked_wherever_it_stands() {
        let card = "4111111111111111";
        let bearer = format!("rg_{}_{}", "0".repeat(26), "a".repeat(64));
        let given = json!({ "note": format!("paid with {card}"), "list": [{ "x": bearer }], "id": "alr_00000000000000000000000000" });
        let kept = masked(given, 0).to_string();
        assert!(!kept.contains(card) && !kept.contains(&bearer[30..]), "{kept}");
        assert!(kept.contains("alr_00000000000000000000000000"));
    }
}
