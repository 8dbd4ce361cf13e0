//! What is read from an HTML page. Facts only; it must *not* judge or fetch anything.

use riskgraph_domain::observation::PageFacts;
use riskgraph_pages::{code, html};

use super::{sketch, tree};

/// Reads a page that came from this URL, with what its inline scripts can do; `None` when the URL is none.
pub(super) fn read(bytes: &[u8], url: &str) -> Option<PageFacts> {
    let text = String::from_utf8_lossy(bytes);
    let page = html::read(&text, url)?;
    let code = code::read(&page, |_| None, None);
    // What a page looks like is told by its tree; what it loads, by its tags.
    let sketch = sketch::of(&tree::parse(&text));
    Some(PageFacts { code, sketch, ..page.facts })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_a_page_and_its_inline_code() {
        let html = "<title>x</title><script src=a.js></script><script>fetch('/a')</script>";
        let facts = read(html.as_bytes(), "https://shop.example/").expect("a page");
        assert_eq!(facts.scripts.len(), 2);
        assert_eq!(facts.code.len(), 1);
        assert_eq!(facts.code[0].behaviour.sinks, ["fetch"]);
        assert!(read(b"x", "no url").is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "[<>a-z/=\"' ]{0,200}") {
            read(&bytes, "https://shop.example/");
            read(text.as_bytes(), "https://shop.example/");
        }
    }
}
