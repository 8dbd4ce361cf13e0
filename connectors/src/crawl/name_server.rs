//! Questions straight to a zone's own name servers, over UDP and TCP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::proto::op::{Message, Query};
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use riskgraph_domain::Text;
use riskgraph_domain::observation::{ProbeFailure, ServerReply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::ask::rcode_name;
use super::site::{Site, refused};

/// Largest answer to a SOA question that is read over UDP; it fits in one packet of the classic 512 bytes.
const UDP_ANSWER_MAX_BYTES: usize = 4_096;
/// Packets of other origin that are passed over while waiting for the answer.
const STRAY_MAX: usize = 8;
/// Where name servers listen.
const PORT: u16 = 53;

/// What one server says over UDP and TCP; `None` when it has no address to ask.
pub(super) struct Replies {
    pub(super) udp: Option<Result<ServerReply, ProbeFailure>>,
    pub(super) tcp: Option<Result<ServerReply, ProbeFailure>>,
}

/// Asks the server of this name and these addresses for the zone's SOA, without recursion.
pub(super) async fn ask_soa(site: &Site<'_>, zone: &str, server: &str, found: &[IpAddr]) -> Replies {
    let address = match site.tools.connect.iter().find(|rule| rule.covers(server, PORT)) {
        Some(rule) => Ok(rule.to),
        None if found.is_empty() => return Replies { udp: None, tcp: None },
        None => site.checked(found).map(|ips| SocketAddr::new(ips[0], PORT)),
    };
    let address = match address {
        Ok(address) => address,
        Err(failure) => return Replies { udp: Some(Err(failure.clone())), tcp: Some(Err(failure)) },
    };
    let Some((id, question)) = question(zone) else { return Replies { udp: None, tcp: None } };
    let timeout = site.tools.limits.dns;
    let udp = async {
        let _permit = site.turn(None).await;
        twice(timeout, || over_udp(address, id, &question)).await
    };
    let tcp = async {
        let _permit = site.turn(None).await;
        twice(timeout, || over_tcp(address, &question)).await
    };
    let (udp, tcp) = tokio::join!(udp, tcp);
    Replies { udp: Some(udp.and_then(|bytes| read(&bytes, id))), tcp: Some(tcp.and_then(|bytes| read(&bytes, id))) }
}

fn question(zone: &str) -> Option<(u16, Vec<u8>)> {
    let mut name = Name::from_ascii(zone).ok()?;
    name.set_fqdn(true);
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(name, RecordType::SOA));
    Some((message.metadata.id, message.to_vec().ok()?))
}

/// A second try after silence; other failures are answers.
async fn twice<F, T>(timeout: Duration, mut exchange: F) -> Result<Vec<u8>, ProbeFailure>
where
    F: FnMut() -> T,
    T: Future<Output = std::io::Result<Vec<u8>>>,
{
    for _ in 0..2 {
        match tokio::time::timeout(timeout, exchange()).await {
            Ok(Ok(bytes)) => return Ok(bytes),
            Ok(Err(error)) => return Err(refused(&error)),
            Err(_) => {}
        }
    }
    Err(ProbeFailure::Timeout)
}

async fn over_udp(address: SocketAddr, id: u16, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(address).await?;
    socket.send(question).await?;
    let mut buffer = vec![0; UDP_ANSWER_MAX_BYTES];
    for _ in 0..STRAY_MAX {
        let length = socket.recv(&mut buffer).await?;
        if length >= 2 && buffer[..2] == id.to_be_bytes() {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
    Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "only stray packets"))
}

async fn over_tcp(address: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let length = u16::try_from(question.len()).unwrap_or(u16::MAX);
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(question);
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn read(bytes: &[u8], id: u16) -> Result<ServerReply, ProbeFailure> {
    let message = Message::from_vec(bytes)
        .ok()
        .filter(|message| message.metadata.id == id)
        .ok_or_else(|| ProbeFailure::Protocol("the answer is no DNS message".to_owned()))?;
    let serial = message.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    Ok(ServerReply {
        authoritative: message.metadata.authoritative,
        recursion_available: message.metadata.recursion_available,
        rcode: Text::from(rcode_name(message.metadata.response_code)),
        serial,
    })
}
