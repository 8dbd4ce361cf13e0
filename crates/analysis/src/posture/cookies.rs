//! Cookies the site sets (RFC 6265bis). Knows no other header.

use riskgraph_domain::observation::Hop;
use serde_json::json;

use super::check::{Case, Judged, Verdict, cut};

/// Cookies read from one fetch, at most.
const COOKIES_MAX: usize = 200;
/// Longest `Set-Cookie` that is read (browsers stop at 4,096 for name and value).
const COOKIE_BYTES_MAX: usize = 8_192;

/// `SameSite`, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SameSite {
    Absent,
    Strict,
    Lax,
    None,
    Invalid,
}

/// What a cookie is for, told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Session,
    Csrf,
    Other,
}

/// One `Set-Cookie`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: String,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
    pub(super) domain: Option<String>,
    pub(super) path: Option<String>,
    /// It only removes a cookie.
    deletes: bool,
}

impl Cookie {
    /// Reads a `Set-Cookie` header; `None` when browsers ignore it.
    pub(super) fn parse(header: &str) -> Option<Self> {
        if header.len() > COOKIE_BYTES_MAX {
            return None;
        }
        let mut parts = header.split(';');
        let (name, _value) = parts.next()?.split_once('=')?;
        let name = name.trim();
        if name.is_empty() {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            secure: false,
            http_only: false,
            same_site: SameSite::Absent,
            domain: None,
            path: None,
            deletes: false,
        };
        for attribute in parts {
            let (key, value) =
                attribute.split_once('=').map_or((attribute.trim(), None), |(k, v)| (k.trim(), Some(v.trim())));
            match key.to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => cookie.same_site = same_site(value.unwrap_or("")),
                "domain" => {
                    cookie.domain =
                        value.filter(|v| !v.is_empty()).map(|v| v.trim_start_matches('.').to_ascii_lowercase())
                }
                "path" => cookie.path = value.map(str::to_owned),
                "max-age" => cookie.deletes = value.and_then(|v| v.parse::<i64>().ok()).is_some_and(|age| age <= 0),
                "expires" => cookie.deletes |= value.is_some_and(|v| v.contains("1970")),
                _ => {}
            }
        }
        Some(cookie)
    }

    pub(super) fn purpose(&self) -> Purpose {
        let name = self.name.to_ascii_lowercase();
        let name = name.trim_start_matches("__host-").trim_start_matches("__secure-");
        if name.contains("csrf") || name.contains("xsrf") {
            Purpose::Csrf
        } else if name.contains("affinity") || name.starts_with("awsalb") {
            // Set by load balancers to find the same machine again; worth nothing to a thief.
            Purpose::Other
        } else if name.contains("sess")
            || name.contains("login")
            || name == "sid"
            || [".sid", "_sid", "-sid"].iter().any(|end| name.ends_with(end))
            || ["auth", "authtoken", "auth_token", "access_token", "jwt", "remember_me"].contains(&name)
        {
            Purpose::Session
        } else {
            Purpose::Other
        }
    }

    /// What browsers hold against it, for the name's prefix.
    fn prefix_error(&self) -> Option<&'static str> {
        let name = self.name.to_ascii_lowercase();
        if name.starts_with("__secure-") && !self.secure {
            Some("__Secure- without Secure")
        } else if name.starts_with("__host-")
            && (!self.secure || self.domain.is_some() || self.path.as_deref() != Some("/"))
        {
            Some("__Host- needs Secure, Path=/ and no Domain")
        } else {
            None
        }
    }
}

fn same_site(value: &str) -> SameSite {
    match value.to_ascii_lowercase().as_str() {
        "strict" => SameSite::Strict,
        "lax" => SameSite::Lax,
        "none" => SameSite::None,
        _ => SameSite::Invalid,
    }
}

/// Every cookie set on the way to the page; of several of one name the last counts.
pub(super) fn jar<'a>(hops: impl Iterator<Item = &'a Hop>) -> Vec<Cookie> {
    let mut jar: Vec<Cookie> = Vec::new();
    let headers = hops.flat_map(|hop| hop.headers_named("set-cookie"));
    for cookie in headers.filter_map(Cookie::parse).take(COOKIES_MAX) {
        jar.retain(|known| known.name != cookie.name || known.domain != cookie.domain || known.path != cookie.path);
        jar.push(cookie);
    }
    jar
}

/// HTTP-12: session cookies cannot be read by scripts or sent in clear; others are careful too.
pub(super) fn attributes(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let jar: Vec<Cookie> = jar(page.facts.hops.iter()).into_iter().filter(|cookie| !cookie.deletes).collect();
    let (mut wrong, mut weak) = (Vec::new(), Vec::new());
    for cookie in &jar {
        let note = |list: &mut Vec<String>, why: &str| list.push(format!("{}: {why}", cut(&cookie.name)));
        let purpose = cookie.purpose();
        match (purpose, cookie.secure) {
            (Purpose::Session, false) => note(&mut wrong, "session cookie without Secure"),
            (_, false) => note(&mut weak, "without Secure"),
            _ => {}
        }
        if purpose == Purpose::Session && !cookie.http_only {
            note(&mut wrong, "session cookie without HttpOnly");
        }
        match cookie.same_site {
            SameSite::Invalid => note(&mut weak, "SameSite is neither Strict, Lax nor None"),
            SameSite::None if !cookie.secure => note(&mut weak, "SameSite=None without Secure is dropped"),
            SameSite::Absent if purpose == Purpose::Csrf => note(&mut weak, "anti-CSRF cookie without SameSite"),
            _ => {}
        }
        if let Some(why) = cookie.prefix_error() {
            note(&mut weak, why);
        }
    }
    let evidence = json!({ "cookies": jar.len(), "wrong": first(wrong.clone()), "weak": first(weak.clone()) });
    Ok(match (wrong.is_empty(), weak.is_empty()) {
        (false, _) => Verdict::fail(evidence),
        (true, false) => Verdict::warn(evidence),
        (true, true) => Verdict::pass(evidence),
    })
}

fn first(mut list: Vec<String>) -> Vec<String> {
    list.truncate(20);
    list
}

#[cfg(test)]
mod tests;
