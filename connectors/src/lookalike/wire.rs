//! DNS questions and answers as bytes (RFC 1035 4). Knows no socket.

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{RData, RecordType};
use riskgraph_domain::Text;

/// Records kept of one answer.
const RECORDS_MAX: usize = 32;
/// Names have at most 253 characters (RFC 1035 2.3.4).
const NAME_MAX: usize = 253;

/// What is asked about a name, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ns,
    A,
    Aaaa,
    Mx,
}

impl Kind {
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::Ns => 2,
            Self::A => 1,
            Self::Aaaa => 28,
            Self::Mx => 15,
        }
    }
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Records(Vec<Text>),
    NoData,
    NxDomain,
    /// SERVFAIL, REFUSED and their like: says nothing about the name.
    Nothing,
    /// The answer did not fit; ask again over TCP.
    Truncated,
}

/// The question as a message that asks for recursion; `None` for what is no name.
pub(super) fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    if name.is_empty() || name.len() > NAME_MAX {
        return None;
    }
    let mut bytes = Vec::with_capacity(name.len() + 18);
    bytes.extend_from_slice(&id.to_be_bytes());
    bytes.extend_from_slice(&[0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&kind.code().to_be_bytes());
    bytes.extend_from_slice(&1_u16.to_be_bytes());
    Some(bytes)
}

/// The id of a message, to find whose answer it is.
pub(super) fn id_of(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]))
}

/// What the message says to this question; `None` when it is no answer to it.
pub(super) fn read(bytes: &[u8], name: &str, kind: Kind) -> Option<Said> {
    // Most names do not exist, and for those the header and the question say all.
    let header: &[u8; 12] = bytes.first_chunk()?;
    if header[2] & 0x80 == 0 || !is_about(bytes, name, kind) {
        return None;
    }
    if header[2] & 0x02 != 0 {
        return Some(Said::Truncated);
    }
    match header[3] & 0x0f {
        3 => return Some(Said::NxDomain),
        0 => {}
        _ => return Some(Said::Nothing),
    }
    if header[6..8] == [0, 0] {
        return Some(Said::NoData);
    }
    let Ok(message) = Message::from_vec(bytes) else { return Some(Said::Nothing) };
    if message.metadata.response_code != ResponseCode::NoError {
        return Some(Said::Nothing);
    }
    let wanted = RecordType::from(kind.code());
    let of_kind = message.answers.iter().filter(|record| record.record_type() == wanted).take(RECORDS_MAX);
    let mut records: Vec<Text> = of_kind.filter_map(|record| shown(&record.data)).collect();
    records.sort();
    records.dedup();
    Some(if records.is_empty() { Said::NoData } else { Said::Records(records) })
}

/// Whether the question in the message is this one.
fn is_about(bytes: &[u8], name: &str, kind: Kind) -> bool {
    let Some(asked) = question(0, name, kind) else { return false };
    bytes.get(12..asked.len()).is_some_and(|found| found.eq_ignore_ascii_case(&asked[12..]))
}

fn shown(data: &RData) -> Option<Text> {
    let host = |name: String| {
        let bare = name.trim_end_matches('.').to_ascii_lowercase();
        Text::from(if bare.is_empty() { ".".to_owned() } else { bare })
    };
    Some(match data {
        RData::A(address) => Text::from(address.to_string()),
        RData::AAAA(address) => Text::from(address.to_string()),
        RData::NS(server) => host(server.0.to_ascii()),
        RData::MX(exchange) => host(exchange.exchange.to_ascii()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, kind: Kind, flags: [u8; 2], records: &[u8], n_records: u8) -> Vec<u8> {
        let mut bytes = question(7, name, kind).expect("a name");
        bytes[2..4].copy_from_slice(&flags);
        bytes[7] = n_records;
        bytes.extend_from_slice(records);
        bytes
    }

    #[test]
    fn reads_answers() {
        let address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7];
        let null_mx = [0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 3, 0, 0, 0];
        let check = |bytes: &[u8], kind: Kind, want: Option<Said>| {
            assert_eq!(read(bytes, "exarnple.com", kind), want, "{bytes:?}");
        };
        let name = "exarnple.com";
        check(
            &answer(name, Kind::A, [0x81, 0x80], &address, 1),
            Kind::A,
            Some(Said::Records(vec!["192.0.2.7".into()])),
        );
        check(&answer("EXARNPLE.com", Kind::A, [0x81, 0x83], &[], 0), Kind::A, Some(Said::NxDomain));
        check(&answer(name, Kind::A, [0x81, 0x82], &[], 0), Kind::A, Some(Said::Nothing));
        check(&answer(name, Kind::A, [0x81, 0x85], &[], 0), Kind::A, Some(Said::Nothing));
        check(&answer(name, Kind::A, [0x81, 0x80], &[], 0), Kind::A, Some(Said::NoData));
        check(&answer(name, Kind::A, [0x83, 0x80], &[], 0), Kind::A, Some(Said::Truncated));
        check(&answer(name, Kind::Mx, [0x81, 0x80], &null_mx, 1), Kind::Mx, Some(Said::Records(vec![".".into()])));
        check(&answer(name, Kind::A, [0x81, 0x80], &address[..9], 1), Kind::A, Some(Said::Nothing));
        // A question, an answer to another question, noise.
        check(&answer(name, Kind::A, [0x01, 0x00], &[], 0), Kind::A, None);
        check(&answer("other.com", Kind::A, [0x81, 0x83], &[], 0), Kind::A, None);
        check(&answer(name, Kind::Ns, [0x81, 0x83], &[], 0), Kind::A, None);
        check(b"short", Kind::A, None);
    }

    #[test]
    fn what_is_no_name_is_not_asked() {
        for name in ["", "a..b", ".", &"a".repeat(64), &"a.".repeat(200)] {
            assert_eq!(question(1, name, Kind::A), None, "{name}");
        }
    }
}
