//! ClientHello messages written by hand.
//!
//! Client libraries speak what is good for their users, and rightly refuse the rest. To see what a *server* takes nothing
//! needs to be encrypted: one hello is sent, and the answer tells version, suite, group and certificate in clear.
//!
//! Sources: RFC 6101 (SSLv3), RFC 2246, RFC 4346, RFC 5246, RFC 8446 4.1.2.

use super::groups;
use super::wire::{nested16, put16};

/// The extension by which TLS 1.3 agrees on the version.
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
pub(super) const KEY_SHARE: u16 = 51;
pub(super) const STATUS_REQUEST: u16 = 5;
pub(super) const ALPN: u16 = 16;
pub(super) const TIMESTAMPS: u16 = 18;
pub(super) const MASTER_SECRET: u16 = 23;
pub(super) const TICKET: u16 = 35;
pub(super) const RENEGOTIATION: u16 = 0xff01;
/// Pads a hello out of the sizes at which some balancers hang (RFC 7685).
const PADDING: u16 = 21;
const PADDED: std::ops::Range<usize> = 256..512;

/// Signalling values among the suites (RFC 5746, RFC 7507).
const RENEGOTIATION_SCSV: u16 = 0x00ff;
const FALLBACK_SCSV: u16 = 0x5600;

const SCHEMES: [u16; 20] = [
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
    0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0202,
];

/// A protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Ssl3,
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

impl Version {
    /// Oldest first.
    pub(super) const ALL: [Self; 5] = [Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLSv1.0",
            Self::Tls11 => "TLSv1.1",
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    pub(super) const fn number(self) -> u16 {
        match self {
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

/// What a hello asks for beside the version, suites and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// DEFLATE (RFC 3749), before none.
    Compression,
    Ticket,
    Status,
    Timestamps,
    MasterSecret,
    /// The signal that an earlier, better offer failed (RFC 7507).
    Fallback,
    Alpn(&'static [&'static str]),
    /// A share for x25519 at once, for servers of TLS 1.3 that do not ask for one.
    Share,
}

/// One hello.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) version: Version,
    pub(super) suites: &'a [u16],
    pub(super) groups: &'a [u16],
    pub(super) extras: &'a [Extra],
}

impl<'a> Offer<'a> {
    /// The plainest hello of this version.
    pub(super) fn new(version: Version, suites: &'a [u16]) -> Self {
        Self { version, suites, groups: groups::of(version), extras: &[] }
    }

    /// Writes the record that says this to the host.
    pub(super) fn write(&self, host: &str, random: &[u8; 64]) -> Vec<u8> {
        let mut body = Vec::with_capacity(768);
        // From TLS 1.3 on the version is offered in an extension; here stands 1.2 for ever (RFC 8446 4.1.2).
        put16(&mut body, self.version.number().min(Version::Tls12.number()));
        body.extend_from_slice(&random[..32]);
        if self.version == Version::Tls13 {
            body.push(32);
            body.extend_from_slice(&random[32..]); // Middlebox compatibility (RFC 8446 D.4).
        } else {
            body.push(0);
        }
        nested16(&mut body, |out| self.write_suites(out));
        match self.extras.contains(&Extra::Compression) {
            true => body.extend_from_slice(&[2, 1, 0]),
            false => body.extend_from_slice(&[1, 0]),
        }
        if self.version > Version::Ssl3 {
            nested16(&mut body, |out| self.write_extensions(out, host, random));
        }
        if self.version > Version::Ssl3 && PADDED.contains(&(body.len() + 4)) {
            pad(&mut body);
        }
        let mut message = vec![1]; // client_hello
        message.extend_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes()[1..]);
        message.extend_from_slice(&body);
        let mut record = vec![22]; // handshake
        put16(&mut record, self.version.number().min(Version::Tls10.number()));
        nested16(&mut record, |out| out.extend_from_slice(&message));
        record
    }

    fn write_suites(&self, out: &mut Vec<u8>) {
        self.suites.iter().for_each(|suite| put16(out, *suite));
        if self.version != Version::Tls13 {
            put16(out, RENEGOTIATION_SCSV); // Some servers refuse hellos without it.
        }
        if self.extras.contains(&Extra::Fallback) {
            put16(out, FALLBACK_SCSV);
        }
    }

    fn write_extensions(&self, out: &mut Vec<u8>, host: &str, random: &[u8; 64]) {
        if host.parse::<std::net::IpAddr>().is_err() {
            extension(out, 0, |out| {
                nested16(out, |out| {
                    out.push(0); // host_name
                    nested16(out, |out| out.extend_from_slice(host.as_bytes()));
                });
            });
        }
        if !self.groups.is_empty() {
            extension(out, 10, |out| nested16(out, |out| self.groups.iter().for_each(|group| put16(out, *group))));
            extension(out, 11, |out| out.extend_from_slice(&[3, 0, 1, 2])); // Point formats (RFC 8422 5.1.2).
        }
        if self.version >= Version::Tls12 {
            extension(out, 13, |out| nested16(out, |out| SCHEMES.iter().for_each(|scheme| put16(out, *scheme))));
        }
        for extra in self.extras {
            write_extra(out, *extra);
        }
        if self.version == Version::Tls13 {
            extension(out, SUPPORTED_VERSIONS, |out| out.extend_from_slice(&[2, 3, 4]));
            extension(out, 45, |out| out.extend_from_slice(&[1, 1])); // psk_dhe_ke
            extension(out, KEY_SHARE, |out| {
                nested16(out, |out| {
                    if self.extras.contains(&Extra::Share) {
                        put16(out, groups::X25519);
                        // Any 32 bytes are a valid x25519 public key (RFC 7748); we never compute the secret.
                        nested16(out, |out| out.extend_from_slice(&random[..32]));
                    }
                });
            });
        }
    }
}

fn write_extra(out: &mut Vec<u8>, extra: Extra) {
    match extra {
        Extra::Compression | Extra::Fallback | Extra::Share => {}
        Extra::Ticket => extension(out, TICKET, |_| {}),
        Extra::Status => extension(out, STATUS_REQUEST, |out| out.extend_from_slice(&[1, 0, 0, 0, 0])),
        Extra::Timestamps => extension(out, TIMESTAMPS, |_| {}),
        Extra::MasterSecret => extension(out, MASTER_SECRET, |_| {}),
        Extra::Alpn(names) => extension(out, ALPN, |out| {
            nested16(out, |out| {
                for name in names {
                    out.push(u8::try_from(name.len()).unwrap_or(0));
                    out.extend_from_slice(name.as_bytes());
                }
            });
        }),
    }
}

/// Appends the padding extension; the extensions end the hello and their length stands before them.
fn pad(body: &mut Vec<u8>) {
    // The length of the extensions is behind version, random, session id, suites and compression methods.
    let Some(at) = extensions_at(body) else { return };
    let missing = PADDED.end.saturating_sub(body.len() + 4 + 4);
    extension(body, PADDING, |out| out.resize(out.len() + missing, 0));
    let length = u16::try_from(body.len() - at - 2).unwrap_or(u16::MAX);
    body[at..at + 2].copy_from_slice(&length.to_be_bytes());
}

fn extensions_at(body: &[u8]) -> Option<usize> {
    let mut at = 34;
    at += 1 + usize::from(*body.get(at)?);
    at += 2 + usize::from(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    at += 1 + usize::from(*body.get(at)?);
    (at + 2 <= body.len()).then_some(at)
}

fn extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    put16(out, kind);
    nested16(out, content);
}

#[cfg(test)]
mod tests {
    use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_client_hello_extensions, parse_tls_plaintext};

    use super::super::suites;
    use super::*;

    #[test]
    fn hellos_are_well_formed() {
        const EXTRAS: [Extra; 6] = [
            Extra::Compression,
            Extra::Ticket,
            Extra::Status,
            Extra::Timestamps,
            Extra::MasterSecret,
            Extra::Alpn(&["h2", "http/1.1"]),
        ];
        for version in Version::ALL {
            for suites in suites::batches(version) {
                for extras in [&EXTRAS[..], &[Extra::Share, Extra::Fallback], &[]] {
                    let offer = Offer { extras, ..Offer::new(version, &suites) };
                    let hello = offer.write("shop.example", &[7; 64]);
                    let (rest, record) = parse_tls_plaintext(&hello).expect("a record");
                    assert!(rest.is_empty());
                    assert!(version == Version::Ssl3 || !PADDED.contains(&(hello.len() - 5)), "{}", hello.len());
                    let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) = &record.msg[0] else {
                        panic!("no client hello");
                    };
                    assert_eq!(hello.version.0, version.number().min(0x0303));
                    assert_eq!(hello.ext.is_some(), version > Version::Ssl3);
                    if let Some(extensions) = hello.ext {
                        let (rest, all) = parse_tls_client_hello_extensions(extensions).expect("extensions");
                        assert!(rest.is_empty() && all.len() >= 3);
                    }
                    let signals =
                        usize::from(version != Version::Tls13) + usize::from(extras.contains(&Extra::Fallback));
                    assert_eq!(hello.ciphers.len(), suites.len() + signals);
                }
            }
        }
    }
}
