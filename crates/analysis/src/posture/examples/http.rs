//! Examples of the checks of headers, cookies and content.

use super::parts::{DOMAIN, fetched, file, hop};
use super::{Example, Subject, fails, passes, warns};
use riskgraph_domain::observation::{FormTag, ScriptTag};

/// Sets a header of the page, or takes it away.
fn header(subject: &mut Subject, name: &str, value: Option<&str>) {
    let Some(hop) = subject.seen.https.as_mut().and_then(|web| web.hops.last_mut()) else { return };
    hop.headers.retain(|(known, _)| known != name);
    hop.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
}

fn cookie(subject: &mut Subject, value: &str) {
    header(subject, "set-cookie", Some(value));
}

fn script(subject: &mut Subject, src: &str) {
    let Some(page) = subject.seen.https.as_mut().and_then(|web| web.page.as_mut()) else { return };
    page.scripts.push(ScriptTag {
        src: Some(src.to_owned()),
        url: None,
        integrity: None,
        crossorigin: None,
        inline_sha256: None,
    });
}

fn login(subject: &mut Subject) {
    let Some(page) = subject.seen.https.as_mut().and_then(|web| web.page.as_mut()) else { return };
    page.forms.push(FormTag {
        action: format!("https://{DOMAIN}/login"),
        method: "post".to_owned(),
        has_password: true,
        has_card: false,
    });
}

const CSP: &str = "content-security-policy";
const HSTS: &str = "strict-transport-security";

pub(super) const EXAMPLES: &[Example] = &[
    passes("HTTP-01", "a strict policy", |_| {}),
    fails("HTTP-01", "no policy", |subject| header(subject, CSP, None)),
    passes("HTTP-02", "http leads to https on the same host", |_| {}),
    fails("HTTP-02", "http serves the page", |subject| {
        subject.seen.http = Some(fetched(vec![hop(&format!("http://{DOMAIN}/"), 200, &[])]));
    }),
    passes("HTTP-03", "two years", |_| {}),
    warns("HTTP-03", "half a year", |subject| header(subject, HSTS, Some("max-age=15552000"))),
    fails("HTTP-03", "no number", |subject| header(subject, HSTS, Some("max-age=abc"))),
    passes("HTTP-04", "nobody may frame the page", |_| {}),
    fails("HTTP-04", "anybody may", |subject| {
        header(subject, CSP, None);
        header(subject, "x-frame-options", None);
    }),
    passes("HTTP-05", "nosniff", |_| {}),
    fails("HTTP-05", "nothing", |subject| header(subject, "x-content-type-options", None)),
    passes("HTTP-06", "the origin alone", |_| {}),
    fails("HTTP-06", "the whole address to everyone", |subject| header(subject, "referrer-policy", Some("unsafe-url"))),
    passes("HTTP-07", "strangers are not let in", |_| {}),
    fails("HTTP-07", "any origin with cookies", |subject| {
        let headers =
            [("access-control-allow-origin", "https://evil.example"), ("access-control-allow-credentials", "true")];
        subject.seen.cors = Some(fetched(vec![hop(&format!("https://{DOMAIN}/"), 200, &headers)]));
    }),
    passes("HTTP-08", "same-origin", |_| {}),
    fails("HTTP-08", "no known value", |subject| header(subject, "cross-origin-resource-policy", Some("own"))),
    passes("HTTP-09", "none", |_| {}),
    fails("HTTP-09", "a quoted value", |subject| {
        header(subject, "cross-origin-embedder-policy", Some("\"require-corp\""))
    }),
    passes("HTTP-10", "same-origin", |_| {}),
    fails("HTTP-10", "no known value", |subject| header(subject, "cross-origin-opener-policy", Some("own"))),
    passes("HTTP-11", "own scripts", |subject| script(subject, "/a.js")),
    warns("HTTP-11", "a foreign script without a hash", |subject| script(subject, "https://cdn.example.net/a.js")),
    fails("HTTP-11", "a foreign script over http", |subject| script(subject, "http://cdn.example.net/a.js")),
    passes("HTTP-12", "a guarded session", |_| {}),
    fails("HTTP-12", "a session that scripts can read", |subject| cookie(subject, "session=1; Secure; SameSite=Lax")),
    passes("HTTP-13", "own scripts", |_| {}),
    warns("HTTP-13", "a host that serves JSONP", |subject| {
        header(subject, CSP, Some("script-src https://www.google.com; object-src 'none'"));
    }),
    passes("HTTP-14", "both directives", |_| {}),
    warns("HTTP-14", "neither", |subject| header(subject, CSP, Some("script-src 'self'"))),
    passes("HTTP-15", "own scripts", |_| {}),
    fails("HTTP-15", "every host below .com", |subject| header(subject, CSP, Some("script-src *.com"))),
    passes("HTTP-16", "nobody", |_| {}),
    fails("HTTP-16", "anybody", |subject| header(subject, CSP, Some("frame-ancestors *"))),
    passes("HTTP-17", "well-formed", |_| {}),
    warns("HTTP-17", "preload without subdomains", |subject| header(subject, HSTS, Some("max-age=63072000; preload"))),
    passes("HTTP-18", "a name without version", |_| {}),
    warns("HTTP-18", "a version", |subject| header(subject, "server", Some("nginx/1.18.0"))),
    passes("HTTP-19", "nobody", |_| {}),
    warns("HTTP-19", "payment for everyone", |subject| header(subject, "permissions-policy", Some("payment=*"))),
    passes("HTTP-20", "a cookie of its host", |_| {}),
    warns("HTTP-20", "a session for the whole domain", |subject| {
        cookie(subject, "session=1; Secure; HttpOnly; SameSite=Lax; Domain=example.com");
    }),
    passes("HTTP-21", "a login that is not stored", |subject| {
        login(subject);
        header(subject, "cache-control", Some("no-store"));
    }),
    warns("HTTP-21", "a login that caches may keep", |subject| {
        login(subject);
        header(subject, "cache-control", Some("public, max-age=600"));
    }),
    passes("HTTP-22", "nothing there", |subject| {
        subject.seen.files.push(file(&format!("https://{DOMAIN}/.git/HEAD"), 404, "not found"));
    }),
    fails("HTTP-22", "a repository", |subject| {
        subject.seen.files.push(file(&format!("https://{DOMAIN}/.git/HEAD"), 200, "ref: refs/heads/main\n"));
    }),
    passes("HTTP-23", "a page", |_| {}),
    fails("HTTP-23", "a folder", |subject| {
        if let Some(page) = subject.seen.https.as_mut().and_then(|web| web.page.as_mut()) {
            page.title = Some("Index of /backup".to_owned());
        }
    }),
    passes("HTTP-24", "a script over https", |subject| script(subject, "https://shop.example.com/a.js")),
    fails("HTTP-24", "a script over http", |subject| script(subject, "http://shop.example.com/a.js")),
];
