//! The little DER that OCSP needs (X.690). Definite lengths, one byte of tag, no recursion.

use super::wire::Cursor;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
    /// Tag, length and body.
    pub(super) whole: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a>(pub(super) &'a [u8]);

impl<'a> Der<'a> {
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let mut rest = Cursor(self.0);
        let tag = rest.u8()?;
        let length = match rest.u8()? {
            short @ 0..=0x7f => usize::from(short),
            long @ 0x81..=0x84 => {
                rest.take(usize::from(long & 0x7f))?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte))
            }
            _ => return None,
        };
        let body = rest.take(length)?;
        let whole = &self.0[..self.0.len() - rest.0.len()];
        self.0 = rest.0;
        Some(Element { tag, body, whole })
    }

    /// The next element, which must be of this kind.
    pub(super) fn of(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The next element when it is of this kind; else nothing is read.
    pub(super) fn maybe(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = *self;
        let element = ahead.next().filter(|element| element.tag == tag)?;
        *self = ahead;
        Some(element)
    }
}

impl<'a> Element<'a> {
    pub(super) fn inside(&self) -> Der<'a> {
        Der(self.body)
    }
}

/// Writes an element; the bodies written here are short.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(body.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        Ok(long) => out.extend_from_slice(&[0x81, long]),
        Err(_) => {
            out.push(0x82);
            out.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    out.extend_from_slice(&body);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for length in [0, 1, 127, 128, 255, 256, 5_000] {
            let body = vec![7; length];
            let written = element(SEQUENCE, &[&element(OCTETS, &[&body]), &element(INTEGER, &[&[5]])]);
            let mut inside = Der(&written).of(SEQUENCE).expect("a sequence").inside();
            assert_eq!(inside.maybe(INTEGER), None);
            assert_eq!(inside.of(OCTETS).map(|octets| octets.body), Some(&body[..]));
            assert_eq!(inside.maybe(INTEGER).map(|number| number.whole), Some(&[2, 1, 5][..]));
            assert_eq!(inside.next(), None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut all = Der(&bytes);
            while let Some(element) = all.next() {
                element.inside().next();
            }
        }
    }
}
