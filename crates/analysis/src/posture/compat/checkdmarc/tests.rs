//! checkdmarc's recorded cases, when they are at hand, and cases of our own.

use std::path::PathBuf;

use riskgraph_domain::observation::{DnsAnswer, DnsFacts};
use serde_json::{Value, json};

use super::dns::Answers;
use super::spf_walk::{Level, Walk};
use super::{dmarc_record, mta_sts, report_uri, tls_rpt};
use crate::posture::compat::compat;
use crate::posture::fixtures::*;

/// What 6.0.4 says when it passes over a fault that 5.17.5, of which the cases are, stops at. See `docs/checks.md`.
const FORGIVEN: [&str; 3] = ["Only the first", "was ignored", "was used instead"];

fn cases() -> Vec<Value> {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("posture/checkdmarc_cases.jsonl")) else {
        println!("skipped: no recorded cases (set RISKGRAPH_DATA)");
        return Vec::new();
    };
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Our verdict on a recorded call: its warnings or its error; `None` when it hangs on lookups of the recording.
fn ours(case: &Value) -> Option<Result<Vec<String>, String>> {
    let text = case["args"][0].as_str()?;
    let domain = case["args"][1].as_str().unwrap_or("");
    Some(match case["fn"].as_str()? {
        "parse_spf_record" => {
            let facts = DnsFacts::unasked("not asked");
            let answers = Answers::new(&facts);
            let text = crate::posture::mail::txt(text);
            let parsed = Walk::new(&answers, domain).parse(&text, domain, &Level::top(domain));
            if answers.is_untold() {
                return None;
            }
            parsed.map_err(|fatal| fatal.message).and_then(|parsed| match parsed.error {
                Some(error) => Err(error),
                None => Ok(parsed.warnings),
            })
        }
        "parse_dmarc_record" if dmarc_record::is_record(text) => dmarc_record::parse(text, domain).and_then(|tags| {
            let lists = ["rua", "ruf"].into_iter().filter_map(|list| tags.value(list));
            lists.flat_map(|list| list.split(',')).try_for_each(|uri| report_uri::dmarc(uri).map(|_| ()))?;
            Ok(tags.warnings)
        }),
        "parse_mta_sts_policy" => mta_sts::parse_policy(text).map(|read| read.warnings),
        "parse_mta_sts_record" => mta_sts::parse_record(text).map(|read| read.warnings),
        "parse_smtp_tls_reporting_record" => tls_rpt::parse(text).map(|read| read.warnings),
        "parse_dmarc_report_uri" => report_uri::dmarc(text).map(|uri| {
            assert_eq!(uri.value(), case["out"]["ok"], "{text}");
            Vec::new()
        }),
        "mx_in_mta_sts_patterns" => {
            let patterns: Vec<&str> = case["args"][1].as_array()?.iter().filter_map(Value::as_str).collect();
            assert_eq!(json!(mta_sts::covers(text, &patterns)), case["out"]["ok"], "{text}");
            Ok(Vec::new())
        }
        _ => return None,
    })
}

#[test]
fn agrees_with_the_recorded_cases() {
    let (mut right, mut wrong, mut elsewhere, mut reworded) = (0, Vec::new(), 0, 0);
    for case in cases() {
        let text = case["args"][0].as_str().unwrap_or("");
        let Some(got) = ours(&case) else {
            elsewhere += 1;
            continue;
        };
        let want = case["out"]["exc"].as_str().map(|_| case["out"]["msg"].as_str().unwrap_or("").to_owned());
        let same = match (&got, &want) {
            (Ok(_), None) => true,
            (Err(ours), Some(theirs)) => {
                // Words changed between versions; the verdict did not.
                reworded += usize::from(!ours.eq_ignore_ascii_case(theirs));
                true
            }
            // Faults 5.17.5 stops at that 6.0.4 warns of and passes over.
            (Ok(warnings), Some(_)) => {
                warnings.iter().any(|warning| FORGIVEN.iter().any(|word| warning.contains(word)))
            }
            (Err(_), None) => false,
        };
        if same {
            right += 1;
        } else {
            wrong.push(format!("{} {text}: {got:?}, not {want:?}", case["fn"]));
        }
    }
    println!("{right} right ({reworded} in other words), {} wrong, {elsewhere} hang on lookups", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn zone(lookups: &[(&str, &str, &[&str])]) -> Value {
    let mut seen = blank("example.com");
    let ask = |&(name, kind, values): &(&str, &str, &[&str])| match values {
        [] => answered(name, kind, DnsAnswer::NoData),
        ["-"] => answered(name, kind, DnsAnswer::NxDomain),
        values => records(name, kind, values),
    };
    seen.dns.lookups = lookups.iter().map(ask).collect();
    compat(&seen)
}

#[test]
fn follows_spf_as_checkdmarc_does() {
    let check = |record: &str, error: Option<&str>, lookups: Option<u64>, voids: Option<u64>, n_warnings: usize| {
        let all = zone(&[
            ("example.com", "TXT", &[record]),
            ("example.com", "A", &["192.0.2.1"]),
            ("example.com", "AAAA", &[]),
            ("gone.example", "TXT", &["-"]),
            ("gone.example", "A", &["-"]),
            ("bare.example", "A", &[]),
            ("bare.example", "AAAA", &[]),
            ("one.example", "TXT", &["v=spf1 a:bare.example include:two.example -all"]),
            ("two.example", "TXT", &["v=spf1 ip4:192.0.2.0/24 ?all"]),
            ("loop.example", "TXT", &["v=spf1 include:example.com -all"]),
        ]);
        let spf = &all["spf"];
        assert_eq!(spf["error"].as_str(), error, "{record}: {spf}");
        assert_eq!(
            (spf["dns_lookups"].as_u64(), spf["dns_void_lookups"].as_u64()),
            (lookups, voids),
            "{record}: {spf}"
        );
        assert_eq!(spf["warnings"].as_array().map(Vec::len), Some(n_warnings), "{record}: {spf}");
    };
    check("v=spf1 +all", None, Some(0), Some(0), 0);
    check("v=spf1 a -all", None, Some(1), Some(0), 0);
    check("v=spf1 include:one.example include:two.example -all", None, Some(4), Some(1), 2);
    check("v=spf1 -all mx ra=x rr=all redirect=y.example", None, Some(0), Some(0), 1);
    check("v=spf1 a:gone.example a:bare.example -all", None, Some(2), Some(2), 2);
    let voids = "Parsing the SPF record has 3/2 maximum void DNS lookups (RFC 7208 § 4.6.4)";
    check("v=spf1 a:gone.example a:bare.example a:gone.example -all", Some(voids), None, Some(3), 0);
    let missing = "The include target gone.example has no SPF record, which RFC 7208 § 5.2 defines as a permanent error \
                   (permerror): The domain does not exist.";
    check("v=spf1 include:gone.example -all", Some(missing), None, None, 0);
    check("v=spf1 redirect=gone.example", Some("The domain does not exist."), None, None, 0);
    let circle = "Include loop: example.com -> loop.example -> example.com";
    check("v=spf1 include:loop.example -all", Some(circle), None, None, 0);
    let many = "Parsing the SPF record requires 12/10 maximum DNS lookups (RFC 7208 § 4.6.4)";
    check("v=spf1 a a a a a a a a a a a a -all", Some(many), Some(12), Some(0), 0);
    check(
        "V=SPF1 -all",
        Some("example.com: Expected version_tag at position 0 (marked with ➞) in: ➞V=SPF1 -all"),
        None,
        None,
        0,
    );
    check(
        "v=spf1 mx~all",
        Some("example.com: Expected whitespace before 'all' at position 9 (marked with ➞) in: v=spf1 mx➞~all"),
        None,
        None,
        0,
    );
}

#[test]
fn reads_dmarc_as_checkdmarc_does() {
    let check = |record: &str, error: Option<&str>, n_warnings: usize| match dmarc_record::parse(record, "example.com")
    {
        Ok(tags) => assert_eq!((None, tags.warnings.len()), (error, n_warnings), "{record}: {:?}", tags.warnings),
        Err(got) => assert_eq!(Some(got.as_str()), error, "{record}"),
    };
    check("v=DMARC1", None, 2);
    check("v = DMARC1 ; P = reject", None, 0);
    check("v=DMARC1; adkim=x; p=reject; fo=0:1", None, 3);
    check("v=DMARC1; p=reject; p=none", Some("Duplicate p tags are not permitted"), 0);
    check(
        "v=DMARC1; p=rejct",
        Some("Tag p must have one of the following values: none,quarantine,reject - not rejct"),
        0,
    );
    check(
        "v=DMARC1;; p=none",
        Some("Error: Expected tag_value or end_of_statement at position 9 (marked with ➞) in: v=DMARC1;➞; p=none"),
        0,
    );
}
