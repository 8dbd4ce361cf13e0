//! A server that still speaks TLS 1.0 and 1.1, as far as a version probe can tell.
//!
//! No library we would use speaks these any more. The answer is a `ServerHello` in the version asked for, and then
//! the connection ends: enough to be found, nothing that could be used.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Most of a `ClientHello` a probe sends; what matters stands in its first bytes.
const HELLO_MAX_BYTES: usize = 4_096;
/// `TLS_RSA_WITH_AES_128_CBC_SHA`, which every old stack has.
const CIPHER: [u8; 2] = [0x00, 0x2f];

/// What the client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greeting {
    /// TLS 1.2 or newer: nothing was read, the real server goes on.
    Modern,
    /// An older version, which was answered.
    Answered,
}

/// Looks at the `ClientHello` without taking it, and answers it when it asks for an old version.
pub(super) async fn greet(stream: &mut TcpStream) -> io::Result<Greeting> {
    let mut hello = [0_u8; HELLO_MAX_BYTES];
    loop {
        let n = stream.peek(&mut hello).await?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Record header, handshake header, client version.
        if n >= 11 {
            break;
        }
        stream.readable().await?;
    }
    let Some(version) = old_version(&hello) else { return Ok(Greeting::Modern) };
    stream.write_all(&server_hello(version)).await?;
    stream.shutdown().await?;
    Ok(Greeting::Answered)
}

/// The client's version when it is TLS 1.0 or 1.1.
fn old_version(hello: &[u8]) -> Option<[u8; 2]> {
    let handshake = hello.first() == Some(&0x16) && hello.get(5) == Some(&0x01);
    let version = [*hello.get(9)?, *hello.get(10)?];
    (handshake && matches!(version, [3, 1 | 2])).then_some(version)
}

fn server_hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend_from_slice(&[0x5a; 32]);
    body.push(0);
    body.extend_from_slice(&CIPHER);
    body.push(0);
    let length = (body.len() as u32).to_be_bytes();
    let mut record = vec![0x16, version[0], version[1]];
    record.extend_from_slice(&(body.len() as u16 + 4).to_be_bytes());
    record.push(0x02);
    record.extend_from_slice(&length[1..]);
    record.extend_from_slice(&body);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_old_versions() {
        let hello = |version: [u8; 2]| [0x16, 3, 1, 0, 50, 1, 0, 0, 46, version[0], version[1], 0];
        assert_eq!(old_version(&hello([3, 1])), Some([3, 1]));
        assert_eq!(old_version(&hello([3, 2])), Some([3, 2]));
        assert_eq!(old_version(&hello([3, 3])), None);
        assert_eq!(old_version(b"GET / HTTP/1.1"), None);
        assert_eq!(server_hello([3, 1]).len(), 5 + 4 + 38);
    }
}
