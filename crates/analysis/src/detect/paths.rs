//! Request paths: templates, ids in them, page numbers in their queries.
//!
//! Senders that know the route say so; others send raw paths, and then segments that look like ids are taken for
//! parameters. Knows text only: *not* events or detectors.

use std::hash::Hasher as _;

use rustc_hash::FxHasher;

/// Segments looked at in a path; deeper ones are one.
const SEGMENTS_MAX: usize = 12;
/// A segment without digits is a word, not an id, up to any length; with digits it is an id from this many bytes.
const MIXED_ID_BYTES: usize = 6;

/// The path without query and fragment.
pub(super) fn bare(path: &str) -> &str {
    memchr::memchr2(b'?', b'#', path.as_bytes()).map_or(path, |end| &path[..end])
}

/// The query, empty when there is none.
pub(super) fn query(path: &str) -> &str {
    path.split_once('?').map_or("", |(_, query)| query)
}

/// Whether a path segment looks like an id: all digits, a UUID, long hex, or letters mixed with several digits.
pub(super) fn is_id(segment: &str) -> bool {
    let n_digits = segment.bytes().filter(u8::is_ascii_digit).count();
    if n_digits == 0 {
        return false;
    }
    let n = segment.len();
    n_digits == n
        || (n >= MIXED_ID_BYTES && n_digits * 3 >= n && !segment.contains('.'))
        || (n >= 16 && segment.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'))
        || (n >= 3 && !segment.contains('.') && trailing_digits(segment) >= 2)
}

/// Digits at the end of `order-1234` or `p77`.
fn trailing_digits(segment: &str) -> usize {
    segment.bytes().rev().take_while(u8::is_ascii_digit).count()
}

/// A hash of the path's template; the same for `/p/1` and `/p/22`.
pub(super) fn template_key(path: &str) -> u64 {
    let mut hasher = FxHasher::default();
    for segment in bare(path).split('/').take(SEGMENTS_MAX) {
        hasher.write(if is_id(segment) { b"{id}" } else { segment.as_bytes() });
        hasher.write_u8(b'/');
    }
    hasher.finish()
}

/// The path's template for people: `/p/{id}`.
pub(super) fn template(path: &str) -> String {
    let mut text = String::with_capacity(path.len().min(128));
    for (place, segment) in bare(path).split('/').take(SEGMENTS_MAX).enumerate() {
        if place > 0 {
            text.push('/');
        }
        text.push_str(if is_id(segment) { "{id}" } else { segment });
    }
    text
}

/// The last segment of the path that looks like an id.
pub(super) fn last_id(path: &str) -> Option<&str> {
    bare(path).rsplit('/').take(SEGMENTS_MAX).find(|segment| is_id(segment))
}

/// The id as a number: all its digits at the end, when it has up to 18.
pub(super) fn number(id: &str) -> Option<u64> {
    let n = trailing_digits(id);
    if n == 0 || n > 18 { None } else { id[id.len() - n..].parse().ok() }
}

/// Page number or offset of a paged listing.
pub(super) fn page(path: &str) -> Option<u64> {
    const NAMES: &[&str] = &["page", "offset", "start", "skip", "p", "page_number", "pagenumber", "from"];
    query(path).split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let known = NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
        if known { value.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_ids_and_pages() {
        let check = |path: &str, expected: &str, id: Option<&str>| {
            assert_eq!(template(path), expected);
            assert_eq!(last_id(path), id, "{path}");
            assert_eq!(template_key(path) == template_key(expected), path == expected || !expected.contains('7'));
        };
        check("/v1/orders/10244?x=1", "/v1/orders/{id}", Some("10244"));
        check("/p/8f14e45f-ceea-467f-a9d1-0c5c3a5e7b11", "/p/{id}", Some("8f14e45f-ceea-467f-a9d1-0c5c3a5e7b11"));
        check("/users/u-4411/orders/o-99", "/users/{id}/orders/{id}", Some("o-99"));
        check("/about-us", "/about-us", None);
        check("/v1/orders", "/v1/orders", None);
        check("/style.v2.css", "/style.v2.css", None);
        assert_eq!(page("/v1/orders?limit=200&page=17"), Some(17));
        assert_eq!(page("/v1/orders"), None);
        assert_eq!(number("o-0099"), Some(99));
        assert_eq!(number("abc"), None);
    }
}
