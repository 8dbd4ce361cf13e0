use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A name server on loopback: `rules` says what a name (lower case) and type get.
async fn serve(rules: fn(&str, u16) -> Reply) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let address = socket.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        let mut buffer = vec![0; 600];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { return };
            let n_before = counter.fetch_add(1, Ordering::Relaxed);
            if let Some(answer) = answer(&buffer[..length], rules, n_before) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    (address, count)
}

enum Reply {
    Address([u8; 4]),
    /// Name server or exchanger of one label.
    Host(&'static str),
    NoData,
    NxDomain,
    ServFail,
    Silence,
    /// No answer to the first question at all, then a name server.
    LostOnce,
}

fn answer(question: &[u8], rules: fn(&str, u16) -> Reply, n_before: usize) -> Option<Vec<u8>> {
    let mut name = String::new();
    let mut at = 12;
    while let Some(&length) = question.get(at).filter(|length| **length > 0) {
        let label = &question[at + 1..at + 1 + usize::from(length)];
        name.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
        name.push('.');
        at += 1 + usize::from(length);
    }
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let mut bytes = question.to_vec();
    bytes[2] |= 0x80;
    let record = |data: Vec<u8>| {
        let mut record = vec![0xc0, 12];
        record.extend_from_slice(&kind.to_be_bytes());
        record.extend_from_slice(&[0, 1, 0, 0, 0, 60, 0, data.len() as u8]);
        record.extend(data);
        record
    };
    let host = |label: &str| {
        let mut data = if kind == 15 { vec![0, 10] } else { Vec::new() };
        data.push(label.len() as u8);
        data.extend_from_slice(label.as_bytes());
        data.push(0);
        data
    };
    let data = match rules(name.trim_end_matches('.'), kind) {
        Reply::Address(ip) => Some(ip.to_vec()),
        Reply::LostOnce if n_before == 0 => return None,
        Reply::LostOnce => Some(host("ns")),
        Reply::Host(label) => Some(host(label)),
        Reply::NoData => None,
        Reply::NxDomain => {
            bytes[3] |= 3;
            None
        }
        Reply::ServFail => {
            bytes[3] |= 2;
            None
        }
        Reply::Silence => return None,
    };
    if let Some(data) = data {
        bytes[7] = 1;
        bytes.extend(record(data));
    }
    Some(bytes)
}

fn zone(name: &str, kind: u16) -> Reply {
    match (name, kind) {
        ("real.test", 2) => Reply::Host("ns"),
        ("real.test", 1) => Reply::Address([192, 0, 2, 1]),
        ("real.test", 15) => Reply::Host("mx"),
        ("real.test" | "empty.test", _) => Reply::NoData,
        ("broken.test", _) => Reply::ServFail,
        ("half.test", 2) => Reply::ServFail,
        ("half.test", 1) => Reply::Address([192, 0, 2, 2]),
        ("half.test", _) => Reply::NoData,
        ("silent.test", _) => Reply::Silence,
        ("own.wild", 1) => Reply::Address([192, 0, 2, 77]),
        (other, 1) if other.ends_with(".wild") => Reply::Address([192, 0, 2, 66]),
        (other, _) if other.ends_with(".wild") => Reply::NoData,
        _ => Reply::NxDomain,
    }
}

async fn look(names: &[&str], rules: fn(&str, u16) -> Reply) -> (Vec<Lookalike>, usize) {
    let (resolver, count) = serve(rules).await;
    let bulk = Bulk::new(BulkOptions { resolver, window: 50, patience: Duration::from_millis(150) });
    let names = names.iter().map(|&name| (Text::from("homoglyph"), Text::from(name))).collect();
    let found = bulk.look(names).await.expect("a socket");
    (found, count.load(Ordering::Relaxed))
}

#[tokio::test]
async fn names_are_told_apart() {
    let names =
        ["real.test", "none.test", "empty.test", "broken.test", "half.test", "silent.test", "a.wild", "own.wild"];
    let (found, _) = look(&names, zone).await;
    let check = |at: usize, registered: Option<bool>, suppressed: Option<Suppressed>| {
        let it = &found[at];
        assert_eq!((it.domain.as_str(), it.registered, it.suppressed), (names[at], registered, suppressed), "{it:?}");
    };
    check(0, Some(true), None);
    check(1, Some(false), None);
    check(2, Some(false), None);
    check(3, None, None);
    check(4, Some(true), None);
    check(5, None, None);
    check(6, Some(false), Some(Suppressed::Wildcard));
    check(7, Some(true), None);
    let dns = &found[0].dns;
    assert_eq!((dns.a[0].as_str(), dns.ns[0].as_str(), dns.mx[0].as_str()), ("192.0.2.1", "ns", "mx"));
}

#[tokio::test]
async fn a_lost_packet_is_sent_again() {
    let rules = |name: &str, kind: u16| match (name, kind) {
        ("lost.test", 2) => Reply::LostOnce,
        ("lost.test", _) => Reply::NoData,
        _ => Reply::NxDomain,
    };
    let (found, _) = look(&["lost.test"], rules).await;
    assert_eq!(found[0].registered, Some(true), "{found:?}");
}

#[tokio::test]
async fn a_name_that_does_not_exist_costs_one_question() {
    let names: Vec<String> = (0..2_000).map(|n| format!("n{n}.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (found, n_questions) = look(&names, zone).await;
    assert!(found.iter().all(|it| it.registered == Some(false)));
    assert!((2_000..2_200).contains(&n_questions), "{n_questions}");
}
