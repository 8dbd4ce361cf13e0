//! Which script a source expression of a content security policy lets through. Pure. It must *not* know files or pages.
//!
//! CSP Level 3, 6.7.2 (matching); <https://www.w3.org/TR/CSP3/#match-url-to-source-expression>.

use riskgraph_domain::EntityKind;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::ActionRequest;
use url::Url;

use crate::respond::fault::bad_input;

/// Longest script address or expression, bytes.
const SOURCE_MAX_BYTES: usize = 2_048;

/// What is to be switched off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The script at this address.
    Script(Url),
    /// Every script of this host.
    Host(String),
    /// Every script of this domain and below.
    Domain(String),
    /// This very expression, such as a hash.
    Expression(String),
}

/// How an expression treats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    No,
    /// Lets it through, and nothing much else.
    Yes,
    /// Lets through whole schemes.
    Everything,
}

impl Wanted {
    /// The script the request names.
    ///
    /// # Errors
    /// `BadInput` when it names none.
    pub(super) fn of(request: &ActionRequest) -> Result<Self, Fault> {
        let wrong = || bad_input("disable_script needs a script's address, a host, or the parameter 'source'");
        if let Some(source) = request.parameters.get("source") {
            let source = source.as_str().map(str::trim).filter(|source| is_expression(source)).ok_or_else(wrong)?;
            return Ok(Self::Expression(source.to_owned()));
        }
        let target = request.target.as_ref().ok_or_else(wrong)?;
        let key = target.key.trim();
        if key.len() > SOURCE_MAX_BYTES {
            return Err(wrong());
        }
        match target.kind {
            EntityKind::Script => {
                let url = Url::parse(key).or_else(|_| Url::parse(&format!("https://{}", key.trim_start_matches('/'))));
                let url = url.ok().filter(|url| url.host_str().is_some() && matches!(url.scheme(), "http" | "https"));
                url.map(Self::Script).ok_or_else(wrong)
            }
            EntityKind::Host | EntityKind::Domain => {
                let host =
                    Url::parse(&format!("https://{key}/")).ok().and_then(|url| url.host_str().map(str::to_owned));
                let host = host.ok_or_else(wrong)?;
                Ok(if target.kind == EntityKind::Host { Self::Host(host) } else { Self::Domain(host) })
            }
            _ => Err(wrong()),
        }
    }

    /// Whether this expression lets it through.
    pub(super) fn matched_by(&self, expression: &str) -> Match {
        let expression = expression.trim();
        if let Self::Expression(wanted) = self {
            return if wanted == expression { Match::Yes } else { Match::No };
        }
        // Keywords, nonces and hashes name no host.
        if expression.starts_with('\'') || expression.is_empty() {
            return Match::No;
        }
        if expression == "*" || (expression.ends_with(':') && !expression.contains('/')) {
            return Match::Everything;
        }
        let Some(source) = HostSource::read(expression) else { return Match::No };
        let matched = match self {
            Self::Script(url) => source.lets_through(url),
            Self::Host(host) => source.lets_host_through(host),
            Self::Domain(domain) => source.host.trim_start_matches("*.") == domain || source.is_below(domain),
            Self::Expression(_) => false,
        };
        if matched { Match::Yes } else { Match::No }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Script(url) => write!(f, "{url}"),
            Self::Host(host) => write!(f, "scripts of {host}"),
            Self::Domain(domain) => write!(f, "scripts of {domain} and below"),
            Self::Expression(source) => f.write_str(source),
        }
    }
}

/// `[scheme://]host[:port][/path]`
struct HostSource<'a> {
    scheme: Option<&'a str>,
    host: String,
    port: Option<&'a str>,
    path: &'a str,
}

impl<'a> HostSource<'a> {
    fn read(expression: &'a str) -> Option<Self> {
        let (scheme, rest) = match expression.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, expression),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*');
        (!host.is_empty() && host.bytes().all(good)).then(|| Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
            path,
        })
    }

    fn lets_through(&self, url: &Url) -> bool {
        let scheme = self.scheme.is_none_or(|scheme| {
            scheme.eq_ignore_ascii_case(url.scheme())
                || (scheme.eq_ignore_ascii_case("http") && url.scheme() == "https")
        });
        let port = match self.port {
            Some("*") => true,
            Some(port) => port.parse() == Ok(url.port_or_known_default().unwrap_or(0)),
            None => url.port().is_none(),
        };
        let path = match self.path {
            "" | "/" => true,
            folder if folder.ends_with('/') => url.path().starts_with(folder),
            file => url.path() == file,
        };
        scheme && port && path && url.host_str().is_some_and(|host| self.lets_host_through(host))
    }

    fn lets_host_through(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => self.host == host,
        }
    }

    fn is_below(&self, domain: &str) -> bool {
        self.host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    }
}

fn is_expression(source: &str) -> bool {
    (1..=SOURCE_MAX_BYTES).contains(&source.len())
        && source.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_as_browsers_match_them() {
        let script = Wanted::Script(Url::parse("https://cdn.tag.example/v2/a.js").expect("a URL"));
        let check = |wanted: &Wanted, expression: &str, want: Match| {
            assert_eq!(wanted.matched_by(expression), want, "{wanted} by {expression}");
        };
        for yes in [
            "https://cdn.tag.example",
            "cdn.tag.example",
            "CDN.tag.example",
            "http://cdn.tag.example",
            "*.tag.example",
            "https://cdn.tag.example/v2/",
            "https://cdn.tag.example/v2/a.js",
            "cdn.tag.example:443",
            "cdn.tag.example:*",
            "cdn.tag.example/",
        ] {
            check(&script, yes, Match::Yes);
        }
        for no in [
            "'self'",
            "'sha256-abc'",
            "https://tag.example",
            "*.cdn.tag.example",
            "https://cdn.tag.example/v1/",
            "ftp://cdn.tag.example",
            "cdn.tag.example:8443",
            "https://cdn.tag.example/v2",
            "xcdn.tag.example",
            "",
            "'none'",
            "cdn.tag.example.evil.example",
        ] {
            check(&script, no, Match::No);
        }
        for all in ["*", "https:", "http:"] {
            check(&script, all, Match::Everything);
        }
        let domain = Wanted::Domain("tag.example".into());
        check(&domain, "https://cdn.tag.example", Match::Yes);
        check(&domain, "*.tag.example", Match::Yes);
        check(&domain, "https://mytag.example", Match::No);
        let host = Wanted::Host("cdn.tag.example".into());
        check(&host, "*.tag.example", Match::Yes);
        check(&host, "tag.example", Match::No);
        let hash = Wanted::Expression("'sha256-abc='".into());
        check(&hash, "'sha256-abc='", Match::Yes);
        check(&hash, "https:", Match::No);
    }
}
