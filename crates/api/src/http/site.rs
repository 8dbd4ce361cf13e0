//! Whether a request that came with a cookie was made by a page of ours. It must *not* know who sent it.
//!
//! A browser adds the cookie by itself, also when a foreign page makes the request. `SameSite=Strict` keeps it out of
//! those already; this is the second wall, of what only a page of our own origin can do: set a header of our own (a
//! foreign one would have to ask first, and is never let), and be named by the browser as our own in `Origin` and
//! `Sec-Fetch-Site`, which scripts cannot write (Fetch Standard 3.2; W3C Fetch Metadata).

use axum::http::{HeaderMap, header};
use riskgraph_domain::error::{Fault, FaultCode};

use super::arrival::Arrival;

/// The header of the console's requests, and its value.
const CONSOLE: &str = "x-riskgraph-console";
const CONSOLE_VALUE: &str = "1";
const FETCH_SITE: &str = "sec-fetch-site";

/// What a kind of request has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// The console's header: whatever could change something, and queries in a URL.
    Query,
    /// The header, or that the browser itself says it comes from us: a file that is opened by a link.
    Download,
    /// The header or our `Origin`: a stream of events over GET, for which scripts cannot set headers.
    Stream,
    /// Our `Origin`: a WebSocket, which scripts of any page may open and which has no header of its own.
    Socket,
}

/// Refuses a request that does not show what its kind has to.
pub(super) fn check(demand: Demand, headers: &HeaderMap, arrival: &Arrival) -> Result<(), Fault> {
    let origin = headers.get(header::ORIGIN).map(|origin| is_ours(origin.to_str().unwrap_or_default(), arrival));
    let site = headers.get(FETCH_SITE).map(|site| site.to_str().unwrap_or_default());
    let has_header = headers.get(CONSOLE).is_some_and(|value| value == CONSOLE_VALUE);
    if origin == Some(false) || headers.get_all(header::ORIGIN).iter().count() > 1 {
        return Err(foreign("its Origin is another"));
    }
    // `none` is what the user did: an address typed in, a bookmark. Only a link's target may be asked for that way.
    match (site, demand) {
        (None | Some("same-origin"), _) | (Some("none"), Demand::Download) => {}
        _ => return Err(foreign("the browser says so (Sec-Fetch-Site)")),
    }
    match demand {
        Demand::Query if has_header => Ok(()),
        Demand::Download if has_header || site.is_some() => Ok(()),
        Demand::Stream if has_header || origin == Some(true) => Ok(()),
        Demand::Socket if origin == Some(true) => Ok(()),
        Demand::Socket => Err(foreign("it has no Origin")),
        Demand::Query | Demand::Download | Demand::Stream => {
            let message = "a request by cookie needs the header 'x-riskgraph-console: 1'; programs use a bearer token";
            Err(Fault::new(FaultCode::Forbidden, message))
        }
    }
}

/// Refuses a sign-in from a foreign page: it would sign a visitor in as somebody else.
pub(super) fn check_sign_in(headers: &HeaderMap, arrival: &Arrival) -> Result<(), Fault> {
    let origins = headers.get_all(header::ORIGIN);
    if origins.iter().any(|origin| !is_ours(origin.to_str().unwrap_or_default(), arrival)) {
        return Err(foreign("its Origin is another"));
    }
    let site = headers.get(FETCH_SITE).map(|site| site.to_str().unwrap_or_default());
    if site.is_none_or(|site| site == "same-origin") {
        return Ok(());
    }
    Err(foreign("the browser says so (Sec-Fetch-Site)"))
}

/// Whether an origin is the host that was asked for. Its scheme may differ from ours behind a proxy that ends TLS.
fn is_ours(origin: &str, arrival: &Arrival) -> bool {
    let rest = origin.strip_prefix("http://").map(|rest| (rest, ":80"));
    let Some((host, port)) = rest.or(origin.strip_prefix("https://").map(|rest| (rest, ":443"))) else { return false };
    let bare = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    arrival.host.as_deref().is_some_and(|asked| !asked.is_empty() && bare(asked) == bare(host))
}

fn foreign(why: &str) -> Fault {
    Fault::new(FaultCode::Forbidden, format!("the request was made by another site: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(demand: Demand, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header"));
        }
        let arrival = Arrival { host: Some("rg.example:8480".to_owned()), ..Arrival::default() };
        check(demand, &map, &arrival).is_ok()
    }

    #[test]
    fn only_our_own_pages_get_through() {
        let (query, download, stream, socket) = (Demand::Query, Demand::Download, Demand::Stream, Demand::Socket);
        let all = [query, download, stream, socket];
        let check = |headers: &[(&'static str, &str)], expected: &[Demand]| {
            let let_in: Vec<Demand> = all.into_iter().filter(|&demand| allows(demand, headers)).collect();
            assert_eq!(let_in, expected, "{headers:?}");
        };
        let (header, ours) = (("x-riskgraph-console", "1"), ("origin", "http://RG.example:8480"));
        check(&[], &[]);
        check(&[header], &[query, download, stream]);
        check(&[("x-riskgraph-console", "0")], &[]);
        check(&[ours], &[stream, socket]);
        check(&[ours, header], &all);
        check(&[ours, header, ("sec-fetch-site", "same-origin")], &all);
        check(&[("sec-fetch-site", "same-origin")], &[download]);
        check(&[("sec-fetch-site", "none")], &[download]);
        check(&[header, ours, ("sec-fetch-site", "cross-site")], &[]);
        check(&[header, ours, ("sec-fetch-site", "same-site")], &[]);
        for foreign in ["http://evil.example", "http://rg.example", "null", "", "https://rg.example:8480.evil.example"]
        {
            check(&[header, ("origin", foreign)], &[]);
            check(&[header, ours, ("origin", foreign)], &[]);
        }
    }

    #[test]
    fn default_ports_are_no_difference() {
        let at = |host: &str| Arrival { host: Some(host.to_owned()), ..Arrival::default() };
        assert!(is_ours("https://risk.example", &at("risk.example:443")));
        assert!(is_ours("http://risk.example:80", &at("risk.example")));
        assert!(!is_ours("http://risk.example", &at("risk.example:443")));
        assert!(!is_ours("http://", &Arrival::default()) && !is_ours("http://", &at("")));
    }
}
