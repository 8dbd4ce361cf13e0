//! Pages that fill from the top, and the tree of tags that says what is what. It must *not* know reports.

use super::font::{Face, Fonts};
use crate::palette::{Colour, INK};

/// A4 in points, and its margins.
pub(crate) const WIDTH: f32 = 595.28;
pub(crate) const HEIGHT: f32 = 841.89;
pub(crate) const LEFT: f32 = 42.0;
pub(crate) const RIGHT: f32 = WIDTH - LEFT;
const TOP: f32 = 46.0;
const BOTTOM: f32 = HEIGHT - 54.0;
/// Distance of lines against the size of letters.
const LEADING: f32 = 1.36;

/// A node of the tree of tags.
pub(crate) type NodeId = usize;

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    Root,
    Section,
    Heading {
        level: u16,
        title: String,
    },
    Paragraph,
    List,
    Item,
    Table,
    Row,
    ColumnHead,
    RowHead,
    Cell,
    /// With what it shows, in words.
    Figure(String),
    Link,
}

/// A node: what it is, and what is below it in reading order.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) role: Role,
    pub(crate) children: Vec<NodeId>,
}

/// Something drawn.
#[derive(Debug, Clone)]
pub(crate) enum Mark {
    Text { x: f32, y: f32, size: f32, face: Face, colour: Colour, text: String },
    Bar { x: f32, y: f32, width: f32, height: f32, colour: Colour },
    Line { points: Vec<(f32, f32)>, width: f32, colour: Colour },
    Dot { x: f32, y: f32, radius: f32, colour: Colour },
}

/// A link over a place of a page.
#[derive(Debug, Clone)]
pub(crate) struct LinkMark {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
    pub(crate) url: String,
    pub(crate) text: String,
    pub(crate) node: NodeId,
}

/// One page: marks with the node they belong to; those of none are decoration.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) marks: Vec<(Option<NodeId>, Mark)>,
    pub(crate) links: Vec<LinkMark>,
}

/// How words look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) size: f32,
    pub(crate) face: Face,
    pub(crate) colour: Colour,
}

impl Style {
    pub(crate) const fn new(size: f32, face: Face, colour: Colour) -> Self {
        Self { size, face, colour }
    }

    pub(crate) const fn plain(size: f32) -> Self {
        Self { size, face: Face::Regular, colour: INK }
    }
}

/// Words in a place: where, how wide at most, and where they lead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) width: f32,
    pub(crate) align_right: Align,
    pub(crate) link: Option<&'a str>,
}

/// At which edge of their place words stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A heading in the outline: its words, page and height.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    pub(crate) title: String,
    pub(crate) page: usize,
    pub(crate) y: f32,
}

/// Pages under way.
pub(crate) struct Flow<'a> {
    pub(crate) fonts: &'a Fonts,
    pub(crate) scale: f32,
    pub(crate) pages: Vec<Page>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) headings: Vec<Heading>,
    /// Where anchors are: `#id` leads there.
    pub(crate) anchors: Vec<(String, usize, f32)>,
    /// Where the next thing begins.
    pub(crate) y: f32,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(fonts: &'a Fonts, scale: f32) -> Self {
        Self {
            fonts,
            scale,
            pages: vec![Page::default()],
            nodes: vec![Node { role: Role::Root, children: Vec::new() }],
            headings: Vec::new(),
            anchors: Vec::new(),
            y: TOP,
        }
    }

    /// A length at this scale.
    pub(crate) fn s(&self, length: f32) -> f32 {
        length * self.scale
    }

    pub(crate) fn node(&mut self, parent: NodeId, role: Role) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node { role, children: Vec::new() });
        if let Some(parent) = self.nodes.get_mut(parent) {
            parent.children.push(id);
        }
        id
    }

    /// Height that is left on the page.
    pub(crate) fn room(&self) -> f32 {
        BOTTOM - self.y
    }

    /// Height of an empty page.
    pub(crate) fn page_room() -> f32 {
        BOTTOM - TOP
    }

    pub(crate) fn new_page(&mut self) {
        self.pages.push(Page::default());
        self.y = TOP;
    }

    /// Goes to a new page unless this much room is left here; says whether it did.
    pub(crate) fn need(&mut self, height: f32) -> bool {
        let turns = self.room() < height && self.y > TOP;
        if turns {
            self.new_page();
        }
        turns
    }

    pub(crate) fn gap(&mut self, height: f32) {
        self.y += self.s(height);
    }

    pub(crate) fn anchor(&mut self, id: &str) {
        let place = (id.to_owned(), self.pages.len() - 1, self.y);
        self.anchors.push(place);
    }

    pub(crate) fn mark(&mut self, node: Option<NodeId>, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.marks.push((node, mark));
        }
    }

    /// The distance of lines of this size.
    pub(crate) fn leading(&self, style: Style) -> f32 {
        self.s(style.size) * LEADING
    }

    /// The lines a text takes.
    pub(crate) fn lines(&self, style: Style, text: &str, width: f32) -> Vec<String> {
        self.fonts.lines(style.face, self.s(style.size), text, width)
    }

    /// The height a text takes.
    pub(crate) fn height(&self, style: Style, text: &str, width: f32) -> f32 {
        self.lines(style, text, width).len() as f32 * self.leading(style)
    }

    /// Draws the text there and returns the height it takes. It stays on the page: ask for room before.
    pub(crate) fn words(&mut self, node: NodeId, style: Style, text: &str, place: Place<'_>) -> f32 {
        let size = self.s(style.size);
        let leading = self.leading(style);
        let lines = self.lines(style, text, place.width);
        let n_lines = lines.len();
        let (node, link) = match place.link {
            Some(url) => (self.node(node, Role::Link), Some(url)),
            None => (node, None),
        };
        for (number, line) in lines.into_iter().enumerate() {
            let top = place.y + number as f32 * leading;
            let width = self.fonts.width(style.face, size, &line);
            let x = match place.align_right {
                Align::Left => place.x,
                Align::Right => place.x + place.width - width,
            };
            if let (Some(url), Some(page)) = (link, self.pages.last_mut()) {
                page.links.push(LinkMark {
                    left: x,
                    top,
                    right: x + width.max(1.0),
                    bottom: top + leading,
                    url: url.to_owned(),
                    text: text.to_owned(),
                    node,
                });
            }
            let y = top + size * 1.02;
            let mark = Mark::Text { x, y, size, face: style.face, colour: style.colour, text: line };
            self.mark(Some(node), mark);
        }
        n_lines as f32 * leading
    }

    /// Running text over the whole width, over pages when it must.
    pub(crate) fn paragraph(&mut self, parent: NodeId, role: Role, style: Style, (text, indent): (&str, f32)) {
        let node = self.node(parent, role);
        let leading = self.leading(style);
        let x = LEFT + self.s(indent);
        for line in self.lines(style, text, RIGHT - x) {
            self.need(leading);
            let place = Place { x, y: self.y, width: RIGHT - x + 1.0, align_right: Align::Left, link: None };
            self.words(node, style, &line, place);
            self.y += leading;
        }
    }
}
