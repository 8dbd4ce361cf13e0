//! Known libraries in scripts and what is wrong with them, by retire.js's own rules and repository (version 4 and its
//! successors). It must *not* know where scripts come from.
//!
//! The extractors `uri`, `filename`, `filecontent`, `filecontentreplace` and `hashes` are evaluated; `func` and `ast` need a
//! browser or a syntax tree and are not. The repository is the operator's file: it changes weekly.

mod pattern;
mod version;

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use indexmap::IndexMap;
use regex::bytes::Regex;
use riskgraph_domain::observation::{LibraryFacts, LibraryFlaw};
use serde::Deserialize;
use sha1::{Digest as _, Sha1};

use pattern::Pattern;
pub use version::is_at_or_above;

/// Longest repository read; the largest published one is below 2 MiB.
const REPOSITORY_MAX_BYTES: usize = 16 << 20;
/// Longest script looked into.
const SCRIPT_MAX_BYTES: usize = 4 << 20;
/// Matches taken of one pattern in one script.
const MATCHES_MAX: usize = 20;
/// Longest summary kept, in characters.
const SUMMARY_MAX_CHARS: usize = 300;
/// Flaws kept of one library.
const FLAWS_MAX: usize = 50;

/// Why a file is no repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRepository {
    #[error("it has {0} bytes; at most {REPOSITORY_MAX_BYTES} are read")]
    TooLarge(usize),
    #[error("it is no retire.js repository: {0}")]
    Unreadable(String),
}

/// A script as a scanner meets it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Script<'a> {
    pub url: Option<&'a str>,
    pub text: Option<&'a str>,
}

/// The libraries a repository knows.
#[derive(Debug)]
pub struct Repository {
    names: Vec<String>,
    flaws: Vec<Vec<Flaw>>,
    uri: Vec<(usize, Pattern)>,
    filename: Vec<(usize, Pattern)>,
    content: Filtered,
    replace: Vec<(usize, Pattern, String)>,
    hashes: BTreeMap<String, (usize, String)>,
    /// Patterns that could not be read, for whoever maintains the file.
    pub unreadable: Vec<String>,
}

/// Content patterns, of which most are ruled out by a text they cannot match without.
#[derive(Debug, Default)]
struct Filtered {
    patterns: Vec<(usize, Pattern)>,
    /// Patterns by the needle that must be there.
    by_needle: Vec<Vec<usize>>,
    needles: Option<AhoCorasick>,
    /// Those without a needle.
    always: Vec<usize>,
}

#[derive(Debug, Deserialize)]
struct Component {
    #[serde(default)]
    vulnerabilities: Vec<Flaw>,
    #[serde(default)]
    extractors: Extractors,
}

#[derive(Debug, Default, Deserialize)]
struct Extractors {
    #[serde(default)]
    uri: Vec<String>,
    #[serde(default)]
    filename: Vec<String>,
    #[serde(default)]
    filecontent: Vec<String>,
    #[serde(default)]
    filecontentreplace: Vec<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flaw {
    below: Option<String>,
    at_or_above: Option<String>,
    /// Versions that carry the fix although their number says otherwise: back-ported builds.
    #[serde(default)]
    excludes: Vec<String>,
    #[serde(default)]
    severity: Option<String>,
    #[serde(default)]
    identifiers: BTreeMap<String, serde_json::Value>,
}

impl Repository {
    /// Reads a repository.
    ///
    /// # Errors
    /// When it is too large or no such file. Patterns that cannot be read are listed, not fatal.
    pub fn read(text: &str) -> Result<Self, BadRepository> {
        if text.len() > REPOSITORY_MAX_BYTES {
            return Err(BadRepository::TooLarge(text.len()));
        }
        let unreadable = |error: serde_json::Error| BadRepository::Unreadable(error.to_string());
        let raw: IndexMap<String, serde_json::Value> = serde_json::from_str(text).map_err(unreadable)?;
        let mut this = Self {
            names: Vec::new(),
            flaws: Vec::new(),
            uri: Vec::new(),
            filename: Vec::new(),
            content: Filtered::default(),
            replace: Vec::new(),
            hashes: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        for (name, value) in raw {
            // A successor's new kinds of entries must not make the whole file unreadable.
            match serde_json::from_value::<Component>(value) {
                Ok(component) => this.add(name, component),
                Err(error) => this.unreadable.push(format!("{name}: {error}")),
            }
        }
        this.content.build();
        Ok(this)
    }

    fn add(&mut self, name: String, component: Component) {
        let place = self.names.len();
        let Extractors { uri, filename, filecontent, filecontentreplace, hashes } = component.extractors;
        let mut compile = |text: &str, whole: bool| {
            let read = Pattern::new(text, whole);
            if read.is_none() {
                self.unreadable.push(format!("{name}: {text}"));
            }
            read
        };
        self.uri.extend(uri.iter().filter_map(|text| compile(text, false)).map(|pattern| (place, pattern)));
        self.filename.extend(filename.iter().filter_map(|text| compile(text, true)).map(|pattern| (place, pattern)));
        let content = filecontent.iter().filter_map(|text| compile(text, false));
        self.content.patterns.extend(content.map(|pattern| (place, pattern)));
        for text in &filecontentreplace {
            let parts = pattern::replacement(text);
            if let Some((search, with)) = parts
                && let Some(pattern) = compile(&search, false)
            {
                self.replace.push((place, pattern, with));
            }
        }
        self.hashes.extend(hashes.into_iter().map(|(hash, version)| (hash, (place, version))));
        self.names.push(name);
        self.flaws.push(component.vulnerabilities);
    }

    /// The libraries of a script, with the flaws of their versions.
    #[must_use]
    pub fn scan(&self, script: Script<'_>) -> Vec<LibraryFacts> {
        let mut found: IndexMap<(usize, String), Vec<&'static str>> = IndexMap::new();
        let mut note = |place: usize, version: String, how: &'static str| {
            let ways = found.entry((place, trim(&version))).or_default();
            if !ways.contains(&how) {
                ways.push(how);
            }
        };
        if let Some(url) = script.url {
            for (place, version) in matches(&self.uri, url.as_bytes()) {
                note(place, version, "uri");
            }
            let path = url.split(['?', '#']).next().unwrap_or(url);
            let name = path.rsplit(['/', '\\']).next().unwrap_or("");
            for (place, version) in matches(&self.filename, name.as_bytes()) {
                note(place, version, "filename");
            }
        }
        if let Some(text) = script.text {
            for (place, version, how) in self.scan_text(text) {
                note(place, version, how);
            }
        }
        found.into_iter().map(|((place, version), ways)| self.library(place, version, &ways)).collect()
    }

    /// By content; by replacement where that finds nothing; by hash where that finds nothing either.
    fn scan_text(&self, text: &str) -> Vec<(usize, String, &'static str)> {
        let text = crate::tokens::cut(text, SCRIPT_MAX_BYTES);
        let unified =
            if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() };
        let bytes = unified.as_bytes();
        let named = |found: Vec<(usize, String)>, how| found.into_iter().map(move |(place, v)| (place, v, how));
        let by_content: Vec<_> = named(self.content.scan(bytes), "filecontent").collect();
        if !by_content.is_empty() {
            return by_content;
        }
        let by_replacement: Vec<_> = self
            .replace
            .iter()
            .flat_map(|(place, pattern, with)| {
                pattern.expand(bytes, with).into_iter().map(|v| (*place, v, "filecontent"))
            })
            .take(MATCHES_MAX)
            .collect();
        if !by_replacement.is_empty() || self.hashes.is_empty() {
            return by_replacement;
        }
        let digest = Sha1::digest(bytes);
        let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.hashes.get(&hash).map(|(place, version)| (*place, version.clone(), "hash")).into_iter().collect()
    }

    fn library(&self, place: usize, version: String, ways: &[&'static str]) -> LibraryFacts {
        let flaws = self.flaws.get(place).into_iter().flatten().filter(|flaw| flaw.hits(&version));
        LibraryFacts {
            component: self.names.get(place).cloned().unwrap_or_default(),
            detections: ways.iter().map(|way| (*way).to_owned()).collect(),
            vulnerabilities: flaws.take(FLAWS_MAX).map(Flaw::facts).collect(),
            version,
        }
    }
}

impl Flaw {
    fn hits(&self, version: &str) -> bool {
        let below = self.below.as_deref().is_none_or(|below| !is_at_or_above(version, below));
        let above = self.at_or_above.as_deref().is_none_or(|from| is_at_or_above(version, from));
        below && above && !self.excludes.iter().any(|excluded| excluded == version)
    }

    fn facts(&self) -> LibraryFlaw {
        let mut ids = Vec::new();
        for (kind, value) in self.identifiers.iter().filter(|(kind, _)| *kind != "summary") {
            let texts = value.as_array().map_or_else(|| vec![value], |all| all.iter().collect());
            for text in texts.into_iter().filter_map(serde_json::Value::as_str) {
                let named = matches!(kind.as_str(), "CVE" | "githubID");
                ids.push(if named { text.to_owned() } else { format!("{kind} {text}") });
            }
        }
        let summary = self.identifiers.get("summary").and_then(serde_json::Value::as_str).unwrap_or("");
        LibraryFlaw {
            ids,
            severity: self.severity.clone().unwrap_or_else(|| "medium".to_owned()),
            summary: summary.chars().take(SUMMARY_MAX_CHARS).collect(),
            at_or_above: self.at_or_above.clone(),
            below: self.below.clone(),
        }
    }
}

impl Filtered {
    fn build(&mut self) {
        let mut needles: Vec<String> = Vec::new();
        for (place, (_, pattern)) in self.patterns.iter().enumerate() {
            match pattern.needle() {
                Some(needle) => {
                    let slot = needles.iter().position(|known| known == needle).unwrap_or_else(|| {
                        needles.push(needle.to_owned());
                        self.by_needle.push(Vec::new());
                        needles.len() - 1
                    });
                    self.by_needle[slot].push(place);
                }
                None => self.always.push(place),
            }
        }
        self.needles = AhoCorasick::new(&needles).ok();
        if self.needles.is_none() {
            self.always = (0..self.patterns.len()).collect();
        }
    }

    fn scan(&self, bytes: &[u8]) -> Vec<(usize, String)> {
        let mut wanted = vec![false; self.patterns.len()];
        for place in &self.always {
            wanted[*place] = true;
        }
        if let Some(needles) = &self.needles {
            for hit in needles.find_overlapping_iter(bytes) {
                for place in &self.by_needle[hit.pattern().as_usize()] {
                    wanted[*place] = true;
                }
            }
        }
        let candidates = self.patterns.iter().zip(&wanted).filter(|(_, wanted)| **wanted);
        candidates
            .flat_map(|((place, pattern), _)| {
                pattern.versions(bytes).into_iter().take(MATCHES_MAX).map(move |version| (*place, version))
            })
            .collect()
    }
}

fn matches(patterns: &[(usize, Pattern)], bytes: &[u8]) -> Vec<(usize, String)> {
    let all = patterns.iter();
    all.flat_map(|(place, pattern)| pattern.versions(bytes).into_iter().take(MATCHES_MAX).map(|v| (*place, v)))
        .collect()
}

/// Without the `.min` that a pattern took along.
fn trim(version: &str) -> String {
    let without = version.strip_suffix(".min").or_else(|| version.strip_suffix("-min"));
    without.unwrap_or(version).to_owned()
}

/// Whether a text is a pattern the engine reads; for tests of the translation.
fn compiled(text: &str) -> Option<Regex> {
    regex::bytes::RegexBuilder::new(text).unicode(false).size_limit(32 << 20).build().ok()
}

#[cfg(test)]
mod tests;
