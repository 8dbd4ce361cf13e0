//! Parses HTML of strangers within bounds.
//!
//! The parser's cost grows with the number of tags *times* how deep they are nested: two MiB of `<div>` would keep a core
//! busy for minutes. So the document is fed in pieces, and parsing stops where the tree grows too deep; what was read
//! until there is kept.

use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use scraper::{Html, HtmlTreeSink};

/// Deepest nesting that is followed; browsers themselves stop at 512.
const DEPTH_MAX: usize = 512;
/// Bytes fed between two looks at the depth.
const PIECE_BYTES: usize = 1 << 10;

/// The tree of as much of the document as is not nested too deep.
pub(super) fn parse(text: &str) -> Html {
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = text;
    let mut n_known = 0;
    while !rest.is_empty() {
        let end = (0..=PIECE_BYTES.min(rest.len())).rev().find(|at| rest.is_char_boundary(*at) && *at > 0);
        let (piece, after) = rest.split_at(end.unwrap_or(rest.len()));
        parser.process(piece.into());
        rest = after;
        let html = parser.tokenizer.sink.sink.0.borrow();
        let n_nodes = html.tree.nodes().len();
        let added = html.tree.nodes().rev().take(n_nodes - n_known);
        if added.into_iter().any(|node| node.ancestors().take(DEPTH_MAX).count() == DEPTH_MAX) {
            break;
        }
        n_known = n_nodes;
    }
    parser.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth_of(html: &Html) -> usize {
        html.tree.nodes().map(|node| node.ancestors().count()).max().unwrap_or(0)
    }

    #[test]
    fn stops_where_the_tree_grows_too_deep() {
        let check = |text: String, want: std::ops::RangeInclusive<usize>| {
            let depth = depth_of(&parse(&text));
            assert!(want.contains(&depth), "{depth} for {}", text.chars().take(40).collect::<String>());
        };
        check("<p>a<b>c</b>".repeat(20_000), 3..=10);
        check("<div>".repeat(100_000), DEPTH_MAX..=DEPTH_MAX + PIECE_BYTES);
        check("<b><i a=1>".repeat(100_000), 10..=DEPTH_MAX + PIECE_BYTES);
        check(format!("{}</body><!-->", "<div>".repeat(100)).repeat(1_000), DEPTH_MAX..=DEPTH_MAX + PIECE_BYTES);
        check("é".repeat(5_000), 1..=5);
        check(String::new(), 0..=3);
    }
}
