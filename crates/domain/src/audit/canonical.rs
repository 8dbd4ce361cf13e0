//! JSON in one form: members in order of their names, no space, one way to write each text and number (after RFC 8785;
//! numbers as serde_json writes them, which reads back as the same).

use std::fmt::Write as _;

use serde_json::Value;

/// The one text of a value.
#[must_use]
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

/// Recursion is as deep as the value, which its reader bounds (serde_json: 128 levels).
fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_bytes());
            out.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_plain(&Value::String(name.clone()), out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        plain => write_plain(plain, out),
    }
}

fn write_plain(value: &Value, out: &mut String) {
    // Writing to a string cannot fail.
    let _written = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_text() {
        let check = |given: &str, expected: &str| {
            let value: Value = serde_json::from_str(given).expect("JSON");
            assert_eq!(text(&value), expected);
            let again: Value = serde_json::from_str(expected).expect("JSON");
            assert_eq!(text(&again), expected, "it reads back as itself");
        };
        check(
            r#"{ "b": 1, "a": {"d": null, "c": [1, 2.50, -0.0, 1e3]} }"#,
            r#"{"a":{"c":[1,2.5,-0.0,1000.0],"d":null},"b":1}"#,
        );
        check(r#"{"\u0062": "\u00fc\n\u0001\/", "a": ""}"#, "{\"a\":\"\",\"b\":\"ü\\n\\u0001/\"}");
        check("18446744073709551615", "18446744073709551615");
    }
}
