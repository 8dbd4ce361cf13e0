//! Texts with expressions in them: `blocked for ${alert.title}`.

use riskgraph_domain::text::Text;
use serde_json::Value;

use super::condition;

/// Expressions in one text.
const HOLES_MAX: usize = 16;
/// Characters of a filled text.
const FILLED_MAX: usize = 4_000;
/// Values within values of a parameter.
const DEPTH_MAX: usize = 8;

/// A piece of a text.
enum Piece<'a> {
    Plain(&'a str),
    Hole(&'a str),
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = rest[start..].find('}').ok_or("an expression opens with ${ and does not close; add }")?;
        found.push(Piece::Plain(&rest[..start]));
        found.push(Piece::Hole(&rest[start + 2..start + end]));
        rest = &rest[start + end + 1..];
        if found.len() > 2 * HOLES_MAX {
            return Err(format!("there are more than {HOLES_MAX} expressions in one text"));
        }
    }
    found.push(Piece::Plain(rest));
    Ok(found)
}

/// Checks the expressions of a text.
pub(super) fn check(text: &str, variables: &[&str]) -> Result<(), String> {
    for piece in pieces(text)? {
        if let Piece::Hole(source) = piece {
            condition::compile(source, variables).map_err(|message| format!("${{{source}}}: {message}"))?;
        }
    }
    Ok(())
}

/// Checks the texts inside a value.
pub(super) fn check_value(value: &Value, variables: &[&str]) -> Result<(), String> {
    walk(value, 0, &mut |text| check(text, variables).map(|()| text.to_owned())).map(drop)
}

/// Fills a text.
///
/// # Errors
/// When an expression fails over these facts.
pub fn fill(text: &str, facts: &Value, variables: &[&str]) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(plain) => filled.push_str(plain),
            Piece::Hole(source) => match condition::compile(source, variables)?.value(facts)? {
                Value::String(text) => filled.push_str(&text),
                other => filled.push_str(&other.to_string()),
            },
        }
    }
    Ok(filled.chars().take(FILLED_MAX).collect())
}

/// Fills every text inside a value.
///
/// # Errors
/// When an expression fails over these facts.
pub fn fill_value(value: &Value, facts: &Value, variables: &[&str]) -> Result<Value, String> {
    walk(value, 0, &mut |text| fill(text, facts, variables))
}

fn walk(value: &Value, depth: usize, change: &mut impl FnMut(&str) -> Result<String, String>) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("values are nested deeper than {DEPTH_MAX}"));
    }
    Ok(match value {
        Value::String(text) => Value::String(change(text)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| walk(item, depth + 1, change)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, item)| Ok((name.clone(), walk(item, depth + 1, change)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

/// Cuts a text for a list or a log.
#[must_use]
pub fn short(text: &str, max: usize) -> Text {
    Text::from(text.chars().take(max).collect::<String>())
}
