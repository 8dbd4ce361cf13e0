//! Findings of csp-evaluator 1.1.8 for a policy, under its names, for CSP level 3. It must *not* judge on its own: this agrees
//! with the named tool also where it is wrong.
//!
//! Hosts known to serve JSONP or Angular come from that project (Apache-2.0); the file says so.

mod policy;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use url::Url;

use policy::{Policy, is_directive, is_hash, is_keyword, is_nonce, is_scheme, without_ticks};

/// Findings kept of one policy.
const FINDINGS_MAX: usize = 2_000;
/// Longest policy read, in bytes.
const POLICY_MAX_BYTES: usize = 64 << 10;

/// One finding, as the tool names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub severity: &'static str,
    pub directive: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

#[derive(Deserialize)]
struct Bypasses {
    needs_eval: Vec<String>,
    jsonp: Vec<String>,
    angular: Vec<String>,
    flash: Vec<String>,
}

static BYPASSES: LazyLock<Option<Bypasses>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../data/csp_bypasses.json")).ok());

/// What the tool's default checks find; `None` when it ends in an error instead (a source that is no URL at all).
#[must_use]
pub fn findings(policy: &str) -> Option<Vec<Finding>> {
    let parsed = Policy::parse(crate::tokens::cut(policy, POLICY_MAX_BYTES));
    let mut all = Findings(Vec::new());
    let effective = parsed.effective(|kind, directive, value| all.add(kind, "NONE", directive, Some(value)));
    all.inline(&effective);
    all.plain(&effective, "'unsafe-eval'", ("SCRIPT_UNSAFE_EVAL", "MEDIUM_MAYBE"));
    all.schemes(&effective);
    all.wildcards(&effective);
    all.missing(&effective);
    all.script_bypass(&effective)?;
    all.object_bypass(&effective)?;
    all.addresses(&effective)?;
    all.nonces(&effective);
    all.plain_http(&effective);
    all.deprecated(&effective);
    all.syntax(&effective);
    Some(all.0)
}

/// A host in the policy that serves JSONP or Angular, by the tool's list: what it lets in runs whatever the list says.
#[must_use]
pub fn bypass_hosts(policy: &str) -> Vec<String> {
    let all = findings(policy).unwrap_or_default();
    let known = all.into_iter().filter(|found| found.kind == "SCRIPT_ALLOWLIST_BYPASS" && found.severity == "HIGH");
    known.filter_map(|found| found.value).collect()
}

struct Findings(Vec<Finding>);

const XSS: &[&str] = &["script-src", "script-src-attr", "script-src-elem", "object-src", "base-uri"];
const SCRIPTS: &[&str] = &["script-src", "script-src-attr", "script-src-elem"];

impl Findings {
    fn add(&mut self, kind: &'static str, severity: &'static str, directive: &str, value: Option<&str>) {
        if self.0.len() < FINDINGS_MAX {
            self.0.push(Finding { kind, severity, directive: directive.to_owned(), value: value.map(str::to_owned) });
        }
    }

    fn inline(&mut self, policy: &Policy) {
        for directive in policy.effective_names(SCRIPTS) {
            for (keyword, kind, severity) in [
                ("'unsafe-inline'", "SCRIPT_UNSAFE_INLINE", "HIGH"),
                ("'unsafe-hashes'", "SCRIPT_UNSAFE_HASHES", "MEDIUM_MAYBE"),
            ] {
                if policy.has(directive, keyword) {
                    self.add(kind, severity, directive, Some(keyword));
                }
            }
        }
    }

    fn plain(&mut self, policy: &Policy, keyword: &str, what: (&'static str, &'static str)) {
        for directive in policy.effective_names(SCRIPTS) {
            if policy.has(directive, keyword) {
                self.add(what.0, what.1, directive, Some(keyword));
            }
        }
    }

    fn schemes(&mut self, policy: &Policy) {
        for directive in policy.effective_names(XSS) {
            for value in
                policy.values(directive).iter().filter(|value| ["data:", "http:", "https:"].contains(&value.as_str()))
            {
                self.add("PLAIN_URL_SCHEMES", "HIGH", directive, Some(value));
            }
        }
    }

    fn wildcards(&mut self, policy: &Policy) {
        for directive in policy.effective_names(XSS) {
            for value in policy.values(directive).iter().filter(|value| without_scheme(value) == "*") {
                self.add("PLAIN_WILDCARD", "HIGH", directive, Some(value));
            }
        }
    }

    fn missing(&mut self, policy: &Policy) {
        let objects = policy.get("object-src").or_else(|| policy.get("default-src"));
        if objects.is_none_or(<[String]>::is_empty) {
            self.add("MISSING_DIRECTIVES", "HIGH", "object-src", None);
        }
        if policy.get("script-src").is_none() && policy.get("default-src").is_none() {
            self.add("MISSING_DIRECTIVES", "HIGH", "script-src", None);
        }
        let needs =
            policy.has_nonce("script-src") || (policy.has_hash("script-src") && policy.is_strict_dynamic("script-src"));
        if needs && policy.get("base-uri").is_none() {
            self.add("MISSING_DIRECTIVES", "HIGH", "base-uri", None);
        }
    }

    fn script_bypass(&mut self, policy: &Policy) -> Option<()> {
        let lists = BYPASSES.as_ref()?;
        for directive in policy.effective_names(&["script-src", "script-src-elem"]) {
            let values = policy.values(directive);
            if values.iter().any(|value| value == "'none'") {
                continue;
            }
            for value in values {
                if value == "'self'" {
                    self.add("SCRIPT_ALLOWLIST_BYPASS", "MEDIUM_MAYBE", directive, Some(value));
                }
                if value.starts_with('\'') || is_scheme(value) || !value.contains('.') {
                    continue;
                }
                let angular = matching(value, &lists.angular)?;
                let jsonp = matching(value, &lists.jsonp)?.filter(|host| {
                    !lists.needs_eval.contains(host) || values.iter().any(|value| value == "'unsafe-eval'")
                });
                let severity = if angular.is_some() || jsonp.is_some() { "HIGH" } else { "MEDIUM_MAYBE" };
                self.add("SCRIPT_ALLOWLIST_BYPASS", severity, directive, Some(value));
            }
        }
        Some(())
    }

    fn object_bypass(&mut self, policy: &Policy) -> Option<()> {
        let lists = BYPASSES.as_ref()?;
        let directive = policy.effective_name("object-src");
        let plugins = policy.get("plugin-types");
        if plugins.is_some_and(|kinds| !kinds.iter().any(|kind| kind == "application/x-shockwave-flash")) {
            return Some(());
        }
        let before = self.0.len();
        for value in policy.values(directive) {
            if value == "'none'" {
                self.0.truncate(before);
                return Some(());
            }
            if matching(value, &lists.flash)?.is_some() {
                self.add("OBJECT_ALLOWLIST_BYPASS", "HIGH", directive, Some(value));
            } else if directive == "object-src" {
                self.add("OBJECT_ALLOWLIST_BYPASS", "MEDIUM_MAYBE", directive, Some(value));
            }
        }
        Some(())
    }

    fn addresses(&mut self, policy: &Policy) -> Option<()> {
        for (directive, values) in policy.all() {
            for value in values {
                let host = host_of(value)?;
                let six = host.starts_with('[') && host.ends_with(']');
                let four = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                if six || four {
                    self.add("IP_SOURCE", "INFO", directive, Some(value));
                }
            }
        }
        Some(())
    }

    fn nonces(&mut self, policy: &Policy) {
        for (directive, values) in policy.all() {
            for value in values {
                let nonce = value.strip_prefix("'nonce-").and_then(|rest| rest.strip_suffix('\''));
                let Some(nonce) = nonce.filter(|nonce| !nonce.is_empty()) else { continue };
                if nonce.encode_utf16().count() < 8 {
                    self.add("NONCE_LENGTH", "MEDIUM", directive, Some(value));
                }
                if !is_nonce(value) {
                    self.add("NONCE_CHARSET", "INFO", directive, Some(value));
                }
            }
        }
    }

    fn plain_http(&mut self, policy: &Policy) {
        for (directive, values) in policy.all() {
            for value in values.iter().filter(|value| value.starts_with("http://")) {
                self.add("SRC_HTTP", "MEDIUM", directive, Some(value));
            }
        }
    }

    fn deprecated(&mut self, policy: &Policy) {
        for name in ["reflected-xss", "referrer", "disown-opener", "prefetch-src"] {
            if policy.get(name).is_some() {
                self.add("DEPRECATED_DIRECTIVE", "INFO", name, None);
            }
        }
    }

    fn syntax(&mut self, policy: &Policy) {
        for (directive, _) in policy.all().filter(|(directive, _)| !is_directive(directive)) {
            self.add("UNKNOWN_DIRECTIVE", "SYNTAX", directive, None);
        }
        for (directive, values) in policy.all() {
            for value in values.iter().filter(|value| is_directive(value)) {
                self.add("MISSING_SEMICOLON", "SYNTAX", directive, Some(value));
            }
        }
        for (directive, values) in policy.all() {
            for value in values.iter().filter(|value| is_bad_keyword(directive, value)) {
                self.add("INVALID_KEYWORD", "SYNTAX", directive, Some(value));
            }
        }
    }
}

fn is_bad_keyword(directive: &str, value: &str) -> bool {
    let hash = ["sha256-", "sha384-", "sha512-"].iter().any(|start| value.starts_with(start));
    if without_ticks(value) || value.starts_with("nonce-") || hash {
        return true;
    }
    if !value.starts_with('\'') {
        return false;
    }
    match directive {
        "require-trusted-types-for" => value != "'script'",
        "trusted-types" => value != "'allow-duplicates'" && value != "'none'",
        _ => !(is_keyword(value) || is_hash(value) || is_nonce(value)),
    }
}

/// A source without its scheme.
fn without_scheme(url: &str) -> &str {
    let rest = url.split_once("://").filter(|(scheme, _)| {
        let mut bytes = scheme.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'.' | b'-'))
    });
    let rest = rest.map_or(url, |(_, rest)| rest);
    rest.strip_prefix("//").unwrap_or(rest)
}

const PLACEHOLDER: &str = "wildcard_placeholder";

fn host_of(source: &str) -> Option<String> {
    let text = without_scheme(source).replacen(":*", "", 1).replacen('*', PLACEHOLDER, 1);
    let url = Url::parse(&format!("https://{text}")).ok()?;
    Some(url.host_str().unwrap_or("").replacen(PLACEHOLDER, "*", 1))
}

/// The host of the first listed address that a source allows. The outer `None` is the tool's error.
#[expect(clippy::option_option, reason = "the outer one is the tool's failure, the inner one its answer")]
fn matching(source: &str, listed: &[String]) -> Option<Option<String>> {
    let text = without_scheme(source).replacen(":*", "", 1).replacen('*', PLACEHOLDER, 1);
    let allowed = Url::parse(&format!("https://{text}")).ok()?;
    let host = allowed.host_str().unwrap_or("").to_ascii_lowercase();
    let wild = host.starts_with("wildcard_placeholder.");
    let plain = host.strip_prefix(PLACEHOLDER).unwrap_or(&host);
    let path = allowed.path();
    for entry in listed {
        let Ok(url) = Url::parse(&format!("https:{entry}")) else { continue };
        let domain = url.host_str().unwrap_or("");
        if !domain.ends_with(plain) || (!wild && host != domain) {
            continue;
        }
        let fits = path == "/" || if path.ends_with('/') { url.path().starts_with(path) } else { url.path() == path };
        if fits {
            return Some(Some(domain.to_owned()));
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests;
