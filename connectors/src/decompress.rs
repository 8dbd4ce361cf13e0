//! Bounded decompression of what senders and files bring.
//!
//! A small body can unpack to anything; every path here counts *decoded* bytes and stops at the caller's limit. Must *not*
//! know what is in the bytes.

use std::io::{self, BufRead, BufReader, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use riskgraph_domain::error::{Fault, FaultCode};

/// Largest zstd window that is allowed, as a power of two: 128 MiB, what `zstd -d` itself allows without `--long`. A frame
/// may otherwise ask for gigabytes of memory before its first byte.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
/// First guess of the decoded size, so that a small claim does not reserve the whole limit.
const GUESS_MAX_BYTES: usize = 1 << 20;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// How bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

impl Encoding {
    /// The value of a `Content-Encoding` header.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" | "plain" => Some(Self::Plain),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What the first bytes say (RFC 1952 2.3.1, RFC 8878 3.1.1).
    #[must_use]
    pub fn sniff(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame may come first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// Unpacks a body to at most `max_bytes`. A body said to be plain that begins like gzip or zstd is unpacked as well: no
/// text begins so.
///
/// # Errors
/// `BodyTooLarge` past the limit, `BadCompression` for damaged or cut data.
pub fn inflate(body: Bytes, encoding: Encoding, max_bytes: usize) -> Result<Bytes, Fault> {
    let encoding = if encoding == Encoding::Plain { Encoding::sniff(&body) } else { encoding };
    if encoding == Encoding::Plain {
        return if body.len() > max_bytes { Err(too_large(max_bytes)) } else { Ok(body) };
    }
    if body.is_empty() {
        return Err(Fault::new(FaultCode::BadCompression, "the body is empty but said to be compressed"));
    }
    let mut plain = Vec::with_capacity(body.len().saturating_mul(4).min(GUESS_MAX_BYTES).min(max_bytes));
    let mut reader = decoder(&body[..], encoding).map_err(|error| damaged(encoding, &error))?;
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let n_read = reader.by_ref().take(limit).read_to_end(&mut plain).map_err(|error| damaged(encoding, &error))?;
    if n_read > max_bytes {
        return Err(too_large(max_bytes));
    }
    Ok(Bytes::from(plain))
}

/// Reads a file that may be packed; the packing is told from its first bytes.
///
/// The caller reads it line by line with its own limit on a line; the whole may be of any size.
///
/// # Errors
/// What the reader or the decoder says.
pub fn unpack<R: Read + Send + 'static>(reader: R) -> io::Result<Box<dyn BufRead + Send>> {
    let mut buffered = BufReader::with_capacity(CHUNK_BYTES, reader);
    let encoding = Encoding::sniff(buffered.fill_buf()?);
    if encoding == Encoding::Plain {
        return Ok(Box::new(buffered));
    }
    Ok(Box::new(BufReader::with_capacity(CHUNK_BYTES, decoder(buffered, encoding)?)))
}

fn decoder<'a, R: BufRead + Send + 'a>(reader: R, encoding: Encoding) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match encoding {
        Encoding::Plain => Box::new(reader),
        Encoding::Gzip => Box::new(MultiGzDecoder::new(reader)),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    })
}

fn too_large(max_bytes: usize) -> Fault {
    let message = format!("the body unpacks to more than {max_bytes} bytes: send smaller batches");
    Fault::new(FaultCode::BodyTooLarge, message)
}

fn damaged(encoding: Encoding, error: &io::Error) -> Fault {
    let name = if encoding == Encoding::Gzip { "gzip" } else { "zstd" };
    let message = if error.kind() == io::ErrorKind::UnexpectedEof {
        format!("the {name} data ends early: send it again whole")
    } else {
        format!("the body is not valid {name}: check Content-Encoding")
    };
    Fault::new(FaultCode::BadCompression, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).expect("writing to memory");
        encoder.finish().expect("writing to memory")
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(data, 3).expect("writing to memory")
    }

    #[test]
    fn unpacks_within_the_limit() {
        let check = |body: Vec<u8>, encoding, max, want: Result<&[u8], FaultCode>| {
            let got = inflate(Bytes::from(body), encoding, max).map_err(|fault| fault.code);
            assert_eq!(got.as_deref().map_err(|code| *code), want);
        };
        check(b"a\nb".to_vec(), Encoding::Plain, 3, Ok(b"a\nb"));
        check(b"a\nb".to_vec(), Encoding::Plain, 2, Err(FaultCode::BodyTooLarge));
        check(gzip(b"hello"), Encoding::Gzip, 5, Ok(b"hello"));
        check(gzip(b"hello"), Encoding::Plain, 5, Ok(b"hello"));
        check(gzip(b"hello"), Encoding::Gzip, 4, Err(FaultCode::BodyTooLarge));
        check([gzip(b"one\n"), gzip(b"two\n")].concat(), Encoding::Gzip, 99, Ok(b"one\ntwo\n"));
        check(zstd(b"hello"), Encoding::Zstd, 5, Ok(b"hello"));
        check([zstd(b"one\n"), zstd(b"two\n")].concat(), Encoding::Plain, 99, Ok(b"one\ntwo\n"));
        check(zstd(b"hello"), Encoding::Zstd, 4, Err(FaultCode::BodyTooLarge));
        check(gzip(&vec![0; 50 << 20]), Encoding::Gzip, 1 << 20, Err(FaultCode::BodyTooLarge));
        check(b"no gzip".to_vec(), Encoding::Gzip, 99, Err(FaultCode::BadCompression));
        check(b"no zstd".to_vec(), Encoding::Zstd, 99, Err(FaultCode::BadCompression));
        check(Vec::new(), Encoding::Gzip, 99, Err(FaultCode::BadCompression));
        let whole = gzip(b"hello hello hello hello");
        check(whole[..whole.len() - 6].to_vec(), Encoding::Gzip, 99, Err(FaultCode::BadCompression));
    }

    #[test]
    fn reads_packed_files() {
        for file in [b"one\ntwo".to_vec(), gzip(b"one\ntwo"), zstd(b"one\ntwo")] {
            let mut text = String::new();
            unpack(io::Cursor::new(file)).expect("a good file").read_to_string(&mut text).expect("a good file");
            assert_eq!(text, "one\ntwo");
        }
    }
}
