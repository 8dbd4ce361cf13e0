//! Slow and stopping connections.

use std::time::Duration;

use riskgraph_api::{ApiOptions, ConnectionLimits, IngestLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{DEADLINE, INGEST, Server};

/// Everything the server says until it ends the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    // A reset is an end too.
    let _end = timeout(DEADLINE, stream.read_to_end(&mut said)).await.expect("the server ends the connection");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let connections = ConnectionLimits { header_timeout: Duration::from_millis(100), ..ConnectionLimits::default() };
    let server = Server::with(ApiOptions { connections, ..ApiOptions::default() }).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("sent");
    let said = until_closed(&mut stream).await;
    assert!(!said.contains("200 OK"), "{said}");
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off() {
    let ingest = IngestLimits { read_timeout: Duration::from_millis(100), ..IngestLimits::default() };
    let server = Server::with(ApiOptions { ingest, ..ApiOptions::default() }).await;
    let mut stream = TcpStream::connect(server.address).await.expect("a connection");
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {INGEST}\r\ncontent-length: 100\r\n\r\n{{}}\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let said = until_closed(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 429") && said.contains("RG-0121"), "{said}");
    assert!(server.world.batches.lock().is_empty());
}

#[tokio::test]
async fn stopping_closes_the_door() {
    let server = Server::start().await;
    let mut idle = TcpStream::connect(server.address).await.expect("a connection");
    idle.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut first = [0_u8; 15];
    idle.read_exact(&mut first).await.expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    server.stop.cancel();
    until_closed(&mut idle).await;
    let refused = async {
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, refused).await.expect("the listener closes");
}
