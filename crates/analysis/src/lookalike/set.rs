//! Names already made: each once, under the fuzzer that came first. Knows no fuzzer's rule.

use std::hash::Hasher as _;

use hashbrown::HashTable;
use riskgraph_domain::Text;
use rustc_hash::FxHasher;

use super::{Fuzzer, Name, Permutation, encode};

/// Names made from one; a label of 63 characters gives some 300,000. Beyond this no further ones are taken.
const NAMES_MAX: usize = 2_000_000;

/// Names in one long buffer, with an index to find doubles.
pub(super) struct Set {
    before: Vec<u8>,
    after: Vec<u8>,
    bytes: Vec<u8>,
    made: Vec<Made>,
    index: HashTable<u32>,
    /// Names before this one are known but not taken.
    first: usize,
}

#[derive(Clone, Copy)]
struct Made {
    start: u32,
    end: u32,
    fuzzer: Fuzzer,
}

impl Made {
    fn of<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}

impl Set {
    pub(super) fn new(name: &Name) -> Self {
        let before = if name.subdomain.is_empty() { Vec::new() } else { format!("{}.", name.subdomain).into_bytes() };
        let after = if name.suffix.is_empty() { Vec::new() } else { format!(".{}", name.suffix).into_bytes() };
        Self { before, after, bytes: Vec::new(), made: Vec::new(), index: HashTable::new(), first: 0 }
    }

    /// Adds the name with this in place of the registrable label.
    pub(super) fn add(&mut self, fuzzer: Fuzzer, label: &[&[u8]]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&self.before);
        for part in label {
            self.bytes.extend_from_slice(part);
        }
        let is_empty = self.bytes.len() == start + self.before.len();
        // A label that vanished takes its dot along.
        let after = if is_empty { self.after.get(1..).unwrap_or_default() } else { &self.after };
        self.bytes.extend_from_slice(after);
        self.keep(fuzzer, start);
    }

    /// Adds a name as it is.
    pub(super) fn add_whole(&mut self, fuzzer: Fuzzer, name: &str) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name.as_bytes());
        self.keep(fuzzer, start);
    }

    /// What was made so far is known from here on, but no longer taken.
    pub(super) fn start_over(&mut self) {
        self.first = self.made.len();
    }

    /// The valid names in ASCII: fuzzers in their order, names sorted.
    pub(super) fn take(&mut self) -> Vec<Permutation> {
        let mut all: Vec<Permutation> = Vec::with_capacity(self.made.len() - self.first);
        let mut ascii = String::new();
        for made in &self.made[self.first..] {
            let Ok(name) = std::str::from_utf8(made.of(&self.bytes)) else { continue };
            ascii.clear();
            if encode::push_ascii(name, &mut ascii) && encode::is_fully_qualified(&ascii) {
                all.push(Permutation { fuzzer: made.fuzzer, domain: Text::from(ascii.as_str()) });
            }
        }
        all.sort_unstable_by(|a, b| a.fuzzer.cmp(&b.fuzzer).then_with(|| a.domain.as_bytes().cmp(b.domain.as_bytes())));
        all
    }

    /// Keeps the name at the buffer's end unless it is known.
    fn keep(&mut self, fuzzer: Fuzzer, start: usize) {
        let (Ok(from), Ok(to)) = (u32::try_from(start), u32::try_from(self.bytes.len())) else {
            self.bytes.truncate(start);
            return;
        };
        let hash = hash(&self.bytes[start..]);
        let (bytes, made) = (&self.bytes, &self.made);
        let known = self.index.find(hash, |&at| made[at as usize].of(bytes) == &bytes[start..]).is_some();
        let Some(at) = u32::try_from(made.len()).ok().filter(|_| !known && made.len() < NAMES_MAX) else {
            self.bytes.truncate(start);
            return;
        };
        self.index.insert_unique(hash, at, |&at| crate::lookalike::set::hash(made[at as usize].of(bytes)));
        self.made.push(Made { start: from, end: to, fuzzer });
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
