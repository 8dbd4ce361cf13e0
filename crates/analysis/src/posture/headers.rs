//! Security headers other than CSP: transport, framing, sniffing, referrer, cross-origin. Knows nothing of bodies.

pub(super) mod hsts;
pub(super) mod structured;

use riskgraph_domain::observation::{Hop, ProbeFailure, WebFacts};
use serde_json::json;

use super::check::{Case, Judged, Verdict, cut, describe, says, unknown};
use super::csp::{Ancestors, Policies, ancestors};
use super::names::{bare, host_of, same_site};

/// URLs of a redirect chain shown in evidence, at most.
const ROUTE_MAX: usize = 10;

fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

/// HTTP-02: plain HTTP leads to HTTPS, on the same host first.
pub(super) fn redirection(case: &Case<'_>) -> Judged {
    // A name without addresses serves nothing.
    if let Err(super::check::Skip::NotApplicable) = case.page() {
        return Err(super::check::Skip::NotApplicable);
    }
    let Some(http) = &case.seen.http else { return unknown("plain HTTP was not probed") };
    let (Some(first), Some(last)) = (http.hops.first(), http.last()) else { return no_http(case, http) };
    let route: Vec<String> = http.hops.iter().take(ROUTE_MAX).map(|hop| cut(&hop.url)).collect();
    let evidence = |state: &str| json!({ "state": state, "route": route, "status": last.status });
    if !is_https(&last.url) {
        if let Some(failure) = &http.failure {
            if matches!(failure, ProbeFailure::TlsFailed(_)) && case.certificate_refused() {
                return Ok(Verdict::fail(evidence("redirects to https with an invalid certificate")));
            }
            return unknown(describe(failure));
        }
        if matches!(last.status, 429 | 500..=599) {
            return unknown(format!("plain HTTP answered with status {}", last.status));
        }
        let state = if http.hops.len() == 1 { "no redirect to https" } else { "the redirects end on http" };
        return Ok(Verdict::fail(evidence(state)));
    }
    if case.certificate_refused() {
        return Ok(Verdict::fail(evidence("redirects to https with an invalid certificate")));
    }
    let second = http.hops.get(1).map_or("", |hop| hop.url.as_str());
    Ok(if !is_https(second) && !is_https(&first.url) {
        Verdict::warn(evidence("the first redirect is to http"))
    } else if !is_https(&first.url) && host_of(&first.url) != host_of(second) {
        Verdict::warn(evidence("the first redirect is to another host"))
    } else {
        Verdict::pass(evidence("to https"))
    })
}

/// No answer over plain HTTP: a refusal beside a working HTTPS shows that there is none.
fn no_http(case: &Case<'_>, http: &WebFacts) -> Judged {
    match &http.failure {
        Some(ProbeFailure::Refused(_)) if case.page().is_ok() => Ok(Verdict::pass(says("plain HTTP is not served"))),
        Some(failure) => unknown(describe(failure)),
        None => unknown("plain HTTP gave no answer"),
    }
}

/// HTTP-03: HSTS for long enough, on a connection that browsers trust (RFC 6797 8.1).
pub(super) fn strict_transport(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    if !page.is_https() {
        return Ok(Verdict::fail(says("the page is not served over https")));
    }
    if case.certificate_refused() {
        // RFC 6797 8.1: the header counts only over a connection without certificate errors. That needs no page's word.
        return Ok(Verdict::fail(says("browsers ignore the header under an invalid certificate")));
    }
    let Some(header) = page.hop.header("strict-transport-security") else {
        return Ok(case.by_page(Verdict::fail(json!({ "state": "absent" }))));
    };
    let rules = &case.config.headers;
    Ok(case.by_page(match hsts::parse(header) {
        Err(error) => Verdict::fail(json!({ "state": "invalid", "header": cut(header), "error": error.as_str() })),
        Ok(policy) => {
            let evidence = json!({ "header": cut(header), "max_age_s": policy.max_age_s });
            match policy.max_age_s {
                age if age < rules.hsts_min_s => Verdict::fail(evidence),
                age if age < rules.hsts_good_s => Verdict::warn(evidence),
                _ => Verdict::pass(evidence),
            }
        }
    }))
}

/// HTTP-17: the header is well-formed, and asks for preloading only when it may be preloaded.
pub(super) fn strict_transport_form(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let Some(header) = page.hop.header("strict-transport-security") else {
        return Err(super::check::Skip::NotApplicable);
    };
    let evidence = |wrong: &str| json!({ "header": cut(header), "wrong": wrong });
    Ok(match hsts::parse(header) {
        Err(error) => Verdict::warn(evidence(error.as_str())),
        Ok(policy) if policy.preload && !policy.include_subdomains => {
            Verdict::warn(evidence("preload without includeSubDomains"))
        }
        Ok(policy) if policy.preload && policy.max_age_s < case.config.headers.hsts_good_s => {
            Verdict::warn(evidence("preload with a max-age below one year"))
        }
        Ok(_) => Verdict::pass(json!({ "header": cut(header) })),
    })
}

/// HTTP-04: who may frame the page. A `frame-ancestors` header makes browsers ignore X-Frame-Options.
pub(super) fn framing(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let policies = Policies::of(&page);
    match ancestors(&policies) {
        Ancestors::Restricted => return Ok(Verdict::pass(says("frame-ancestors"))),
        Ancestors::Anyone => return Ok(Verdict::fail(says("frame-ancestors lets anyone frame the page"))),
        Ancestors::Absent => {}
    }
    let mut values: Vec<String> = page
        .hop
        .headers_named("x-frame-options")
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().to_ascii_lowercase())
        .filter(|value| !value.is_empty())
        .collect();
    values.sort_unstable();
    values.dedup();
    let evidence = json!({ "x_frame_options": values, "frame_ancestors_in_meta": policies.meta_frame_ancestors });
    Ok(match values.as_slice() {
        [one] if one == "deny" || one == "sameorigin" => Verdict::pass(evidence),
        [one] if one.starts_with("allow-from") => Verdict::warn(evidence),
        // Browsers deny framing on contradicting values; the author meant something else.
        [_, _, ..] if values.iter().all(|value| value == "deny" || value == "sameorigin") => Verdict::warn(evidence),
        _ => Verdict::fail(evidence),
    })
}

/// HTTP-05: browsers do not guess types.
pub(super) fn sniffing(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let header = page.hop.headers_named("x-content-type-options").next();
    let first = header.and_then(|value| value.split(',').next()).map(str::trim);
    let evidence = json!({ "header": header.map(cut) });
    Ok(if first.is_some_and(|value| value.eq_ignore_ascii_case("nosniff")) {
        Verdict::pass(evidence)
    } else {
        Verdict::fail(evidence)
    })
}

/// The referrer policy in force: the last valid token of headers, then of `<meta name=referrer>`.
fn referrer_policy(values: &[String]) -> Option<&'static str> {
    const POLICIES: &[&str] = &[
        "no-referrer",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "origin",
        "origin-when-cross-origin",
        "unsafe-url",
        "no-referrer-when-downgrade",
    ];
    let tokens = values.iter().flat_map(|value| value.split(',')).map(str::trim);
    tokens.rev().find_map(|token| POLICIES.iter().find(|policy| policy.eq_ignore_ascii_case(token))).copied()
}

/// HTTP-06: addresses of pages are not told to strangers.
pub(super) fn referrer(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let metas = page.facts.page.iter().flat_map(|facts| &facts.metas);
    let values: Vec<String> = page
        .hop
        .headers_named("referrer-policy")
        .map(str::to_owned)
        .chain(metas.filter(|(name, _)| name.trim().eq_ignore_ascii_case("referrer")).map(|(_, value)| value.clone()))
        .collect();
    let evidence = json!({ "values": values.iter().take(5).map(|value| cut(value)).collect::<Vec<_>>() });
    let sensitive = case.profile.payment_path || case.profile.authentication;
    Ok(match referrer_policy(&values) {
        Some("no-referrer" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin") => {
            Verdict::pass(evidence)
        }
        Some(_) => Verdict::fail(evidence),
        // Browsers default to strict-origin-when-cross-origin; where people pay one should not lean on it.
        None if !values.is_empty() || sensitive => Verdict::warn(evidence),
        None => Verdict::pass(evidence),
    })
}

/// HTTP-07: no stranger may read with the visitor's cookies.
pub(super) fn cors(case: &Case<'_>) -> Judged {
    if let Err(super::check::Skip::NotApplicable) = case.page() {
        return Err(super::check::Skip::NotApplicable);
    }
    let Some(probe) = &case.seen.cors else { return unknown("no cross-origin request was made") };
    if let Some(failure) = &probe.failure {
        return unknown(describe(failure));
    }
    let Some(hop) = probe.last() else { return unknown("no answer to the cross-origin request") };
    if matches!(hop.status, 429 | 503) {
        return unknown(format!("the cross-origin request got status {}", hop.status));
    }
    let origin = hop.header("access-control-allow-origin").map(str::trim);
    let credentials = hop.header("access-control-allow-credentials").is_some_and(|value| value.trim() == "true");
    let evidence = json!({ "allow_origin": origin.map(cut), "allow_credentials": credentials });
    Ok(if credentials && origin.is_some_and(|origin| is_foreign(origin, case.domain())) {
        Verdict::fail(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// Whether an allowed origin is someone else's; browsers refuse `*` with credentials themselves.
fn is_foreign(origin: &str, domain: &str) -> bool {
    match host_of(origin) {
        Some(host) => !same_site(&host, domain),
        None => origin.eq_ignore_ascii_case("null"),
    }
}

/// HTTP-08: Cross-Origin-Resource-Policy is valid where it is set.
pub(super) fn resource_policy(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let values: Vec<&str> = page.hop.headers_named("cross-origin-resource-policy").collect();
    let evidence = json!({ "values": values.iter().take(3).map(|value| cut(value)).collect::<Vec<_>>() });
    // The Fetch standard compares the whole value, letter by letter; two headers make one with a comma.
    Ok(match values.as_slice() {
        [] => Verdict::pass(evidence),
        [value] if matches!(value.trim(), "same-origin" | "same-site" | "cross-origin") => Verdict::pass(evidence),
        _ => Verdict::fail(evidence),
    })
}

/// The single token of a header: `Ok(None)` when absent, `Err` when invalid or sent twice.
fn single_token<'a>(hop: &'a Hop, name: &'a str, known: &[&str]) -> Result<Option<&'a str>, ()> {
    let mut values = hop.headers_named(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => structured::token(value).filter(|token| known.contains(token)).map(Some).ok_or(()),
        _ => Err(()),
    }
}

/// HTTP-09: Cross-Origin-Embedder-Policy is valid where it is set.
pub(super) fn embedder_policy(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let name = "cross-origin-embedder-policy";
    let evidence = json!({ "header": page.hop.header(name).map(cut) });
    Ok(match single_token(page.hop, name, &["require-corp", "credentialless", "unsafe-none"]) {
        Ok(_) => Verdict::pass(evidence),
        Err(()) => Verdict::fail(evidence),
    })
}

/// HTTP-10: Cross-Origin-Opener-Policy is valid, and not switched off where people pay.
pub(super) fn opener_policy(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let name = "cross-origin-opener-policy";
    let known =
        ["same-origin", "same-origin-allow-popups", "noopener-allow-popups", "same-origin-plus-coep", "unsafe-none"];
    let evidence = json!({ "header": page.hop.header(name).map(cut) });
    Ok(match single_token(page.hop, name, &known) {
        Ok(Some("unsafe-none")) if case.profile.payment_path => Verdict::warn(evidence),
        Ok(_) => Verdict::pass(evidence),
        Err(()) => Verdict::fail(evidence),
    })
}

/// HTTP-18: no header tells the version of the software.
pub(super) fn version_leak(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let names = ["server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator"];
    let told: Vec<String> = names
        .iter()
        .flat_map(|name| page.hop.headers_named(name).map(move |value| format!("{name}: {}", cut(value))))
        .filter(|line| line.split_once(": ").is_some_and(|(_, value)| tells_version(value)))
        .collect();
    let evidence = json!({ "told": told });
    Ok(if told.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// A number with a dot in it, such as `1.18` of `nginx/1.18`.
fn tells_version(value: &str) -> bool {
    let bytes = bare(value).into_bytes();
    bytes.windows(3).any(|w| w[0].is_ascii_digit() && w[1] == b'.' && w[2].is_ascii_digit())
}

#[cfg(test)]
mod tests;
