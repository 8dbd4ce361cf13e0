//! Recognises products and their versions by what a site says of itself: headers, cookies, files, the page's generator.
//!
//! Every sign is kept with where it was seen, so that a version that two independent signs agree on is told from one that a
//! single header claims. Must *not* know vulnerabilities.

use std::sync::LazyLock;

use regex::Regex;
use riskgraph_domain::Text;
use riskgraph_domain::known::{KNOWN_MAX, Software, SoftwareSignal};
use riskgraph_domain::observation::{DomainObservations, Hop, WebFacts};

use super::products::{Origin, PRODUCTS, Product};
use super::wappalyzer::Technologies;

/// Characters of a sign that are kept.
const VALUE_CHARS_MAX: usize = 160;
/// Files of a page that are looked at.
const URLS_MAX: usize = 600;
/// Headers in which products name themselves.
const TOKEN_HEADERS: &[&str] = &["server", "x-powered-by", "via", "x-generator", "x-server", "x-backend"];
/// Marks of distributions that repair what they pack without changing its number.
const DISTRIBUTIONS: &[(&str, &str)] = &[
    ("ubuntu", "Ubuntu"),
    ("debian", "Debian"),
    ("+deb", "Debian"),
    ("~deb", "Debian"),
    ("red hat", "Red Hat"),
    ("redhat", "Red Hat"),
    ("rhel", "Red Hat"),
    ("centos", "CentOS"),
    ("rocky", "Rocky Linux"),
    ("alma", "AlmaLinux"),
    ("oracle linux", "Oracle Linux"),
    ("amazon", "Amazon Linux"),
    ("amzn", "Amazon Linux"),
    ("suse", "SUSE"),
    ("fedora", "Fedora"),
    ("-fips", "a FIPS build"),
    (".el6", "Red Hat"),
    (".el7", "Red Hat"),
    (".el8", "Red Hat"),
    (".el9", "Red Hat"),
    (".el10", "Red Hat"),
    ("raspbian", "Raspbian"),
    ("alpine", "Alpine"),
];

static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^[vV]?(\d{1,9}(?:\.\d{1,9}){0,4}(?:[a-z]{1,2}\b|[-.]?(?:rc|beta|alpha|p)\.?\d{0,3})?)").ok()
});

/// Everything recognised, in the order of the table.
#[must_use]
pub fn recognise(seen: &DomainObservations, technologies: Option<&Technologies>) -> Vec<Software> {
    let mut found = Found::default();
    let fetches = [("https", seen.https.as_ref()), ("http", seen.http.as_ref())];
    for (scheme, web) in fetches.into_iter().filter_map(|(scheme, web)| Some((scheme, web?))) {
        let own: Vec<&Hop> = web.hops.iter().filter(|hop| is_own(&hop.url, &seen.domain)).collect();
        for hop in &own {
            read_headers(&mut found, scheme, hop);
        }
        if own.len() == web.hops.len() {
            read_page(&mut found, web);
        }
        if let Some(technologies) = technologies {
            technologies.read(scheme, web, &mut |name, cpe, signal| found.add(name, cpe, Origin::Upstream, signal));
        }
    }
    found.finish()
}

/// Whether a URL is of the domain or below it: what a redirect leads to elsewhere is another's software.
fn is_own(url: &str, domain: &str) -> bool {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase));
    host.is_some_and(|host| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[derive(Default)]
struct Found {
    software: Vec<(Software, Origin)>,
    /// A distribution named anywhere on the host: what it packs may be repaired.
    distribution: Option<&'static str>,
}

impl Found {
    fn add(&mut self, name: &str, cpes: &[&str], origin: Origin, signal: SoftwareSignal) {
        let known = self.software.iter().position(|(software, _)| software.name.as_str() == name);
        let at = known.unwrap_or(self.software.len());
        if known.is_none() && at < KNOWN_MAX {
            let cpes = cpes.iter().map(|&cpe| Text::from(cpe)).collect();
            let software =
                Software { name: Text::from(name), cpes, version: None, signals: Vec::new(), backported_by: None };
            self.software.push((software, origin));
        }
        let Some((software, _)) = self.software.get_mut(at) else { return };
        if !software.signals.contains(&signal) && software.signals.len() < 32 {
            software.signals.push(signal);
        }
    }

    fn product(&mut self, product: &Product, source: String, value: &str, version: Option<String>) {
        let signal = SoftwareSignal {
            source: Text::from(source),
            value: value.chars().take(VALUE_CHARS_MAX).collect(),
            version: version.map(Text::from),
        };
        self.add(product.name, product.cpes, product.origin, signal);
    }

    /// Each product with the version most signs agree on; the more exact one where they agree alike.
    fn finish(self) -> Vec<Software> {
        let distribution = self.distribution;
        let finish = |(mut software, origin): (Software, Origin)| {
            let versions = software.signals.iter().filter_map(|signal| signal.version.clone());
            let best = versions.max_by_key(|version| {
                let agreeing = software.signals.iter().filter(|signal| signal.version.as_ref() == Some(version));
                (agreeing.count(), version.len(), version.clone())
            });
            software.version = best;
            if origin == Origin::Packaged {
                software.backported_by = distribution.map(Text::from);
            }
            software
        };
        self.software.into_iter().map(finish).collect()
    }
}

fn read_headers(found: &mut Found, scheme: &str, hop: &Hop) {
    for (name, value) in &hop.headers {
        let lower = value.to_ascii_lowercase();
        if TOKEN_HEADERS.contains(&name.as_str()) {
            if let Some((_, distribution)) = DISTRIBUTIONS.iter().find(|(mark, _)| lower.contains(mark)) {
                found.distribution = Some(distribution);
            }
            for (token, version) in tokens(value) {
                let named = |product: &&Product| product.tokens.contains(&token.as_str());
                if let Some(product) = PRODUCTS.iter().find(named) {
                    found.product(product, format!("{scheme} header {name}"), value, version);
                }
            }
        }
        for product in PRODUCTS.iter().filter(|product| product.headers.contains(&name.as_str())) {
            found.product(product, format!("{scheme} header {name}"), value, version_in(value));
        }
        let generator = name == "x-generator";
        for product in PRODUCTS.iter().filter(|product| generator && starts(&lower, product.generators)) {
            found.product(product, format!("{scheme} header {name}"), value, after_words(value));
        }
        if name == "set-cookie" {
            let cookie = value.split('=').next().unwrap_or_default().trim();
            for product in
                PRODUCTS.iter().filter(|product| product.cookies.iter().any(|begin| cookie.starts_with(begin)))
            {
                found.product(product, "cookie".to_owned(), cookie, None);
            }
        }
    }
}

fn read_page(found: &mut Found, web: &WebFacts) {
    let Some(page) = &web.page else { return };
    for (_, content) in page.metas.iter().filter(|(name, _)| name == "generator") {
        let lower = content.to_ascii_lowercase();
        for product in PRODUCTS.iter().filter(|product| starts(&lower, product.generators)) {
            found.product(product, "meta generator".to_owned(), content, after_words(content));
        }
    }
    let scripts = page.scripts.iter().filter_map(|script| script.url.as_deref());
    for url in scripts.chain(page.resources.iter().map(String::as_str)).take(URLS_MAX) {
        for product in PRODUCTS {
            for pattern in product.paths {
                if let Some(version) = in_path(url, pattern) {
                    // The path of a file and the version in its query are one sign each.
                    let source = if version.is_some() { "file version" } else { "file path" };
                    found.product(product, source.to_owned(), url, version);
                }
            }
        }
    }
}

/// The product tokens of a header (RFC 9110 10.1.5), comments left out: `Apache/2.4.6 (CentOS) OpenSSL/1.0.2k-fips`.
fn tokens(value: &str) -> Vec<(String, Option<String>)> {
    let mut out = Vec::new();
    let mut depth = 0_u32;
    let mut word = String::new();
    let mut inner = String::new();
    for c in value.chars().chain([' ']) {
        match c {
            '(' => {
                push_token(&mut out, if depth == 0 { &mut word } else { &mut inner });
                depth += 1;
            }
            ')' => depth = depth.saturating_sub(1),
            // `1.1 varnish (Varnish/6.0)` names its product in the comment.
            _ if depth > 0 => inner.push(c),
            ' ' | ',' | ';' | '\t' => push_token(&mut out, &mut word),
            _ => word.push(c),
        }
        if c == ')' || (depth > 0 && matches!(c, ' ' | ',' | ';')) {
            push_token(&mut out, &mut inner);
        }
    }
    out
}

fn push_token(out: &mut Vec<(String, Option<String>)>, word: &mut String) {
    let taken = std::mem::take(word);
    let trimmed = taken.trim();
    if trimmed.is_empty() || out.len() >= 32 {
        return;
    }
    match trimmed.split_once('/') {
        Some((name, version)) => out.push((name.to_ascii_lowercase(), version_in(version))),
        // `Jetty(9.4.1)` and `Phusion Passenger 6.0.4` have the number behind.
        None => match (version_in(trimmed), out.last_mut()) {
            (Some(version), Some((_, last @ None))) => *last = Some(version),
            (Some(_), _) => {}
            (None, _) => out.push((trimmed.to_ascii_lowercase(), None)),
        },
    }
}

/// The version a text begins with.
pub(super) fn version_in(text: &str) -> Option<String> {
    let found = VERSION.as_ref()?.captures(text.trim())?;
    Some(found.get(1)?.as_str().to_ascii_lowercase())
}

/// The version behind the words of a generator: `WordPress 6.1.1`, `Joomla! - Open Source`, `Drupal 9 (https://...)`.
fn after_words(text: &str) -> Option<String> {
    text.split_whitespace().skip(1).take(4).find_map(version_in)
}

fn starts(text: &str, beginnings: &[&str]) -> bool {
    beginnings.iter().any(|begin| text.starts_with(begin))
}

/// Whether a URL holds the pattern, and the version in the place of `{v}`.
fn in_path(url: &str, pattern: &str) -> Option<Option<String>> {
    let Some((before, after)) = pattern.split_once("{v}") else {
        return url.contains(pattern).then_some(None);
    };
    let (_, rest) = url.split_once(before)?;
    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(rest.len());
    // The text behind may itself consist of such characters (`.min.js`).
    let end = if after.is_empty() { Some(length) } else { rest.find(after) }?;
    let version = version_in(&rest[..end])?;
    (version.len() == end && version.contains('.')).then_some(Some(version))
}

#[cfg(test)]
mod tests;
