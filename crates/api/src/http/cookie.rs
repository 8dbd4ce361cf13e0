//! The session's cookie (RFC 6265bis). It must *not* know what its value means.
//!
//! Over an encrypted way it is `__Host-`, which a browser only takes with `Secure`, for this host alone and for `/`: no
//! neighbour can plant one. Over plain HTTP (loopback) browsers refuse such a cookie, so there it has the plain name.

use axum::http::{HeaderMap, HeaderValue, header};

use super::arrival::Transport;

const NAME_PLAIN: &str = "riskgraph_session";
const NAME_ENCRYPTED: &str = "__Host-riskgraph_session";
/// Longest value we look at; ours have 64 characters.
const VALUE_LENGTH_MAX: usize = 128;

const fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Plain => NAME_PLAIN,
        Transport::Encrypted => NAME_ENCRYPTED,
    }
}

/// What the request's cookies say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    None,
    One(&'a str),
    /// Several of the same name: one of them was planted, and nobody can tell which.
    Several,
}

/// The session's secret in the request's cookies.
pub(super) fn find(headers: &HeaderMap, transport: Transport) -> Found<'_> {
    let wanted = name(transport);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value.trim());
    match (values.next(), values.next()) {
        (None, _) => Found::None,
        (Some(_), Some(_)) => Found::Several,
        (Some(value), None) if value.len() > VALUE_LENGTH_MAX => Found::None,
        (Some(value), None) => Found::One(value),
    }
}

/// `Set-Cookie` of a new session that lasts so many seconds.
pub(super) fn set(secret: &str, transport: Transport, lasts_s: u64) -> Option<HeaderValue> {
    let secure = if transport == Transport::Encrypted { "; Secure" } else { "" };
    let name = name(transport);
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts_s}{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that makes the browser forget.
pub(super) fn clear(transport: Transport) -> HeaderValue {
    HeaderValue::from_static(match transport {
        Transport::Plain => "riskgraph_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
        Transport::Encrypted => "__Host-riskgraph_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0; Secure",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_one_of_its_name() {
        let check = |cookies: &[&str], transport: Transport, expected: Found<'_>| {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(header::COOKIE, cookie.parse().expect("a header"));
            }
            assert_eq!(find(&headers, transport), expected, "{cookies:?}");
        };
        check(&["a=b; riskgraph_session=abc; c=d"], Transport::Plain, Found::One("abc"));
        check(&["a=b", "riskgraph_session=abc"], Transport::Plain, Found::One("abc"));
        check(&["riskgraph_session=abc; riskgraph_session=def"], Transport::Plain, Found::Several);
        check(&["riskgraph_session=abc", "riskgraph_session=abc"], Transport::Plain, Found::Several);
        check(&["riskgraph_session=abc"], Transport::Encrypted, Found::None);
        check(&["__Host-riskgraph_session=abc; riskgraph_session=x"], Transport::Encrypted, Found::One("abc"));
        check(&["xriskgraph_session=abc; riskgraph_session"], Transport::Plain, Found::None);
        check(&[&format!("riskgraph_session={}", "a".repeat(129))], Transport::Plain, Found::None);
        check(&[], Transport::Plain, Found::None);
    }

    #[test]
    fn an_encrypted_cookie_is_for_this_host_alone() {
        let cookie = set("s", Transport::Encrypted, 60).expect("a header");
        let text = cookie.to_str().expect("text");
        assert_eq!(text, "__Host-riskgraph_session=s; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
        assert!(cookie.is_sensitive() && set("a\r\nb", Transport::Plain, 1).is_none());
        for transport in [Transport::Plain, Transport::Encrypted] {
            let text = clear(transport);
            assert!(text.to_str().expect("text").starts_with(&format!("{}=;", name(transport))));
        }
    }
}
