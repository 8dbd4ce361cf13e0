//! Observatory's cookie test, over a jar that refuses what a browser's jar refuses.

use super::Scan;
use crate::posture::cookies::{Cookie, SameSite};
use crate::posture::names::{host_of, registrable};

/// From best to worst; only a worse result replaces an earlier one.
const ORDER: &[&str] = &[
    "cookies-without-secure-flag-but-protected-by-hsts",
    "cookies-without-secure-flag",
    "cookies-session-without-secure-flag-but-protected-by-hsts",
    "cookies-samesite-flag-invalid",
    "cookies-anticsrf-without-samesite-flag",
    "cookies-session-without-httponly-flag",
    "cookies-session-without-secure-flag",
];
/// Cookies read of one answer, at most.
const COOKIES_MAX: usize = 200;
/// Set by a platform; nothing the site could change.
const IGNORED: &str = "heroku-session-affinity";

pub(super) fn cookies(scan: &Scan<'_>, hsts: &str) -> &'static str {
    let jar: Vec<Cookie> = jar(scan).into_iter().filter(|cookie| cookie.name != IGNORED).collect();
    if jar.is_empty() {
        return "cookies-not-found";
    }
    let protected = matches!(hsts, "hsts-implemented-max-age-at-least-six-months" | "hsts-preloaded");
    let mut worst: Option<usize> = None;
    let mut found = |result: &str| {
        let place = ORDER.iter().position(|known| *known == result);
        worst = worst.max(place);
    };
    if scan.last.headers_named("set-cookie").any(bad_same_site) {
        found("cookies-samesite-flag-invalid");
    }
    for cookie in &jar {
        let name = cookie.name.to_lowercase();
        let session = name.contains("login") || name.contains("sess");
        let same_site = matches!(cookie.same_site, SameSite::Strict | SameSite::Lax | SameSite::None);
        if !cookie.secure && cookie.same_site == SameSite::None {
            found("cookies-samesite-flag-invalid");
        }
        if !cookie.secure && protected {
            found("cookies-without-secure-flag-but-protected-by-hsts");
        } else if !cookie.secure {
            found("cookies-without-secure-flag");
        }
        if name.contains("csrf") && !same_site {
            found("cookies-anticsrf-without-samesite-flag");
        }
        if session && !cookie.secure && protected {
            found("cookies-session-without-secure-flag-but-protected-by-hsts");
        } else if session && !cookie.secure {
            found("cookies-session-without-secure-flag");
        }
        if session && !cookie.http_only {
            found("cookies-session-without-httponly-flag");
        }
    }
    let missing = |cookie: &Cookie| matches!(cookie.same_site, SameSite::Absent | SameSite::Invalid);
    match worst.and_then(|place| ORDER.get(place)) {
        Some(result) => result,
        None if jar.iter().any(missing) => "cookies-secure-with-httponly-sessions",
        None => "cookies-secure-with-httponly-sessions-and-samesite",
    }
}

/// Cookies set along the redirects that a jar takes: for this host or a parent of it that is no public suffix.
fn jar(scan: &Scan<'_>) -> Vec<Cookie> {
    let mut jar: Vec<(String, String, Cookie)> = Vec::new();
    for hop in &scan.page.hops {
        let host = host_of(&hop.url).unwrap_or_default();
        for cookie in hop.headers_named("set-cookie").filter_map(Cookie::parse).take(COOKIES_MAX) {
            let domain = cookie.domain.clone().unwrap_or_else(|| host.clone());
            let own = domain == host || host.ends_with(&format!(".{domain}"));
            // Its jar refuses a domain that is a public suffix also for the suffix itself.
            let suffix = cookie.domain.is_some() && registrable(&domain).is_none() && !is_address(&domain);
            let path = path_of(&cookie, &hop.url);
            if !own || suffix || !prefix_holds(&cookie, &path) {
                continue;
            }
            let key = |known: &(String, String, Cookie)| known.0 == domain && known.1 == path;
            jar.retain(|known| !key(known) || known.2.name != cookie.name);
            jar.push((domain, path, cookie));
        }
    }
    jar.into_iter().map(|(_, _, cookie)| cookie).collect()
}

fn is_address(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

/// The cookie's path, or the directory of the page that set it (RFC 6265 5.1.4).
fn path_of(cookie: &Cookie, url: &str) -> String {
    if let Some(path) = cookie.path.as_deref().filter(|path| path.starts_with('/')) {
        return path.to_owned();
    }
    let path = url::Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
    match path.rfind('/') {
        Some(end) if end > 0 => path[..end].to_owned(),
        _ => "/".to_owned(),
    }
}

/// Its jar reads prefixes letter by letter, and takes the default path for one that was written.
fn prefix_holds(cookie: &Cookie, path: &str) -> bool {
    let secure = !cookie.name.starts_with("__Secure-") || cookie.secure;
    let host = !cookie.name.starts_with("__Host-") || (cookie.secure && cookie.domain.is_none() && path == "/");
    secure && host
}

/// `SameSite` with another value than the three, or none.
fn bad_same_site(header: &str) -> bool {
    header.trim().split(';').any(|part| {
        let mut words = part.trim().split('=');
        let key = words.next().unwrap_or("").trim();
        let value = words.next().unwrap_or("").trim().to_lowercase();
        key.eq_ignore_ascii_case("samesite") && !["lax", "strict", "none"].contains(&value.as_str())
    })
}
