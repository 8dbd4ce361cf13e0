//! Vulnerabilities and their version ranges, from files in the form of the NVD API 2.0 (`vulnerabilities[].cve`).
//!
//! Only products somebody may have are kept: whole years of NVD are read and most of it is passed over at once. Knows no
//! site.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use riskgraph_domain::{Text, Timestamp};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::version::compare;
use super::wappalyzer::vendor_and_product;

/// Vulnerabilities kept.
const KEPT_MAX: usize = 200_000;
/// Ranges kept of one vulnerability and product.
const RANGES_MAX: usize = 400;

/// One vulnerability.
#[derive(Debug, Clone, PartialEq)]
pub struct Cve {
    pub id: Text,
    /// Base score, of the newest CVSS version given.
    pub cvss: Option<f64>,
    pub published: Option<Timestamp>,
}

/// Vulnerabilities by `vendor:product`.
#[derive(Debug, Clone, Default)]
pub struct NvdIndex {
    cves: Vec<Cve>,
    by_product: BTreeMap<String, Vec<(usize, Range)>>,
}

/// Versions that are vulnerable.
#[derive(Debug, Clone, Default, PartialEq)]
struct Range {
    exact: Option<String>,
    from: Option<String>,
    after: Option<String>,
    to: Option<String>,
    before: Option<String>,
}

impl NvdIndex {
    /// Adds the vulnerabilities of a file that concern these products (`vendor:product`); all when none are named.
    ///
    /// # Errors
    /// When the file is not of this form; what was read before stays.
    pub fn add(&mut self, bytes: &[u8], products: &BTreeSet<String>) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        deserializer.deserialize_map(File { index: self, products })?;
        deserializer.end()
    }

    /// How many vulnerabilities are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cves.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cves.is_empty()
    }

    /// The vulnerabilities of this version of a product, each once, in the order of the files.
    pub fn of(&self, product: &str, version: &str) -> impl Iterator<Item = &Cve> {
        let ranges = self.by_product.get(product).map_or(&[][..], Vec::as_slice);
        let hit: BTreeSet<usize> =
            ranges.iter().filter(|(_, range)| range.holds(version)).map(|&(cve, _)| cve).collect();
        hit.into_iter().filter_map(|cve| self.cves.get(cve))
    }

    fn keep(&mut self, cve: Item, products: &BTreeSet<String>) {
        let mut matches: Vec<(String, Range)> = Vec::new();
        for configuration in &cve.configurations {
            // "This software on that platform": the platform cannot be seen from outside, so nothing is said.
            let needs_more = configuration.operator.as_deref() == Some("AND") && configuration.nodes.len() > 1;
            if needs_more && !configuration.nodes.iter().all(|node| node.has_vulnerable()) {
                continue;
            }
            let nodes =
                configuration.nodes.iter().filter(|node| !node.negate && node.operator.as_deref() != Some("AND"));
            for criterion in nodes.flat_map(|node| &node.matches).filter(|criterion| criterion.vulnerable) {
                let Some(product) = vendor_and_product(&criterion.criteria) else { continue };
                if (products.is_empty() || products.contains(&product))
                    && matches.len() < RANGES_MAX
                    && let Some(range) = criterion.range()
                {
                    matches.push((product, range));
                }
            }
        }
        if matches.is_empty() || self.cves.len() >= KEPT_MAX {
            return;
        }
        let at = self.cves.len();
        let published = cve.published.as_deref().and_then(super::lists::day_or_moment);
        self.cves.push(Cve { id: Text::from(cve.id), cvss: cve.metrics.best(), published });
        for (product, range) in matches {
            self.by_product.entry(product).or_default().push((at, range));
        }
    }
}

impl Range {
    fn holds(&self, version: &str) -> bool {
        let is = |bound: &Option<String>, fits: fn(Ordering) -> bool| {
            bound.as_deref().is_none_or(|bound| fits(compare(version, bound)))
        };
        is(&self.exact, Ordering::is_eq)
            && is(&self.from, Ordering::is_ge)
            && is(&self.after, Ordering::is_gt)
            && is(&self.to, Ordering::is_le)
            && is(&self.before, Ordering::is_lt)
    }
}

#[derive(Deserialize)]
struct Item {
    id: String,
    published: Option<String>,
    #[serde(rename = "vulnStatus")]
    status: Option<String>,
    #[serde(default)]
    metrics: Metrics,
    #[serde(default)]
    configurations: Vec<Configuration>,
}

#[derive(Deserialize)]
struct Wrapped {
    cve: Item,
}

#[derive(Deserialize, Default)]
struct Metrics {
    #[serde(rename = "cvssMetricV40", default)]
    v40: Vec<Metric>,
    #[serde(rename = "cvssMetricV31", default)]
    v31: Vec<Metric>,
    #[serde(rename = "cvssMetricV30", default)]
    v30: Vec<Metric>,
    #[serde(rename = "cvssMetricV2", default)]
    v2: Vec<Metric>,
}

impl Metrics {
    /// The score of version 3.1, which nearly all have, so that scores compare; else of what there is. NVD's own first.
    fn best(&self) -> Option<f64> {
        let of = |list: &[Metric]| {
            let primary = list.iter().find(|metric| metric.kind.as_deref() == Some("Primary"));
            primary.or(list.first()).map(|metric| metric.data.score)
        };
        of(&self.v31).or_else(|| of(&self.v30)).or_else(|| of(&self.v40)).or_else(|| of(&self.v2))
    }
}

#[derive(Deserialize)]
struct Metric {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "cvssData")]
    data: CvssData,
}

#[derive(Deserialize)]
struct CvssData {
    #[serde(rename = "baseScore")]
    score: f64,
}

#[derive(Deserialize)]
struct Configuration {
    operator: Option<String>,
    #[serde(default)]
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    operator: Option<String>,
    #[serde(default)]
    negate: bool,
    #[serde(rename = "cpeMatch", default)]
    matches: Vec<Criterion>,
}

impl Node {
    fn has_vulnerable(&self) -> bool {
        self.matches.iter().any(|criterion| criterion.vulnerable)
    }
}

#[derive(Deserialize)]
struct Criterion {
    vulnerable: bool,
    criteria: String,
    #[serde(rename = "versionStartIncluding")]
    from: Option<String>,
    #[serde(rename = "versionStartExcluding")]
    after: Option<String>,
    #[serde(rename = "versionEndIncluding")]
    to: Option<String>,
    #[serde(rename = "versionEndExcluding")]
    before: Option<String>,
}

impl Criterion {
    /// The versions meant; `None` when none is named (`-`).
    fn range(&self) -> Option<Range> {
        let fields: Vec<&str> = self.criteria.strip_prefix("cpe:2.3:")?.split(':').collect();
        let exact = match *fields.get(3)? {
            "*" => None,
            "-" | "" => return None,
            version => {
                let update = fields.get(4).copied().filter(|update| !matches!(*update, "*" | "-" | ""));
                let plain = version.replace('\\', "");
                Some(update.map_or_else(|| plain.clone(), |update| format!("{plain}-{update}")))
            }
        };
        let (from, after, to, before) = (self.from.clone(), self.after.clone(), self.to.clone(), self.before.clone());
        Some(Range { exact, from, after, to, before })
    }
}

/// Reads the file's object; everything but the vulnerabilities is passed over.
struct File<'a> {
    index: &'a mut NvdIndex,
    products: &'a BTreeSet<String>,
}

impl<'de> Visitor<'de> for File<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `vulnerabilities`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "vulnerabilities" {
                map.next_value_seed(List { index: &mut *self.index, products: self.products })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Reads the list one entry at a time, so that a year of NVD never stands in memory parsed.
struct List<'a> {
    index: &'a mut NvdIndex,
    products: &'a BTreeSet<String>,
}

impl<'de> serde::de::DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of vulnerabilities")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(Wrapped { cve }) = list.next_element()? {
            if cve.status.as_deref() != Some("Rejected") {
                self.index.keep(cve, self.products);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn file(configurations: Value) -> Vec<u8> {
        let cve = json!({"id": "CVE-2021-1", "published": "2021-06-01T13:15:07.853", "vulnStatus": "Analyzed",
            "metrics": {"cvssMetricV31": [
                {"type": "Secondary", "cvssData": {"baseScore": 5.0}}, {"type": "Primary", "cvssData": {"baseScore": 7.7}}]},
            "configurations": configurations});
        json!({"format": "NVD_CVE", "version": "2.0", "vulnerabilities": [{"cve": cve}]}).to_string().into_bytes()
    }

    fn criterion(criteria: &str, bounds: Value) -> Value {
        let mut it = json!({"vulnerable": true, "criteria": criteria});
        if let (Some(it), Value::Object(bounds)) = (it.as_object_mut(), bounds) {
            it.extend(bounds);
        }
        it
    }

    #[test]
    fn versions_in_ranges() {
        let check = |configurations: Value, version: &str, want: bool| {
            let mut index = NvdIndex::default();
            index.add(&file(configurations.clone()), &BTreeSet::from(["f5:nginx".to_owned()])).expect("reads");
            assert_eq!(index.of("f5:nginx", version).count() == 1, want, "{version} {configurations}");
        };
        let node =
            |criteria: Vec<Value>| json!([{"nodes": [{"operator": "OR", "negate": false, "cpeMatch": criteria}]}]);
        let any = "cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*";
        let range =
            node(vec![criterion(any, json!({"versionStartIncluding": "0.6.18", "versionEndExcluding": "1.20.1"}))]);
        check(range.clone(), "0.6.18", true);
        check(range.clone(), "1.20.0", true);
        check(range.clone(), "1.20.1", false);
        check(range, "0.6.17", false);
        let closed = node(vec![criterion(any, json!({"versionStartExcluding": "1.0", "versionEndIncluding": "1.2"}))]);
        check(closed.clone(), "1.0", false);
        check(closed, "1.2.0", true);
        check(node(vec![criterion("cpe:2.3:a:f5:nginx:1.21.0:*:*:*:*:*:*:*", json!({}))]), "1.21.0", true);
        check(node(vec![criterion("cpe:2.3:a:f5:nginx:1.21.0:*:*:*:*:*:*:*", json!({}))]), "1.21.1", false);
        check(node(vec![criterion("cpe:2.3:a:f5:nginx:1.0:rc1:*:*:*:*:*:*", json!({}))]), "1.0", false);
        check(node(vec![criterion("cpe:2.3:a:f5:nginx:-:*:*:*:*:*:*:*", json!({}))]), "1.0", false);
        check(node(vec![criterion("cpe:2.3:a:f5:other:*:*:*:*:*:*:*:*", json!({}))]), "1.0", false);
        let on_platform = json!([{"operator": "AND", "nodes": [
            {"operator": "OR", "negate": false, "cpeMatch": [criterion(any, json!({}))]},
            {"operator": "OR", "negate": false, "cpeMatch": [
                {"vulnerable": false, "criteria": "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"}]}]}]);
        check(on_platform, "1.0", false);
    }

    #[test]
    fn what_is_kept_of_a_vulnerability() {
        let mut index = NvdIndex::default();
        let any = criterion("cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*", json!({}));
        let bytes = file(json!([{"nodes": [{"operator": "OR", "cpeMatch": [any]}]}]));
        index.add(&bytes, &BTreeSet::new()).expect("reads");
        let cve = index.of("f5:nginx", "1.0").next().expect("one");
        assert_eq!((cve.id.as_str(), cve.cvss), ("CVE-2021-1", Some(7.7)));
        assert_eq!(cve.published, super::super::lists::day_or_moment("2021-06-01T13:15:07.853"));
        assert!(index.add(b"{\"vulnerabilities\": [{}]}", &BTreeSet::new()).is_err());
        assert!(index.add(b"no", &BTreeSet::new()).is_err());
        assert_eq!(index.len(), 1);
    }
}
