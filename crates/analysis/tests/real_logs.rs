//! Access logs that nobody here made: who scanned and who scraped, found without tuning to them.
//!
//! Skips where the data is absent (`RISKGRAPH_DATA`, by default `../shared/data` beside the project).

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::DateTime;
use regex::Regex;
use riskgraph_analysis::detect::{Context, DetectConfig, Detectors};
use riskgraph_domain::event::{Event, EventKind, Http};
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::{Text, Timestamp};

/// The lines of a log in the combined format as events; quotes around whole lines are taken off.
fn events(name: &str) -> Option<Vec<Event>> {
    let data = std::env::var_os("RISKGRAPH_DATA").map(PathBuf::from);
    let root = data.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let Ok(bytes) = std::fs::read(root.join("logs").join(name)) else {
        println!("skipped: {name} is not in RISKGRAPH_DATA");
        return None;
    };
    let text = String::from_utf8_lossy(&bytes);
    let line = Regex::new(
        r#"^"?(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) (.*?)(?: HTTP/[0-9.]+)?" (\d{3}) (\S+)(?: "(.*?)" "(.*)")?"#,
    )
    .expect("the pattern");
    let events = text.lines().enumerate().filter_map(|(n, text)| {
        let part = line.captures(text)?;
        let get = |n: usize| part.get(n).map_or("", |part| part.as_str());
        let time = DateTime::parse_from_str(get(2), "%d/%b/%Y:%H:%M:%S %z").ok()?;
        let mut event = Event::new(format!("{name}:{n}"), Timestamp(time.timestamp_millis()), EventKind::HttpRequest);
        event.client.ip = Some(get(1).into());
        event.client.user_agent = Some(get(8).trim_end_matches('"').into()).filter(|agent: &Text| agent.len() > 1);
        event.http = Some(Box::new(Http {
            method: Some(get(3).into()),
            path: Some(get(4).into()),
            status: get(5).parse().ok(),
            ..Http::default()
        }));
        if get(7).len() > 1 {
            event.labels.0.push(("referer".into(), get(7).into()));
        }
        Some(event)
    });
    Some(events.collect())
}

/// Worst severity by detector and address named in the title.
fn judge(events: &[Event]) -> BTreeMap<(String, String), (Severity, String)> {
    let mut detectors = Detectors::new(&DetectConfig::shipped().expect("shipped configuration"));
    let mut signals: Vec<Signal> = Vec::new();
    for event in events {
        let context = Context { position: Default::default(), accepted_at: event.time, now: event.time };
        detectors.observe(event, &context, &mut signals);
    }
    let mut found = BTreeMap::new();
    for signal in signals {
        let subject = signal.entities.first().map(|touched| touched.entity.key.to_string()).unwrap_or_default();
        let reasons: Vec<String> = signal
            .reasons
            .iter()
            .map(|reason| format!("{} ({})", reason.text, reason.observed.as_deref().unwrap_or("-")))
            .collect();
        let entry = found.entry((signal.detector.to_string(), subject)).or_insert((Severity::Info, String::new()));
        if signal.severity >= entry.0 {
            *entry = (signal.severity, reasons.join("; "));
        }
    }
    for ((detector, subject), (severity, reasons)) in &found {
        println!("{} {detector} {subject}: {reasons}", severity.as_str());
    }
    found
}

fn severity(found: &BTreeMap<(String, String), (Severity, String)>, detector: &str, subject: &str) -> Option<Severity> {
    found.get(&(detector.to_owned(), subject.to_owned())).map(|(severity, _)| *severity)
}

#[test]
fn scanner_runs_are_found() {
    for name in ["scan_acunetix.txt", "scan_netsparker.txt"] {
        let Some(events) = events(name) else { continue };
        assert!(events.len() > 1_000, "{name}: {} lines read", events.len());
        let busiest = events.iter().fold(BTreeMap::<&str, usize>::new(), |mut counts, event| {
            *counts.entry(event.client.ip.as_deref().unwrap_or_default()).or_default() += 1;
            counts
        });
        let (address, _) = busiest.into_iter().max_by_key(|(_, n)| *n).expect("an address");
        let found = judge(&events);
        assert!(severity(&found, "scanning", address) >= Some(Severity::High), "{name}: {found:?}");
    }
}

#[test]
fn a_quiet_site_has_scanners_of_the_internet_and_crawlers_but_no_alarm_at_its_readers() {
    let Some(events) = events("apache_logs") else { return };
    assert!(events.len() > 9_900, "{} lines read", events.len());
    let found = judge(&events);
    let loud: Vec<_> = found.iter().filter(|(_, (severity, _))| *severity >= Severity::High).collect();
    assert!(loud.is_empty(), "{loud:?}");
    // Four days of a small site: at most one alert above LOW a day.
    let medium = found.values().filter(|(severity, _)| *severity >= Severity::Medium).count();
    assert!(medium <= 4, "{found:?}");
}
