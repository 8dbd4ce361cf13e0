//! The automata over paths, queries and user agents.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind, StartKind};

use super::{Hits, ScanningConfig};

/// Bytes of a path and query looked at: attacks that need more are cut, not missed whole.
const LOOK_BYTES: usize = 2_048;
/// Classes that fit the bits.
const CLASSES_MAX: usize = 32;

/// One automaton for all shapes, probes and names of tools. As a table of states (below a megabyte) it looks at each byte once
/// and costs about a nanosecond for it.
#[derive(Debug, Clone)]
pub(super) struct Shapes {
    /// None when the patterns cannot be built (too many): then nothing is found, and the missing paths still count.
    patterns: Option<AhoCorasick>,
    /// What each pattern stands for.
    meaning: Vec<Meaning>,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Class(usize),
    Probe(usize),
    Tool,
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
        for tool in &config.agents {
            patterns.push(tool.as_str());
            meaning.push(Meaning::Tool);
        }
        let mut builder = AhoCorasickBuilder::new();
        builder
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .start_kind(StartKind::Unanchored)
            .prefilter(false);
        Self { patterns: builder.build(patterns).ok(), meaning }
    }

    /// What a request's path (raw, decoded, and decoded twice
    /// to pass a filter) and query, its user agent and its referrer show.
    pub(super) fn find(&self, path: &str, agent: Option<&str>, referer: Option<&str>) -> Hits {
        let mut hits = Hits::default();
        let text = cut(path);
        self.look(text, &mut hits);
        if memchr::memchr2(b'%', b'+', text).is_some() {
            let mut decoded = decode(text);
            self.look(&decoded, &mut hits);
            if decoded.contains(&b'%') {
                decoded = decode(&decoded);
                self.look(&decoded, &mut hits);
            }
        }
        // The name of a tool is one in the user agent only; injections are tried in these two fields as well, and probe
        // names in them mean nothing.
        let mut aside = Hits::default();
        self.look(cut(agent.unwrap_or_default()), &mut aside);
        hits.scanner_agent = aside.scanner_agent;
        self.look(cut(referer.unwrap_or_default()), &mut aside);
        hits.classes |= aside.classes;
        hits
    }

    fn look(&self, text: &[u8], hits: &mut Hits) {
        let Some(patterns) = &self.patterns else { return };
        for found in patterns.find_overlapping_iter(text) {
            match self.meaning.get(found.pattern().as_usize()) {
                Some(Meaning::Class(class)) => hits.classes |= 1 << class,
                Some(Meaning::Probe(probe)) => hits.probe = Some(*probe),
                Some(Meaning::Tool) => hits.scanner_agent = true,
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
