//! Reads facts of TLS endpoints, one JSON document a line, and prints the verdicts under public standards on each.
//!
//! `tls_probe ... | tls_verdicts`

use std::io::BufRead;

use riskgraph_analysis::posture::compat;
use riskgraph_domain::Timestamp;
use riskgraph_domain::observation::{DnsFacts, DomainObservations, TlsFacts};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1).ok_or("the time in seconds since 1970 is the argument")?.parse::<i64>()?;
    let now = Timestamp(seconds * 1_000);
    for line in std::io::stdin().lock().lines() {
        let tls: TlsFacts = serde_json::from_str(&line?)?;
        let host = tls.host.clone();
        let dns = DnsFacts::unasked("not asked");
        let seen = DomainObservations {
            domain: host.clone(),
            started_at: now,
            finished_at: now,
            dns,
            tls: vec![tls],
            https: None,
            http: None,
            files: Vec::new(),
            cors: None,
            mail_hosts: Vec::new(),
            aliases: Vec::new(),
            lookalikes: None,
            known: None,
        };
        let verdicts = compat(&seen);
        println!(
            "{}",
            json!({ "host": host.as_str(), "mozilla_tls": verdicts["mozilla_tls"], "ssllabs": verdicts["ssllabs"] })
        );
    }
    Ok(())
}
