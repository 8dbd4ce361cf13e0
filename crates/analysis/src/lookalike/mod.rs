//! Names that look like one: what a typist, a memory error or a forger makes of a domain.
//!
//! [`permutations`] gives the sets of dnstwist 20250130, fuzzer by fuzzer, so that lists of both tools can be laid side by
//! side; [`additions`] gives what that tool does not think of, apart. A pure function of the name and the word lists: it
//! must *not* know whether any of these names exists.

mod additions;
mod certificates;
mod encode;
mod fuzz;
mod glyphs;
mod name;
mod parking;
mod set;
mod suffixes;
mod tables;

use riskgraph_domain::Text;
use serde::Serialize;

pub use certificates::CertificateIndex;
pub use name::{Name, NameFault};
pub use parking::suppress;

use set::Set;

/// Dictionary words and suffixes taken from a user's list. The lists in use have some thousand.
pub const WORDS_MAX: usize = 100_000;

/// How a name was made from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fuzzer {
    Original,
    Addition,
    Bitsquatting,
    Cyrillic,
    Homoglyph,
    Hyphenation,
    Insertion,
    Omission,
    Plural,
    Repetition,
    Replacement,
    Subdomain,
    Transposition,
    VowelSwap,
    Dictionary,
    TldSwap,
    Various,
    /// Ours: the name beside a word that phishing pages like.
    Combination,
    /// Ours: the name under another suffix that anybody can register in.
    Suffix,
    /// Ours: `www` without its dot.
    MissingDot,
    /// Ours: sounds the same.
    Homophone,
    /// Ours: digits written out, words as digits.
    Numeral,
    /// Ours: two words in the other order.
    Swap,
}

impl Fuzzer {
    /// The name users see; dnstwist's where it is its.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Original => "*original",
            Self::Addition => "addition",
            Self::Bitsquatting => "bitsquatting",
            Self::Cyrillic => "cyrillic",
            Self::Homoglyph => "homoglyph",
            Self::Hyphenation => "hyphenation",
            Self::Insertion => "insertion",
            Self::Omission => "omission",
            Self::Plural => "plural",
            Self::Repetition => "repetition",
            Self::Replacement => "replacement",
            Self::Subdomain => "subdomain",
            Self::Transposition => "transposition",
            Self::VowelSwap => "vowel-swap",
            Self::Dictionary => "dictionary",
            Self::TldSwap => "tld-swap",
            Self::Various => "various",
            Self::Combination => "combination",
            Self::Suffix => "suffix",
            Self::MissingDot => "missing-dot",
            Self::Homophone => "homophone",
            Self::Numeral => "numeral",
            Self::Swap => "swap",
        }
    }
}

impl Serialize for Fuzzer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One name and how it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Permutation {
    pub fuzzer: Fuzzer,
    /// ASCII (IDNA) form.
    pub domain: Text,
}

/// Word lists of the user.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// Put before and behind the name.
    pub dictionary: Vec<String>,
    /// Put in place of the suffix.
    pub suffixes: Vec<String>,
}

/// Every permutation of dnstwist: its fuzzers in the order it runs them, a name that two of them make under the first.
///
/// Within a fuzzer the names are sorted, as dnstwist prints them (its own order of making them is that of a hash set).
/// The first is the name itself, `*original`.
#[must_use]
pub fn permutations(name: &Name, words: &Words) -> Vec<Permutation> {
    let mut set = made(name, words);
    set.take()
}

/// What dnstwist does not make: [`Fuzzer::Combination`] and the following, without any name of [`permutations`].
#[must_use]
pub fn additions(name: &Name, words: &Words) -> Vec<Permutation> {
    let mut set = made(name, words);
    set.start_over();
    additions::make(&mut set, name);
    set.take()
}

fn made(name: &Name, words: &Words) -> Set {
    let mut set = Set::new(name);
    // In Unicode as the others are, so that a homoglyph of a homoglyph that leads back is known.
    set.add(Fuzzer::Original, &[name.label.as_bytes()]);
    fuzz::make(&mut set, name, words);
    set
}

#[cfg(test)]
mod tests;
