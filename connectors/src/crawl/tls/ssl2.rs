//! The hello of SSLv2 and its answer. One exchange tells all suites: here the server lists them and the client chooses.
//!
//! Source: the SSL 2.0 draft (Hickman, 1995); RFC 6176 forbids it.

use super::wire::{Cursor, put16};

const VERSION: u16 = 0x0002;
/// Largest record of SSLv2.
pub(super) const ANSWER_MAX_BYTES: usize = 32 << 10;

const SUITES: &[(u32, &str)] = &[
    (0x01_0080, "SSL_CK_RC4_128_WITH_MD5"),
    (0x02_0080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5"),
    (0x03_0080, "SSL_CK_RC2_128_CBC_WITH_MD5"),
    (0x04_0080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5"),
    (0x05_0080, "SSL_CK_IDEA_128_CBC_WITH_MD5"),
    (0x06_0040, "SSL_CK_DES_64_CBC_WITH_MD5"),
    (0x07_00c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"),
    (0x08_0080, "SSL_CK_RC4_64_WITH_MD5"),
];

/// Writes the hello.
pub(super) fn hello(random: &[u8; 64]) -> Vec<u8> {
    let mut body = vec![1]; // CLIENT-HELLO
    put16(&mut body, VERSION);
    put16(&mut body, u16::try_from(SUITES.len() * 3).unwrap_or(0));
    put16(&mut body, 0); // No session.
    put16(&mut body, 16);
    SUITES.iter().for_each(|(number, _)| body.extend_from_slice(&number.to_be_bytes()[1..]));
    body.extend_from_slice(&random[..16]);
    let mut record = Vec::with_capacity(body.len() + 2);
    put16(&mut record, 0x8000 | u16::try_from(body.len()).unwrap_or(0));
    record.extend_from_slice(&body);
    record
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    More,
    /// A hello with these suites; none when the version is known but every suite off.
    Suites(Vec<String>),
    /// An alert, an error or anything else that is no hello of SSLv2.
    Refused,
}

pub(super) fn read(bytes: &[u8]) -> Reply {
    let length = match bytes {
        [first, second, ..] if first & 0x80 != 0 => usize::from(u16::from_be_bytes([first & 0x7f, *second])),
        [] => return Reply::More,
        [first] if first & 0x80 != 0 => return Reply::More,
        _ => return Reply::Refused,
    };
    match bytes.get(2..2 + length) {
        Some(message) => suites(message).map_or(Reply::Refused, Reply::Suites),
        // The first byte tells a hello from an error.
        None if bytes.get(2).is_some_and(|kind| *kind != 4) => Reply::Refused,
        None => Reply::More,
    }
}

fn suites(message: &[u8]) -> Option<Vec<String>> {
    let mut rest = Cursor(message);
    let (kind, _session_hit, _certificate_kind) = (rest.u8()?, rest.u8()?, rest.u8()?);
    let version = rest.u16()?;
    let (certificate, suites, _connection) = (rest.u16()?, rest.u16()?, rest.u16()?);
    if kind != 4 || version != VERSION {
        return None;
    }
    rest.take(usize::from(certificate))?;
    let listed = rest.take(usize::from(suites))?;
    let name = |number: u32| SUITES.iter().find(|known| known.0 == number).map(|known| known.1.to_owned());
    // Only what was offered counts; a broken server may list anything.
    Some(listed.chunks_exact(3).filter_map(|b| name(u32::from_be_bytes([0, b[0], b[1], b[2]]))).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(suites: &[u8]) -> Vec<u8> {
        let mut body = vec![4, 0, 1, 0, 2, 0, 3, 0, u8::try_from(suites.len()).expect("short"), 0, 16, 1, 2, 3];
        body.extend_from_slice(suites);
        body.extend_from_slice(&[7; 16]);
        let mut record = vec![0x80, u8::try_from(body.len()).expect("short")];
        record.extend_from_slice(&body);
        record
    }

    #[test]
    fn reads_answers() {
        let whole = answer(&[1, 0, 0x80, 7, 0, 0xc0, 9, 9, 9]);
        let want = ["SSL_CK_RC4_128_WITH_MD5", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5"];
        assert_eq!(read(&whole), Reply::Suites(want.map(str::to_owned).to_vec()));
        assert_eq!(read(&whole[..whole.len() - 1]), Reply::More);
        assert_eq!(read(&answer(&[])), Reply::Suites(Vec::new()));
        for refused in [&[0x15, 3, 1, 0, 2, 2, 70][..], &[0x80, 3, 0, 0, 1], b"HTTP/1.1 400"] {
            assert_eq!(read(refused), Reply::Refused);
        }
        assert_eq!(read(&[]), Reply::More);
        let hello = hello(&[7; 64]);
        assert_eq!(hello.len(), 2 + usize::from(u16::from_be_bytes([hello[0] & 0x7f, hello[1]])));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&bytes);
            read(&[&[0x80, 100][..], &bytes].concat());
        }
    }
}
