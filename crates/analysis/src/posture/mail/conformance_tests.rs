//! The RFC 7208 suite (openspf.org), when it is at hand: every case must give its result.

use std::collections::BTreeMap;
use std::path::PathBuf;

use riskgraph_domain::observation::{DnsAnswer, ProbeFailure};

use super::spf::evaluate::{Sender, spf_evaluate};

/// One scenario: its zone and its tests.
#[derive(Default)]
struct Scenario {
    zone: BTreeMap<String, Vec<(String, Vec<String>)>>,
    /// Name, and what it says by key.
    tests: Vec<(String, BTreeMap<String, Vec<String>>)>,
}

/// Reads the small part of YAML the suite is written in.
fn read(text: &str) -> Vec<Scenario> {
    text.split("\n---").map(|part| scenario(&joined(part))).filter(|scenario| !scenario.tests.is_empty()).collect()
}

/// Lines with their indentation; folded, quoted and plain text that goes on in the next lines is one line.
fn joined(part: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for line in part.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')) {
        let (indent, text) = (line.len() - line.trim_start().len(), line.trim());
        let item = text.starts_with("- ");
        let key = text
            .split_once(':')
            .is_some_and(|(key, rest)| !key.contains([' ', '=', '/']) && (rest.is_empty() || rest.starts_with(' ')));
        let goes_on = lines.last().is_some_and(|(above, last)| {
            let open = last.ends_with(">-") || (last.contains(": [") && !last.ends_with(']'));
            let above = above + if last.starts_with("- ") { 2 } else { 0 };
            indent > above && !item && (open || !key || last.contains(">-")) && !last.ends_with(':')
        });
        match lines.last_mut() {
            Some((_, last)) if goes_on => {
                *last = format!("{} {text}", last.trim_end_matches('\\'));
            }
            _ => lines.push((indent, text.to_owned())),
        }
    }
    lines
}

fn scenario(lines: &[(usize, String)]) -> Scenario {
    let mut found = Scenario::default();
    let (mut section, mut name) = (String::new(), String::new());
    for (indent, line) in lines {
        match (*indent, section.as_str()) {
            (0, _) => section = line.trim_end_matches(':').to_owned(),
            (2, "tests") => found.tests.push((line.trim_end_matches(':').to_owned(), BTreeMap::new())),
            (2, "zonedata") => {
                name = scalar(line.strip_suffix(':').unwrap_or(line)).to_lowercase();
                found.zone.entry(name.clone()).or_default();
            }
            (_, "tests") => {
                if let (Some((key, value)), Some((_, test))) = (line.split_once(':'), found.tests.last_mut()) {
                    test.insert(key.to_owned(), list(value.trim()));
                }
            }
            (_, "zonedata") => {
                let entry = line.trim_start_matches("- ");
                let (kind, value) = entry.split_once(':').unwrap_or((entry, ""));
                found.zone.entry(name.clone()).or_default().push((kind.trim().to_owned(), list(value.trim())));
            }
            _ => {}
        }
    }
    found
}

fn list(text: &str) -> Vec<String> {
    let text = text.strip_prefix(">-").unwrap_or(text).trim();
    match text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.split(',').map(|item| scalar(item.trim())).collect(),
        None => vec![scalar(text)],
    }
}

fn scalar(text: &str) -> String {
    if let Some(inner) = text.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
        return inner.replace("''", "'");
    }
    let Some(inner) = text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) else { return text.to_owned() };
    let (mut out, mut chars) = (String::new(), inner.chars());
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            (_, Some('x')) => {
                let code: String = chars.by_ref().take(2).collect();
                out.extend(u8::from_str_radix(&code, 16).ok().map(char::from));
            }
            (_, Some('n')) => out.push('\n'),
            (_, Some('t')) => out.push('\t'),
            (_, Some('0')) => out.push('\0'),
            (_, Some(other)) => out.push(other),
            (c, None) => out.push(c),
        }
    }
    out
}

impl Scenario {
    /// The zone's answer; `SPF` entries stand for TXT where a name has no TXT entry.
    fn answer(&self, name: &str, kind: &str) -> DnsAnswer {
        let Some(entries) = self.zone.get(name) else { return DnsAnswer::NxDomain };
        if let Some((_, target)) = entries.iter().find(|(entry, _)| entry == "CNAME") {
            return self.answer(&target[0].to_lowercase(), kind);
        }
        let has_text = entries.iter().any(|(entry, _)| entry == "TXT");
        let wanted = if kind == "TXT" && !has_text { "SPF" } else { kind };
        let records: Vec<String> = entries
            .iter()
            .filter(|(entry, value)| entry == wanted && value[0] != "NONE")
            .map(|(_, value)| value)
            .map(|value| if wanted == "MX" { value.join(" ") } else { value.concat() })
            .collect();
        if records.is_empty() && entries.iter().any(|(entry, _)| entry == "TIMEOUT") {
            DnsAnswer::Failed(ProbeFailure::Timeout)
        } else if records.is_empty() {
            DnsAnswer::NoData
        } else {
            DnsAnswer::Records(records)
        }
    }
}

#[test]
fn every_case_of_the_rfc_suite_gives_its_result() {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("posture/rfc7208-tests.yml")) else {
        println!("skipped: no RFC 7208 suite (set RISKGRAPH_DATA)");
        return;
    };
    let (mut right, mut wrong) = (0, Vec::new());
    for scenario in read(&text) {
        for (name, test) in &scenario.tests {
            let value = |key: &str| test.get(key).map_or("", |values| values[0].as_str());
            let sender = Sender {
                ip: value("host").parse().unwrap_or_else(|_| panic!("{name}: {test:?}")),
                helo: value("helo"),
                mail_from: value("mailfrom"),
            };
            let (result, explanation) = spf_evaluate(&sender, &|name, kind| scenario.answer(name, kind));
            let expected = test.get("result").cloned().unwrap_or_default();
            let explained = match test.get("explanation").map(|values| values[0].as_str()) {
                None => true,
                Some("DEFAULT") => explanation.is_none(),
                Some(text) => explanation.as_deref() == Some(text),
            };
            if expected.iter().any(|one| one == result.as_str()) && explained {
                right += 1;
            } else {
                wrong.push(format!("{name}: {} ({explanation:?}), not {expected:?}: {test:?}", result.as_str()));
            }
        }
    }
    println!("{right} right");
    assert!(right + wrong.len() > 150, "only {} cases were read", right + wrong.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
