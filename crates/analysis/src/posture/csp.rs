//! Content Security Policy (W3C CSP3): parsing, and what all policies together still allow. Knows no other header.
//!
//! Several policies are intersected: a page may do only what each of them allows. So every question here is asked of each
//! policy, and "allowed" means allowed by all.

use serde_json::{Value, json};

use super::check::{Case, Judged, PageView, Skip, Verdict, cut};
use super::names::registrable;

/// Policies and directives that are read, at most; more are ignored as a browser with limits would.
const POLICIES_MAX: usize = 50;
const DIRECTIVES_MAX: usize = 100;
const SOURCES_MAX: usize = 1_000;

/// Directive names that make a policy a policy.
const KNOWN: &[&str] = &[
    "default-src",
    "script-src",
    "script-src-elem",
    "script-src-attr",
    "style-src",
    "style-src-elem",
    "style-src-attr",
    "img-src",
    "media-src",
    "font-src",
    "connect-src",
    "object-src",
    "frame-src",
    "child-src",
    "worker-src",
    "manifest-src",
    "prefetch-src",
    "fenced-frame-src",
    "base-uri",
    "form-action",
    "frame-ancestors",
    "navigate-to",
    "sandbox",
    "plugin-types",
    "report-uri",
    "report-to",
    "require-sri-for",
    "require-trusted-types-for",
    "trusted-types",
    "upgrade-insecure-requests",
    "block-all-mixed-content",
    "webrtc",
];
/// What a `<meta>` policy may not say (HTML standard); browsers ignore it there.
const NOT_IN_META: &[&str] = &["frame-ancestors", "report-uri", "sandbox"];

/// One policy: directives in order, names in lower case, the first of a name wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    directives: Vec<(String, Vec<String>)>,
}

impl Policy {
    /// Reads one serialised policy; `None` when it holds no directive.
    fn parse(text: &str) -> Option<Self> {
        let mut directives: Vec<(String, Vec<String>)> = Vec::new();
        for directive in text.split(';').take(DIRECTIVES_MAX) {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next() else { continue };
            let name = name.to_ascii_lowercase();
            if directives.iter().all(|(known, _)| *known != name) {
                directives.push((name, words.take(SOURCES_MAX).map(str::to_owned).collect()));
            }
        }
        (!directives.is_empty()).then_some(Self { directives })
    }

    /// The values of a directive of exactly this name.
    pub(super) fn get(&self, name: &str) -> Option<&[String]> {
        self.directives.iter().find(|(known, _)| known == name).map(|(_, values)| values.as_slice())
    }

    /// The sources of the first of these directives that is there.
    fn first_of(&self, names: &[&str]) -> Option<Sources<'_>> {
        names.iter().find_map(|name| self.get(name)).map(Sources)
    }

    pub(super) fn scripts(&self) -> Option<Sources<'_>> {
        self.first_of(&["script-src-elem", "script-src", "default-src"])
    }

    fn script_attributes(&self) -> Option<Sources<'_>> {
        self.first_of(&["script-src-attr", "script-src", "default-src"])
    }

    fn evaluation(&self) -> Option<Sources<'_>> {
        self.first_of(&["script-src", "default-src"])
    }

    fn styles(&self) -> Option<Sources<'_>> {
        self.first_of(&["style-src", "default-src"])
    }

    fn objects(&self) -> Option<Sources<'_>> {
        self.first_of(&["object-src", "default-src"])
    }

    fn is_known(&self) -> bool {
        self.directives.iter().any(|(name, _)| KNOWN.contains(&name.as_str()))
    }
}

/// A source list.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a>(&'a [String]);

impl Sources<'_> {
    fn has(self, keyword: &str) -> bool {
        self.0.iter().any(|source| source.eq_ignore_ascii_case(keyword))
    }

    fn has_nonce_or_hash(self) -> bool {
        let starts = ["'nonce-", "'sha256-", "'sha384-", "'sha512-"];
        self.0.iter().any(|source| {
            let lower = source.to_ascii_lowercase();
            starts.iter().any(|start| lower.starts_with(start) && lower.len() > start.len() + 1)
        })
    }

    fn strict_dynamic(self) -> bool {
        self.has("'strict-dynamic'")
    }

    /// Inline code runs: `'unsafe-inline'` that no nonce, hash or `'strict-dynamic'` switches off.
    fn inline(self) -> bool {
        self.has("'unsafe-inline'") && !self.has_nonce_or_hash() && !self.strict_dynamic()
    }

    /// Code from anywhere runs; host and scheme sources count nothing beside `'strict-dynamic'`.
    fn broad(self) -> bool {
        !self.strict_dynamic() && self.0.iter().any(|source| is_broad(source))
    }

    fn scheme(self, scheme: &str) -> bool {
        !self.strict_dynamic() && self.has(scheme)
    }
}

/// Whether a source matches any host.
fn is_broad(source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    if matches!(lower.as_str(), "*" | "http:" | "https:" | "ftp:" | "ws:" | "wss:") {
        return true;
    }
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or("");
    matches!(host, "*" | "*.*")
}

/// Whether a source is a wildcard over a whole public suffix, such as `*.com`.
fn is_suffix_wildcard(source: &str) -> bool {
    let lower = source.to_ascii_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or("");
    host.strip_prefix("*.").is_some_and(|rest| rest != "*" && !rest.is_empty() && registrable(rest).is_none())
}

/// The policies a page is served with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Policies {
    /// Enforced, from headers.
    pub(super) header: Vec<Policy>,
    /// Enforced, from `<meta>`, without what does not count there.
    pub(super) meta: Vec<Policy>,
    /// A `<meta>` policy said something only a header may say.
    pub(super) meta_frame_ancestors: bool,
    /// A header was there but held no directive.
    pub(super) empty: bool,
    pub(super) report_only: bool,
}

impl Policies {
    /// Reads the policies of a page; one that was not read as HTML has no `<meta>`.
    pub(super) fn of(page: &PageView<'_>) -> Self {
        let mut found =
            Self { report_only: page.hop.header("content-security-policy-report-only").is_some(), ..Self::default() };
        for value in
            page.hop.headers_named("content-security-policy").flat_map(|value| value.split(',')).take(POLICIES_MAX)
        {
            match Policy::parse(value) {
                Some(policy) => found.header.push(policy),
                None => found.empty = true,
            }
        }
        let metas = page.facts.page.iter().flat_map(|facts| &facts.metas);
        for (_, value) in
            metas.filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-security-policy")).take(POLICIES_MAX)
        {
            let Some(mut policy) = Policy::parse(value) else { continue };
            found.meta_frame_ancestors |= policy.get("frame-ancestors").is_some();
            policy.directives.retain(|(name, _)| !NOT_IN_META.contains(&name.as_str()));
            if !policy.directives.is_empty() {
                found.meta.push(policy);
            }
        }
        found
    }

    pub(super) fn enforced(&self) -> impl Iterator<Item = &Policy> {
        self.header.iter().chain(&self.meta)
    }

    pub(super) fn has(&self, directive: &str) -> bool {
        self.enforced().any(|policy| policy.get(directive).is_some())
    }

    /// Whether every policy allows it; one without the directive allows everything.
    fn all(&self, sources: impl Fn(&Policy) -> Option<Sources<'_>>, allowed: impl Fn(Sources<'_>) -> bool) -> bool {
        self.enforced().all(|policy| sources(policy).is_none_or(&allowed))
    }

    fn shown(&self) -> Value {
        let text = |policy: &Policy| {
            let directives = policy.directives.iter().map(|(name, values)| format!("{name} {}", values.join(" ")));
            cut(&directives.collect::<Vec<_>>().join("; "))
        };
        json!(self.enforced().take(3).map(text).collect::<Vec<_>>())
    }
}

/// The policies of the page; does not apply to one without any.
fn present(case: &Case<'_>) -> Result<Policies, Skip> {
    let page = case.page()?;
    page.html()?;
    let policies = Policies::of(&page);
    if policies.enforced().next().is_none() { Err(Skip::NotApplicable) } else { Ok(policies) }
}

/// HTTP-01: a policy that keeps foreign and inline code out.
pub(super) fn policy(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let html = page.html();
    let policies = Policies::of(&page);
    if policies.enforced().next().is_none() {
        html?;
        return Ok(if policies.empty {
            Verdict::fail(json!({ "state": "empty" }))
        } else if policies.report_only {
            Verdict::warn(json!({ "state": "report only" }))
        } else {
            Verdict::fail(json!({ "state": "absent" }))
        });
    }
    let mut wrong = Vec::new();
    if !policies.enforced().any(Policy::is_known) {
        wrong.push("no known directive");
    }
    let scripts = Policy::scripts;
    if policies.all(scripts, |sources| sources.inline()) {
        wrong.push("inline scripts run");
    }
    if policies.all(Policy::script_attributes, |sources| sources.inline()) && !wrong.contains(&"inline scripts run") {
        wrong.push("inline event handlers run");
    }
    if policies.all(scripts, |sources| sources.broad()) {
        wrong.push("scripts load from anywhere");
    }
    if policies.all(scripts, |sources| sources.scheme("data:")) {
        wrong.push("scripts run from data: URLs");
    }
    let mut weak = Vec::new();
    if policies.all(Policy::evaluation, |sources| sources.has("'unsafe-eval'")) {
        weak.push("eval is allowed");
    }
    if policies.all(Policy::styles, |sources| sources.inline() || sources.broad()) {
        weak.push("styles are unrestricted");
    }
    let idle = |sources: Sources<'_>| sources.strict_dynamic() && !sources.has_nonce_or_hash();
    if policies.enforced().filter_map(scripts).any(idle) {
        weak.push("'strict-dynamic' without a nonce or hash lets no script run");
    }
    let plain = |sources: Sources<'_>| {
        !sources.strict_dynamic() && sources.0.iter().any(|s| s.to_ascii_lowercase().starts_with("http://"))
    };
    if page.is_https() && policies.all(scripts, plain) {
        weak.push("scripts may load over http");
    }
    let evidence = json!({ "policies": policies.shown(), "wrong": wrong, "weak": weak });
    Ok(match (wrong.is_empty(), weak.is_empty()) {
        (false, _) => Verdict::fail(evidence),
        (true, false) => Verdict::warn(evidence),
        (true, true) => Verdict::pass(evidence),
    })
}

/// HTTP-14: plugins and `<base>` are restricted too.
pub(super) fn objects_and_base(case: &Case<'_>) -> Judged {
    let policies = present(case)?;
    let mut missing = Vec::new();
    if policies.all(Policy::objects, |sources| sources.broad()) {
        missing.push("object-src");
    }
    if policies.all(|policy| policy.get("base-uri").map(Sources), |sources| sources.broad()) {
        missing.push("base-uri");
    }
    let evidence = json!({ "missing": missing });
    Ok(if missing.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// HTTP-15: no source of scripts that anyone can fill: a whole public suffix, `data:`, `blob:`.
pub(super) fn script_sources(case: &Case<'_>) -> Judged {
    let policies = present(case)?;
    let suffix = |sources: Sources<'_>| !sources.strict_dynamic() && sources.0.iter().any(|s| is_suffix_wildcard(s));
    // A broad source in the other policies lets the wildcard through as well.
    let fails = policies.enforced().filter_map(Policy::scripts).any(suffix)
        && policies.all(Policy::scripts, |sources| suffix(sources) || sources.broad());
    let data = policies.all(Policy::scripts, |sources| sources.scheme("data:"))
        && policies.enforced().any(|policy| policy.scripts().is_some());
    let blob = policies.all(Policy::scripts, |sources| sources.scheme("blob:"))
        && policies.enforced().any(|policy| policy.scripts().is_some());
    let evidence = json!({ "public_suffix": fails, "data": data, "blob": blob, "policies": policies.shown() });
    Ok(if fails || data {
        Verdict::fail(evidence)
    } else if blob {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// What `frame-ancestors` of the headers says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ancestors {
    Absent,
    Restricted,
    Anyone,
}

/// What all header policies together say of framing.
pub(super) fn ancestors(policies: &Policies) -> Ancestors {
    let lists: Vec<&[String]> = policies.header.iter().filter_map(|policy| policy.get("frame-ancestors")).collect();
    if lists.is_empty() {
        Ancestors::Absent
    } else if lists.iter().all(|list| list.iter().any(|source| is_broad(source) || is_suffix_wildcard(source))) {
        Ancestors::Anyone
    } else {
        Ancestors::Restricted
    }
}

/// HTTP-16: `frame-ancestors` does what its author thinks: in a header, and not for everyone.
pub(super) fn frame_ancestors(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    page.html()?;
    let policies = Policies::of(&page);
    match (ancestors(&policies), policies.meta_frame_ancestors) {
        (Ancestors::Anyone, _) => Ok(Verdict::fail(json!({ "state": "permissive", "policies": policies.shown() }))),
        (Ancestors::Absent, true) => Ok(Verdict::fail(json!({ "state": "in <meta> only, where browsers ignore it" }))),
        (Ancestors::Absent, false) => Err(Skip::NotApplicable),
        (Ancestors::Restricted, _) => Ok(Verdict::pass(json!({ "policies": policies.shown() }))),
    }
}

#[cfg(test)]
mod tests;
