use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Gives out the next set of addresses at every question.
struct Flips(Mutex<VecDeque<Vec<&'static str>>>);

impl Flips {
    fn new(sets: &[&[&'static str]]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(sets.iter().map(|set| set.to_vec()).collect())))
    }
}

impl Resolver for Flips {
    fn resolve(&self, _: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let set = self.0.lock().expect("lock").pop_front().unwrap_or_default();
        let ips = set.into_iter().map(|ip| ip.parse().expect("an address")).collect();
        Box::pin(std::future::ready(Ok(ips)))
    }
}

/// A listener that answers every request with these bytes, and counts connections.
async fn listen(address: &str, answer: &'static [u8]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(address).await.expect("binds");
    let port = listener.local_addr().expect("an address").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0_u8; 4_096];
            let _ = stream.read(&mut request).await;
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
            let _ = stream.write_all(answer).await;
            while answer.ends_with(b"endless") && stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
        }
    });
    (port, connections)
}

fn outside(networks: &[&str], resolver: Arc<Flips>) -> Outside {
    let options = OutsideOptions {
        allow_networks: networks.iter().map(|net| net.parse().expect("a network")).collect(),
        plain_http: PlainHttp::Listed,
        extra_ca_pem: None,
        timeout: Duration::from_secs(1),
    };
    Outside::new(options, resolver).expect("a client")
}

async fn get(outside: &Outside, url: &str) -> Result<Answer, NoAnswer> {
    let url = Url::parse(url).expect("a URL");
    let call = Call {
        method: Method::POST,
        url,
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{}"),
        answer_bytes_max: 64,
    };
    outside.call(call).await
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_name_that_turns_private_gains_nothing() {
    let (port, allowed) = listen("127.0.0.2:0", OK).await;
    let (_, forbidden) = listen(&format!("127.0.0.1:{port}"), OK).await;
    let resolver = Flips::new(&[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.1", "127.0.0.2"], &[]]);
    let outside = outside(&["127.0.0.2/32"], resolver);
    let url = format!("http://hook.example:{port}/x?key=s3cr3t");
    assert_eq!(get(&outside, &url).await.map(|answer| answer.status), Ok(200));
    let refused = get(&outside, &url).await.expect_err("rebound");
    assert!(matches!(&refused, NoAnswer::Forbidden(why) if why.contains("loopback")), "{refused}");
    assert_eq!(
        get(&outside, &url).await.map(|answer| answer.status),
        Ok(200),
        "only the allowed one of two is connected"
    );
    let unknown = get(&outside, &url).await.expect_err("no address").to_string();
    assert!(unknown.contains("does not resolve"), "{unknown}");
    assert_eq!((allowed.load(Ordering::SeqCst), forbidden.load(Ordering::SeqCst)), (2, 0));
}

#[tokio::test]
async fn redirects_endless_bodies_and_silence_end_here() {
    let (port, connections) =
        listen("127.0.0.1:0", b"HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n").await;
    let outside = outside(&["127.0.0.0/8"], Flips::new(&[]));
    assert_eq!(get(&outside, &format!("http://127.0.0.1:{port}/")).await.map(|answer| answer.status), Ok(302));
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    let (port, _) = listen("127.0.0.1:0", b"HTTP/1.1 200 OK\r\n\r\nendless").await;
    let answer = get(&outside, &format!("http://127.0.0.1:{port}/")).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (200, 64));
    let (port, _) = listen("127.0.0.1:0", b"").await;
    assert_eq!(get(&outside, &format!("http://127.0.0.1:{port}/")).await.map(|_| ()), Err(NoAnswer::Timeout(1)));
}

#[tokio::test]
async fn what_goes_wrong_is_told_without_the_url() {
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("binds").local_addr().expect("an address").port();
    let outside = outside(&["127.0.0.0/8"], Flips::new(&[&["127.0.0.1"]]));
    let told = get(&outside, &format!("http://user:hunter2@hook.example:{closed}/p4th?key=s3cr3t")).await;
    let told = told.expect_err("nobody listens").to_string();
    for hidden in ["hunter2", "s3cr3t", "p4th", "hook.example"] {
        assert!(!told.contains(hidden), "{told}");
    }
    assert!(!told.is_empty());
}

#[test]
fn only_https_leaves_the_listed_networks() {
    let outside = outside(&["10.1.0.0/16"], Flips::new(&[]));
    let check = |url: &str, want: bool| {
        assert_eq!(outside.check(&Url::parse(url).expect("a URL")).is_ok(), want, "{url}");
    };
    check("https://1.1.1.1/", true);
    check("https://hook.example/", true);
    check("http://10.1.2.3/", true);
    check("https://10.1.2.3/", true);
    check("http://1.1.1.1/", false);
    check("https://10.2.0.1/", false);
    check("https://127.0.0.1/", false);
    check("https://2130706433/", false);
    check("https://[::ffff:127.0.0.1]/", false);
    check("https://169.254.169.254/", false);
    check("file:///etc/passwd", false);
    check("gopher://1.1.1.1/", false);
}
