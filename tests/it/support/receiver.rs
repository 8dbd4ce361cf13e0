//! A receiver of webhooks that behaves as badly as it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::Mutex;
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Largest request a test sends.
const REQUEST_MAX_BYTES: usize = 1 << 20;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// Whether the body says this somewhere.
    pub fn body_has(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }

    /// The message id.
    pub fn id(&self) -> String {
        self.header("webhook-id").to_owned()
    }

    /// Whether one of the signatures is by this secret, as a receiver checks it.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret")).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).as_bytes());
        mac.update(&self.body);
        let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == wanted)
    }
}

/// What it does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    /// With these header lines.
    With(u16, &'static str),
    /// Takes the request and says nothing for long.
    Stall,
    /// Sends its answer byte by byte, too slowly to finish.
    Drip,
    /// Closes in the middle of the head.
    CloseInHead,
    /// Says yes and closes in the middle of the body.
    CloseInBody,
    /// Says yes with a body without end.
    Endless,
    /// Says no such head at all.
    Garbage,
}

type Script = Arc<dyn Fn(&Seen, usize) -> Reply + Send + Sync>;

/// A receiver on loopback; stops when dropped.
pub struct Receiver {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address")).await
    }

    /// At an address that was free a moment ago: a receiver that comes back.
    pub async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let taking: Script = Arc::new(|_, _| Reply::Status(204));
        let script = Arc::new(Mutex::new(taking));
        let (record, play) = (Arc::clone(&seen), Arc::clone(&script));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&record), Arc::clone(&play)));
            }
        });
        Self { address, seen, script, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// From now on requests are answered so; the number counts all requests from 0.
    pub fn answer(&self, script: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) {
        *self.script.lock() = Arc::new(script);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    /// Waits until so many requests came.
    pub async fn wait(&self, n: usize) -> Vec<Seen> {
        super::wait_for(&format!("{n} requests"), || async { Some(self.seen()).filter(|seen| seen.len() >= n) }).await
    }

    /// Waits until requests that fit came.
    pub async fn wait_until(&self, what: &str, fits: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        super::wait_for(what, || async { Some(self.seen()).filter(|seen| fits(seen)) }).await
    }
}

async fn serve(mut stream: TcpStream, record: Arc<Mutex<Vec<Seen>>>, script: Arc<Mutex<Script>>) {
    while let Some(request) = read_request(&mut stream).await {
        let n = {
            let mut seen = record.lock();
            seen.push(request.clone());
            seen.len() - 1
        };
        let play = Arc::clone(&script.lock());
        if !answer(&mut stream, play(&request, n)).await {
            return;
        }
    }
}

/// Answers; says whether the connection goes on.
async fn answer(stream: &mut TcpStream, reply: Reply) -> bool {
    let text = match reply {
        Reply::Status(204) => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        Reply::Status(status) => format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\nhm"),
        Reply::With(status, headers) => format!("HTTP/1.1 {status} x\r\n{headers}\r\ncontent-length: 0\r\n\r\n"),
        Reply::Stall => {
            tokio::time::sleep(Duration::from_secs(120)).await;
            return false;
        }
        Reply::Drip => {
            for byte in b"HTTP/1.1 200 OK\r\nx-slow: and slower and slower\r\ncontent-length: 0\r\n\r\n" {
                if stream.write_all(&[*byte]).await.is_err() {
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            return false;
        }
        Reply::CloseInHead => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-le").await;
            return false;
        }
        Reply::CloseInBody => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
            return false;
        }
        Reply::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let chunk = [b"4000\r\n".as_slice(), &[b'x'; 0x4000], b"\r\n"].concat();
            while stream.write_all(&chunk).await.is_ok() {}
            return false;
        }
        Reply::Garbage => {
            let _ = stream.write_all(b"\x00\xff220 smtp ready\r\n\r\n").await;
            return false;
        }
    };
    stream.write_all(text.as_bytes()).await.is_ok()
}

/// A request with its whole body; `None` when the peer is gone.
async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        read_some(stream, &mut bytes).await?;
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse::<usize>().ok()?;
    while bytes.len() < head_end + length {
        read_some(stream, &mut bytes).await?;
    }
    Some(Seen { path, headers, body: bytes[head_end..head_end + length].to_vec() })
}

async fn read_some(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0_u8; 16 << 10];
    let n = stream.read(&mut buffer).await.ok().filter(|&n| n > 0)?;
    bytes.extend_from_slice(&buffer[..n]);
    (bytes.len() <= REQUEST_MAX_BYTES).then_some(())
}
