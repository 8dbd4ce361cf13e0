//! Lists that stand beside vulnerabilities: KEV (JSON), EPSS (CSV), ends of life (endoflife.date), OpenSSF Scorecards.
//! Each in the form its publisher gives it. Knows no site.

use std::collections::BTreeMap;

use riskgraph_domain::known::{KnownExploited, Scorecard};
use riskgraph_domain::{Text, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Rows read of one list; EPSS has some 300,000.
const ROWS_MAX: usize = 2_000_000;

/// CISA's vulnerabilities known to be exploited.
#[derive(Debug, Clone, Default)]
pub struct KevList {
    pub version: Text,
    by_cve: BTreeMap<Text, KnownExploited>,
}

impl KevList {
    /// Reads `known_exploited_vulnerabilities.json`.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct File {
            #[serde(rename = "catalogVersion", default)]
            version: String,
            vulnerabilities: Vec<Row>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Row {
            #[serde(rename = "cveID")]
            cve: Text,
            #[serde(default)]
            date_added: String,
            #[serde(default)]
            due_date: String,
            #[serde(default)]
            known_ransomware_campaign_use: String,
        }
        let file: File = serde_json::from_slice(bytes)?;
        let rows = file.vulnerabilities.into_iter().take(ROWS_MAX).map(|row| {
            let ransomware = match row.known_ransomware_campaign_use.to_ascii_lowercase().as_str() {
                "known" => Some(true),
                _ => None,
            };
            let (added, due) = (day_or_moment(&row.date_added), day_or_moment(&row.due_date));
            (row.cve, KnownExploited { added, due, ransomware })
        });
        Ok(Self { version: Text::from(file.version), by_cve: rows.collect() })
    }

    #[must_use]
    pub fn of(&self, cve: &str) -> Option<&KnownExploited> {
        self.by_cve.get(cve)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_cve.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_cve.is_empty()
    }
}

/// FIRST's probabilities that a vulnerability is exploited within 30 days.
#[derive(Debug, Clone, Default)]
pub struct EpssList {
    by_cve: BTreeMap<Text, f64>,
}

impl EpssList {
    /// Reads the CSV: a comment line, `cve,epss,percentile`, rows. Rows that are none are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let rows = text.lines().filter(|line| line.starts_with("CVE-")).take(ROWS_MAX);
        let read = rows.filter_map(|row| {
            let mut fields = row.split(',');
            let (cve, score) = (fields.next()?.trim(), fields.next()?.trim().parse::<f64>().ok()?);
            (0.0..=1.0).contains(&score).then(|| (Text::from(cve), score))
        });
        Self { by_cve: read.collect() }
    }

    #[must_use]
    pub fn of(&self, cve: &str) -> Option<f64> {
        self.by_cve.get(cve).copied()
    }
}

/// When makers stop repairing, by product and cycle.
#[derive(Debug, Clone, Default)]
pub struct EndOfLifeList {
    by_product: BTreeMap<String, Vec<Cycle>>,
}

/// One line of a product's versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    pub name: Text,
    pub ended: Ended,
}

/// Whether a line of versions is still repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    No,
    Yes,
    On(Timestamp),
}

impl EndOfLifeList {
    /// Reads an object of endoflife.date's answers by product: `{"nginx": [{"cycle": "1.18", "eol": "2021-04-20"}]}`.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Row {
            cycle: Value,
            #[serde(default)]
            eol: Value,
        }
        let file: BTreeMap<String, Vec<Row>> = serde_json::from_slice(bytes)?;
        let cycle = |row: Row| {
            let name = match row.cycle {
                Value::String(name) => name,
                other => other.to_string(),
            };
            let ended = match row.eol {
                Value::Bool(true) => Ended::Yes,
                Value::String(day) => day_or_moment(&day).map_or(Ended::No, Ended::On),
                _ => Ended::No,
            };
            Cycle { name: Text::from(name), ended }
        };
        let by_product = file.into_iter().map(|(name, rows)| (plain(&name), rows.into_iter().map(cycle).collect()));
        Ok(Self { by_product: by_product.collect() })
    }

    /// The line a version belongs to: the longest that its beginning names.
    #[must_use]
    pub fn of(&self, product: &str, version: &str) -> Option<&Cycle> {
        let cycles = self.by_product.get(&plain(product))?;
        let belongs = |cycle: &&Cycle| {
            let name = cycle.name.as_str();
            version == name || version.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '-']))
        };
        cycles.iter().filter(belongs).max_by_key(|cycle| cycle.name.len())
    }
}

/// Names as different writers have them: `Apache HTTP Server`, `apache-http-server`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Reads OpenSSF Scorecard results: one JSON object, or one a line (`scorecard --format json`).
#[must_use]
pub fn scorecards(text: &str) -> Vec<Scorecard> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        date: String,
        repo: Repository,
        score: f64,
    }
    #[derive(Deserialize)]
    struct Repository {
        name: String,
    }
    let whole = serde_json::from_str::<File>(text).ok().map(|file| vec![file]);
    let files = whole.unwrap_or_else(|| text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect());
    let fine = files.into_iter().filter(|file| (0.0..=10.0).contains(&file.score));
    fine.map(|file| Scorecard {
        repository: Text::from(file.repo.name.to_ascii_lowercase()),
        score: file.score,
        date: day_or_moment(&file.date),
    })
    .collect()
}

/// `2021-11-17`, or a moment with or without a zone (UTC then).
pub(super) fn day_or_moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp(moment.timestamp_millis()));
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let moment = forms.iter().find_map(|form| chrono::NaiveDateTime::parse_from_str(text, form).ok());
    let day = || chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    moment.or_else(day).map(|moment| Timestamp(moment.and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_kev() {
        let text = br#"{"title":"x","catalogVersion":"2026.01.02","count":1,"vulnerabilities":[
            {"cveID":"CVE-2021-44228","vendorProject":"Apache","product":"Log4j2","dateAdded":"2021-12-10",
             "dueDate":"2021-12-24","knownRansomwareCampaignUse":"Known","notes":"","cwes":["CWE-20"]},
            {"cveID":"CVE-2021-1","dateAdded":"x","dueDate":"","knownRansomwareCampaignUse":"Unknown"}]}"#;
        let list = KevList::parse(text).expect("reads");
        let entry = list.of("CVE-2021-44228").expect("listed");
        assert_eq!(entry.due, day_or_moment("2021-12-24T00:00:00Z"));
        assert_eq!((entry.ransomware, list.version.as_str(), list.len()), (Some(true), "2026.01.02", 2));
        assert_eq!(list.of("CVE-2021-1").map(|entry| (entry.due, entry.ransomware)), Some((None, None)));
        assert!(list.of("CVE-2000-1").is_none() && KevList::parse(b"{}").is_err());
    }

    /// The list as CISA published it, where the real data is at hand.
    #[test]
    fn reads_the_published_kev() {
        let root = std::env::var_os("RISKGRAPH_DATA")
            .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), Into::into);
        let Ok(bytes) = std::fs::read(root.join("intel/kev/known_exploited_vulnerabilities.json")) else {
            println!("skipped: no published list (set RISKGRAPH_DATA)");
            return;
        };
        let count = serde_json::from_slice::<Value>(&bytes).expect("JSON")["count"].as_u64();
        let list = KevList::parse(&bytes).expect("reads");
        assert_eq!(u64::try_from(list.len()).ok(), count);
        let log4j = list.of("CVE-2021-44228").expect("listed");
        assert_eq!((log4j.due, log4j.ransomware), (day_or_moment("2021-12-24"), Some(true)));
        assert!(list.by_cve.values().all(|entry| entry.due.is_some() && entry.added.is_some()));
    }

    #[test]
    fn reads_epss() {
        let text = "#model_version:v2025.03.14,score_date:2026-01-02T00:00:00+0000\ncve,epss,percentile\n\
            CVE-2021-44228,0.94358,0.99957\nCVE-2021-1,7,0.1\nCVE-2021-2,x\n";
        let list = EpssList::parse(text);
        let check = |cve: &str, want: Option<f64>| assert_eq!(list.of(cve), want, "{cve}");
        check("CVE-2021-44228", Some(0.94358));
        check("CVE-2021-1", None);
        check("CVE-2021-2", None);
    }

    #[test]
    fn reads_ends_of_life() {
        let text =
            br#"{"nginx":[{"cycle":"1.2","eol":true},{"cycle":"1.20","eol":"2022-05-24"},{"cycle":"1.28","eol":false}],
            "apache-http-server":[{"cycle":2.2,"eol":"2017-07-11"}]}"#;
        let list = EndOfLifeList::parse(text).expect("reads");
        let check = |product: &str, version: &str, want: Option<Ended>| {
            assert_eq!(list.of(product, version).map(|cycle| cycle.ended), want, "{product} {version}");
        };
        check("nginx", "1.20.1", day_or_moment("2022-05-24").map(Ended::On));
        check("nginx", "1.2.9", Some(Ended::Yes));
        check("nginx", "1.28.0", Some(Ended::No));
        check("nginx", "1.21.0", None);
        check("Apache HTTP Server", "2.2.15", day_or_moment("2017-07-11").map(Ended::On));
        check("other", "1", None);
    }

    #[test]
    fn reads_scorecards() {
        let one = r#"{"date":"2026-01-01","repo":{"name":"github.com/Acme/Shop"},"score":4.2,"checks":[]}"#;
        let check = |text: &str, n: usize| assert_eq!(scorecards(text).len(), n, "{text}");
        check(one, 1);
        check(&format!("{one}\n{one}\nnoise\n"), 2);
        check(r#"{"repo":{"name":"x"},"score":-1}"#, 0);
        assert_eq!(scorecards(one)[0].repository.as_str(), "github.com/acme/shop");
    }
}
