//! The name that others look like: read, checked, and split at the public suffix. Knows no fuzzer.

use super::encode;
use super::suffixes::{ABOVE_EXCEPTIONS, COME, GONE};

/// Longest text read as a name or address. A name has at most 253 characters; the rest is path.
const TEXT_MAX: usize = 2_048;

/// A domain name, in the three parts that permutations treat apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    ascii: String,
    /// Labels before the registrable one, ASCII; often empty.
    pub subdomain: String,
    /// The label that is registered, in Unicode.
    pub label: String,
    /// The public suffix, ASCII.
    pub suffix: String,
}

/// Why a text is no name to look for others like it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("'{0}' is not the name of a domain")]
    Invalid(String),
    #[error("the name is longer than {TEXT_MAX} characters")]
    TooLong,
}

impl Name {
    /// Reads a domain, in ASCII or Unicode, or the address of a page.
    ///
    /// # Errors
    ///
    /// When there is no valid host name of at least two labels in it (RFC 5891, RFC 1035).
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        if text.len() > TEXT_MAX {
            return Err(NameFault::TooLong);
        }
        let invalid = || NameFault::Invalid(text.trim().chars().take(80).collect());
        let host = host(text).ok_or_else(invalid)?.to_lowercase();
        let ascii = encode::to_ascii(&host).ok_or_else(invalid)?;
        if !encode::is_fully_qualified(&ascii) {
            return Err(invalid());
        }
        let (subdomain, label, suffix) = split(&ascii);
        let labels: Option<Vec<String>> = label.split('.').map(encode::to_unicode).collect();
        let label = labels.ok_or_else(invalid)?.join(".");
        let (subdomain, suffix) = (subdomain.to_owned(), suffix.to_owned());
        Ok(Self { subdomain, label, suffix, ascii })
    }

    /// The whole name in ASCII.
    #[must_use]
    pub fn ascii(&self) -> &str {
        &self.ascii
    }
}

/// The host in a name or address: without scheme, user, port and path.
fn host(text: &str) -> Option<&str> {
    let text = text.trim();
    let rest = match text.split_once("://") {
        Some((scheme, rest)) => {
            let web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
            web.then_some(rest)?
        }
        None => text,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

/// Subdomain, registrable label and public suffix, as dnstwist with the `tld` package splits.
///
/// A name that is a public suffix itself stands for both label and suffix. Without a known suffix the last label is it.
fn split(ascii: &str) -> (&str, &str, &str) {
    let Some(suffix) = known_suffix(ascii) else {
        let (rest, last) = ascii.rsplit_once('.').unwrap_or((ascii, ""));
        let (subdomain, label) = rest.rsplit_once('.').unwrap_or(("", rest));
        return (subdomain, label, last);
    };
    match ascii.len().checked_sub(suffix.len() + 1) {
        None => ("", ascii, ascii),
        Some(end) => {
            let rest = &ascii[..end];
            let (subdomain, label) = rest.rsplit_once('.').unwrap_or(("", rest));
            (subdomain, label, suffix)
        }
    }
}

/// The longest public suffix by the rules of dnstwist's list, private ones too.
fn known_suffix(ascii: &str) -> Option<&str> {
    if ABOVE_EXCEPTIONS.contains(&ascii) {
        return Some(ascii);
    }
    let ends = std::iter::successors(Some(ascii), |name| name.split_once('.').map(|(_, parent)| parent));
    let gone = ends.into_iter().find(|end| is_listed(GONE, end));
    let current = current_suffix(ascii);
    match (gone, current) {
        (Some(gone), Some(current)) if current.len() > gone.len() => Some(current),
        (gone, current) => gone.or(current),
    }
}

/// The longest suffix of the list compiled in, without the rules dnstwist's list has not. Rules with labels of other
/// scripts (`公司.cn`) stand there in Unicode only and so say nothing of the ASCII form.
fn current_suffix(ascii: &str) -> Option<&str> {
    let mut name = ascii;
    loop {
        let found = psl::suffix(name.as_bytes()).filter(psl::Suffix::is_known)?;
        let suffix = &name[name.len() - found.as_bytes().len()..];
        let labels = suffix.rsplit_once('.').map_or("", |(labels, _)| labels);
        if !is_listed(COME, suffix) && !labels.split('.').any(|label| label.starts_with("xn--")) {
            return Some(suffix);
        }
        name = suffix.split_once('.')?.1;
    }
}

/// Whether a rule of the sorted list is this suffix, by itself or with a wildcard.
fn is_listed(rules: &[&str], suffix: &str) -> bool {
    let has = |rule: &str| rules.binary_search(&rule).is_ok();
    has(suffix) || suffix.split_once('.').is_some_and(|(_, parent)| has(&format!("*.{parent}")))
}
