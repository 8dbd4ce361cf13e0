//! Tells a page that says "no robots" from a page that says "no".
//!
//! A wall is a reason to know nothing, never a finding about the site behind it.

use riskgraph_domain::observation::Hop;

/// Headers that only walls set: name, and what the value contains.
const HEADER_MARKS: [(&str, &str); 10] = [
    ("cf-mitigated", ""),
    ("x-datadome", ""),
    ("x-dd-b", ""),
    ("x-sucuri-block", ""),
    ("x-amzn-waf-action", ""),
    ("x-px-block", ""),
    ("x-iinfo", ""),
    ("x-akamai-reference-id", ""),
    ("server", "akamaighost"),
    ("server", "ddos-guard"),
];
/// Words of challenge pages, in lower case.
const BODY_MARKS: [&str; 16] = [
    "captcha",
    "just a moment...",
    "challenge-platform",
    "attention required!",
    "checking your browser",
    "verify you are human",
    "are you a robot",
    "unusual traffic",
    "automated access",
    "access denied",
    "request blocked",
    "_incapsula_resource",
    "px-captcha",
    "ddos protection by",
    "bot detection",
    "sucuri website firewall",
];

/// Whether this last answer is a wall: 429 always; 403 and 503 when they bear a mark; others only when a header says so.
pub(super) fn stands(last: &Hop, body: &[u8]) -> bool {
    match last.status {
        429 => true,
        403 | 503 => marked_head(last) || marked_body(body),
        _ => last.headers.iter().any(|(name, _)| name == "cf-mitigated" || name == "x-amzn-waf-action"),
    }
}

fn marked_head(last: &Hop) -> bool {
    last.headers.iter().any(|(name, value)| {
        let value = value.to_ascii_lowercase();
        HEADER_MARKS.iter().any(|(mark, part)| name == mark && value.contains(part))
    })
}

fn marked_body(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body).to_lowercase();
    BODY_MARKS.iter().any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_walls_by_their_marks() {
        let check = |status, header: Option<(&str, &str)>, body: &str, want: bool| {
            let headers = header.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
            let hop = Hop { url: "https://shop.example/".to_owned(), status, headers };
            assert_eq!(stands(&hop, body.as_bytes()), want, "{status} {header:?} {body}");
        };
        check(429, None, "", true);
        check(403, None, "<title>Just a moment...</title>", true);
        check(503, Some(("x-datadome", "protected")), "", true);
        check(403, Some(("server", "AkamaiGHost")), "", true);
        check(200, Some(("cf-mitigated", "challenge")), "", true);
        check(403, Some(("server", "nginx")), "Forbidden", false);
        check(503, None, "Down for maintenance", false);
        check(401, None, "access denied", false);
        check(200, None, "we use a captcha at login", false);
        check(404, None, "", false);
    }
}
