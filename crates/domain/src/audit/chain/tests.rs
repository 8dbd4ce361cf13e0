use serde_json::json;

use super::*;

fn record(n: u64) -> Record {
    Record { detail: json!({ "n": n, "text": "ü\"\\" }), ..Record::of_system(Timestamp(n as i64), "mia", "addVendor") }
}

fn chain_of(records: impl IntoIterator<Item = Record>) -> Vec<Link> {
    let mut previous = Sum::ZERO;
    let mut links = Vec::new();
    for (at, record) in records.into_iter().enumerate() {
        let sequence = at as u64 + 1;
        let body = record.body(sequence);
        let hash = hash(previous, &body);
        let beside = Beside { at: record.at, actor: record.actor.to_string(), action: record.action.to_string() };
        links.push(Link { sequence, previous, hash, body, beside: Some(beside) });
        previous = hash;
    }
    links
}

fn verify(mut verifier: Verifier, links: &[Link]) -> Result<u64, Broken> {
    links.iter().try_for_each(|link| verifier.push(link))?;
    verifier.end().map(|()| verifier.entries())
}

fn whole() -> Verifier {
    Verifier::new(Beginning::Whole { anchor: None })
}

#[test]
fn a_whole_chain_holds_also_as_an_export() {
    let links = chain_of((1..=9).map(record));
    assert_eq!(verify(whole(), &links), Ok(9));
    let lines: Vec<Link> = links.iter().map(|link| Link::read(&link.line()).expect("a line")).collect();
    assert_eq!(verify(whole(), &lines), Ok(9));
    assert_eq!(verify(Verifier::new(Beginning::Part), &lines[4..]), Ok(5));
    assert_eq!(verify(whole(), &[]), Ok(0));
    let (sequence, read) = Record::read(&links[4].body).expect("a record");
    assert_eq!((sequence, read), (5, record(5)));
}

/// Every way to change a log, and the entry that is named for it.
#[test]
fn every_change_is_found_at_its_place() {
    let good = chain_of((1..=9).map(record));
    let check = |what: &str, change: fn(&mut Vec<Link>), place: u64, words: &str| {
        let mut links = good.clone();
        change(&mut links);
        let broken = verify(whole(), &links).expect_err(what);
        assert!(broken.sequence == place && broken.reason.contains(words), "{what}: {broken}");
    };
    check("a changed content", |links| links[4].body = links[4].body.replace("mia", "eve"), 5, "was changed");
    check(
        "one with its own hash",
        |links| {
            links[4].body = links[4].body.replace("mia", "eve");
            links[4].hash = hash(links[4].previous, &links[4].body);
            links[4].beside = None;
        },
        6,
        "follows",
    );
    check("a changed column", |links| links[4].beside.as_mut().expect("columns").actor = "eve".into(), 5, "columns");
    check("a changed time", |links| links[4].beside.as_mut().expect("columns").at = Timestamp(1), 5, "columns");
    check("one taken out", |links| drop(links.remove(4)), 5, "missing");
    check(
        "one taken out, the rest renumbered",
        |links| {
            links.remove(4);
            links[4..].iter_mut().for_each(|link| link.sequence -= 1);
        },
        5,
        "follows",
    );
    check("the first taken out", |links| drop(links.remove(0)), 1, "missing");
    check("two swapped", |links| links.swap(4, 5), 5, "missing");
    check(
        "two swapped and renumbered",
        |links| {
            links.swap(4, 5);
            (links[4].sequence, links[5].sequence) = (5, 6);
        },
        5,
        "follows",
    );
    check("one repeated", |links| links.insert(5, links[4].clone()), 5, "repeated");
    check("a changed hash", |links| links[4].hash = Sum::ZERO, 5, "was changed");
    check("a changed link", |links| links[4].previous = Sum::ZERO, 5, "follows");
    check("a moved body", |links| links[4].body = links[3].body.clone(), 5, "moved");
    check("no entry", |links| links[4].body = "{}".into(), 5, "no entry");
}

#[test]
fn a_cut_tail_is_found_by_a_head_kept_elsewhere() {
    let links = chain_of((1..=9).map(record));
    let wanting = |head: Sum| {
        let mut verifier = whole();
        verifier.want(head);
        verifier
    };
    assert_eq!(verify(wanting(links[6].hash), &links), Ok(9));
    assert_eq!(verify(wanting(links[6].hash), &links[..7]), Ok(7));
    let broken = verify(wanting(links[6].hash), &links[..6]).expect_err("the tail is gone");
    assert!(broken.sequence == 7 && broken.reason.contains("taken away"), "{broken}");
    let anew = chain_of((1..=9).map(|n| Record { actor: "eve".into(), ..record(n) }));
    assert!(verify(wanting(links[6].hash), &anew).is_err(), "a log made anew holds, but lacks the head");
}

#[test]
fn a_cut_beginning_must_be_told_of() {
    let told = chain_of((1..=9).map(record));
    let cut =
        Record { detail: json!({ "until": 3, "hash": told[2].hash }), ..Record::of_system(Timestamp(10), "x", CUT) };
    let with_cut = chain_of((1..=9).map(record).chain([cut]));
    let behind = || Verifier::new(Beginning::Whole { anchor: Some((3, told[2].hash)) });
    assert_eq!(verify(behind(), &with_cut[3..]), Ok(7));
    let untold = verify(behind(), &told[3..]).expect_err("nothing tells of it");
    assert!(untold.reason.contains("no entry tells"), "{untold}");
    assert_eq!(verify(whole(), &with_cut[3..]).expect_err("no anchor").sequence, 1);
    assert!(verify(behind(), &with_cut[4..]).is_err(), "one more is gone than was cut");
}

#[test]
fn lines_that_are_none_say_why() {
    let line = chain_of([record(1)])[0].line();
    for (wrong, words) in [
        ("x".to_owned(), "no JSON"),
        ("[]".to_owned(), "no JSON object"),
        (line.replace("\"hash\"", "\"hush\""), "'hash'"),
        (line.replace("\"sequence\":1", "\"sequence\":\"1\""), "'sequence'"),
    ] {
        let reason = Link::read(&wrong).expect_err(&wrong);
        assert!(reason.contains(words), "{reason}");
    }
}
