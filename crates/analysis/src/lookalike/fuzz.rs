//! The fuzzers of dnstwist 20250130, in the order it runs them. Written from what each makes; knows no DNS.

use super::set::Set;
use super::tables::{CYRILLIC, KEYBOARDS};
use super::{Fuzzer, Name, WORDS_MAX, Words, glyphs};

const LETTERS_AND_DIGITS: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
const VOWELS: &str = "aeiou";

/// Runs all fuzzers into the set.
pub(super) fn make(set: &mut Set, name: &Name, words: &Words) {
    let word = Word::of(&name.label);
    addition(set, &word);
    bitsquatting(set, &word);
    cyrillic(set, &word);
    glyphs::make(set, name);
    for at in 1..word.len() {
        set.add(Fuzzer::Hyphenation, &[word.before(at), b"-", word.from(at)]);
    }
    insertion(set, &word);
    for at in 0..word.len() {
        set.add(Fuzzer::Omission, &[word.before(at), word.from(at + 1)]);
    }
    plural(set, &word);
    for at in 0..word.len() {
        set.add(Fuzzer::Repetition, &[word.before(at), word.at(at), word.from(at)]);
    }
    replacement(set, &word);
    subdomain(set, &word);
    for at in 0..word.len().saturating_sub(1) {
        let parts = [word.before(at), word.at(at + 1), word.at(at), word.from(at + 2)];
        set.add(Fuzzer::Transposition, &parts);
    }
    vowel_swap(set, &word);
    dictionary(set, &word, &words.dictionary);
    for suffix in words.suffixes.iter().take(WORDS_MAX).filter(|suffix| **suffix != name.suffix) {
        set.add_whole(Fuzzer::TldSwap, &joined(&[&name.subdomain, &name.label, suffix]));
    }
    various(set, name);
}

/// A label with the places of its characters.
struct Word<'a> {
    text: &'a str,
    chars: Vec<char>,
    /// Where each character starts, and the end.
    starts: Vec<usize>,
}

impl<'a> Word<'a> {
    fn of(text: &'a str) -> Self {
        let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self { text, chars: text.chars().collect(), starts }
    }

    fn len(&self) -> usize {
        self.chars.len()
    }

    fn before(&self, at: usize) -> &'a [u8] {
        &self.text.as_bytes()[..self.starts[at.min(self.len())]]
    }

    fn from(&self, at: usize) -> &'a [u8] {
        &self.text.as_bytes()[self.starts[at.min(self.len())]..]
    }

    fn at(&self, at: usize) -> &'a [u8] {
        &self.text.as_bytes()[self.starts[at]..self.starts[at + 1]]
    }
}

/// Parts with dots between them, without the empty ones.
fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(".")
}

fn addition(set: &mut Set, word: &Word<'_>) {
    let hyphens: Vec<usize> = (0..word.len()).filter(|&at| word.chars[at] == '-').collect();
    for added in LETTERS_AND_DIGITS.as_bytes().chunks(1) {
        for &at in &hyphens {
            set.add(Fuzzer::Addition, &[word.before(at), added, word.from(at)]);
        }
        set.add(Fuzzer::Addition, &[word.text.as_bytes(), added]);
    }
}

fn bitsquatting(set: &mut Set, word: &Word<'_>) {
    for (at, &c) in word.chars.iter().enumerate() {
        for bit in 0..8 {
            let Some(flipped) = u8::try_from(u32::from(c) ^ (1 << bit)).ok() else { continue };
            if matches!(flipped, b'a'..=b'z' | b'0'..=b'9' | b'-') {
                set.add(Fuzzer::Bitsquatting, &[word.before(at), &[flipped], word.from(at + 1)]);
            }
        }
    }
}

/// The whole label in Cyrillic, when each of its characters has a twin there.
fn cyrillic(set: &mut Set, word: &Word<'_>) {
    let twin = |c: char| CYRILLIC.iter().find(|&&(latin, _)| latin == c).map(|&(_, twin)| twin);
    let whole: Option<String> = word.chars.iter().map(|&c| twin(c)).collect();
    if let Some(whole) = whole {
        set.add(Fuzzer::Cyrillic, &[whole.as_bytes()]);
    }
}

/// The neighbours of a key on every keyboard.
fn neighbours(c: char) -> impl Iterator<Item = &'static [u8]> {
    let keys = KEYBOARDS.iter().flat_map(|keyboard| keyboard.iter());
    keys.filter(move |(key, _)| char::from(*key) == c).flat_map(|(_, near)| near.as_bytes().chunks(1))
}

fn insertion(set: &mut Set, word: &Word<'_>) {
    for at in 0..word.len().saturating_sub(1) {
        for key in neighbours(word.chars[at]) {
            set.add(Fuzzer::Insertion, &[word.before(at), key, word.from(at)]);
            set.add(Fuzzer::Insertion, &[word.before(at + 1), key, word.from(at + 1)]);
        }
    }
}

fn plural(set: &mut Set, word: &Word<'_>) {
    for at in 2..word.len().saturating_sub(2) {
        let ending: &[u8] = if matches!(word.chars[at], 's' | 'x' | 'z') { b"es" } else { b"s" };
        set.add(Fuzzer::Plural, &[word.before(at + 1), ending, word.from(at + 1)]);
    }
}

fn replacement(set: &mut Set, word: &Word<'_>) {
    for at in 0..word.len() {
        for key in neighbours(word.chars[at]) {
            set.add(Fuzzer::Replacement, &[word.before(at), key, word.from(at + 1)]);
        }
    }
}

fn subdomain(set: &mut Set, word: &Word<'_>) {
    let splits = |c: char| matches!(c, '-' | '.');
    for at in 1..word.len().saturating_sub(1) {
        if !splits(word.chars[at]) && !splits(word.chars[at - 1]) {
            set.add(Fuzzer::Subdomain, &[word.before(at), b".", word.from(at)]);
        }
    }
}

fn vowel_swap(set: &mut Set, word: &Word<'_>) {
    for at in (0..word.len()).filter(|&at| VOWELS.contains(word.chars[at])) {
        for vowel in VOWELS.as_bytes().chunks(1) {
            set.add(Fuzzer::VowelSwap, &[word.before(at), vowel, word.from(at + 1)]);
        }
    }
}

fn dictionary(set: &mut Set, word: &Word<'_>, words: &[String]) {
    let label = word.text.as_bytes();
    for added in words.iter().take(WORDS_MAX) {
        let added = added.as_bytes();
        if !(label.starts_with(added) && label.ends_with(added)) {
            for parts in [[label, b"-", added], [label, b"", added], [added, b"-", label], [added, b"", label]] {
                set.add(Fuzzer::Dictionary, &parts);
            }
        }
        if let (Some((head, _)), Some((_, tail))) = (word.text.rsplit_once('-'), word.text.split_once('-')) {
            set.add(Fuzzer::Dictionary, &[head.as_bytes(), b"-", added]);
            set.add(Fuzzer::Dictionary, &[added, b"-", tail.as_bytes()]);
        }
    }
}

/// The suffix as part of the name, and the subdomain grown into it.
fn various(set: &mut Set, name: &Name) {
    let Name { subdomain, label, suffix, .. } = name;
    let mut add = |parts: &[&str]| set.add_whole(Fuzzer::Various, &joined(parts));
    if let Some((_, last)) = suffix.rsplit_once('.') {
        add(&[subdomain, label, last]);
        add(&[subdomain, &format!("{label}{suffix}")]);
    } else {
        add(&[subdomain, &format!("{label}{suffix}"), suffix]);
        if suffix != "com" {
            add(&[subdomain, &format!("{label}-{suffix}"), "com"]);
            add(&[subdomain, &format!("{label}{suffix}"), "com"]);
        }
    }
    if !subdomain.is_empty() {
        add(&[&format!("{subdomain}{label}"), suffix]);
        add(&[&format!("{}{label}", subdomain.replace('.', "")), suffix]);
        add(&[&format!("{subdomain}-{label}"), suffix]);
        add(&[&format!("{}-{label}", subdomain.replace('.', "-")), suffix]);
    }
}
