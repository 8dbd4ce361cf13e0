//! The automata over paths, queries and user agents.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::{Hits, ScanningConfig};

/// Bytes of a path and query looked at: attacks that need more are cut, not missed whole.
const LOOK_BYTES: usize = 2_048;
/// Classes that fit the bits.
const CLASSES_MAX: usize = 32;

/// One automaton for all shapes and probes, one for user agents. About 200 kB.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    /// None when the patterns cannot be built (too many): then nothing is found, and the missing paths still count.
    paths: Option<AhoCorasick>,
    agents: Option<AhoCorasick>,
    /// What each pattern of `paths` stands for.
    meaning: Vec<Meaning>,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Class(usize),
    Probe(usize),
}

impl Shapes {
    pub(super) fn new(config: &ScanningConfig) -> Self {
        let mut patterns = Vec::new();
        let mut meaning = Vec::new();
        for (place, shape) in config.shapes.iter().take(CLASSES_MAX).enumerate() {
            for pattern in &shape.patterns {
                patterns.push(pattern.as_str());
                meaning.push(Meaning::Class(place));
            }
        }
        for (place, probe) in config.probes.iter().enumerate() {
            patterns.push(probe.as_str());
            meaning.push(Meaning::Probe(place));
        }
        let build = |patterns: &[&str]| {
            let mut builder = AhoCorasickBuilder::new();
            builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(patterns).ok()
        };
        let agents: Vec<&str> = config.agents.iter().map(String::as_str).collect();
        Self { paths: build(&patterns), agents: build(&agents), meaning }
    }

    /// What a request's path (raw, decoded, and decoded twice
    /// to pass a filter) and query, its user agent and its referrer show.
    pub(super) fn find(&self, path: &str, agent: Option<&str>, referer: Option<&str>) -> Hits {
        let mut hits = Hits::default();
        let text = cut(path);
        self.look(text, &mut hits);
        if text.iter().any(|byte| matches!(byte, b'%' | b'+')) {
            let mut decoded = decode(text);
            self.look(&decoded, &mut hits);
            if decoded.contains(&b'%') {
                decoded = decode(&decoded);
                self.look(&decoded, &mut hits);
            }
        }
        let agent = agent.unwrap_or_default();
        hits.scanner_agent = self.agents.as_ref().is_some_and(|agents| agents.is_match(cut(agent)));
        // Injections are tried in these two fields as well; probe names in them mean nothing.
        for text in [agent, referer.unwrap_or_default()] {
            let mut aside = Hits::default();
            self.look(cut(text), &mut aside);
            hits.classes |= aside.classes;
        }
        hits
    }

    fn look(&self, text: &[u8], hits: &mut Hits) {
        let Some(paths) = &self.paths else { return };
        for found in paths.find_overlapping_iter(text) {
            match self.meaning.get(found.pattern().as_usize()) {
                Some(Meaning::Class(class)) => hits.classes |= 1 << class,
                Some(Meaning::Probe(probe)) => hits.probe = Some(*probe),
                None => {}
            }
        }
    }
}

fn cut(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len().min(LOOK_BYTES)]
}

/// Percent-decodes once; `+` is a space; a broken escape stays as it is.
fn decode(text: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let mut decoded = Vec::with_capacity(text.len());
    let mut place = 0;
    while let Some(&byte) = text.get(place) {
        let escape = if byte == b'%' { digit(text.get(place + 1)).zip(digit(text.get(place + 2))) } else { None };
        match escape {
            Some((high, low)) => {
                decoded.push((high * 16 + low) as u8);
                place += 3;
            }
            None => {
                decoded.push(if byte == b'+' { b' ' } else { byte });
                place += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_keeps_what_is_broken() {
        let check = |text: &str, expected: &str| assert_eq!(decode(text.as_bytes()), expected.as_bytes(), "{text}");
        check("%27+OR+1%3d1", "' OR 1=1");
        check("%2", "%2");
        check("%zz%%41", "%zz%A");
    }
}
