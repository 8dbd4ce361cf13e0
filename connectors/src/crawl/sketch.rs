//! A small sketch of a page's visible text (MinHash), to tell how much text two pages share without keeping either.
//!
//! Every run of three words is hashed under each of 64 functions and the smallest value of each kept: the share of equal
//! values estimates the Jaccard index of the two sets of runs, to about 0.06 (Broder 1997). Knows no page but this one.

use scraper::{Html, Node};

/// Functions, and so numbers kept.
const WIDTH: usize = 64;
/// Words in a run.
const RUN: usize = 3;
/// Words read of a page.
const WORDS_MAX: usize = 5_000;

/// The sketch of the visible text; empty when there is hardly any.
pub(super) fn of(document: &Html) -> Vec<u32> {
    let mut words: Vec<String> = Vec::new();
    for node in document.tree.nodes() {
        let Node::Text(text) = node.value() else { continue };
        let hidden = |name: &str| matches!(name, "script" | "style" | "template" | "noscript" | "title");
        let is_hidden = node.parent().and_then(|parent| parent.value().as_element().map(|tag| hidden(tag.name())));
        if is_hidden.unwrap_or(false) {
            continue;
        }
        let found = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.extend(found.take(WORDS_MAX.saturating_sub(words.len())).map(str::to_lowercase));
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    if words.len() < RUN {
        return Vec::new();
    }
    let mut least = vec![u32::MAX; WIDTH];
    for run in words.windows(RUN) {
        let base = run
            .iter()
            .flat_map(|word| word.bytes().chain([0]))
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        for (n, kept) in least.iter_mut().enumerate() {
            let value = (mixed(base ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) >> 32) as u32;
            *kept = (*kept).min(value);
        }
    }
    least
}

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(a: &str, b: &str) -> f64 {
        let (a, b) = (of(&Html::parse_document(a)), of(&Html::parse_document(b)));
        a.iter().zip(&b).filter(|(a, b)| a == b).count() as f64 / WIDTH as f64
    }

    #[test]
    fn shared_text_is_estimated() {
        let words: Vec<String> = (0..400).map(|n| format!("word{n}")).collect();
        let page = |words: &[String], rest: &str| format!("<html><body><p>{}</p>{rest}</body></html>", words.join(" "));
        let check = |a: &str, b: &str, low: f64, high: f64| {
            let got = shared(a, b);
            assert!((low..=high).contains(&got), "{got} is not in {low}..{high}");
        };
        let whole = page(&words, "");
        check(&whole, &page(&words, "<script>var a = 'other code'</script><style>p {}</style>"), 1.0, 1.0);
        check(&whole, &page(&words[..200], ""), 0.3, 0.7);
        check(&whole, &page(&words[..20], "<p>and nothing else of it is the same at all</p>"), 0.0, 0.2);
        assert!(of(&Html::parse_document("<p>one two</p>")).is_empty());
    }
}
