//! Cursors: the place of a row in the order of its list, as opaque text. It must not know the lists' rows.

use riskgraph_domain::page::{PAGE_MAX, Page, PageRequest};
use sea_orm::sea_query::{Expr, ExprTrait, IntoColumnRef};
use sea_orm::{Condition, Value};

use crate::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// Hex digits of a cursor: an id, a number or the longest indexed name, with room. Longer ones are no cursors of ours.
const CURSOR_MAX_CHARS: usize = 4_096;
/// Bytes of an id.
const ID_BYTES: usize = 16;

/// Which list a cursor belongs to: one list's cursor means nothing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Vendors,
    Integrations,
    Findings,
    Signals,
    Alerts,
    Reports,
    Deliveries,
    Runs,
    Approvals,
    Silences,
    Cases,
}

impl List {
    const fn tag(self) -> &'static str {
        match self {
            Self::Vendors => "v",
            Self::Integrations => "i",
            Self::Findings => "f",
            Self::Signals => "s",
            Self::Alerts => "a",
            Self::Reports => "r",
            Self::Deliveries => "d",
            Self::Runs => "n",
            Self::Approvals => "p",
            Self::Silences => "q",
            Self::Cases => "c",
        }
    }
}

/// What a list is ordered by before the id.
pub(crate) trait Sorted: Sized + Clone + Into<Value> {
    fn write(&self, bytes: &mut Vec<u8>);
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Sorted for i64 {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Sorted for i16 {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_be_bytes());
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_be_bytes)
    }
}

impl Sorted for String {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.as_bytes());
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok().filter(|text| !text.contains('\0'))
    }
}

/// The place of a row: what its list is ordered by, then its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place<K> {
    pub(crate) key: K,
    pub(crate) id: Vec<u8>,
}

/// Which way a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    /// From the largest key down, among equal keys from the largest id down.
    Down,
}

impl<K: Sorted> Place<K> {
    /// The cursor of this place.
    pub(crate) fn seal(&self, list: List) -> String {
        let mut bytes = self.id.clone();
        self.key.write(&mut bytes);
        let mut text = String::with_capacity(1 + bytes.len() * 2);
        text.push_str(list.tag());
        for byte in bytes {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        }
        text
    }

    /// The place a request goes on from.
    pub(crate) fn open(list: List, request: &PageRequest) -> Result<Option<Self>> {
        let Some(cursor) = &request.after else { return Ok(None) };
        let place = (cursor.len() <= CURSOR_MAX_CHARS).then(|| Self::parse(list, cursor)).flatten();
        place.map(Some).ok_or(StoreError::Cursor)
    }

    fn parse(list: List, cursor: &str) -> Option<Self> {
        let digits = cursor.strip_prefix(list.tag())?.as_bytes();
        let (pairs, []) = digits.as_chunks::<2>() else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let bytes: Vec<u8> =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<_>>()?;
        let (id, key) = bytes.split_at_checked(ID_BYTES)?;
        Some(Self { key: K::read(key)?, id: id.to_vec() })
    }

    /// What lies after this place in a list by `key`, then `id`. Written so that both engines can walk an index on
    /// them: the first part bounds the walk, the second only decides among equal keys.
    pub(crate) fn beyond<C: IntoColumnRef + Clone>(self, key: C, id: C, way: Way) -> Condition {
        let value = || Expr::val::<Value>(self.key.clone().into());
        let (bound, strict, tie) = match way {
            Way::Up => (
                Expr::col(key.clone()).gte(value()),
                Expr::col(key).gt(value()),
                Expr::col(id).gt(Expr::val(self.id.clone())),
            ),
            Way::Down => (
                Expr::col(key.clone()).lte(value()),
                Expr::col(key).lt(value()),
                Expr::col(id).lt(Expr::val(self.id.clone())),
            ),
        };
        Condition::all().add(bound).add(Condition::any().add(strict).add(tie))
    }
}

/// Rows to ask the database for: one more than the page has, to know whether there are more.
pub(crate) fn rows_wanted(request: &PageRequest) -> u64 {
    request.first.clamp(1, PAGE_MAX) as u64 + 1
}

/// Makes the page of the rows that came.
pub(crate) fn page<R, T>(
    request: &PageRequest,
    mut rows: Vec<R>,
    read: impl Fn(&R) -> Result<(String, T)>,
) -> Result<Page<T>> {
    let size = request.first.clamp(1, PAGE_MAX);
    let has_next = rows.len() > size;
    rows.truncate(size);
    Ok(Page { items: rows.iter().map(read).collect::<Result<_>>()?, has_next, total: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopen(cursor: &str) -> Option<Place<i64>> {
        Place::open(List::Signals, &PageRequest { first: 1, after: Some(cursor.to_owned()) }).ok().flatten()
    }

    #[test]
    fn cursors_read_back() {
        for key in [i64::MIN, -1, 0, 1_772_438_401_120, i64::MAX] {
            let place = Place { key, id: vec![0xa5; ID_BYTES] };
            assert_eq!(reopen(&place.seal(List::Signals)), Some(place));
        }
        let place = Place { key: "ünïcode".to_owned(), id: vec![7; ID_BYTES] };
        assert_eq!(Place::parse(List::Vendors, &place.seal(List::Vendors)), Some(place));
    }

    #[test]
    fn other_texts_are_no_cursors() {
        let good = Place { key: 5_i64, id: vec![1; ID_BYTES] };
        let long = format!("s{}", "ab".repeat(CURSOR_MAX_CHARS));
        for text in
            ["", "s", "s0", "szz", "§", "s\u{20ac}0", &good.seal(List::Alerts), &good.seal(List::Signals)[..9], &long]
        {
            assert_eq!(reopen(text), None, "{text}");
        }
    }
}
