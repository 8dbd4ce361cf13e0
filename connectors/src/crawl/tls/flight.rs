//! The first answer of a server, up to where it waits for us or begins to encrypt.
//!
//! Bytes come in pieces and from anybody: everything is counted, nothing is read twice, and what is not TLS is said to be
//! so. Must *not* know what was asked.
//!
//! Sources: RFC 5246 7.4, RFC 8446 4.1.3, RFC 8422 5.4, RFC 6066 8.

use super::hello::{KEY_SHARE, SUPPORTED_VERSIONS};
use super::suites::{self, Agreement};
use super::wire::Cursor;

/// Largest record: 2^14 bytes and what older versions may add (RFC 5246 6.2.3).
const RECORD_MAX_BYTES: usize = (1 << 14) + 2_048;
/// Bytes read of one answer. The largest chains seen on the web are near 100 KiB.
pub(super) const FLIGHT_MAX_BYTES: usize = 256 << 10;
/// Messages and warnings in one answer; an honest flight has at most seven.
const MESSAGES_MAX: usize = 32;
/// Certificates kept of one chain; public chains have two to four.
pub(super) const CHAIN_MAX: usize = 10;
/// Extensions kept of one hello; known ones are some thirty.
const EXTENSIONS_MAX: usize = 64;
/// The random value by which a server of TLS 1.3 asks for another hello: SHA-256 of `HelloRetryRequest`.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a server chose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) version: u16,
    pub(super) suite: u16,
    pub(super) compression: u8,
    pub(super) names_session: bool,
    /// It wants another hello (TLS 1.3).
    pub(super) retry: bool,
    pub(super) extensions: Vec<(u16, Vec<u8>)>,
}

impl ServerHello {
    pub(super) fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|found| found.0 == kind).map(|found| found.1.as_slice())
    }

    /// The group of the key share, given or wanted (TLS 1.3).
    pub(super) fn share_group(&self) -> Option<u16> {
        Cursor(self.extension(KEY_SHARE)?).u16()
    }
}

/// The ephemeral key of a server below TLS 1.3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerKey {
    Curve(u16),
    Field { prime: Vec<u8>, public: Vec<u8> },
}

/// The answer of a server that chose something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) hello: ServerHello,
    /// Leaf first, as sent.
    pub(super) chain: Vec<Vec<u8>>,
    /// The stapled OCSP response.
    pub(super) staple: Option<Vec<u8>>,
    pub(super) key: Option<ServerKey>,
    pub(super) asks_certificate: bool,
}

/// Where reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    /// There is nothing more to come in clear.
    Whole,
    Refused(u8),
    NotTls,
}

/// Puts an answer together.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    /// Bytes of records not whole yet.
    pending: Vec<u8>,
    /// Bytes of handshake messages not whole yet.
    handshake: Vec<u8>,
    flight: Flight,
    saw_hello: bool,
    n_messages: usize,
    n_bytes: usize,
}

impl Assembler {
    /// Takes what has come.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Progress {
        self.n_bytes += bytes.len();
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut at = 0;
        while let Some([kind, rest @ ..]) = pending.get(at..) {
            if !matches!(kind, 20..=23) || rest.first().is_some_and(|major| *major != 3) {
                return self.otherwise(Progress::NotTls);
            }
            let [_, _, high, low, ..] = rest else { break };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            if length > RECORD_MAX_BYTES {
                return self.otherwise(Progress::NotTls);
            }
            let Some(data) = rest.get(4..4 + length) else { break };
            at += 5 + length;
            match self.record(*kind, data) {
                Progress::More => {}
                end => return end,
            }
        }
        if self.n_bytes > FLIGHT_MAX_BYTES {
            return self.otherwise(Progress::NotTls);
        }
        self.pending = pending.get(at..).unwrap_or_default().to_vec();
        Progress::More
    }

    /// What was chosen, when anything was.
    pub(super) fn finish(self) -> Option<Flight> {
        self.saw_hello.then_some(self.flight)
    }

    pub(super) fn saw_hello(&self) -> bool {
        self.saw_hello
    }

    /// Trouble behind a hello does not undo the choice.
    fn otherwise(&self, trouble: Progress) -> Progress {
        if self.saw_hello { Progress::Whole } else { trouble }
    }

    fn record(&mut self, kind: u8, data: &[u8]) -> Progress {
        match kind {
            // Warnings before the choice (unrecognized_name) do not end anything.
            21 => match data {
                [1, code] if *code != 0 => self.count(),
                [_, code] => self.otherwise(Progress::Refused(*code)),
                _ => self.otherwise(Progress::NotTls),
            },
            22 => {
                self.handshake.extend_from_slice(data);
                self.messages()
            }
            _ => self.otherwise(Progress::NotTls),
        }
    }

    fn count(&mut self) -> Progress {
        self.n_messages += 1;
        if self.n_messages > MESSAGES_MAX { self.otherwise(Progress::NotTls) } else { Progress::More }
    }

    fn messages(&mut self) -> Progress {
        let handshake = std::mem::take(&mut self.handshake);
        let mut rest = Cursor(&handshake);
        loop {
            let mut ahead = rest;
            let (Some(kind), Some(body)) = (ahead.u8(), ahead.block24()) else { break };
            rest = ahead;
            match self.message(kind, body) {
                Progress::More => {}
                end => return end,
            }
            if self.count() != Progress::More {
                return self.otherwise(Progress::NotTls);
            }
        }
        self.handshake = rest.0.to_vec();
        Progress::More
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Progress {
        match (kind, self.saw_hello) {
            (0, false) => Progress::More, // hello_request
            (2, false) => {
                let Some(hello) = server_hello(body) else { return Progress::NotTls };
                let encrypts = hello.version >= 0x0304;
                self.flight.hello = hello;
                self.saw_hello = true;
                if encrypts { Progress::Whole } else { Progress::More }
            }
            (_, false) => Progress::NotTls,
            (11, true) => {
                self.flight.chain = certificates(body).unwrap_or_default();
                Progress::More
            }
            (12, true) => {
                self.flight.key = server_key(self.flight.hello.suite, body);
                Progress::More
            }
            (13, true) => {
                self.flight.asks_certificate = true;
                Progress::More
            }
            (22, true) => {
                let mut status = Cursor(body);
                if status.u8() == Some(1) {
                    self.flight.staple = status.block24().map(<[u8]>::to_vec);
                }
                Progress::More
            }
            (4, true) => Progress::More, // A ticket out of turn.
            _ => Progress::Whole,
        }
    }
}

fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut rest = Cursor(body);
    let version = rest.u16()?;
    let random = rest.take(32)?;
    let session = rest.block8()?;
    let suite = rest.u16()?;
    let compression = rest.u8()?;
    let mut extensions = Vec::new();
    if !rest.is_empty() {
        let mut all = Cursor(rest.block16()?);
        while !all.is_empty() && extensions.len() < EXTENSIONS_MAX {
            extensions.push((all.u16()?, all.block16()?.to_vec()));
        }
    }
    let mut hello = ServerHello {
        version,
        suite,
        compression,
        names_session: !session.is_empty(),
        retry: random == RETRY,
        extensions,
    };
    // TLS 1.3 names itself in an extension.
    if let Some(selected) = hello.extension(SUPPORTED_VERSIONS) {
        hello.version = Cursor(selected).u16()?;
    }
    Some(hello)
}

fn certificates(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut all = Cursor(Cursor(body).block24()?);
    let mut chain = Vec::new();
    while !all.is_empty() && chain.len() < CHAIN_MAX {
        chain.push(all.block24()?.to_vec());
    }
    Some(chain)
}

fn server_key(suite: u16, body: &[u8]) -> Option<ServerKey> {
    let mut rest = Cursor(body);
    match suites::agreement(suite) {
        // named_curve; the explicit curves of RFC 4492 were never used.
        Agreement::Curve => (rest.u8()? == 3).then(|| rest.u16())?.map(ServerKey::Curve),
        Agreement::Field => {
            let prime = trimmed(rest.block16()?);
            let _generator = rest.block16()?;
            Some(ServerKey::Field { prime, public: trimmed(rest.block16()?) })
        }
        Agreement::Other => None,
    }
}

/// A number without leading zeros.
fn trimmed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests;
