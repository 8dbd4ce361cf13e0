//! Breaches, extortion posts and secrets in public code, by the registrable domain they concern. Knows no check.

use std::collections::BTreeMap;

use riskgraph_domain::known::{Breach, CodeLeak, Extortion, KNOWN_MAX};
use serde::Deserialize;

use super::lists::day_or_moment;
use super::{cut, registrable_of};

/// Rows read of one file.
const ROWS_MAX: usize = 500_000;

/// Reads breaches as Have I Been Pwned lists them (`/api/v3/breaches`).
///
/// # Errors
/// When it is no JSON array of that form.
pub fn breaches(bytes: &[u8]) -> Result<BTreeMap<String, Vec<Breach>>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        name: String,
        #[serde(default)]
        domain: String,
        #[serde(default)]
        breach_date: String,
        #[serde(default)]
        pwn_count: u64,
        #[serde(default)]
        data_classes: Vec<String>,
        #[serde(default)]
        is_verified: bool,
        #[serde(default)]
        is_fabricated: bool,
    }
    let rows: Vec<Row> = serde_json::from_slice(bytes)?;
    let mut all: BTreeMap<String, Vec<Breach>> = BTreeMap::new();
    for row in rows.into_iter().take(ROWS_MAX).filter(|row| !row.is_fabricated) {
        let Some(domain) = registrable_of(&row.domain) else { continue };
        push(&mut all, domain, || Breach {
            name: cut(&row.name),
            date: day_or_moment(&row.breach_date),
            n_accounts: row.pwn_count,
            data_classes: row.data_classes.iter().take(20).map(|class| cut(class)).collect(),
            verified: row.is_verified,
        });
    }
    Ok(all)
}

/// Reads posts of extortion groups as ransomware.live and RansomLook list them. Only posts that name the victim's site
/// count: names alone are matched by people, not here.
///
/// # Errors
/// When it is no JSON array of that form.
pub fn extortions(bytes: &[u8]) -> Result<BTreeMap<String, Vec<Extortion>>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Row {
        #[serde(alias = "post_title", alias = "victim", alias = "title", default)]
        victim: String,
        #[serde(alias = "group_name", alias = "group", default)]
        group: String,
        #[serde(alias = "domain", alias = "url", default)]
        website: Option<String>,
        #[serde(alias = "published", alias = "attackdate", default)]
        discovered: Option<String>,
    }
    let rows: Vec<Row> = serde_json::from_slice(bytes)?;
    let mut all: BTreeMap<String, Vec<Extortion>> = BTreeMap::new();
    for row in rows.into_iter().take(ROWS_MAX) {
        let Some(domain) = row.website.as_deref().and_then(registrable_of).or_else(|| registrable_of(&row.victim))
        else {
            continue;
        };
        push(&mut all, domain, || Extortion {
            victim: row.victim.chars().take(200).collect(),
            group: cut(&row.group),
            posted: row.discovered.as_deref().and_then(day_or_moment),
        });
    }
    Ok(all)
}

/// Reads secrets of ours found in a vendor's public code: gitleaks' JSON report with the vendor's domain added to each
/// finding as `Vendor`. Secrets themselves are not kept.
///
/// # Errors
/// When it is no JSON array of that form.
pub fn code_leaks(bytes: &[u8]) -> Result<BTreeMap<String, Vec<CodeLeak>>, serde_json::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Row {
        #[serde(rename = "RuleID")]
        rule: String,
        #[serde(default)]
        file: String,
        #[serde(default)]
        commit: String,
        #[serde(default)]
        date: String,
        vendor: String,
    }
    let rows: Vec<Row> = serde_json::from_slice(bytes)?;
    let mut all: BTreeMap<String, Vec<CodeLeak>> = BTreeMap::new();
    for row in rows.into_iter().take(ROWS_MAX) {
        let Some(domain) = registrable_of(&row.vendor) else { continue };
        let place = format!("{} {}", row.file, row.commit);
        push(&mut all, domain, || CodeLeak {
            rule: cut(&row.rule),
            place: place.trim().chars().take(300).collect(),
            date: day_or_moment(&row.date),
        });
    }
    Ok(all)
}

fn push<T>(all: &mut BTreeMap<String, Vec<T>>, domain: String, make: impl FnOnce() -> T) {
    let list = all.entry(domain).or_default();
    if list.len() < KNOWN_MAX {
        list.push(make());
    }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::Text;

    use super::*;

    #[test]
    fn reads_their_forms() {
        let text = br#"[{"Name":"Acme","Domain":"acme.example","BreachDate":"2025-03-01","PwnCount":1200,
            "DataClasses":["Email addresses","Passwords"],"IsVerified":true},
            {"Name":"Fake","Domain":"acme.example","IsFabricated":true},{"Name":"None","Domain":""}]"#;
        let all = breaches(text).expect("reads");
        let found = all.get("acme.example").expect("listed");
        assert_eq!((all.len(), found.len(), found[0].n_accounts, found[0].verified), (1, 1, 1200, true));

        let posts = br#"[{"post_title":"Acme Ltd","group_name":"lock","website":"https://www.acme.example/","discovered":"2026-01-02 03:04:05.678"},
            {"victim":"other.example","group":"x","attackdate":"2026-01-01"},{"victim":"Some Name","group":"x"}]"#;
        let all = extortions(posts).expect("reads");
        assert_eq!(all.keys().collect::<Vec<_>>(), ["acme.example", "other.example"]);
        assert!(all["acme.example"][0].posted.is_some());

        let report =
            br#"[{"RuleID":"aws-access-token","File":"a.py","Commit":"abc","Secret":"AKIA","Vendor":"acme.example"}]"#;
        let all = code_leaks(report).expect("reads");
        assert_eq!(
            all["acme.example"][0],
            CodeLeak { rule: Text::from("aws-access-token"), place: "a.py abc".into(), date: None }
        );
        assert!(breaches(b"{}").is_err() && extortions(b"x").is_err() && code_leaks(b"[{}]").is_err());
    }
}
