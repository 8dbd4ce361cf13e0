//! DNS messages by hand: questions no resolver would ask, and answers as a server really gives them.
//!
//! A resolver hides what a server does with EDNS, transfers or other classes; here every byte of the question is ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::Message;
use riskgraph_domain::observation::ProbeFailure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::site::refused;

/// Largest answer that is read over UDP; more than any server may send to a question of ours.
const UDP_ANSWER_MAX_BYTES: usize = 4_096;
/// Packets of other origin that are passed over while waiting for the answer.
const STRAY_MAX: usize = 8;
/// Room for answers that our EDNS questions offer (the DNS flag day's size, no fragments).
const PAYLOAD_BYTES: u16 = 1_232;
/// An option nobody assigned (RFC 6891 9 leaves 65001 to 65534 for experiments).
pub(super) const UNKNOWN_OPTION: u16 = 65_001;
/// The class of server information.
const CHAOS: u16 = 3;
const INTERNET: u16 = 1;

/// Whether the server is asked to ask others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    Wanted,
    None,
}

/// The OPT record of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opt {
    pub(super) version: u8,
    /// `DO` is 0x8000.
    pub(super) flags: u16,
    pub(super) option: Option<u16>,
}

/// A question.
#[derive(Debug, Clone)]
pub(super) struct Question<'a> {
    pub(super) name: &'a str,
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) recursion: Recursion,
    pub(super) opt: Option<Opt>,
}

impl<'a> Question<'a> {
    /// A plain question of the internet class, without recursion.
    pub(super) fn plain(name: &'a str, kind: u16) -> Self {
        Self { name, kind, class: INTERNET, recursion: Recursion::None, opt: None }
    }

    /// What software a server says it is.
    pub(super) fn version() -> Self {
        Self { class: CHAOS, ..Self::plain("version.bind", 16) }
    }

    pub(super) fn recursive(self) -> Self {
        Self { recursion: Recursion::Wanted, ..self }
    }

    pub(super) fn with(self, opt: Opt) -> Self {
        Self { opt: Some(opt), ..self }
    }

    /// The message; `None` for a name that cannot be written.
    fn bytes(&self, id: u16) -> Option<Vec<u8>> {
        let mut bytes = id.to_be_bytes().to_vec();
        bytes.push(u8::from(self.recursion == Recursion::Wanted));
        bytes.push(0);
        for count in [1, 0, 0, u16::from(self.opt.is_some())] {
            bytes.extend_from_slice(&count.to_be_bytes());
        }
        for label in self.name.trim_end_matches('.').split('.').filter(|label| !label.is_empty()) {
            bytes.push(u8::try_from(label.len()).ok().filter(|&length| length <= 63)?);
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes.push(0);
        bytes.extend_from_slice(&self.kind.to_be_bytes());
        bytes.extend_from_slice(&self.class.to_be_bytes());
        if let Some(opt) = self.opt {
            bytes.extend_from_slice(&[0, 0, 41]);
            bytes.extend_from_slice(&PAYLOAD_BYTES.to_be_bytes());
            bytes.extend_from_slice(&[0, opt.version]);
            bytes.extend_from_slice(&opt.flags.to_be_bytes());
            match opt.option {
                Some(code) => {
                    bytes.extend_from_slice(&[0, 4]);
                    bytes.extend_from_slice(&code.to_be_bytes());
                    bytes.extend_from_slice(&[0, 0]);
                }
                None => bytes.extend_from_slice(&[0, 0]),
            }
        }
        (bytes.len() <= 512).then_some(bytes)
    }
}

/// An answer, as read and as sent.
pub(super) struct Answer {
    pub(super) message: Message,
    pub(super) bytes: usize,
}

/// Asks over UDP; a second try after silence.
pub(super) async fn over_udp(
    to: SocketAddr,
    question: &Question<'_>,
    timeout: Duration,
) -> Result<Answer, ProbeFailure> {
    let bytes = question.bytes(identity(question)).ok_or_else(unwritable)?;
    for _ in 0..2 {
        match tokio::time::timeout(timeout, exchange_udp(to, &bytes)).await {
            Ok(Ok(answer)) => return read(&answer),
            Ok(Err(error)) => return Err(refused(&error)),
            Err(_) => {}
        }
    }
    Err(ProbeFailure::Timeout)
}

/// Asks over TCP and reads the first message; a second try after silence.
pub(super) async fn over_tcp(
    to: SocketAddr,
    question: &Question<'_>,
    timeout: Duration,
) -> Result<Answer, ProbeFailure> {
    let bytes = question.bytes(identity(question)).ok_or_else(unwritable)?;
    for _ in 0..2 {
        match tokio::time::timeout(timeout, exchange_tcp(to, &bytes)).await {
            Ok(Ok(answer)) => return read(&answer),
            Ok(Err(error)) => return Err(refused(&error)),
            Err(_) => {}
        }
    }
    Err(ProbeFailure::Timeout)
}

/// Over UDP, and over TCP when the answer was cut.
pub(super) async fn ask(to: SocketAddr, question: &Question<'_>, timeout: Duration) -> Result<Answer, ProbeFailure> {
    let answer = over_udp(to, question, timeout).await?;
    if answer.message.metadata.truncation { over_tcp(to, question, timeout).await } else { Ok(answer) }
}

/// The id of a question. Sockets are connected and used once, so that nobody else can answer; the id need not be a secret.
fn identity(question: &Question<'_>) -> u16 {
    let seed = question.kind.wrapping_mul(0x9e37) ^ u16::from(question.opt.is_some_and(|opt| opt.version > 0));
    question.name.bytes().fold(seed, |sum, byte| sum.rotate_left(5) ^ u16::from(byte))
}

fn unwritable() -> ProbeFailure {
    ProbeFailure::Protocol("the name cannot be asked for".to_owned())
}

async fn exchange_udp(to: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(to).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; UDP_ANSWER_MAX_BYTES];
    for _ in 0..STRAY_MAX {
        let length = socket.recv(&mut buffer).await?;
        if length >= 2 && buffer[..2] == question[..2] {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
    Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "only stray packets"))
}

async fn exchange_tcp(to: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(to).await?;
    let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(question);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn read(bytes: &[u8]) -> Result<Answer, ProbeFailure> {
    match Message::from_vec(bytes) {
        Ok(message) => Ok(Answer { message, bytes: bytes.len() }),
        Err(_) => Err(ProbeFailure::Protocol("the answer is no DNS message".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_questions() {
        let opt = Opt { version: 1, flags: 0x8000, option: Some(UNKNOWN_OPTION) };
        let bytes = Question::plain("a.example.", 6).recursive().with(opt).bytes(7).expect("a question");
        let message = Message::from_vec(&bytes).expect("a message");
        assert!(message.metadata.recursion_desired && message.metadata.id == 7);
        assert_eq!(message.queries[0].name().to_string(), "a.example.");
        let edns = message.edns.as_ref().expect("EDNS");
        assert_eq!((edns.version(), edns.max_payload()), (1, PAYLOAD_BYTES));
        assert!(Question::plain(&"a".repeat(64), 1).bytes(1).is_none());
        let version = Question::version().bytes(1).expect("a question");
        assert_eq!(version[version.len() - 2..], [0, 3]);
    }
}
