use proptest::prelude::*;

use super::*;

/// A hello of this version and suite, with these extensions behind it.
fn hello(version: u16, suite: u16, extensions: &[u8]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend_from_slice(&[9; 32]);
    body.push(0);
    body.extend_from_slice(&suite.to_be_bytes());
    body.push(0);
    if !extensions.is_empty() {
        body.extend_from_slice(&u16::try_from(extensions.len()).expect("short").to_be_bytes());
        body.extend_from_slice(extensions);
    }
    message(2, &body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = u32::try_from(body.len()).expect("short").to_be_bytes().to_vec();
    out[0] = kind;
    out.extend_from_slice(body);
    out
}

fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 3, 3];
    out.extend_from_slice(&u16::try_from(data.len()).expect("short").to_be_bytes());
    out.extend_from_slice(data);
    out
}

fn read(bytes: &[u8]) -> (Progress, Option<Flight>) {
    let mut assembler = Assembler::default();
    let progress = assembler.feed(bytes);
    (progress, assembler.finish())
}

/// A flight of TLS 1.2 with a chain of two, a staple, a key on P-256 and a request for a certificate.
fn whole() -> Vec<u8> {
    let chain = [&[0, 0, 10][..], &[0, 0, 3, 1, 2, 3], &[0, 0, 1, 9]].concat();
    let messages = [
        hello(0x0303, 0xc02f, &[0xff, 1, 0, 1, 0, 0, 35, 0, 0]),
        message(11, &chain),
        message(22, &[1, 0, 0, 2, 7, 8]),
        message(12, &[3, 0, 23, 1, 4]),
        message(13, &[0]),
        message(14, &[]),
    ];
    messages.concat()
}

#[test]
fn reads_a_flight_however_it_is_cut() {
    let check = |bytes: &[u8], step: usize| {
        let mut assembler = Assembler::default();
        let last = bytes.chunks(step).map(|piece| assembler.feed(piece)).last();
        assert_eq!(last, Some(Progress::Whole), "step {step}");
        let flight = assembler.finish().expect("a flight");
        assert_eq!((flight.hello.version, flight.hello.suite), (0x0303, 0xc02f));
        assert_eq!(flight.hello.extension(35), Some(&[][..]));
        assert_eq!(flight.chain, [vec![1, 2, 3], vec![9]]);
        assert_eq!(flight.staple, Some(vec![7, 8]));
        assert_eq!(flight.key, Some(ServerKey::Curve(23)));
        assert!(flight.asks_certificate && !flight.hello.retry && !flight.hello.names_session);
    };
    let together = record(22, &whole());
    let apart: Vec<u8> = whole().chunks(5).flat_map(|piece| record(22, piece)).collect();
    for step in [1, 2, 7, 1_000] {
        check(&together, step);
        check(&apart, step);
    }
    check(&[record(21, &[1, 112]), together.clone()].concat(), 3);
}

#[test]
fn reads_keys_over_prime_fields() {
    let key = [&[0, 3, 0, 5, 7][..], &[0, 1, 2], &[0, 2, 0, 4]].concat();
    let bytes = record(22, &[hello(0x0301, 0x0033, &[]), message(12, &key), message(14, &[])].concat());
    let flight = read(&bytes).1.expect("a flight");
    assert_eq!(flight.key, Some(ServerKey::Field { prime: vec![5, 7], public: vec![4] }));
}

#[test]
fn reads_tls_13() {
    let mut bytes = hello(0x0303, 0x1301, &[0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 23]);
    bytes[6..38].copy_from_slice(&RETRY);
    let flight = read(&record(22, &bytes)).1.expect("a flight");
    assert_eq!((flight.hello.version, flight.hello.retry, flight.hello.share_group()), (0x0304, true, Some(23)));
}

#[test]
fn knows_what_is_no_answer() {
    let check = |bytes: &[u8], want: Progress| assert_eq!(read(bytes), (want, None), "{bytes:?}");
    check(&[], Progress::More);
    check(&record(21, &[2, 70]), Progress::Refused(70));
    check(&record(21, &[1, 112]), Progress::More);
    check(&record(21, &[1, 0]), Progress::Refused(0));
    check(b"HTTP/1.1 400 Bad Request", Progress::NotTls);
    check(&[22, 2, 0, 0, 1], Progress::NotTls);
    check(&[22, 3, 3, 255, 255], Progress::NotTls);
    check(&record(22, &message(11, &[0, 0, 0])), Progress::NotTls);
    check(&record(22, &hello(0x0303, 5, &[])[..20]), Progress::More);
    check(&record(21, &[1, 112]).repeat(MESSAGES_MAX + 1), Progress::NotTls);
    check(&record(22, &message(0, &[])).repeat(MESSAGES_MAX + 2), Progress::NotTls);
    // What goes wrong behind the hello does not undo it.
    let then = |more: &[u8]| [record(22, &hello(0x0303, 5, &[])), more.to_vec()].concat();
    for more in [&b"garbage"[..], &record(21, &[2, 40]), &record(22, &message(4, &[0])).repeat(100)] {
        let (progress, flight) = read(&then(more));
        assert_eq!(progress, Progress::Whole);
        assert_eq!(flight.expect("a flight").hello.suite, 5);
    }
    // A message that never ends is given up.
    let mut assembler = Assembler::default();
    let piece = record(22, &[11; 16_000]);
    assert_eq!(
        assembler.feed(&record(22, &[&hello(0x0303, 5, &[])[..], &[11, 255, 255, 255]].concat())),
        Progress::More
    );
    let end = (0..40).map(|_| assembler.feed(&piece)).find(|progress| *progress != Progress::More);
    assert_eq!(end, Some(Progress::Whole));
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 19_u8..25, step in 1_usize..40) {
        let mut assembler = Assembler::default();
        for piece in [record(kind, &bytes), bytes.clone()].concat().chunks(step) {
            assembler.feed(piece);
        }
        for suite in [0xc02f, 0x0033] {
            server_key(suite, &bytes);
        }
        read(&record(22, &[hello(0x0303, 0x0033, &bytes), message(12, &bytes), message(11, &bytes)].concat()));
    }
}
