//! Relay connections over the domain's pages. Must not know where a page comes from.

use async_graphql::SimpleObject;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::{PAGE_DEFAULT, PAGE_MAX, Page, PageRequest};

use super::words::int;

/// Longest cursor we read; ours are under 100 characters.
const CURSOR_LENGTH_MAX: usize = 1_024;

/// Where a page lies in its list.
#[derive(SimpleObject)]
pub(crate) struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

/// Reads the arguments of a connection field: `first` 1 to 100 (50 when not given) and an opaque cursor.
pub(crate) fn page_request(first: Option<i32>, after: Option<String>) -> Result<PageRequest, Fault> {
    let first = row_count(first)?;
    if after.as_ref().is_some_and(|cursor| cursor.len() > CURSOR_LENGTH_MAX) {
        return Err(Fault::new(
            FaultCode::StaleCursor,
            "the cursor in 'after' is none of ours; start again without 'after'",
        ));
    }
    Ok(PageRequest { first, after: after.filter(|cursor| !cursor.is_empty()) })
}

/// Reads a `first` argument.
pub(crate) fn row_count(first: Option<i32>) -> Result<usize, Fault> {
    let given = first.unwrap_or(PAGE_DEFAULT as i32);
    usize::try_from(given).ok().filter(|n| (1..=PAGE_MAX).contains(n)).ok_or_else(|| {
        let message = format!("first: {given} is out of range; ask for 1 to {PAGE_MAX} and page on with 'after'");
        Fault::new(FaultCode::BadInput, message)
    })
}

pub(crate) fn page_info<T>(page: &Page<T>, after: Option<&str>) -> PageInfo {
    PageInfo {
        has_next_page: page.has_next,
        has_previous_page: after.is_some(),
        start_cursor: page.items.first().map(|(cursor, _)| cursor.clone()),
        end_cursor: page.items.last().map(|(cursor, _)| cursor.clone()),
    }
}

pub(crate) fn total_count<T>(page: &Page<T>) -> Option<i32> {
    page.total.map(int)
}

macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ident, $model:ty) => {
        #[doc = concat!("One ", stringify!($node), " of a page and its place in the list.")]
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $edge {
            cursor: String,
            node: $node,
        }

        #[doc = concat!("A page of a list of ", stringify!($node), ".")]
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $connection {
            edges: Vec<$edge>,
            page_info: $crate::graphql::page::PageInfo,
            /// Length of the whole list; null when it is not cheap to know.
            total_count: Option<i32>,
        }

        impl $connection {
            pub(crate) fn new(page: riskgraph_domain::page::Page<$model>, after: Option<&str>) -> Self {
                let page_info = $crate::graphql::page::page_info(&page, after);
                let total_count = $crate::graphql::page::total_count(&page);
                let edges = page.items.into_iter().map(|(cursor, item)| $edge { cursor, node: $node(item) }).collect();
                Self { edges, page_info, total_count }
            }
        }
    };
}
pub(crate) use connection;
