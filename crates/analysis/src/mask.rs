//! Takes card numbers and secrets out of whatever is about to be kept.
//!
//! Runs on every string of every event before the journal, so nothing behind it ever holds one in clear. Card numbers: runs
//! of 12 to 19 digits, with separators, that begin as an issuer's range and satisfy the Luhn check (ISO/IEC 7812-1); the
//! first six and last four digits stay (PCI DSS 4.0.1, 3.4.1). Secrets: known token shapes, by prefix, and `Bearer`/`Basic`
//! credentials, passwords in URLs and key=value pairs; only the shape's prefix stays.

use riskgraph_domain::event::{Event, Extra, Forwarded};
use riskgraph_domain::text::Text;

mod card;
mod secret;

/// The text without card numbers and secrets; borrowed when there was nothing to mask.
#[must_use]
pub fn mask_text(text: &str) -> std::borrow::Cow<'_, str> {
    match mask(text) {
        Some(masked) => std::borrow::Cow::Owned(masked),
        None => std::borrow::Cow::Borrowed(text),
    }
}

/// The masked text, when there was something to mask.
fn mask(text: &str) -> Option<String> {
    let without_cards = card::mask(text);
    let without_secrets = secret::mask(without_cards.as_deref().unwrap_or(text));
    without_secrets.or(without_cards)
}

fn mask_field(field: &mut Text) -> u32 {
    match mask(field) {
        Some(masked) => {
            *field = masked.into();
            1
        }
        None => 0,
    }
}

/// Masks every string of the event in place, and numbers in unknown fields; says how many fields changed.
pub fn mask_event(event: &mut Event) -> u32 {
    let mut changed = 0;
    macro_rules! fields {
        ($part:expr; $($field:ident),*) => { $(if let Some(field) = $part.$field.as_mut() { changed += mask_field(field); })* };
    }
    fields!(event; source, reason, name, message);
    fields!(event.actor; user, staff, session, key, integration);
    fields!(event.client; ip, user_agent, device, ja4, country);
    match event.client.forwarded.as_mut() {
        Some(Forwarded::One(address)) => changed += mask_field(address),
        Some(Forwarded::Many(addresses)) => changed += addresses.iter_mut().map(mask_field).sum::<u32>(),
        None => {}
    }
    if let Some(http) = event.http.as_mut() {
        fields!(http; method, host, path, route);
    }
    if let Some(card) = event.card.as_mut() {
        fields!(card; fingerprint, bin, last4);
    }
    if let Some(object) = event.object.as_mut() {
        fields!(object; kind, id, owner);
    }
    if let Some(change) = event.change.as_mut() {
        fields!(change; field, old_hash, new_hash);
    }
    if let Some(money) = event.money.as_mut() {
        fields!(money; currency);
    }
    for (key, value) in &mut event.labels.0 {
        changed += mask_field(key);
        changed += if secret::is_secret_name(key) { blank(value) } else { mask_field(value) };
    }
    if let Some(extra) = event.extra.as_mut() {
        changed += mask_extra(extra);
    }
    changed + mask_id(event)
}

/// Masks the id, and keeps it unique: two ids that look alike once masked must not make one event a duplicate of the other.
///
/// The suffix is a hash of the masked event, never of the card number: that could be found again by trying.
fn mask_id(event: &mut Event) -> u32 {
    let Some(masked) = mask(&event.id) else { return 0 };
    event.id = masked.as_str().into();
    let content = serde_json::to_string(event).unwrap_or_default();
    event.id = format!("{masked}#{:016x}", (riskgraph_domain::id::hash128(&[&content]) >> 64) as u64).into();
    1
}

/// What stands for a value that is secret by its name.
const BLANK: &str = "[masked]";

fn blank(value: &mut Text) -> u32 {
    if value.is_empty() || value.as_str() == BLANK {
        return 0;
    }
    *value = BLANK.into();
    1
}

fn mask_extra(extra: &mut Extra) -> u32 {
    let mut changed = 0;
    let suspicious: Vec<String> = extra.keys().filter(|key| mask(key).is_some()).cloned().collect();
    for key in suspicious {
        if let Some(value) = extra.remove(&key) {
            extra.insert(mask_text(&key).into_owned(), value);
            changed += 1;
        }
    }
    for (key, value) in extra.iter_mut() {
        changed += if secret::is_secret_name(key) && !value.is_null() && value.as_str() != Some(BLANK) {
            *value = BLANK.into();
            1
        } else {
            mask_value(value)
        };
    }
    changed
}

/// Nesting was bounded when the line was read, so the recursion is too.
fn mask_value(value: &mut serde_json::Value) -> u32 {
    match value {
        serde_json::Value::String(text) => match mask(text) {
            Some(masked) => {
                *text = masked;
                1
            }
            None => 0,
        },
        serde_json::Value::Number(number) => match card::mask(&number.to_string()) {
            Some(masked) => {
                *value = masked.into();
                1
            }
            None => 0,
        },
        serde_json::Value::Array(items) => items.iter_mut().map(mask_value).sum(),
        serde_json::Value::Object(map) => mask_extra(map),
        serde_json::Value::Null | serde_json::Value::Bool(_) => 0,
    }
}

#[cfg(test)]
mod tests;
