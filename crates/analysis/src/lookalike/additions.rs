//! Permutations of our own: what phishing names are made of that no typing error makes. Knows no DNS.

use super::set::Set;
use super::{Fuzzer, Name};

/// Words that names of false shops, banks and help desks put beside the real one.
const WORDS: &[&str] = &[
    "account", "app", "bank", "billing", "card", "careers", "checkout", "client", "customer", "delivery", "express",
    "gift", "help", "helpdesk", "id", "info", "invoice", "jobs", "login", "mail", "my", "official", "online", "order",
    "outlet", "parcel", "partner", "pay", "payment", "payments", "portal", "promo", "refund", "return", "returns",
    "reward", "sale", "secure", "security", "service", "shop", "signin", "store", "support", "team", "tracking",
    "update", "verify", "wallet", "web",
];

/// Suffixes that are widely used or cheap, in which anybody can register.
const SUFFIXES: &[&str] = &[
    "com", "net", "org", "info", "biz", "co", "io", "app", "dev", "ai", "shop", "store", "online", "site", "website",
    "space", "xyz", "top", "club", "vip", "live", "pro", "click", "link", "icu", "cc", "tv", "me", "us", "uk", "co.uk",
    "de", "fr", "it", "es", "nl", "eu", "ch", "at", "be", "pl", "se", "dk", "no", "fi", "pt", "cz", "ru", "cn",
    "com.cn", "co.jp", "in", "co.in", "com.br", "com.au", "ca", "com.mx", "com.tr", "co.za", "com.sg", "com.hk", "kr",
    "su", "cam", "cfd", "sbs", "bond", "lol", "support", "services", "pay", "deals", "discount", "sale", "delivery",
    "express",
];

/// Spellings of one sound.
const SOUNDS: &[(&str, &str)] = &[
    ("ph", "f"),
    ("ck", "k"),
    ("c", "k"),
    ("s", "z"),
    ("oo", "u"),
    ("y", "i"),
    ("x", "ks"),
    ("qu", "kw"),
    ("ee", "ea"),
    ("er", "or"),
    ("ei", "ie"),
    ("ay", "ai"),
    ("tion", "sion"),
    ("ou", "u"),
];

/// Digits and the words that sound or read the same.
const NUMERALS: &[(&str, &str)] = &[
    ("0", "zero"),
    ("1", "one"),
    ("2", "two"),
    ("2", "to"),
    ("2", "too"),
    ("3", "three"),
    ("4", "four"),
    ("4", "for"),
    ("5", "five"),
    ("6", "six"),
    ("7", "seven"),
    ("8", "eight"),
    ("8", "ate"),
    ("9", "nine"),
];

/// Runs them all into the set.
pub(super) fn make(set: &mut Set, name: &Name) {
    let label = name.label.as_bytes();
    for word in WORDS.iter().map(|word| word.as_bytes()) {
        for parts in [[label, b"-", word], [label, b"", word], [word, b"-", label], [word, b"", label]] {
            set.add(Fuzzer::Combination, &parts);
        }
    }
    for suffix in SUFFIXES.iter().filter(|suffix| **suffix != name.suffix) {
        set.add_whole(Fuzzer::Suffix, &format!("{}.{suffix}", name.label));
    }
    for before in [b"www".as_slice(), b"www-"] {
        set.add(Fuzzer::MissingDot, &[before, label]);
    }
    for &(one, other) in SOUNDS {
        replace_each(set, Fuzzer::Homophone, &name.label, (one, other));
        replace_each(set, Fuzzer::Homophone, &name.label, (other, one));
    }
    for &(digit, word) in NUMERALS {
        replace_each(set, Fuzzer::Numeral, &name.label, (digit, word));
        replace_each(set, Fuzzer::Numeral, &name.label, (word, digit));
    }
    if let Some((head, tail)) = name.label.split_once('-') {
        for between in [b"-".as_slice(), b""] {
            set.add(Fuzzer::Swap, &[tail.as_bytes(), between, head.as_bytes()]);
        }
    }
}

fn replace_each(set: &mut Set, fuzzer: Fuzzer, label: &str, (from, to): (&str, &str)) {
    for (at, found) in label.match_indices(from) {
        let (before, after) = (&label[..at], &label[at + found.len()..]);
        set.add(fuzzer, &[before.as_bytes(), to.as_bytes(), after.as_bytes()]);
    }
}
