//! The homoglyph fuzzer: one or two places of a name changed to what looks the same. Knows no set but the one it fills.

use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::set::Set;
use super::tables::{ASCII, BY_SUFFIX, UNICODE};
use super::{Fuzzer, Name};

/// What may stand for each ASCII character and for some pairs of them.
struct Lookalikes {
    single: [Vec<String>; 128],
    pairs: Vec<([u8; 2], Vec<String>)>,
}

pub(super) fn make(set: &mut Set, name: &Name) {
    let glyphs = Lookalikes::under(&name.suffix);
    let label = name.label.as_bytes();
    let mut once: HashSet<Vec<u8>, FxBuildHasher> = HashSet::default();
    let mut first: Vec<Vec<u8>> = Vec::new();
    glyphs.change(label, |parts| {
        let changed = parts.concat();
        if once.insert(changed.clone()) {
            first.push(changed);
        }
    });
    for changed in &first {
        set.add(Fuzzer::Homoglyph, &[changed]);
    }
    for changed in &first {
        glyphs.change(changed, |parts| set.add(Fuzzer::Homoglyph, parts));
    }
}

impl Lookalikes {
    /// The glyphs that the registry of this suffix takes, besides those of ASCII.
    fn under(suffix: &str) -> Self {
        let own = BY_SUFFIX.iter().find(|(suffixes, _)| suffixes.contains(&suffix)).map(|(_, glyphs)| *glyphs);
        let mut all = Self { single: std::array::from_fn(|_| Vec::new()), pairs: Vec::new() };
        for (key, glyphs) in ASCII {
            all.put(key, glyphs.iter().map(|&glyph| glyph.to_owned()));
        }
        for (key, glyphs) in own.unwrap_or(UNICODE) {
            all.put(key, glyphs.chars().map(String::from));
        }
        all
    }

    fn put(&mut self, key: &str, glyphs: impl Iterator<Item = String>) {
        match *key.as_bytes() {
            [one] => {
                if let Some(list) = self.single.get_mut(usize::from(one)) {
                    list.extend(glyphs);
                }
            }
            [one, two] => match self.pairs.iter_mut().find(|(pair, _)| *pair == [one, two]) {
                Some((_, list)) => list.extend(glyphs),
                None => self.pairs.push(([one, two], glyphs.collect())),
            },
            _ => {}
        }
    }

    /// Every change of one character, of two equal neighbours together, or of a pair that looks like one glyph.
    fn change(&self, label: &[u8], mut emit: impl FnMut(&[&[u8]])) {
        for (at, &byte) in label.iter().enumerate() {
            let Some(glyphs) = self.single.get(usize::from(byte)) else { continue };
            let (before, after) = (&label[..at], &label[at + 1..]);
            for glyph in glyphs {
                emit(&[before, glyph.as_bytes(), after]);
            }
            let Some((&next, rest)) = after.split_first() else { continue };
            if next == byte {
                for glyph in glyphs {
                    emit(&[before, glyph.as_bytes(), glyph.as_bytes(), rest]);
                }
            }
            for (_, glyphs) in self.pairs.iter().filter(|(pair, _)| *pair == [byte, next]) {
                for glyph in glyphs {
                    emit(&[before, glyph.as_bytes(), rest]);
                }
            }
        }
    }
}
