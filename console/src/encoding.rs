//! Which of a file's stored forms a client takes (RFC 9110 section 12.5.3). It must not know the files.

use axum::http::{HeaderMap, header};

/// Codings looked at in one header; a longer list is not a browser's.
const CODINGS_MAX: usize = 16;

/// One stored form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The forms the client takes, smallest first. The file itself is always one: a client that forbids it is served anyway.
    pub(crate) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = Self> {
        let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (brotli, gzip) = (takes(accepts, "br"), takes(accepts, "gzip"));
        [Some(Self::Brotli).filter(|_| brotli), Some(Self::Gzip).filter(|_| gzip), Some(Self::Identity)]
            .into_iter()
            .flatten()
    }

    /// What the form's file name ends in.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// The name in `Content-Encoding`; none for the file itself.
    pub(crate) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// Whether the header lists the coding, or `*`, with a quality that is not zero; the coding's own entry goes first.
fn takes(accepts: &str, coding: &str) -> bool {
    let quality = |wanted: &str| {
        accepts.split(',').take(CODINGS_MAX).find_map(|entry| {
            let (name, parameter) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let value = parameter.trim().strip_prefix("q=").unwrap_or("1");
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().parse::<f32>().unwrap_or(0.0))
        })
    };
    quality(coding).or_else(|| quality("*")).is_some_and(|value| value > 0.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_smallest_form_the_client_takes_goes_first() {
        use Encoding::{Brotli, Gzip, Identity};
        let check = |accepts: &str, expected: &[Encoding]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(accepts).unwrap());
            assert_eq!(Encoding::accepted(&headers).collect::<Vec<_>>(), expected, "{accepts}");
        };
        check("gzip, deflate, br, zstd", &[Brotli, Gzip, Identity]);
        check("GZIP;q=0.5", &[Gzip, Identity]);
        check("br;q=0, *", &[Gzip, Identity]);
        check("br;q=0.000, gzip;q=nonsense", &[Identity]);
        check("*", &[Brotli, Gzip, Identity]);
        check("identity", &[Identity]);
        check("", &[Identity]);
        check("brotli", &[Identity]);
    }
}
