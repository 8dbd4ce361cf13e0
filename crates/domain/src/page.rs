//! Pages of long lists.

use serde::{Deserialize, Serialize};

/// Rows on a page when the caller does not say, and at most.
pub const PAGE_DEFAULT: usize = 50;
pub const PAGE_MAX: usize = 100;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRequest {
    /// Rows wanted, 1 ..= [`PAGE_MAX`]; the caller has checked it.
    pub first: usize,
    /// Opaque place after which to go on; what an earlier page gave.
    pub after: Option<String>,
}

impl PageRequest {
    /// The first `n` rows.
    #[must_use]
    pub const fn first(n: usize) -> Self {
        Self { first: n, after: None }
    }
}

/// One page; `cursors[i]` is the place of `items[i]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<(String, T)>,
    pub has_next: bool,
    /// Whole number of rows, when it is cheap to know.
    pub total: Option<u64>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { items: Vec::new(), has_next: false, total: None }
    }
}

impl<T> Page<T> {
    /// The same page with every item changed.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(|(cursor, item)| (cursor, change(item))).collect(),
            has_next: self.has_next,
            total: self.total,
        }
    }
}
