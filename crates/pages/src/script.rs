//! What a script can do, read from its text: it is cut into tokens and never run. It must *not* know pages or ledgers.

mod indicators;
mod lexer;
mod strings;

use std::collections::BTreeSet;

use riskgraph_domain::Text;
use riskgraph_domain::observation::Behaviour;

use crate::html::sha256;
pub use indicators::is_borrowed;
use lexer::{Kind, Token};

/// Bytes of a script that are read; bundles of shops reach a few MiB, and what comes after is not judged.
const TEXT_MAX_BYTES: usize = 2 << 20;
/// Layers of code hidden in strings that are opened.
const LAYERS_MAX: usize = 3;
/// Hidden texts opened per script.
const HIDDEN_MAX: usize = 200;
/// Entries kept of one list.
const LISTED_MAX: usize = 100;

/// Everything a text says, hidden layers included.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Names and properties.
    pub(crate) names: BTreeSet<String>,
    /// Every string, decoded, in lower case.
    pub(crate) strings: Vec<String>,
    pub(crate) plain_hosts: BTreeSet<String>,
    /// Hosts that only decoding shows.
    pub(crate) hidden_hosts: BTreeSet<String>,
    pub(crate) obfuscation: BTreeSet<&'static str>,
    n_hidden: usize,
}

/// Reads a script.
#[must_use]
pub fn read(text: &str) -> Behaviour {
    let text = crate::tokens::cut(text, TEXT_MAX_BYTES);
    let tokens = lexer::tokens(text);
    let mut reading = Reading::default();
    reading.take(text, &tokens, 0);
    let sinks = indicators::sinks(&reading);
    let sources = indicators::sources(&reading);
    let indicators = indicators::indicators(&reading, &sinks, &sources);
    let missed: f64 = indicators.iter().map(|(_, weight)| 1.0 - weight).product();
    let mut hosts: BTreeSet<String> = reading.plain_hosts.clone();
    hosts.extend(reading.hidden_hosts.iter().cloned());
    let listed = |all: BTreeSet<&'static str>| all.into_iter().map(str::to_owned).collect();
    Behaviour {
        shape: shape(&tokens),
        sinks: listed(sinks),
        sources: listed(sources),
        hosts: hosts.into_iter().take(LISTED_MAX).collect(),
        obfuscation: listed(reading.obfuscation.clone()),
        skimmer_score: ((1.0 - missed) * 1_000.0).round() / 1_000.0,
        indicators: indicators.into_iter().map(|(name, weight)| (name.to_owned(), weight)).collect(),
    }
}

impl Reading {
    fn take(&mut self, text: &str, tokens: &[Token<'_>], layer: usize) {
        for token in tokens.iter().filter(|token| token.kind == Kind::Name) {
            self.names.insert(token.text.to_owned());
        }
        let texts = strings::texts(tokens);
        self.obfuscation.extend(strings::obfuscation(text, tokens, &texts));
        let unpacked = self.obfuscation.contains("packer").then(|| strings::unpacked(tokens)).flatten();
        if let Some(inner) = unpacked.filter(|_| layer < LAYERS_MAX) {
            self.take(&inner, &lexer::tokens(&inner), layer + 1);
        }
        for found in texts {
            let hidden = layer > 0 || found.hidden;
            for host in strings::hosts(&found.text) {
                if hidden { &mut self.hidden_hosts } else { &mut self.plain_hosts }.insert(host);
            }
            if layer < LAYERS_MAX && self.n_hidden < HIDDEN_MAX {
                for inner in strings::opened(&found.text) {
                    self.n_hidden += 1;
                    if strings::is_code(&inner) {
                        self.obfuscation.insert("hidden-code");
                    }
                    self.take(&inner, &lexer::tokens(&inner), layer + 1);
                }
            }
            // A text that is a single name may be a property: `window["fetch"]`.
            if lexer::is_name(&found.text) {
                self.names.insert(found.text.clone());
            }
            self.strings.push(found.text.to_ascii_lowercase());
        }
        if layer > 0 {
            self.strings.push(text.to_ascii_lowercase());
            for host in strings::hosts(text) {
                self.hidden_hosts.insert(host);
            }
        }
        let plain = std::mem::take(&mut self.plain_hosts);
        self.hidden_hosts.retain(|host| !plain.contains(host));
        self.plain_hosts = plain;
    }

    pub(crate) fn has_name(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.names.contains(*name))
    }

    pub(crate) fn says(&self, parts: &[&str]) -> bool {
        self.strings.iter().any(|text| parts.iter().any(|part| text.contains(part)))
    }
}

/// Hash of the kinds of tokens in order. Properties keep their names; what tools rename or fill in does not count.
fn shape(tokens: &[Token<'_>]) -> Text {
    let mut kinds = String::with_capacity(tokens.len() * 3);
    let mut after_dot = false;
    for token in tokens {
        match token.kind {
            Kind::Name if after_dot || lexer::is_keyword(token.text) => kinds.push_str(token.text),
            Kind::Name => kinds.push('i'),
            Kind::String => kinds.push('s'),
            Kind::Number => kinds.push('0'),
            Kind::Regex => kinds.push('r'),
            Kind::Sign => kinds.push_str(token.text),
        }
        kinds.push(' ');
        after_dot = token.kind == Kind::Sign && (token.text == "." || token.text == "?.");
    }
    sha256(kinds.as_bytes())
}

#[cfg(test)]
mod tests;
