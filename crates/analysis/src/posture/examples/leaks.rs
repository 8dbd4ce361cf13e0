//! Examples of the checks of leaks and extortion.

use riskgraph_domain::Text;
use riskgraph_domain::known::*;
use riskgraph_domain::time::DAY_MS;

use super::parts::NOW;
use super::{Example, Subject, fails, passes, warns};

pub(super) const EXAMPLES: &[Example] = &[
    passes("LEAK-01", "a breach without passwords", |it| breached(it, &["Email addresses"], 100)),
    warns("LEAK-01", "a breach with passwords", |it| breached(it, &["Email addresses", "Passwords"], 100)),
    passes("LEAK-02", "nothing found in public code", |it| code(it, 0)),
    fails("LEAK-02", "a key of ours in public code", |it| code(it, 1)),
    passes("LEAK-03", "a breach five years ago", |it| breached(it, &["Passwords"], 1_800)),
    fails("LEAK-03", "a verified breach 100 days ago", |it| breached(it, &["Email addresses"], 100)),
    passes("RAN-01", "a post two years ago", |it| posted(it, 700)),
    fails("RAN-01", "a post last week", |it| posted(it, 7)),
    passes("RAN-02", "doors closed and mail protected", |it| doors(it, &[443])),
    fails("RAN-02", "RDP open", |it| doors(it, &[3389])),
];

fn known(it: &mut Subject, known: KnownFacts) {
    it.seen.known = Some(known);
}

fn breached(it: &mut Subject, classes: &[&str], days: i64) {
    let breach = Breach {
        name: Text::from("Shop"),
        date: Some(NOW - days * DAY_MS),
        n_accounts: 10_000,
        data_classes: classes.iter().map(|&class| Text::from(class)).collect(),
        verified: true,
    };
    known(it, KnownFacts { breaches: Some(vec![breach]), ..KnownFacts::default() });
}

fn code(it: &mut Subject, n: usize) {
    let leak = CodeLeak { rule: Text::from("stripe-access-token"), place: "pay.js 1f3a".to_owned(), date: None };
    known(it, KnownFacts { code_leaks: Some(vec![leak; n]), ..KnownFacts::default() });
}

fn posted(it: &mut Subject, days: i64) {
    let post = Extortion { victim: "Shop".to_owned(), group: Text::from("lock"), posted: Some(NOW - days * DAY_MS) };
    known(it, KnownFacts { extortions: Some(vec![post]), ..KnownFacts::default() });
}

fn doors(it: &mut Subject, ports: &[u16]) {
    let open =
        |&port: &u16| OpenPort { address: Text::from("203.0.113.7"), host: None, port, service: None, seen: None };
    let scan = Scan { n_addresses: 1, open: ports.iter().map(open).collect() };
    known(it, KnownFacts { scan: Some(scan), ..KnownFacts::default() });
}
