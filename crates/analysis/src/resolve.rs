//! Which vendor is meant: names of companies as others write them, domains, short names of integrations.
//!
//! A link found here is a guess with a confidence, kept apart from what was declared. It must *not* know graph or alerts.

use rapidfuzz::distance::indel;
use riskgraph_domain::vendor::Vendor;

use crate::spread::ResolveConfig;

/// Characters of a name that are compared: comparing costs their product.
const NAME_CHARS_MAX: usize = 128;
/// Names shorter than this must be equal: one letter in three is another company.
const FUZZY_CHARS_MIN: usize = 5;
/// A guess from part of a name, such as integration `acme-fulfilment` and vendor `Acme`.
const PART_CONFIDENCE: f64 = 0.85;

/// Forms of companies, which sources write or leave out at will.
const LEGAL_FORMS: &[&str] = &[
    "ab",
    "ag",
    "aps",
    "as",
    "asa",
    "bv",
    "bvba",
    "co",
    "corp",
    "corporation",
    "company",
    "doo",
    "ek",
    "eg",
    "ev",
    "gbr",
    "ggmbh",
    "gmbh",
    "group",
    "holding",
    "holdings",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "kk",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "mbh",
    "nv",
    "og",
    "ohg",
    "ou",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "sarl",
    "sas",
    "se",
    "sl",
    "spa",
    "spk",
    "srl",
    "sro",
    "ug",
    "und",
    "and",
    "the",
];

/// Words in names of integrations that say what they do, not whose they are.
const PURPOSES: &[&str] = &[
    "api",
    "app",
    "connect",
    "connector",
    "export",
    "feed",
    "hook",
    "hooks",
    "import",
    "integration",
    "live",
    "partner",
    "prod",
    "production",
    "service",
    "shop",
    "staging",
    "sync",
    "test",
    "v1",
    "v2",
    "webhook",
    "webhooks",
];

/// The words of a company's name that tell it from others: lower case, accents folded, legal form left out.
#[must_use]
pub fn company_words(name: &str) -> Vec<String> {
    let folded: String = name.chars().take(NAME_CHARS_MAX).flat_map(char::to_lowercase).flat_map(fold).collect();
    // `S.A.` and `B.V.` are forms too: dots join, everything else separates.
    let words: Vec<String> = folded
        .replace('.', "")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let plain: Vec<String> = words.iter().filter(|word| !LEGAL_FORMS.contains(&word.as_str())).cloned().collect();
    if plain.is_empty() { words } else { plain }
}

/// The base letter of what Western names carry accents on.
fn fold(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ą' => ('a', None),
        'ä' => ('a', Some('e')),
        'ç' | 'ć' | 'č' => ('c', None),
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => ('e', None),
        'ì' | 'í' | 'î' | 'ï' | 'ı' => ('i', None),
        'ł' => ('l', None),
        'ñ' | 'ń' | 'ň' => ('n', None),
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' => ('o', None),
        'ö' => ('o', Some('e')),
        'ř' => ('r', None),
        'ß' => ('s', Some('s')),
        'ś' | 'š' => ('s', None),
        'ù' | 'ú' | 'û' | 'ů' => ('u', None),
        'ü' => ('u', Some('e')),
        'ý' | 'ÿ' => ('y', None),
        'ź' | 'ż' | 'ž' => ('z', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

/// The registrable part of a host name (`cdn.vendor.co.uk` is `vendor.co.uk`), lower case; the host itself when it has none.
#[must_use]
pub fn registrable(host: &str) -> String {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    psl::domain_str(&host).map_or_else(|| host.clone(), str::to_owned)
}

/// How alike two names are, 0 ..= 1.
#[must_use]
pub fn company_similarity(a: &str, b: &str) -> f64 {
    words_similarity(&company_words(a), &company_words(b))
}

fn words_similarity(a: &[String], b: &[String]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (joined_a, joined_b) = (a.concat(), b.concat());
    if joined_a == joined_b {
        return 1.0;
    }
    if joined_a.chars().count().min(joined_b.chars().count()) < FUZZY_CHARS_MIN {
        return 0.0;
    }
    let sorted = |words: &[String]| {
        let mut words = words.to_vec();
        words.sort_unstable();
        words.join(" ")
    };
    let (a, b) = (sorted(a), sorted(b));
    indel::normalized_similarity(a.chars(), b.chars())
}

/// The name a domain goes by: the label in front of its public suffix.
fn brand(domain: &str) -> String {
    registrable(domain).split('.').next().unwrap_or_default().to_owned()
}

/// A guess which vendor is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess<'a> {
    pub vendor: &'a Vendor,
    pub confidence: f64,
}

/// The vendor an outside source means by a company's name, or a domain when the source gives one.
///
/// A domain decides: a company of the same name with another domain is another company. Two vendors equally alike: none.
#[must_use]
pub fn company<'a>(
    vendors: impl Iterator<Item = &'a Vendor>,
    name: &str,
    domain: Option<&str>,
    config: &ResolveConfig,
) -> Option<Guess<'a>> {
    let wanted_domain = domain.filter(|domain| !domain.is_empty()).map(registrable);
    let words = company_words(name);
    best(vendors, config.company_min, |vendor| {
        if let Some(wanted) = &wanted_domain
            && !vendor.domains.is_empty()
        {
            let same = vendor.domains.iter().any(|domain| registrable(domain) == *wanted);
            return if same { 1.0 } else { 0.0 };
        }
        let by_name = words_similarity(&words, &company_words(&vendor.name));
        let by_brand = vendor.domains.iter().any(|domain| company_words(&brand(domain)).concat() == words.concat());
        by_name.max(if by_brand { 0.95 } else { 0.0 })
    })
}

/// The vendor that runs an integration of this short name, when none declared it.
#[must_use]
pub fn integration<'a>(
    vendors: impl Iterator<Item = &'a Vendor>,
    short_name: &str,
    config: &ResolveConfig,
) -> Option<Guess<'a>> {
    let all = company_words(short_name);
    let words: Vec<String> = all.iter().filter(|word| !PURPOSES.contains(&word.as_str())).cloned().collect();
    let words = if words.is_empty() { all } else { words };
    best(vendors, config.integration_min, |vendor| {
        let names = std::iter::once(company_words(&vendor.name))
            .chain(vendor.domains.iter().map(|domain| company_words(&brand(domain))));
        names.map(|name| integration_similarity(&words, &name)).fold(0.0, f64::max)
    })
    .map(|guess| Guess { confidence: guess.confidence.min(0.95), ..guess })
}

fn integration_similarity(words: &[String], name: &[String]) -> f64 {
    let within = |part: &[String], whole: &[String]| {
        part.concat().len() >= FUZZY_CHARS_MIN - 1 && part.iter().all(|word| whole.contains(word))
    };
    let part = within(name, words) || within(words, name);
    words_similarity(words, name).max(if part { PART_CONFIDENCE } else { 0.0 })
}

/// The best above the minimum, unless a second one is just as good.
fn best<'a>(vendors: impl Iterator<Item = &'a Vendor>, min: f64, score: impl Fn(&Vendor) -> f64) -> Option<Guess<'a>> {
    let mut best: Option<Guess<'a>> = None;
    let mut tied = false;
    for vendor in vendors {
        let confidence = score(vendor);
        match &best {
            _ if confidence < min => {}
            Some(known) if confidence < known.confidence => {}
            Some(known) if confidence <= known.confidence => tied = true,
            _ => {
                best = Some(Guess { vendor, confidence });
                tied = false;
            }
        }
    }
    best.filter(|_| !tied)
}

/// The vendor one of whose domains this host belongs to.
#[must_use]
pub fn host<'a>(mut vendors: impl Iterator<Item = &'a Vendor>, host: &str) -> Option<&'a Vendor> {
    let wanted = registrable(host);
    vendors.find(|vendor| vendor.domains.iter().any(|domain| registrable(domain) == wanted))
}

#[cfg(test)]
mod tests;
