//! The Strict-Transport-Security header, read as strictly as RFC 6797 6.1 writes it.

/// Header bytes that are read, at most.
const HEADER_BYTES_MAX: usize = 4_096;

/// A valid policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hsts {
    pub(crate) max_age_s: u64,
    pub(crate) include_subdomains: bool,
    pub(crate) preload: bool,
}

/// Why a header is no valid policy; browsers then act as if it were absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HstsError {
    TooLong,
    /// A comma: the header was sent twice and joined.
    SentTwice,
    BadDirective,
    Repeated,
    NoMaxAge,
    BadMaxAge,
}

impl HstsError {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "longer than is read",
            Self::SentTwice => "a comma: set twice and joined",
            Self::BadDirective => "a directive is neither a name nor name=value",
            Self::Repeated => "a directive appears twice",
            Self::NoMaxAge => "max-age is missing",
            Self::BadMaxAge => "max-age is no number of seconds",
        }
    }
}

/// Reads the first header; further ones do not count (RFC 6797 8.1).
pub(crate) fn parse(header: &str) -> Result<Hsts, HstsError> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(HstsError::TooLong);
    }
    let mut seen: Vec<String> = Vec::new();
    let mut max_age_s = None;
    let (mut include_subdomains, mut preload) = (false, false);
    for directive in split(header)? {
        let (name, value) = match directive.split_once('=') {
            Some((name, value)) => (name.trim(), Some(unquote(value.trim())?)),
            None => (directive.trim(), None),
        };
        if name.is_empty() && value.is_none() {
            continue;
        }
        if !is_token(name) {
            return Err(if name.contains(',') { HstsError::SentTwice } else { HstsError::BadDirective });
        }
        let name = name.to_ascii_lowercase();
        if seen.contains(&name) {
            return Err(HstsError::Repeated);
        }
        match (name.as_str(), &value) {
            ("max-age", Some(digits)) => max_age_s = Some(seconds(digits)?),
            ("max-age", None) => return Err(HstsError::BadMaxAge),
            ("includesubdomains", None) => include_subdomains = true,
            ("includesubdomains", Some(_)) => return Err(HstsError::BadDirective),
            ("preload", _) => preload = true,
            _ => {}
        }
        seen.push(name);
    }
    let max_age_s = max_age_s.ok_or(HstsError::NoMaxAge)?;
    Ok(Hsts { max_age_s, include_subdomains, preload })
}

/// Splits at semicolons outside of quotes.
fn split(header: &str) -> Result<Vec<&str>, HstsError> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (place, byte) in header.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                parts.push(&header[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[start..]);
    if quoted { Err(HstsError::BadDirective) } else { Ok(parts) }
}

/// The value of a token or quoted string.
fn unquote(value: &str) -> Result<String, HstsError> {
    match value.strip_prefix('"') {
        Some(rest) => {
            let inner = rest.strip_suffix('"').ok_or(HstsError::BadDirective)?;
            Ok(inner.replace('\\', ""))
        }
        None if value.contains(',') => Err(HstsError::SentTwice),
        None if is_token(value) => Ok(value.to_owned()),
        None => Err(HstsError::BadDirective),
    }
}

/// Digits only; what is too large for a machine is forever.
fn seconds(digits: &str) -> Result<u64, HstsError> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(HstsError::BadMaxAge);
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

/// RFC 2616 token: visible characters without separators.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_rfc_allows_and_nothing_else() {
        let check = |header: &str, expected: Result<(u64, bool, bool), HstsError>| {
            let got = parse(header).map(|p| (p.max_age_s, p.include_subdomains, p.preload));
            assert_eq!(got, expected, "{header}");
        };
        check("max-age=31536000", Ok((31_536_000, false, false)));
        check("max-age=\"31536000\"", Ok((31_536_000, false, false)));
        check("Max-Age = 10 ; IncludeSubDomains; preload", Ok((10, true, true)));
        check("max-age=0;", Ok((0, false, false)));
        check(" ; max-age=1;;", Ok((1, false, false)));
        check("max-age=1; something=\"a;b\"; other", Ok((1, false, false)));
        check("max-age=99999999999999999999999", Ok((u64::MAX, false, false)));
        check("max-age=abc", Err(HstsError::BadMaxAge));
        check("max-age=-1", Err(HstsError::BadMaxAge));
        check("max-age=1.5", Err(HstsError::BadMaxAge));
        check("max-age=\"\"", Err(HstsError::BadMaxAge));
        check("max-age", Err(HstsError::BadMaxAge));
        check("max-age=", Err(HstsError::BadDirective));
        check("", Err(HstsError::NoMaxAge));
        check("includeSubDomains; preload", Err(HstsError::NoMaxAge));
        check("max-age=1; max-age=2", Err(HstsError::Repeated));
        check("max-age=1, max-age=2", Err(HstsError::SentTwice));
        check("max-age=1; includeSubDomains, max-age=2", Err(HstsError::SentTwice));
        check("max-age=1; include Sub", Err(HstsError::BadDirective));
        check("max-age=\"1", Err(HstsError::BadDirective));
        check("max-age=1; includeSubDomains=1", Err(HstsError::BadDirective));
    }
}
