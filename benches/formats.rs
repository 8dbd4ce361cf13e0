//! One thread: foreign access logs, line by line.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should panic")]

use std::fmt::Write as _;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use riskgraph_connectors::formats::{Format, decode_line};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lines of one run: what a middling shop logs in a minute or two.
const LINES: usize = 10_000;
const PATHS: [&str; 6] =
    ["/", "/catalog/shoes?page=2&sort=price", "/login", "/api/v1/orders/8871", "/checkout", "/a.css"];
const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "python-requests/2.32.3",
];
const STATUSES: [u16; 5] = [200, 200, 304, 401, 404];

fn main() {
    divan::main();
}

/// What differs from line to line.
struct Request {
    address: String,
    second: usize,
    path: &'static str,
    status: u16,
    bytes: usize,
    agent: &'static str,
}

fn requests() -> impl Iterator<Item = Request> {
    (0..LINES).map(|i| Request {
        address: format!("203.0.{}.{}", i * 7 % 113, i * 31 % 254 + 1),
        second: i / 100,
        path: PATHS[i * 5 % PATHS.len()],
        status: STATUSES[i * 3 % STATUSES.len()],
        bytes: i * 97 % 48_000,
        agent: AGENTS[i * 11 % AGENTS.len()],
    })
}

fn combined() -> Vec<String> {
    let line = |request: Request| {
        let Request { address, second, path, status, bytes, agent } = request;
        let (minute, second) = (second / 60, second % 60);
        let mut line = format!("{address} - - [02/Mar/2026:08:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" ");
        let _ = write!(line, "{status} {bytes} \"https://shop.example/\" \"{agent}\"");
        line
    };
    requests().map(line).collect()
}

fn nginx_json() -> Vec<String> {
    let line = |request: Request| {
        let Request { address, second, path, status, bytes, agent } = request;
        let (minute, second) = (second / 60, second % 60);
        serde_json::json!({
            "time_iso8601": format!("2026-03-02T08:{minute:02}:{second:02}+00:00"),
            "remote_addr": address,
            "request_method": "GET",
            "request_uri": path,
            "server_protocol": "HTTP/1.1",
            "status": status.to_string(),
            "body_bytes_sent": bytes.to_string(),
            "request_time": "0.042",
            "http_referer": "https://shop.example/",
            "http_user_agent": agent,
            "host": "shop.example",
        })
        .to_string()
    };
    requests().map(line).collect()
}

/// Decodes every line and counts the events, so that a format the decoder refuses does not look fast.
fn decode(format: Format, lines: &[String]) -> usize {
    let mut events = Vec::with_capacity(lines.len());
    for line in lines {
        decode_line(format, line.as_bytes(), &mut events).expect("the line is well-formed");
    }
    assert_eq!(events.len(), LINES);
    events.len()
}

fn measure(bencher: Bencher<'_, '_>, format: Format, lines: &[String]) {
    let bytes: usize = lines.iter().map(String::len).sum();
    bencher
        .counter(ItemsCount::new(LINES))
        .counter(BytesCount::new(bytes))
        .bench(|| decode(divan::black_box(format), divan::black_box(lines)));
}

#[divan::bench]
fn apache_combined(bencher: Bencher<'_, '_>) {
    measure(bencher, Format::Apache, &combined());
}

#[divan::bench]
fn nginx_combined(bencher: Bencher<'_, '_>) {
    measure(bencher, Format::Nginx, &combined());
}

#[divan::bench]
fn nginx_json_lines(bencher: Bencher<'_, '_>) {
    measure(bencher, Format::Nginx, &nginx_json());
}

/// Every line recognised by itself, as for a file of mixed logs.
#[divan::bench]
fn combined_auto(bencher: Bencher<'_, '_>) {
    measure(bencher, Format::Auto, &combined());
}
