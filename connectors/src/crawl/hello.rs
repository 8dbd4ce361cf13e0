//! ClientHello messages written by hand and the first words of the answer.
//!
//! rustls speaks TLS 1.2 and 1.3 only, and rightly refuses weak suites. To see whether a *server* still takes SSLv3 or RC4
//! nothing needs to be encrypted: one hello is sent, the ServerHello tells version and suite, the connection is closed.
//!
//! Sources: RFC 6101 (SSLv3), RFC 2246, RFC 4346, RFC 5246, RFC 8446 4.1.2.

use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_message_handshake, parse_tls_raw_record};

/// Largest first record that is read: 2^14 bytes and what older versions may add (RFC 5246 6.2.3).
pub(super) const RECORD_MAX_BYTES: usize = (1 << 14) + 2_048 + 5;

/// The random value by which a ServerHello of TLS 1.3 asks for another hello (RFC 8446 4.1.3). It, too, has chosen.
const SUPPORTED_VERSIONS: u16 = 43;

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

    const fn number(self) -> u16 {
        match self {
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

/// What a server said to a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// It chose this version (as a number) and suite.
    Chosen { version: u16, suite: u16 },
    /// It refused with this alert.
    Alert(u8),
    /// It said something that is not TLS.
    NotTls,
    /// The answer is not whole yet.
    Incomplete,
}

impl Reply {
    /// The suite, when the server chose exactly this version.
    pub(super) fn suite_of(&self, wanted: Version) -> Option<u16> {
        match self {
            Self::Chosen { version, suite } if *version == wanted.number() => Some(*suite),
            _ => None,
        }
    }
}

/// Writes the record that offers one version and these suites for this host.
pub(super) fn client_hello(version: Version, suites: &[u16], host: &str, random: &[u8; 64]) -> Vec<u8> {
    let mut body = Vec::with_capacity(512);
    // From TLS 1.3 on the version is offered in an extension; here stands 1.2 for ever (RFC 8446 4.1.2).
    put16(&mut body, version.number().min(Version::Tls12.number()));
    body.extend_from_slice(&random[..32]);
    if version == Version::Tls13 {
        body.push(32);
        body.extend_from_slice(&random[32..]); // Middlebox compatibility (RFC 8446 D.4).
    } else {
        body.push(0);
    }
    let mut offered = suites.to_vec();
    if version != Version::Tls13 {
        offered.push(0x00ff); // Secure renegotiation (RFC 5746); some servers refuse hellos without it.
    }
    nested16(&mut body, |out| offered.iter().for_each(|suite| put16(out, *suite)));
    body.extend_from_slice(&[1, 0]); // One compression method: none.
    if version > Version::Ssl3 {
        nested16(&mut body, |out| extensions(out, version, host, random));
    }
    let mut message = vec![1]; // client_hello
    message.extend_from_slice(&u32::try_from(body.len()).unwrap_or(0).to_be_bytes()[1..]);
    message.extend_from_slice(&body);
    let mut record = vec![22]; // handshake
    put16(&mut record, version.number().min(Version::Tls10.number()));
    nested16(&mut record, |out| out.extend_from_slice(&message));
    record
}

fn extensions(out: &mut Vec<u8>, version: Version, host: &str, random: &[u8; 64]) {
    if host.parse::<std::net::IpAddr>().is_err() {
        extension(out, 0, |out| {
            nested16(out, |out| {
                out.push(0); // host_name
                nested16(out, |out| out.extend_from_slice(host.as_bytes()));
            });
        });
    }
    // Groups: x25519, secp256r1, secp384r1, secp521r1, ffdhe2048.
    extension(out, 10, |out| nested16(out, |out| [29, 23, 24, 25, 256].iter().for_each(|group| put16(out, *group))));
    extension(out, 11, |out| out.extend_from_slice(&[1, 0])); // Uncompressed points.
    if version >= Version::Tls12 {
        const SCHEMES: [u16; 14] = [
            0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0402,
            0x0202,
        ];
        extension(out, 13, |out| nested16(out, |out| SCHEMES.iter().for_each(|scheme| put16(out, *scheme))));
    }
    if version == Version::Tls13 {
        extension(out, SUPPORTED_VERSIONS, |out| out.extend_from_slice(&[2, 3, 4]));
        extension(out, 45, |out| out.extend_from_slice(&[1, 1])); // psk_dhe_ke
        extension(out, 51, |out| {
            nested16(out, |out| {
                put16(out, 29);
                // Any 32 bytes are a valid x25519 public key (RFC 7748); we never compute the secret.
                nested16(out, |out| out.extend_from_slice(&random[..32]));
            });
        });
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

fn extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    put16(out, kind);
    nested16(out, content);
}

/// Writes the content behind its length in two bytes.
fn nested16(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    put16(out, 0);
    content(out);
    let length = u16::try_from(out.len() - at - 2).unwrap_or(u16::MAX);
    out[at..at + 2].copy_from_slice(&length.to_be_bytes());
}

/// Reads the first record of the answer.
pub(super) fn read_reply(bytes: &[u8]) -> Reply {
    match bytes {
        [] => return Reply::Incomplete,
        [21 | 22, 3, ..] | [21 | 22] => {}
        _ => return Reply::NotTls,
    }
    let Ok((_, record)) = parse_tls_raw_record(bytes) else {
        return if bytes.len() < RECORD_MAX_BYTES { Reply::Incomplete } else { Reply::NotTls };
    };
    if bytes[0] == 21 {
        return record.data.get(1).map_or(Reply::NotTls, |alert| Reply::Alert(*alert));
    }
    match parse_tls_message_handshake(record.data) {
        Ok((_, TlsMessage::Handshake(TlsMessageHandshake::ServerHello(hello)))) => {
            let version = hello.ext.and_then(selected_version).unwrap_or(hello.version.0);
            Reply::Chosen { version, suite: hello.cipher.0 }
        }
        _ => Reply::NotTls,
    }
}

/// The version a TLS 1.3 server names in its extensions.
fn selected_version(mut extensions: &[u8]) -> Option<u16> {
    while let [k1, k2, l1, l2, rest @ ..] = extensions {
        let length = usize::from(u16::from_be_bytes([*l1, *l2]));
        let content = rest.get(..length)?;
        if u16::from_be_bytes([*k1, *k2]) == SUPPORTED_VERSIONS {
            return <[u8; 2]>::try_from(content).ok().map(u16::from_be_bytes);
        }
        extensions = &rest[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tls_parser::parse_tls_plaintext;

    use super::super::suites;
    use super::*;

    #[test]
    fn hellos_are_well_formed() {
        for version in Version::ALL {
            let hello = client_hello(version, &suites::all(), "shop.example", &[7; 64]);
            let (rest, record) = parse_tls_plaintext(&hello).expect("a record");
            assert!(rest.is_empty());
            let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(hello)) = &record.msg[0] else {
                panic!("no client hello");
            };
            assert_eq!(hello.version.0, version.number().min(0x0303));
            assert_eq!(hello.ext.is_some(), version > Version::Ssl3);
            assert_eq!(hello.ciphers.len(), suites::all().len() + usize::from(version != Version::Tls13));
        }
    }

    #[test]
    fn reads_replies() {
        let mut hello = vec![22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
        hello.extend_from_slice(&[9; 32]);
        hello.extend_from_slice(&[0, 0, 5, 0]);
        assert_eq!(read_reply(&hello), Reply::Chosen { version: 0x0301, suite: 5 });
        assert_eq!(read_reply(&hello[..20]), Reply::Incomplete);
        assert_eq!(read_reply(&[21, 3, 1, 0, 2, 2, 70]), Reply::Alert(70));
        assert_eq!(read_reply(b"HTTP/1.1 400 Bad Request"), Reply::NotTls);
        assert_eq!(read_reply(&[]), Reply::Incomplete);
        assert_eq!(selected_version(&[0, 1, 0, 0, 0, 43, 0, 2, 3, 4]), Some(0x0304));
        assert_eq!(selected_version(&[0, 43, 0, 9, 3, 4]), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 20_u8..24) {
            read_reply(&bytes);
            let mut record = vec![kind, 3, 3];
            record.extend_from_slice(&bytes);
            read_reply(&record);
        }
    }
}
