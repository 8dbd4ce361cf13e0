//! checkdmarc's own recorded cases, when they are at hand, against our grammars.

use std::path::PathBuf;

use riskgraph_domain::observation::{DnsFacts, Dnssec};
use serde_json::Value;

use super::dmarc::record as dmarc;
use super::spf::{audit, record as spf};
use super::{transport, txt};

/// Where we follow the RFC and checkdmarc does not.
const OUR_WAY: &[(&str, &str)] = &[
    // RFC 7208 12: "extra" is no mechanism, wherever it stands.
    ("v=spf1 -all exp=exp.example extra", "a term that is no mechanism"),
    // RFC 7208 6: an unknown modifier is ignored; checkdmarc reads letters of its value as mechanisms.
    ("v=spf1 ip4:213.5.39.110 -all MS=83859DAEBD1978F9A7A67D3", "an unknown modifier"),
];

fn cases() -> Option<Vec<Value>> {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let text = std::fs::read_to_string(root.join("posture/checkdmarc_cases.jsonl")).ok()?;
    Some(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// What we say of a case: valid or not, and more where it does not hang on the lookups of the recording.
fn ours(case: &Value) -> Option<bool> {
    let text = case["args"][0].as_str()?;
    let out = &case["out"]["ok"];
    let told = !OUR_WAY.iter().any(|(known, _)| *known == text);
    match case["fn"].as_str()? {
        "parse_spf_record" => {
            let text = txt(text);
            let Ok(record) = spf::parse(&text) else { return Some(false) };
            let dns = DnsFacts { lookups: Vec::new(), name_servers: Vec::new(), dnssec: Dnssec::Insecure };
            let audit = audit::audit(case["args"][1].as_str()?, &text, &dns);
            // Only the term of the record itself are known here; the recording may have followed further.
            let nested = record.redirect.is_some() || text.contains("include:");
            if let Some(lookups) = out["dns_lookups"].as_u64().filter(|_| !nested && told) {
                assert_eq!(audit.lookups as u64, lookups, "{text}");
            }
            if let Some(all) = out["parsed"]["all"].as_str().filter(|_| record.redirect.is_none()) {
                assert_eq!(record.all().map_or("neutral", |all| all.as_str()), all, "{text}");
            }
            Some(true)
        }
        "parse_dmarc_record" => {
            let parsed = dmarc::parse(text);
            if let (Ok(record), Some(tags)) = (&parsed, out["tags"].as_object()) {
                assert_eq!(record.policy().as_str(), tags["p"]["value"], "{text}");
                assert_eq!(record.subdomain_policy().as_str(), tags["sp"]["value"], "{text}");
                assert_eq!(record.nonexistent_policy().as_str(), tags["np"]["value"], "{text}");
                let removed = out["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let removed = removed.filter(|warning| warning.ends_with("was removed in RFC 9989")).count();
                assert_eq!(record.removed().len(), removed, "{text}");
            }
            Some(parsed.is_ok())
        }
        "parse_mta_sts_policy" => Some(transport::parse_policy(text).is_ok()),
        "parse_mta_sts_record" => Some(transport::parse_record(text).is_ok()),
        "mx_in_mta_sts_patterns" => {
            let patterns = case["args"][1].as_array()?;
            let matches = patterns.iter().filter_map(Value::as_str).any(|pattern| transport::matches(text, pattern));
            Some(matches == out.as_bool()?)
        }
        _ => None,
    }
}

#[test]
fn agrees_with_the_recorded_cases() {
    let Some(cases) = cases() else {
        println!("skipped: no recorded cases (set RISKGRAPH_DATA)");
        return;
    };
    let (mut right, mut wrong) = (0, Vec::new());
    for case in &cases {
        let Some(valid) = ours(case) else { continue };
        let text = case["args"][0].as_str().unwrap_or("");
        // Limits of lookups hang on the recorded network; the grammar is what is compared.
        let of_network = case["out"]["exc"].as_str().is_some_and(|name| name.contains("Lookups"));
        if valid == case["out"]["ok"].is_null() && !of_network && !OUR_WAY.iter().any(|(known, _)| *known == text) {
            wrong.push(format!("{} {text}: {}", case["fn"], case["out"]["exc"]));
        } else {
            right += 1;
        }
    }
    println!("{right} right, {} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), right + wrong.len(), wrong.join("\n"));
}

/// Scenarios of the RFC 7208 suite: `(sender domain, record there, result)` of the tests whose sender has one plain record.
fn rfc7208(text: &str) -> Vec<(String, String, String)> {
    let value = |line: &str| line.split_once(": ").map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned());
    let mut found = Vec::new();
    for scenario in text.split("\n---").skip(1) {
        let (mut records, mut name): (Vec<(String, String)>, String) = (Vec::new(), String::new());
        let (mut senders, mut sender): (Vec<(String, String)>, Option<String>) = (Vec::new(), None);
        for line in scenario.lines() {
            let trimmed = line.trim();
            if line.starts_with("  ") && !line.starts_with("   ") && trimmed.ends_with(':') {
                (name, sender) = (trimmed.trim_end_matches(':').to_lowercase(), None);
            } else if trimmed.starts_with("- SPF: ") || trimmed.starts_with("- TXT: ") {
                records.extend(value(trimmed).map(|text| (name.clone(), text)));
            } else if trimmed.starts_with("mailfrom: ") {
                sender = value(trimmed).and_then(|v| v.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()));
            } else if trimmed.starts_with("result: ") {
                senders.extend(sender.take().zip(value(trimmed)));
            }
        }
        for (sender, result) in senders {
            let mut at = records.iter().filter(|(name, text)| *name == sender && spf::is_spf(text));
            if let (Some((_, text)), None) = (at.next(), at.next()) {
                found.push((sender, text.clone(), result));
            }
        }
    }
    found
}

#[test]
fn reads_every_record_the_rfc_suite_can_evaluate() {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("posture/rfc7208-tests.yml")) else {
        println!("skipped: no RFC 7208 suite (set RISKGRAPH_DATA)");
        return;
    };
    let cases = rfc7208(&text);
    assert!(cases.len() > 80, "only {} cases were read", cases.len());
    // A record with any syntax error is a permerror, so one that gave another result has none.
    let refused: Vec<String> = cases
        .iter()
        .filter(|(_, text, result)| !result.contains("permerror") && spf::parse(text).is_err())
        .map(|(sender, text, result)| format!("{sender} {text} ({result}): {:?}", spf::parse(text)))
        .collect();
    let broken = cases.iter().filter(|(_, _, result)| result == "permerror");
    let (caught, missed): (Vec<_>, Vec<_>) = broken.partition(|(_, text, _)| spf::parse(text).is_err());
    println!("{} cases; of the permerrors {} are syntax, others:", cases.len(), caught.len());
    missed.iter().for_each(|(sender, text, _)| println!("  {sender} {text}"));
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
