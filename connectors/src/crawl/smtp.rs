//! Mail exchangers: whether they offer STARTTLS (RFC 3207), and with which certificate.
//!
//! One connection a host, as any mail server makes it: greeting, EHLO, STARTTLS, a handshake, nothing else. No mail is sent.

use std::net::SocketAddr;

use riskgraph_domain::Text;
use riskgraph_domain::observation::{MailHost, ProbeFailure, StartTls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::book::{Book, Kind};
use super::mail_names::exchangers;
use super::site::{Site, refused};
use super::tls::handshake;
use super::tls::trust::Trust;

/// Where mail servers listen.
const PORT: u16 = 25;
/// Mail exchangers that are spoken to: the preferred ones.
const HOSTS_MAX: usize = 4;
/// Bytes of one reply, and of one line of it (RFC 5321 4.5.3.1.5 allows 512 a line).
const REPLY_MAX_BYTES: usize = 8_192;
/// The name we greet with; it says that there is nobody to answer.
const OUR_NAME: &str = "posture-check.riskgraph.invalid";

/// Speaks to the preferred mail exchangers of the domain.
pub(super) async fn observe(site: &Site<'_>, book: &Book, trust: &Trust, domain: &str) -> Vec<MailHost> {
    let hosts = exchangers(&book.records(site, domain, Kind::Mx).await);
    let asked = hosts.into_iter().take(HOSTS_MAX).map(|host| host_facts(site, book, trust, host));
    futures::future::join_all(asked).await
}

async fn host_facts(site: &Site<'_>, book: &Book, trust: &Trust, host: String) -> MailHost {
    let tlsa = format!("_25._tcp.{host}");
    let secure = async {
        if book.records(site, &tlsa, Kind::Tlsa).await.is_empty() {
            return None;
        }
        let _permit = site.turn(None).await;
        site.tools.asker.is_secure(&tlsa, Kind::Tlsa.record_type()).await
    };
    let (tlsa_secure, (address, starttls)) = tokio::join!(secure, spoken(site, book, trust, &host));
    MailHost { host: Text::from(host), address: address.map(|a| Text::from(a.ip().to_string())), starttls, tlsa_secure }
}

async fn spoken(
    site: &Site<'_>,
    book: &Book,
    trust: &Trust,
    host: &str,
) -> (Option<SocketAddr>, Result<StartTls, ProbeFailure>) {
    let address = match address(site, book, host).await {
        Ok(address) => address,
        Err(failure) => return (None, Err(failure)),
    };
    let permit = site.turn(Some(host)).await;
    let opened = site.open(&[address]).await;
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(failure) => return (Some(address), Err(failure)),
    };
    let wait = site.time_left(site.tools.limits.read);
    match tokio::time::timeout(wait, until_tls(&mut stream)).await {
        Err(_) => (Some(address), Err(ProbeFailure::Timeout)),
        Ok(Err(failure)) => (Some(address), Err(failure)),
        Ok(Ok(Offer::None)) => (Some(address), Ok(StartTls { offered: false, handshake: None, failure: None })),
        Ok(Ok(Offer::Refused(reply))) => {
            let failure = Some(ProbeFailure::Protocol(format!("STARTTLS was answered with {reply}")));
            (Some(address), Ok(StartTls { offered: true, handshake: None, failure }))
        }
        Ok(Ok(Offer::Ready)) => {
            let shaken = handshake::over(site, trust, host, (stream, permit)).await;
            let (handshake, failure) = match shaken {
                Ok(shaken) => (Some(shaken.facts), None),
                Err(failure) => (None, Some(failure)),
            };
            (Some(address), Ok(StartTls { offered: true, handshake, failure }))
        }
    }
}

/// Where the host is reached: the operator's rule, or its first address the guard lets pass.
async fn address(site: &Site<'_>, book: &Book, host: &str) -> Result<SocketAddr, ProbeFailure> {
    if let Some(rule) = site.tools.connect.iter().find(|rule| rule.covers(host, PORT)) {
        return Ok(rule.to);
    }
    let (v4, v6) = tokio::join!(book.records(site, host, Kind::A), book.records(site, host, Kind::Aaaa));
    let found: Vec<_> = v4.iter().chain(&v6).filter_map(|text| text.parse().ok()).collect();
    site.checked(&found).map(|ips| SocketAddr::new(ips[0], PORT))
}

/// What a server says of STARTTLS.
enum Offer {
    None,
    /// Offered, then refused with this code.
    Refused(u16),
    /// The next byte may be the handshake's.
    Ready,
}

async fn until_tls(stream: &mut TcpStream) -> Result<Offer, ProbeFailure> {
    let (code, _) = reply(stream).await?;
    if code != 220 {
        return Err(ProbeFailure::Protocol(format!("the mail server greeted with {code}")));
    }
    say(stream, &format!("EHLO {OUR_NAME}\r\n")).await?;
    let (code, text) = reply(stream).await?;
    if code != 250 {
        return Err(ProbeFailure::Protocol(format!("EHLO was answered with {code}")));
    }
    let offers = |line: &str| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"));
    if !text.lines().any(offers) {
        let _ = say(stream, "QUIT\r\n").await;
        return Ok(Offer::None);
    }
    say(stream, "STARTTLS\r\n").await?;
    let (code, _) = reply(stream).await?;
    Ok(if code == 220 { Offer::Ready } else { Offer::Refused(code) })
}

async fn say(stream: &mut TcpStream, line: &str) -> Result<(), ProbeFailure> {
    stream.write_all(line.as_bytes()).await.map_err(|error| refused(&error))
}

/// One reply, all its lines (RFC 5321 4.2). Read byte by byte, so that nothing behind it is swallowed.
async fn reply(stream: &mut TcpStream) -> Result<(u16, String), ProbeFailure> {
    let broken = || ProbeFailure::Protocol("the answer is no SMTP reply".to_owned());
    let mut text = Vec::new();
    loop {
        let start = text.len();
        loop {
            let byte = stream.read_u8().await.map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => ProbeFailure::Refused("the mail server hung up".to_owned()),
                _ => refused(&error),
            })?;
            text.push(byte);
            if byte == b'\n' {
                break;
            }
            if text.len() > REPLY_MAX_BYTES {
                return Err(broken());
            }
        }
        let line = &text[start..];
        let code = line.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
        match (code, line.get(3)) {
            (Some(_), Some(b'-')) => {}
            (Some(code), _) => return Ok((code, String::from_utf8_lossy(&text).into_owned())),
            (None, _) => return Err(broken()),
        }
    }
}
