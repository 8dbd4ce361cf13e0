//! Structured field items that are tokens (RFC 8941 3.3.4), parameters included. Knows no header's name.

/// The token of an item; `None` when the value breaks the grammar anywhere, its parameters included.
pub(crate) fn token(value: &str) -> Option<&str> {
    let value = value.trim_matches(' ');
    let (token, mut rest) = take_token(value)?;
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start_matches(' ');
        let end = after
            .find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c)))
            .unwrap_or(after.len());
        let starts = after.starts_with(|c: char| c.is_ascii_lowercase() || c == '*');
        if end == 0 || !starts {
            return None;
        }
        rest = match after[end..].strip_prefix('=') {
            Some(item) => take_bare_item(item)?,
            None => &after[end..],
        };
    }
    rest.is_empty().then_some(token)
}

fn take_token(text: &str) -> Option<(&str, &str)> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '*');
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c);
    let end = text.find(|c: char| !goes_on(c)).unwrap_or(text.len());
    starts.then(|| text.split_at(end))
}

/// What follows a string, number, boolean, byte sequence or token.
fn take_bare_item(text: &str) -> Option<&str> {
    match text.bytes().next()? {
        b'"' => {
            let mut escaped = false;
            for (place, byte) in text.bytes().enumerate().skip(1) {
                match byte {
                    b'"' | b'\\' if escaped => escaped = false,
                    _ if escaped => return None,
                    b'\\' => escaped = true,
                    b'"' => return Some(&text[place + 1..]),
                    0x20..=0x7e => {}
                    _ => return None,
                }
            }
            None
        }
        b'?' => text.strip_prefix("?0").or_else(|| text.strip_prefix("?1")),
        b':' => {
            let (body, rest) = text[1..].split_once(':')?;
            let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            body.bytes().all(known).then_some(rest)
        }
        b'-' | b'0'..=b'9' => {
            let body = text.strip_prefix('-').unwrap_or(text);
            let end = body.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len());
            let number = &body[..end];
            let plain = number.starts_with(|c: char| c.is_ascii_digit()) && !number.ends_with('.');
            (plain && number.matches('.').count() <= 1 && number.len() <= 16).then(|| &body[end..])
        }
        _ => take_token(text).map(|(_, rest)| rest),
    }
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn reads_tokens_with_their_parameters() {
        for (value, expected) in [
            ("same-origin", Some("same-origin")),
            ("  same-origin ", Some("same-origin")),
            ("same-origin; report-to=\"x y\"", Some("same-origin")),
            ("same-origin;a;b=?1;c=-1.5;d=:YQ==:;e=tok/en;f=\"\\\"\"", Some("same-origin")),
            ("*x", Some("*x")),
            ("\"same-origin\"", None),
            ("same-origin; report-to=x y", None),
            ("same-origin ;a", None),
            ("same-origin;A=1", None),
            ("same-origin;", None),
            ("same-origin, same-origin", None),
            ("a b", None),
            ("1a", None),
            ("", None),
            ("a;b=\"x", None),
        ] {
            assert_eq!(token(value), expected, "{value}");
        }
    }
}
