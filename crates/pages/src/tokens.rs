//! HTML as a bounded list of the tags that load or send something. It must *not* know what they mean.
//!
//! Source: HTML standard 13.2.5 (tokenization), through html5ever's tokenizer; the element-dependent states that a tree
//! builder would switch (`<script>`, `<style>`, `<textarea>` ...) are switched here.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, EndTag, StartTag, Tag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer,
    TokenizerOpts,
};

/// Tags kept of one page; beyond that nobody looks and the page is an attack on the reader.
const TAGS_MAX: usize = 20_000;
/// Longest attribute value kept, in bytes: policies in `<meta>` are long, images in attributes are not wanted.
const VALUE_MAX_BYTES: usize = 16 << 10;
/// Attributes kept of one tag.
const ATTRIBUTES_MAX: usize = 64;
/// Text kept of one script or title.
const TEXT_MAX_BYTES: usize = 1 << 20;

/// Tags that are kept although they carry no handler.
const KEPT: &[&str] = &[
    "script", "iframe", "frame", "object", "embed", "form", "input", "select", "textarea", "button", "link", "img",
    "source", "video", "audio", "track", "meta", "base", "title", "a", "area",
];

/// One start tag, or the end of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    /// Names in lower case, in order; of several of one name the first.
    pub attributes: Vec<(String, String)>,
    /// What stands in a `<script>` or `<title>`.
    pub text: String,
    pub is_end: bool,
}

impl Element {
    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Reads a page; never fails, because every text is a page.
#[must_use]
pub fn read(text: &str) -> Vec<Element> {
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(text));
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    // The sink never stops the tokenizer, so one call reads everything.
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.take().elements
}

#[derive(Default)]
struct State {
    elements: Vec<Element>,
    /// The last element takes the text that follows.
    takes_text: bool,
    /// Depth of foreign content, where a self-closing tag closes.
    foreign: usize,
}

#[derive(Default)]
struct Sink(RefCell<State>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            TagToken(tag) => return state.tag(tag),
            CharacterTokens(text) if state.takes_text => state.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State {
    fn tag(&mut self, tag: Tag) -> TokenSinkResult<()> {
        let name: &str = &tag.name;
        let is_foreign = matches!(name, "svg" | "math");
        if tag.kind == EndTag {
            self.takes_text = false;
            self.foreign = self.foreign.saturating_sub(usize::from(is_foreign));
            if name == "form" && self.elements.len() < TAGS_MAX {
                let element =
                    Element { name: name.to_owned(), attributes: Vec::new(), text: String::new(), is_end: true };
                self.elements.push(element);
            }
            return TokenSinkResult::Continue;
        }
        debug_assert_eq!(tag.kind, StartTag);
        self.foreign += usize::from(is_foreign && !tag.self_closing);
        let closed = self.foreign > 0 && tag.self_closing;
        let handles = tag.attrs.iter().any(|attribute| attribute.name.local.starts_with("on"));
        self.takes_text = false;
        if (KEPT.contains(&name) || handles) && self.elements.len() < TAGS_MAX {
            self.takes_text = matches!(name, "script" | "title") && !closed;
            self.elements.push(element(&tag));
        }
        if closed {
            return TokenSinkResult::Continue;
        }
        match name {
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "title" | "textarea" if self.foreign == 0 => TokenSinkResult::RawData(RawKind::Rcdata),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" if self.foreign == 0 => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            "plaintext" if self.foreign == 0 => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn text(&mut self, text: &str) {
        let Some(element) = self.elements.last_mut() else { return };
        let room = TEXT_MAX_BYTES.saturating_sub(element.text.len());
        element.text.push_str(cut(text, room));
    }
}

fn element(tag: &Tag) -> Element {
    let attributes = tag.attrs.iter().take(ATTRIBUTES_MAX);
    let pair = |name: &str, value: &str| (name.to_owned(), cut(value, VALUE_MAX_BYTES).to_owned());
    Element {
        name: tag.name.to_string(),
        attributes: attributes.map(|attribute| pair(&attribute.name.local, &attribute.value)).collect(),
        text: String::new(),
        is_end: false,
    }
}

/// The longest start of a text that is at most so many bytes.
pub(crate) fn cut(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_tags_where_browsers_see_them() {
        let check = |html: &str, want: &[(&str, &str)]| {
            let all = read(html);
            let got: Vec<(&str, &str)> = all
                .iter()
                .filter(|element| element.name == "script")
                .map(|element| (element.get("src").unwrap_or("-"), element.text.as_str()))
                .collect();
            assert_eq!(got, want, "{html}");
        };
        check("<script>a</script><SCRIPT SRC=x></SCRIPT>", &[("-", "a"), ("x", "")]);
        check("<!-- <script src=a></script> --><noscript><script src=b></script></noscript>", &[("b", "")]);
        check("<textarea><script src=a></script></textarea><style><script src=b></style>", &[]);
        check("<script>if (a</b/.test('</x')) {}</script>", &[("-", "if (a</b/.test('</x')) {}")]);
        check("<script>'<!--<script>';</script>'--></script>", &[("-", "'<!--<script>';</script>'-->")]);
        check("<svg><script href=x /></svg><script src=y></script>", &[("-", ""), ("y", "")]);
        check("<script src='a&amp;b'", &[]);
        check("<script src='a&amp;b'>open", &[("a&b", "open")]);
        check("<script src=a src=b>", &[("a", "")]);
        check("<div onclick='x()'><p>text", &[]);
    }

    #[test]
    fn keeps_handlers_and_bounds_hostile_pages() {
        assert_eq!(read("<div onclick='x()'><p>text</p>").len(), 1);
        assert_eq!(read(&"<input><b>".repeat(50_000)).len(), TAGS_MAX);
        let long = format!("<a href='{}'>", "é".repeat(20_000));
        assert!(read(&long)[0].get("href").is_some_and(|href| href.len() <= VALUE_MAX_BYTES));
    }

    proptest! {
        #[test]
        fn never_panics(text in "(?s)[<>a-z/!=\"'\\-&; ]{0,300}|.{0,200}") {
            let _ = read(&text);
        }
    }
}
