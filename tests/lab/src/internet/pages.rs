//! What the lab's sites say over HTTP.

use std::fmt::Write as _;

use super::profile::Profile;

/// The script every vendor's own CDN serves, and its SHA-384 for SRI.
const METRICS_JS: &str = "window.labMetrics={loaded:true};\n";
const METRICS_SRI: &str = "sha384-Jgz2DuGVLj9X8dItikEDICUT01Fyp4H8jFC+MKdZ/CuP3E9DIDhqrUf9OeSDfPLG";

/// A site: who it is and how it behaves.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub domain: String,
    pub name: String,
    pub profile: Profile,
    /// When its security.txt expires, RFC 3339.
    pub expires: String,
    /// Hosts whose scripts its pages load.
    pub script_hosts: Vec<String>,
}

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Plain,
    Tls,
}

/// One request, as far as the lab looks at it.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub scheme: Scheme,
    pub method: String,
    pub path: String,
    pub host: String,
    /// Counts requests to this site from 0: bot walls alternate their refusals.
    pub number: u64,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    fn new(status: u16, kind: &str, body: impl Into<String>) -> Self {
        Self { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The bytes on the wire.
    pub(super) fn bytes(&self, method: &str) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            301 => "Moved Permanently",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "Too Many Requests",
        };
        let mut head = format!("HTTP/1.1 {} {reason}\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(head, "content-length: {}\r\n\r\n", self.body.len());
        if method != "HEAD" {
            head.push_str(&self.body);
        }
        head.into_bytes()
    }
}

/// The site's answer.
pub(super) fn answer(site: &Site, ask: &Ask) -> Answer {
    if !matches!(ask.method.as_str(), "GET" | "HEAD") {
        return secure(site, ask, Answer::new(405, "text/plain", "method not allowed\n").with("allow", "GET, HEAD"));
    }
    if ask.scheme == Scheme::Plain && site.profile != Profile::WeakHeaders {
        let location = format!("https://{}{}", host_or(site, ask), ask.path);
        return Answer::new(301, "text/plain", "").with("location", location);
    }
    if site.profile == Profile::BotWall {
        return if ask.number.is_multiple_of(2) {
            Answer::new(429, "text/html", "<h1>Too many requests</h1>").with("retry-after", "30")
        } else {
            Answer::new(403, "text/html", "<title>Just a moment...</title><h1>Checking your browser</h1>")
        };
    }
    let path = ask.path.split('?').next().unwrap_or("/");
    let body = match path {
        "/" | "/index.html" | "/login" | "/checkout" => page(site, path),
        "/static/metrics.js" => {
            return secure(site, ask, Answer::new(200, "text/javascript", METRICS_JS))
                .with("access-control-allow-origin", "*")
                .with("cross-origin-resource-policy", "cross-origin");
        }
        "/static/style.css" => {
            return secure(site, ask, Answer::new(200, "text/css", "body{font-family:sans-serif}\n"));
        }
        "/robots.txt" => return secure(site, ask, Answer::new(200, "text/plain", "User-agent: *\nAllow: /\n")),
        "/.well-known/security.txt" if site.profile == Profile::Exemplary => {
            let text = format!(
                "Contact: mailto:security@{0}\nExpires: {1}\nCanonical: https://{0}/.well-known/security.txt\nPreferred-Languages: en\nPolicy: https://{0}/disclosure\n",
                site.domain, site.expires
            );
            return secure(site, ask, Answer::new(200, "text/plain; charset=utf-8", text));
        }
        "/.well-known/mta-sts.txt" if site.profile == Profile::Exemplary => {
            let text = format!("version: STSv1\r\nmode: enforce\r\nmx: mail.{}\r\nmax_age: 604800\r\n", site.domain);
            return Answer::new(200, "text/plain", text);
        }
        _ => return secure(site, ask, Answer::new(404, "text/html; charset=utf-8", "<h1>Not found</h1>")),
    };
    let answer = secure(site, ask, Answer::new(200, "text/html; charset=utf-8", body));
    cookie(site, answer)
}

fn host_or<'a>(site: &'a Site, ask: &'a Ask) -> &'a str {
    // Never reflect a host that is not ours.
    let known = ask.host == site.domain || ask.host.strip_suffix(&site.domain).is_some_and(|sub| sub.ends_with('.'));
    if known { &ask.host } else { &site.domain }
}

/// Adds the security headers the site has.
fn secure(site: &Site, ask: &Ask, answer: Answer) -> Answer {
    let answer = match site.profile {
        Profile::WeakHeaders => {
            return answer.with("server", "Apache/2.4.29 (Ubuntu)").with("x-powered-by", "PHP/7.2.24");
        }
        _ => answer.with("server", "web"),
    };
    if ask.scheme == Scheme::Plain {
        return answer;
    }
    match site.profile {
        Profile::Exemplary => {
            let policy = format!(
                "default-src 'none'; script-src 'self' https://cdn.{}; style-src 'self'; img-src 'self'; connect-src 'self'; \
                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                site.domain
            );
            answer
                .with("strict-transport-security", "max-age=63072000; includeSubDomains; preload")
                .with("content-security-policy", policy)
                .with("x-content-type-options", "nosniff")
                .with("x-frame-options", "DENY")
                .with("referrer-policy", "strict-origin-when-cross-origin")
                .with("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()")
                .with("cross-origin-opener-policy", "same-origin")
                .with("cross-origin-resource-policy", "same-origin")
        }
        Profile::LooseScripts => answer.with("strict-transport-security", "max-age=31536000"),
        _ => answer
            .with("strict-transport-security", "max-age=2592000")
            .with("x-content-type-options", "nosniff")
            .with("x-frame-options", "SAMEORIGIN"),
    }
}

fn cookie(site: &Site, answer: Answer) -> Answer {
    match site.profile {
        Profile::Exemplary => answer.with("set-cookie", "__Host-sid=f3a91c; Path=/; Secure; HttpOnly; SameSite=Lax"),
        Profile::WeakHeaders => answer.with("set-cookie", "PHPSESSID=8d1f0b2c; path=/"),
        _ => answer.with("set-cookie", "session=8d1f0b2c; Path=/; Secure; HttpOnly; SameSite=Lax"),
    }
}

fn page(site: &Site, path: &str) -> String {
    let mut scripts = String::new();
    match site.profile {
        Profile::Exemplary => {
            let _ = write!(
                scripts,
                r#"<script src="https://cdn.{}/static/metrics.js" integrity="{METRICS_SRI}" crossorigin="anonymous"></script>"#,
                site.domain
            );
        }
        _ => {
            for host in &site.script_hosts {
                let _ = write!(scripts, r#"<script src="https://{host}/static/metrics.js"></script>"#);
            }
        }
    }
    if site.profile == Profile::LooseScripts {
        // Looks like packed code, does nothing: it decodes to a comment.
        scripts.push_str(r#"<script>eval(atob("LyogbGFiICov"));</script>"#);
    }
    let form = match path {
        "/login" => {
            r#"<form method="post" action="/login"><input name="user"><input type="password" name="pass"></form>"#
        }
        "/checkout" => r#"<form method="post" action="/pay"><input name="cardnumber" autocomplete="cc-number"></form>"#,
        _ => "",
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\
         <link rel=\"stylesheet\" href=\"/static/style.css\">{scripts}</head><body><h1>{0}</h1>\
         <p>Welcome.</p><a href=\"/login\">Log in</a>{form}</body></html>\n",
        site.name
    )
}
