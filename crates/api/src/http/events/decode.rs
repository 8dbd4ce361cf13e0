//! Undoes the compression of a body, on bounded output.

use std::io::Read;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use riskgraph_domain::error::{Fault, FaultCode};

use crate::http::memory::Held;

/// Bytes decompressed between two looks at the bounds.
const CHUNK: usize = 64 * 1024;
/// Largest window of a zstd frame, as a power of two: 8 MiB, what RFC 8878 3.1.1.1.2 asks decoders to support.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

impl Encoding {
    /// What we take, for `Accept-Encoding` of a refusal (RFC 9110 15.5.16).
    pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, zstd, identity");

    /// The encoding of a body; `None` for one we don't read, also for several on top of each other.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(value) = values.next() else { return Some(Self::Identity) };
        if values.next().is_some() {
            return None;
        }
        match value.to_str().ok()?.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The body in clear, and the memory it holds. Runs on the blocking pool; a bomb stops at `bytes_max`.
pub(super) async fn decode(
    wire: Bytes,
    encoding: Encoding,
    bytes_max: usize,
    held: Held,
) -> Result<(Bytes, Held), Fault> {
    if encoding == Encoding::Identity {
        return Ok((wire, held));
    }
    let decoding = tokio::task::spawn_blocking(move || decode_all(&wire, encoding, bytes_max, held));
    decoding.await.map_err(|_| Fault::new(FaultCode::Internal, "decompressing a body panicked"))?
}

fn decode_all(wire: &[u8], encoding: Encoding, bytes_max: usize, held: Held) -> Result<(Bytes, Held), Fault> {
    match encoding {
        Encoding::Identity => Ok((Bytes::copy_from_slice(wire), held)),
        Encoding::Gzip => drain(flate2::bufread::MultiGzDecoder::new(wire), wire.len(), bytes_max, held),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(wire).map_err(|_| broken())?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|_| broken())?;
            drain(decoder, wire.len(), bytes_max, held)
        }
    }
}

fn drain(mut reader: impl Read, n_wire: usize, bytes_max: usize, mut held: Held) -> Result<(Bytes, Held), Fault> {
    let mut whole = Vec::new();
    let mut chunk = vec![0_u8; CHUNK];
    loop {
        let n_read = match reader.read(&mut chunk) {
            Ok(0) => return Ok((Bytes::from(whole), held)),
            Ok(n_read) => n_read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(broken()),
        };
        if whole.len() + n_read > bytes_max {
            let message = format!("the body is larger than {bytes_max} bytes decompressed; send smaller batches");
            return Err(Fault::new(FaultCode::BodyTooLarge, message));
        }
        held.grow_to(n_wire + whole.len() + n_read)?;
        whole.extend_from_slice(chunk.get(..n_read).unwrap_or_default());
    }
}

fn broken() -> Fault {
    Fault::new(FaultCode::BadCompression, "the body is not what its Content-Encoding says, or it is cut off")
}
