//! How checkdmarc follows an SPF record: counts, warnings and errors in its order.

use std::collections::BTreeMap;

use super::dns::{Answers, Miss, nonexistent};
use super::spf::{NotFound, SEVERAL, find};
use super::spf_state::{Fatal, Kind, Parsed, Record};
use super::spf_syntax::{self as syntax, Letters, REPORTING, Term, is_all};

/// RFC 7208 4.6.4.
const MX_HOSTS_MAX: usize = 10;
/// Records followed inside one another; the lookup limit ends honest records long before.
const DEPTH_MAX: usize = 32;

/// Where in the tree of records one stands.
pub(super) struct Level {
    path: Vec<String>,
    included: bool,
    is_top: bool,
}

impl Level {
    pub(super) fn top(domain: &str) -> Self {
        Self { path: vec![domain.to_owned()], included: false, is_top: true }
    }

    fn below(&self, name: &str, included: bool) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self { path, included, is_top: false }
    }
}

/// One evaluation over all its records.
pub(super) struct Walk<'a, 'b> {
    answers: &'a Answers<'b>,
    seen: Vec<String>,
    included: BTreeMap<String, Parsed>,
}

/// What a term came to.
enum Trouble {
    Fatal(Fatal),
    /// A limit was passed within the term itself.
    Limit(Fatal),
    Warning(String),
    /// The term's name has no records: a void lookup.
    Void(String),
}

impl From<Fatal> for Trouble {
    fn from(fatal: Fatal) -> Self {
        if fatal.kind == Kind::Other { Self::Fatal(fatal) } else { Self::Limit(fatal) }
    }
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(answers: &'a Answers<'b>, domain: &str) -> Self {
        Self { answers, seen: vec![domain.to_owned()], included: BTreeMap::new() }
    }

    /// Follows one record.
    pub(super) fn parse(&mut self, record: &str, domain: &str, level: &Level) -> Result<Parsed, Fatal> {
        if level.path.len() > DEPTH_MAX {
            return Err(Fatal::other("too many records inside one another"));
        }
        syntax::glued_all(domain, record).map_err(Fatal::other)?;
        let (read, tail) = syntax::split_at_all(record);
        syntax::grammar(domain, record, read).map_err(Fatal::other)?;
        let mut state = Record {
            domain,
            parsed: Parsed { all: "neutral", ..Parsed::default() },
            has_all: record.split_whitespace().any(is_all),
            redirected: false,
            explained: false,
            reporting: BTreeMap::new(),
        };
        let late = self.tail(&mut state, tail)?;
        let terms = self.checked(&mut state, read)?;
        for (name, value) in late {
            state.reporting(&name, &value);
        }
        for term in terms {
            self.step(&mut state, term, level)?;
        }
        if state.reporting.contains_key("ra") {
            if level.included {
                state.warn(
                    "The ra modifier was ignored because this record was reached through an include mechanism (RFC 6652 \
                     § 3).",
                );
            }
        } else if !state.reporting.is_empty() {
            state.warn("The rp and rr modifiers have no effect without an ra modifier (RFC 6652 § 3).");
        }
        Ok(state.parsed)
    }

    /// What stands behind the first `all`: only modifiers count. Gives the reporting modifiers for later.
    fn tail(&self, state: &mut Record<'_>, tail: &str) -> Result<Vec<(String, String)>, Fatal> {
        let (mut late, mut again, mut ignored) = (Vec::new(), false, false);
        for word in tail.split_whitespace() {
            if is_all(word) {
                again = true;
                continue;
            }
            let modifier = Term::whole(word).filter(|term| term.separator == Some('=') && term.qualifier.is_none());
            match modifier {
                Some(term) if term.name == "exp" => {
                    if term.raw_value.is_empty() {
                        return Err(Fatal::other("The exp modifier is missing a value"));
                    }
                    self.explain(state, &term.raw_value)?;
                }
                Some(term) if REPORTING.contains(&term.name.as_str()) => late.push((term.name, term.raw_value)),
                _ => ignored = true,
            }
        }
        if again {
            state.warn("The record contains multiple all mechanisms; only the first one is used (RFC 7208 § 4.6.2).");
        }
        if ignored {
            state.warn(
                "Any text after the all mechanism other than an exp modifier or an RFC 6652 reporting modifier is \
                 ignored.",
            );
        }
        Ok(late)
    }

    /// An `exp` modifier: the text it names should be there once.
    fn explain(&self, state: &mut Record<'_>, value: &str) -> Result<(), Fatal> {
        if state.explained {
            return Err(Fatal::other("Multiple exp values are not permitted"));
        }
        state.explained = true;
        if value.contains('%') {
            return syntax::macros(value, state.domain, Letters::Explanation).map_err(Fatal::other);
        }
        match self.answers.courtesy(value, "TXT") {
            Ok(texts) if texts.len() > 1 => state.warn(format!("Too many TXT records at exp value {value}.")),
            Ok(_) => {}
            Err(miss) => {
                let why = match miss {
                    Miss::NxDomain => nonexistent(value),
                    Miss::NoAnswer => format!("The domain {value} does not have any TXT records."),
                    Miss::Untold => "the lookup failed".to_owned(),
                };
                state.warn(format!("Failed to get TXT records at exp value {value}: {why}"));
            }
        }
        Ok(())
    }

    /// The terms that take part, after the syntax of all of them was checked.
    fn checked(&self, state: &mut Record<'_>, read: &str) -> Result<Vec<Term>, Fatal> {
        let mut terms = Vec::new();
        for word in read.split_whitespace().skip(1) {
            let Some(mut term) = Term::whole(word) else {
                return Err(Fatal::other(format!("{}: {word} is not a valid SPF term", state.domain)));
            };
            if term.separator == Some('=') {
                if term.qualifier.is_some() {
                    return Err(Fatal::other(format!(
                        "{}: Qualifiers are not allowed on modifiers (RFC 7208 § 12): {word}",
                        state.domain
                    )));
                }
                if REPORTING.contains(&term.name.as_str()) {
                    state.reporting(&term.name, &term.raw_value);
                    continue;
                }
                if !matches!(term.name.as_str(), "redirect" | "exp") {
                    state.warn(format!("The unknown modifier {} was ignored (RFC 7208 § 6).", term.name));
                    continue;
                }
            }
            syntax::check(state.domain, word, &mut term, &mut state.parsed.warnings).map_err(Fatal::other)?;
            terms.push(term);
        }
        Ok(terms)
    }

    /// Follows one term and sorts what came of it.
    fn step(&mut self, state: &mut Record<'_>, mut term: Term, level: &Level) -> Result<(), Fatal> {
        let Err(trouble) = self.term(state, &mut term, level) else { return Ok(()) };
        match trouble {
            Trouble::Limit(fatal) if level.is_top => {
                state.parsed.warnings.extend(fatal.warnings);
                state.parsed.error = Some(fatal.message);
                return Ok(());
            }
            Trouble::Limit(fatal) | Trouble::Fatal(fatal) => {
                return Err(fatal.after(std::mem::take(&mut state.parsed.warnings)));
            }
            Trouble::Void(ref text) | Trouble::Warning(ref text) => {
                // Passing the limit here ends everything, and what was noticed before is lost; so checkdmarc does.
                if matches!(trouble, Trouble::Void(_)) {
                    state.count_void(1)?;
                }
                let name = if term.value.is_empty() { state.domain } else { &term.value };
                let line = format!("Error when processing {name}: {text}");
                state.warn(line);
            }
        }
        Ok(())
    }

    fn term(&mut self, state: &mut Record<'_>, term: &mut Term, level: &Level) -> Result<(), Trouble> {
        match term.name.as_str() {
            "all" => {
                state.parsed.all = match term.qualifier {
                    Some('-') => "fail",
                    Some('~') => "softfail",
                    Some('?') => "neutral",
                    _ => "pass",
                };
                Ok(())
            }
            "exists" => Ok(state.count(1)?),
            "a" => self.a(state, term),
            "mx" => self.mx(state, term),
            "ptr" => self.ptr(state, term),
            "include" => self.include(state, &term.value, level),
            "redirect" => self.redirect(state, &term.value, level),
            "exp" => Ok(self.explain(state, &term.raw_value)?),
            _ => Ok(()),
        }
    }

    fn a(&self, state: &mut Record<'_>, term: &mut Term) -> Result<(), Trouble> {
        state.count(1)?;
        if term.value.contains('%') {
            return Ok(());
        }
        target(state, term)?;
        match self.answers.addresses(&term.value) {
            Ok(0) => Err(Trouble::Void(format!(
                "An a mechanism points to {}, but that domain/subdomain does not have any A/AAAA records.",
                term.value
            ))),
            Ok(_) => Ok(()),
            Err(miss) => Err(missed(miss, &term.value)),
        }
    }

    fn mx(&self, state: &mut Record<'_>, term: &mut Term) -> Result<(), Trouble> {
        state.count(1)?;
        if term.value.contains('%') {
            return Ok(());
        }
        target(state, term)?;
        let hosts = self.answers.exchangers(&term.value).map_err(|miss| missed(miss, &term.value))?;
        if hosts.is_empty() {
            return Err(Trouble::Void(format!(
                "An mx mechanism points to {}, but that domain/subdomain does not have any MX records.",
                term.value
            )));
        }
        if hosts.len() > MX_HOSTS_MAX {
            return Err(Trouble::Limit(Fatal {
                message: format!("{} has more than 10 MX records (RFC 7208 § 4.6.4)", term.value),
                kind: Kind::Lookups(hosts.len()),
                warnings: Vec::new(),
            }));
        }
        for mx in hosts {
            match self.answers.addresses(&mx.host) {
                Ok(0) => state.warn(format!("The MX host {} does not have any A/AAAA records.", mx.host)),
                Ok(_) => {}
                Err(Miss::NxDomain) => return Err(Trouble::Warning(nonexistent(&mx.host))),
                Err(_) => return Err(Trouble::Warning("the lookup failed".to_owned())),
            }
        }
        Ok(())
    }

    fn ptr(&self, state: &mut Record<'_>, term: &mut Term) -> Result<(), Trouble> {
        let advice = || Trouble::Warning("The ptr mechanism should not be used (RFC 7208 § 5.5)".to_owned());
        state.count(1)?;
        if term.value.contains('%') {
            return Err(advice());
        }
        if term.value.is_empty() {
            state.domain.clone_into(&mut term.value);
        }
        match self.answers.addresses(&term.value) {
            Ok(0) => Err(Trouble::Void(format!(
                "A ptr mechanism points to {}, but that domain/subdomain does not have any A/AAAA records.",
                term.value
            ))),
            Ok(_) => Err(advice()),
            Err(miss) => Err(missed(miss, &term.value)),
        }
    }

    fn include(&mut self, state: &mut Record<'_>, value: &str, level: &Level) -> Result<(), Trouble> {
        if value.contains('%') {
            return Ok(state.count(1)?);
        }
        if level.path.iter().any(|name| name == value) {
            return Err(Fatal::other(format!("Include loop: {} -> {value}", level.path.join(" -> "))).into());
        }
        if self.seen.iter().any(|name| name == value) {
            state.warn(format!("Duplicate include: {value}"));
            if let Some((lookups, voids)) = self.included.get(value).map(|known| (known.lookups, known.voids)) {
                state.count(1 + lookups)?;
                return Ok(state.count_void(voids)?);
            }
        } else {
            self.seen.push(value.to_owned());
        }
        state.count(1)?;
        let found = match find(value, self.answers) {
            Ok(found) => found,
            Err(NotFound::Several) => return Err(Fatal::other(SEVERAL).into()),
            Err(NotFound::Untold) => return Err(Fatal::other("the lookup failed").into()),
            Err(NotFound::None { error, warnings }) => {
                state.parsed.warnings.extend(warnings);
                state.count_void(1)?;
                return Err(Fatal::other(format!(
                    "The include target {value} has no SPF record, which RFC 7208 § 5.2 defines as a permanent error \
                     (permerror): {error}"
                ))
                .into());
            }
        };
        let mut parsed = match self.parse(&found.record, value, &level.below(value, true)) {
            Ok(parsed) => parsed,
            Err(fatal) => return Err(fatal.after(found.warnings).into()),
        };
        parsed.warnings.splice(0..0, found.warnings);
        state.parsed.warnings.extend(parsed.warnings.iter().cloned());
        let (lookups, voids) = (parsed.lookups, parsed.voids);
        self.included.insert(value.to_owned(), parsed);
        state.count(lookups)?;
        Ok(state.count_void(voids)?)
    }

    fn redirect(&mut self, state: &mut Record<'_>, value: &str, level: &Level) -> Result<(), Trouble> {
        if state.redirected {
            return Err(Fatal::other("Multiple redirect modifiers").into());
        }
        state.redirected = true;
        if state.has_all {
            state.warn(
                "The redirect modifier was ignored because the record contains an all mechanism (RFC 7208 § 6.1).",
            );
            return Ok(());
        }
        state.count(1)?;
        if value.contains('%') {
            return Ok(());
        }
        if level.path.iter().any(|name| name == value) {
            return Err(Fatal::other(format!("Redirect loop: {value}")).into());
        }
        self.seen.push(value.to_owned());
        let found = match find(value, self.answers) {
            Ok(found) => found,
            Err(NotFound::Several) => return Err(Fatal::other(SEVERAL).into()),
            Err(NotFound::Untold) => return Err(Fatal::other("the lookup failed").into()),
            Err(NotFound::None { error, warnings }) => return Err(Fatal::other(error).after(warnings).into()),
        };
        let parsed = match self.parse(&found.record, value, &level.below(value, level.included)) {
            Ok(parsed) => parsed,
            Err(fatal) => return Err(fatal.after(found.warnings).into()),
        };
        state.parsed.warnings.extend(found.warnings);
        state.parsed.warnings.extend(parsed.warnings);
        state.parsed.all = parsed.all;
        state.count(parsed.lookups)?;
        Ok(state.count_void(parsed.voids)?)
    }
}

/// Puts the name a mechanism asks for into its value.
fn target(state: &Record<'_>, term: &mut Term) -> Result<(), Trouble> {
    let name = syntax::split_cidr(state.domain, &term.value, &term.name).map_err(Fatal::other)?;
    term.value = if name.is_empty() { state.domain.to_owned() } else { name.to_owned() };
    Ok(())
}

fn missed(miss: Miss, name: &str) -> Trouble {
    match miss {
        Miss::NxDomain => Trouble::Void(nonexistent(name)),
        Miss::NoAnswer | Miss::Untold => Trouble::Warning("the lookup failed".to_owned()),
    }
}
