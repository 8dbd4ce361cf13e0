//! The Content Security Policy test of MDN HTTP Observatory, algorithm 6, with its own way of reading and intersecting
//! policies. It is kept apart from our parser on purpose: this one must agree with Observatory, also where it is wrong.

use indexmap::{IndexMap, IndexSet};

use super::{Algorithm, Scheme};

/// Shortest policy it accepts, in characters.
const SHORTEST: usize = 6;
const BROAD: &[&str] = &["ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"];
const INLINE: &[&str] = &["'unsafe-inline'", "data:"];
const NONCES_HASHES: &[&str] = &["'sha256-", "'sha384-", "'sha512-", "'nonce-"];
const NOT_IN_META: &[&str] = &["frame-ancestors", "report-uri", "sandbox"];
const ALLOWED_TWICE: &[&str] = &["report-uri", "report-to"];

type Directives = IndexMap<String, IndexSet<String>>;

/// What the test says.
pub(super) struct CspResult {
    pub(super) result: &'static str,
    /// The policy has `frame-ancestors`, wherever it stands: Observatory's framing test takes it.
    pub(super) frame_ancestors: bool,
}

impl CspResult {
    const fn early(result: &'static str) -> Self {
        Self { result, frame_ancestors: false }
    }
}

/// The policy set is broken.
struct Invalid;

struct Parsed {
    directives: Directives,
    duplicates: bool,
}

#[derive(Clone)]
struct Source {
    text: String,
    policy: usize,
    keep: bool,
}

/// Policies raw as they came.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) header: &'a [&'a str],
    pub(super) meta: &'a [&'a str],
}

/// Judges the policies of headers and `<meta>`, raw as they came.
pub(super) fn judge(sent: Sent<'_>, report_only: Option<&str>, https: Scheme, algorithm: Algorithm) -> CspResult {
    // Algorithm 4 takes several policies in one header for one broken policy.
    let split = |raw: &[&str]| -> Vec<String> {
        let whole = raw.iter().map(|value| (*value).to_owned());
        match algorithm {
            Algorithm::Four => whole.collect(),
            _ => raw.iter().flat_map(|value| value.split(',')).map(|part| part.trim().to_owned()).collect(),
        }
    };
    let (header, meta) = (split(sent.header), split(sent.meta));
    let all: Vec<String> = header.iter().chain(&meta).cloned().collect();
    let Ok(csp) = parse(&all) else { return CspResult::early("csp-header-invalid") };
    let size = |parsed: Result<Parsed, Invalid>| parsed.map_or(Directives::new(), |parsed| parsed.directives);
    let mut in_meta = size(parse(&meta));
    in_meta.retain(|name, _| !NOT_IN_META.contains(&name.as_str()));
    if size(parse(&header)).len() + in_meta.len() == 0 {
        let reporting = report_only.is_some_and(|value| !value.is_empty());
        return CspResult::early(if reporting {
            "csp-not-implemented-but-reporting-enabled"
        } else {
            "csp-not-implemented"
        });
    }
    let frame_ancestors = csp.directives.contains_key("frame-ancestors");
    let result = grade(csp.directives, https);
    let passes = matches!(
        result,
        "csp-implemented-with-no-unsafe"
            | "csp-implemented-with-no-unsafe-default-src-none"
            | "csp-implemented-with-unsafe-inline-in-style-src-only"
            | "csp-implemented-with-insecure-scheme-in-passive-content-only"
    );
    let result = if passes && csp.duplicates { "csp-implemented-but-duplicate-directives" } else { result };
    CspResult { result, frame_ancestors }
}

/// The sources of the first of two directives that is there; everything when neither is.
struct Slot {
    name: Option<&'static str>,
    loose: IndexSet<String>,
}

impl Slot {
    fn of(csp: &Directives, name: &'static str) -> Self {
        let name = [name, "default-src"].into_iter().find(|name| csp.contains_key(*name));
        Self { name, loose: IndexSet::from(["*".to_owned()]) }
    }
    fn get<'a>(&'a self, csp: &'a Directives) -> &'a IndexSet<String> {
        self.name.and_then(|name| csp.get(name)).unwrap_or(&self.loose)
    }
    /// Changes reach every directive that falls back to the same list, as in the original.
    fn get_mut<'a>(&'a mut self, csp: &'a mut Directives) -> &'a mut IndexSet<String> {
        match self.name.and_then(|name| csp.get_mut(name)) {
            Some(sources) => sources,
            None => &mut self.loose,
        }
    }
}

fn grade(mut csp: Directives, scheme: Scheme) -> &'static str {
    let object = Slot::of(&csp, "object-src");
    let mut script = Slot::of(&csp, "script-src");
    let mut style = Slot::of(&csp, "style-src");
    for slot in [&mut script, &mut style] {
        if nonce_or_hash(slot.get(&csp)) {
            slot.get_mut(&mut csp).shift_remove("'unsafe-inline'");
        }
    }
    let strict = script.get(&csp).contains("'strict-dynamic'");
    let guarded = nonce_or_hash(script.get(&csp));
    if strict && guarded {
        script.get_mut(&mut csp).retain(|source| {
            !BROAD.iter().any(|broad| source.starts_with(broad)) && source != "'self'" && source != "'unsafe-inline'"
        });
    } else if strict {
        return "csp-header-invalid";
    }
    let https = scheme == Scheme::Https;
    let insecure = |source: &String| source.starts_with("http:") || source.starts_with("ftp:");
    let has = |sources: &IndexSet<String>, list: &[&str]| sources.iter().any(|source| list.contains(&source.as_str()));
    let (scripts, styles, objects) = (script.get(&csp), style.get(&csp), object.get(&csp));
    if has(scripts, BROAD) || has(scripts, INLINE) || has(objects, BROAD) {
        return "csp-implemented-with-unsafe-inline";
    }
    let active = |name: &str| !matches!(name, "img-src" | "media-src" | "script-src");
    let mut active = csp.iter().filter(|(name, _)| active(name)).flat_map(|(_, sources)| sources).chain(scripts);
    if https && active.any(insecure) {
        return "csp-implemented-with-insecure-scheme";
    }
    if scripts.contains("'unsafe-eval'") || styles.contains("'unsafe-eval'") {
        return "csp-implemented-with-unsafe-eval";
    }
    let passive = |name: &str| csp.get(name).or_else(|| csp.get("default-src"));
    if https && [passive("img-src"), passive("media-src")].into_iter().flatten().flatten().any(insecure) {
        return "csp-implemented-with-insecure-scheme-in-passive-content-only";
    }
    if has(styles, BROAD) || has(styles, INLINE) {
        return "csp-implemented-with-unsafe-inline-in-style-src-only";
    }
    let none = csp.get("default-src").is_some_and(|sources| sources.len() == 1 && sources.contains("'none'"));
    if none { "csp-implemented-with-no-unsafe-default-src-none" } else { "csp-implemented-with-no-unsafe" }
}

fn nonce_or_hash(sources: &IndexSet<String>) -> bool {
    sources.iter().any(|source| NONCES_HASHES.iter().any(|start| source.starts_with(start)))
}

fn parse(policies: &[String]) -> Result<Parsed, Invalid> {
    let clean: Vec<String> = policies.iter().map(|p| p.replace(['\r', '\n'], "").trim().to_owned()).collect();
    if clean.iter().any(|policy| policy.chars().count() < SHORTEST) {
        return Err(Invalid);
    }
    let mut csp: IndexMap<String, Vec<Source>> = IndexMap::new();
    let mut duplicates = false;
    for (index, policy) in clean.iter().enumerate() {
        let mut seen: IndexSet<String> = IndexSet::new();
        for entry in policy.split(';') {
            let mut words = entry.split_whitespace();
            let Some(name) = words.next() else { continue };
            let name = name.to_lowercase();
            if !seen.insert(name.clone()) {
                if !ALLOWED_TWICE.contains(&name.as_str()) {
                    return Err(Invalid);
                }
                duplicates = true;
            }
            let source = |text: String| Source { text, policy: index, keep: index == 0 };
            let mut values: Vec<Source> = words.map(|word| source(word.to_lowercase())).collect();
            if values.is_empty() && name.ends_with("-src") {
                values.push(source("'none'".to_owned()));
            }
            let combined = match csp.get(&name) {
                Some(earlier) if index > 0 => earlier.iter().cloned().chain(values).collect(),
                _ => values,
            };
            let mut kept = prune(combined)?;
            if index == 0 && policies.len() > 1 {
                kept.iter_mut().for_each(|source| source.keep = false);
            }
            csp.insert(name, kept);
        }
    }
    let flat = |sources: Vec<Source>| {
        if sources.is_empty() {
            IndexSet::from(["'none'".to_owned()])
        } else {
            sources.into_iter().map(|source| source.text).collect()
        }
    };
    Ok(Parsed { directives: csp.into_iter().map(|(name, sources)| (name, flat(sources))).collect(), duplicates })
}

/// Drops what a shorter source of the same policy covers and, with several policies, what only one of them has.
fn prune(mut sources: Vec<Source>) -> Result<Vec<Source>, Invalid> {
    sources.sort_by_cached_key(|source| collation(&source.text));
    for index in 1..sources.len() {
        let (before, rest) = sources.split_at_mut(index);
        let (Some(previous), Some(source)) = (before.last(), rest.first_mut()) else { continue };
        if source.policy == previous.policy {
            if source.text.starts_with(&previous.text) {
                source.keep = false;
            }
        } else if path_matches(&previous.text, &source.text)? {
            source.keep = true;
        }
    }
    sources.retain(|source| source.keep);
    Ok(sources)
}

/// A sort key near to the collation of English: punctuation, then digits, then letters.
fn collation(text: &str) -> Vec<(u8, char)> {
    const PUNCTUATION: &str = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let weight = |c: char| match PUNCTUATION.find(c) {
        Some(place) => (place as u8, c),
        None if c.is_ascii_digit() => (100, c),
        None => (200, c),
    };
    text.chars().map(weight).collect()
}

fn path_matches(a: &str, b: &str) -> Result<bool, Invalid> {
    if a.is_empty() || (a == "/" && b.is_empty()) {
        return Ok(true);
    }
    let exact = !a.ends_with('/');
    let mut parts: Vec<&str> = a.split('/').collect();
    let others: Vec<&str> = b.split('/').collect();
    if parts.len() > others.len() || (exact && parts.len() != others.len()) {
        return Ok(false);
    }
    if !exact {
        parts.pop();
    }
    for (part, other) in parts.iter().zip(&others) {
        if decode(part)? != decode(other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// `decodeURIComponent`.
fn decode(text: &str) -> Result<String, Invalid> {
    let (bytes, mut out, mut place) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while let Some(&byte) = bytes.get(place) {
        if byte == b'%' {
            let digits = text.get(place + 1..place + 3).ok_or(Invalid)?;
            out.push(u8::from_str_radix(digits, 16).map_err(|_| Invalid)?);
            place += 3;
        } else {
            out.push(byte);
            place += 1;
        }
    }
    String::from_utf8(out).map_err(|_| Invalid)
}
