//! A policy as csp-evaluator reads it. It must *not* judge.

use indexmap::IndexMap;

const KEYWORDS: &[&str] = &[
    "'self'",
    "'none'",
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'wasm-eval'",
    "'wasm-unsafe-eval'",
    "'strict-dynamic'",
    "'unsafe-hashed-attributes'",
    "'unsafe-hashes'",
    "'report-sample'",
    "'block'",
    "'allow'",
    "'inline-speculation-rules'",
];
const FETCH: &[&str] = &[
    "child-src",
    "connect-src",
    "default-src",
    "font-src",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "worker-src",
];
const OTHERS: &[&str] = &[
    "prefetch-src",
    "base-uri",
    "plugin-types",
    "sandbox",
    "disown-opener",
    "form-action",
    "frame-ancestors",
    "navigate-to",
    "report-to",
    "report-uri",
    "block-all-mixed-content",
    "upgrade-insecure-requests",
    "reflected-xss",
    "referrer",
    "require-sri-for",
    "trusted-types",
    "require-trusted-types-for",
    "webrtc",
];

/// Directives in order, each with its distinct values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy(IndexMap<String, Vec<String>>);

impl Policy {
    pub(super) fn parse(text: &str) -> Self {
        let mut all: IndexMap<String, Vec<String>> = IndexMap::new();
        for token in text.split(';') {
            let mut parts = token.split_whitespace();
            let Some(name) = parts.next().map(str::to_lowercase) else { continue };
            if all.contains_key(&name) {
                continue;
            }
            let mut values: Vec<String> = Vec::new();
            for value in parts.map(normal) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            all.insert(name, values);
        }
        Self(all)
    }

    pub(super) fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    pub(super) fn values(&self, name: &str) -> &[String] {
        self.get(name).unwrap_or(&[])
    }

    pub(super) fn has(&self, name: &str, value: &str) -> bool {
        self.values(name).iter().any(|known| known == value)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// The directive that decides for this one.
    pub(super) fn effective_name<'a>(&self, name: &'a str) -> &'a str {
        let there = |name: &str| self.0.contains_key(name);
        match name {
            name if there(name) => name,
            "script-src-attr" | "script-src-elem" if there("script-src") => "script-src",
            "style-src-attr" | "style-src-elem" if there("style-src") => "style-src",
            name if FETCH.contains(&name) => "default-src",
            name => name,
        }
    }

    /// The same of several, each once.
    pub(super) fn effective_names<'a>(&self, names: &[&'a str]) -> Vec<&'a str> {
        let mut all: Vec<&str> = Vec::new();
        for name in names.iter().map(|name| self.effective_name(name)) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    pub(super) fn has_nonce(&self, name: &str) -> bool {
        self.values(self.effective_name(name)).iter().any(|value| is_nonce(value))
    }

    pub(super) fn has_hash(&self, name: &str) -> bool {
        self.values(self.effective_name(name)).iter().any(|value| is_hash(value))
    }

    pub(super) fn is_strict_dynamic(&self, name: &str) -> bool {
        self.has(self.effective_name(name), "'strict-dynamic'")
    }

    /// The policy as a browser of level 3 sees it. What is ignored is told for each of the three directives asked, so more
    /// than once where they share one, as in the original.
    pub(super) fn effective(&self, mut ignored: impl FnMut(&'static str, &str, &str)) -> Self {
        let mut out = self.clone();
        for wanted in ["script-src", "script-src-attr", "script-src-elem"] {
            let name = out.effective_name(wanted);
            let values = self.values(name);
            if out.get(name).is_none() {
                continue;
            }
            if (out.has_nonce(name) || out.has_hash(name)) && self.has(name, "'unsafe-inline'") {
                out.remove(name, "'unsafe-inline'");
                ignored("IGNORED", name, "'unsafe-inline'");
            }
            if self.is_strict_dynamic(name) {
                let drops =
                    |value: &&String| !value.starts_with('\'') || *value == "'self'" || *value == "'unsafe-inline'";
                for value in values.iter().filter(drops) {
                    out.remove(name, value);
                    ignored("IGNORED", name, value);
                }
            }
        }
        out
    }

    fn remove(&mut self, name: &str, value: &str) {
        if let Some(values) = self.0.get_mut(name)
            && let Some(at) = values.iter().position(|known| known == value)
        {
            values.remove(at);
        }
    }
}

fn normal(value: &str) -> String {
    let lower = value.to_lowercase();
    if is_keyword(&lower) || is_scheme(value) { lower } else { value.to_owned() }
}

pub(super) fn is_directive(name: &str) -> bool {
    FETCH.contains(&name) || OTHERS.contains(&name)
}

pub(super) fn is_keyword(value: &str) -> bool {
    KEYWORDS.contains(&value)
}

/// Whether it is a keyword whose ticks were forgotten.
pub(super) fn without_ticks(value: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.trim_matches('\'') == value)
}

pub(super) fn is_scheme(value: &str) -> bool {
    let Some(scheme) = value.strip_suffix(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-'))
}

pub(super) fn is_nonce(value: &str) -> bool {
    value.strip_prefix("'nonce-").is_some_and(is_base64)
}

pub(super) fn is_hash(value: &str) -> bool {
    ["'sha256-", "'sha384-", "'sha512-"].iter().any(|start| value.strip_prefix(start).is_some_and(is_base64))
}

/// Base64 digits, at most two `=`, and the closing tick.
fn is_base64(rest: &str) -> bool {
    let Some(text) = rest.strip_suffix('\'') else { return false };
    let digits = text.trim_end_matches('=');
    text.len() - digits.len() <= 2
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-'))
}
