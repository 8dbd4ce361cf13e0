//! Technologies in the form of Wappalyzer and its successors, from a file of the user's (the data is GPL, so none is here).
//!
//! Read are `headers`, `cookies`, `meta`, `scriptSrc` and `cpe`; patterns as `regex\;version:\1\;confidence:50`. Patterns
//! that need look-around cannot be run in linear time and are passed over.

use regex::{Regex, RegexBuilder};
use riskgraph_domain::Text;
use riskgraph_domain::known::SoftwareSignal;
use riskgraph_domain::observation::WebFacts;
use serde_json::{Map, Value};

/// Technologies and patterns read; the known collections have some 7,600 and 20,000.
const TECHNOLOGIES_MAX: usize = 20_000;
const PATTERNS_MAX: usize = 60_000;
/// Largest compiled pattern, in bytes: the file is the user's, but a slip in it must not take the memory.
const PATTERN_BYTES_MAX: usize = 1 << 18;
/// Characters of a text that patterns see.
const TEXT_CHARS_MAX: usize = 2_000;
/// Characters of a sign that are kept.
const VALUE_CHARS_MAX: usize = 160;

/// Patterns by where they look.
#[derive(Debug, Default)]
pub struct Technologies {
    names: Vec<(String, Option<String>)>,
    headers: Vec<Pattern>,
    cookies: Vec<Pattern>,
    metas: Vec<Pattern>,
    scripts: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    technology: usize,
    /// Name of the header, cookie or meta element, lower case; empty for scripts.
    key: String,
    regex: Regex,
    version: Option<String>,
}

impl Technologies {
    /// Reads a file: `{"technologies": {...}}` or the technologies alone. Returns how many patterns could not be used.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(bytes: &[u8]) -> Result<(Self, usize), serde_json::Error> {
        let mut file: Map<String, Value> = serde_json::from_slice(bytes)?;
        let inner = file.remove("technologies").or_else(|| file.remove("apps"));
        let technologies = match inner {
            Some(Value::Object(inner)) => inner,
            _ => file,
        };
        let mut all = Self::default();
        let mut n_bad = 0;
        for (name, entry) in technologies.into_iter().take(TECHNOLOGIES_MAX) {
            let Value::Object(entry) = entry else { continue };
            let technology = all.names.len();
            all.names.push((name, entry.get("cpe").and_then(Value::as_str).and_then(vendor_and_product)));
            for (place, list) in
                [("headers", &mut all.headers), ("cookies", &mut all.cookies), ("meta", &mut all.metas)]
            {
                let named = entry.get(place).and_then(Value::as_object).into_iter().flatten();
                n_bad += named.map(|(key, value)| push(list, technology, key, value)).sum::<usize>();
            }
            if let Some(value) = entry.get("scriptSrc") {
                n_bad += push(&mut all.scripts, technology, "", value);
            }
        }
        Ok((all, n_bad))
    }

    /// The `vendor:product` names in the file.
    pub(super) fn cpes(&self) -> impl Iterator<Item = String> {
        self.names.iter().filter_map(|(_, cpe)| cpe.clone())
    }

    /// Tells every technology a fetch shows, with its CPE where the file names one.
    pub(super) fn read(&self, scheme: &str, web: &WebFacts, tell: &mut dyn FnMut(&str, &[&str], SoftwareSignal)) {
        let mut tell = |pattern: &Pattern, source: String, value: &str| {
            let value: String = value.chars().take(TEXT_CHARS_MAX).collect();
            let Some(found) = pattern.regex.captures(&value) else { return };
            let version = pattern.version.as_deref().and_then(|template| filled(template, &found));
            let Some((name, cpe)) = self.names.get(pattern.technology) else { return };
            let cpes: Vec<&str> = cpe.iter().map(String::as_str).collect();
            let value = value.chars().take(VALUE_CHARS_MAX).collect();
            tell(name, &cpes, SoftwareSignal { source: Text::from(source), value, version: version.map(Text::from) });
        };
        if let Some(hop) = web.last() {
            for pattern in &self.headers {
                for value in hop.headers_named(&pattern.key) {
                    tell(pattern, format!("{scheme} header {}", pattern.key), value);
                }
            }
            for (name, value) in hop.headers_named("set-cookie").filter_map(|cookie| cookie.split_once('=')) {
                for pattern in self.cookies.iter().filter(|pattern| pattern.key.eq_ignore_ascii_case(name.trim())) {
                    tell(pattern, "cookie".to_owned(), value.split(';').next().unwrap_or_default());
                }
            }
        }
        let Some(page) = &web.page else { return };
        for pattern in &self.metas {
            for (_, content) in page.metas.iter().filter(|(name, _)| *name == pattern.key) {
                tell(pattern, format!("meta {}", pattern.key), content);
            }
        }
        for pattern in &self.scripts {
            for url in page.scripts.iter().filter_map(|script| script.url.as_deref()) {
                tell(pattern, "script".to_owned(), url);
            }
        }
    }
}

/// `vendor:product` of a CPE 2.3 or 2.2 name.
pub(super) fn vendor_and_product(cpe: &str) -> Option<String> {
    let mut parts = cpe.strip_prefix("cpe:2.3:").or_else(|| cpe.strip_prefix("cpe:/"))?.split(':').skip(1);
    let (vendor, product) = (parts.next()?, parts.next()?);
    (!vendor.is_empty() && !product.is_empty() && vendor != "*").then(|| format!("{vendor}:{product}"))
}

/// Adds the patterns of one value (a text or a list of them); returns how many could not be used.
fn push(list: &mut Vec<Pattern>, technology: usize, key: &str, value: &Value) -> usize {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut n_bad = 0;
    for text in texts {
        let mut parts = text.split("\\;");
        let regex = RegexBuilder::new(parts.next().unwrap_or_default())
            .case_insensitive(true)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        let version = parts.find_map(|part| part.strip_prefix("version:")).map(str::to_owned);
        match regex {
            Ok(regex) if list.len() < PATTERNS_MAX => {
                list.push(Pattern { technology, key: key.to_ascii_lowercase(), regex, version });
            }
            _ => n_bad += 1,
        }
    }
    n_bad
}

/// A version template with its groups filled in: `\1`, or `\1?yes:no`.
fn filled(template: &str, found: &regex::Captures<'_>) -> Option<String> {
    let group = |n: usize| found.get(n).map_or("", |group| group.as_str());
    let fill = |text: &str| (1..=9).fold(text.to_owned(), |text, n| text.replace(&format!("\\{n}"), group(n)));
    let text = match template.split_once('?') {
        Some((condition, choices)) => {
            let (yes, no) = choices.split_once(':').unwrap_or((choices, ""));
            fill(if fill(condition).is_empty() { no } else { yes })
        }
        None => fill(template),
    };
    super::software::version_in(&text)
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::observation::{Hop, PageFacts, Peer};

    use super::*;

    #[test]
    fn reads_the_format() {
        let file = r#"{"technologies":{
            "Acme Shop":{"cpe":"cpe:2.3:a:acme:shop:*:*:*:*:*:*:*:*","headers":{"X-Acme":"v([\\d.]+)\\;version:\\1"},
              "meta":{"generator":["^Acme(?: ([\\d.]+))?\\;version:\\1\\;confidence:50"]},"cookies":{"acme_sid":""}},
            "Other":{"scriptSrc":"other(-min)?\\.js\\;version:\\1?2.0:1.0","html":"ignored"},
            "Bad":{"headers":{"server":"(?<!a)b"}}}}"#;
        let (technologies, n_bad) = Technologies::parse(file.as_bytes()).expect("reads");
        assert_eq!(n_bad, 1, "look-behind cannot be run");
        let headers = [("x-acme", "v3.2.1"), ("set-cookie", "acme_sid=1; path=/"), ("server", "b")];
        let page = PageFacts { metas: vec![("generator".into(), "Acme 3.2.1".into())], ..PageFacts::default() };
        let web = WebFacts {
            url: "https://a.example/".into(),
            peer: Peer::Verified,
            hops: vec![Hop {
                url: "https://a.example/".into(),
                status: 200,
                headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            }],
            failure: None,
            body: None,
            page: Some(page),
        };
        let mut told = Vec::new();
        technologies.read("https", &web, &mut |name, cpes, signal| {
            told.push(format!("{name} {cpes:?} {} {:?}", signal.source, signal.version.as_deref()));
        });
        assert_eq!(
            told,
            [
                r#"Acme Shop ["acme:shop"] https header x-acme Some("3.2.1")"#,
                r#"Acme Shop ["acme:shop"] cookie None"#,
                r#"Acme Shop ["acme:shop"] meta generator Some("3.2.1")"#,
            ]
        );
        assert!(Technologies::parse(b"[]").is_err());
    }

    #[test]
    fn names_of_products() {
        let check = |cpe: &str, want: Option<&str>| assert_eq!(vendor_and_product(cpe).as_deref(), want, "{cpe}");
        check("cpe:2.3:a:nginx:nginx:1.18.0:*:*:*:*:*:*:*", Some("nginx:nginx"));
        check("cpe:/a:php:php:7.4", Some("php:php"));
        check("cpe:2.3:a:*:x", None);
        check("nginx", None);
    }
}
