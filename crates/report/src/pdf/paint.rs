//! Laid out pages as PDF, with krilla. It must *not* know the report beyond its name and time.

use std::num::NonZeroU16;

use chrono::{DateTime, Datelike as _, Timelike as _};
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::color::rgb;
use krilla::destination::XyzDestination;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, Node as Child, SpanTag, TableHeaderScope, Tag,
    TagGroup, TagKind, TagTree,
};
use krilla::{Document, SerializeSettings};
use riskgraph_domain::Timestamp;

use super::flow::{Flow, HEIGHT, LEFT, LinkMark, Mark, Node, NodeId, RIGHT, Role, WIDTH};
use super::font::{Face, Fonts};
use crate::RenderError;
use crate::model::ReportModel;
use crate::palette::{Colour, MUTED};
use crate::words;

const FOOT: f32 = 7.5;
/// Bézier handles of a quarter circle.
const ARC: f32 = 0.552_284_8;

/// Writes the pages.
pub(super) fn paint(model: &ReportModel, fonts: &Fonts, flow: Flow<'_>) -> Result<Vec<u8>, RenderError> {
    let settings = SerializeSettings { enable_tagging: true, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    let mut contents: Vec<Vec<Identifier>> = flow.nodes.iter().map(|_| Vec::new()).collect();
    let n_pages = flow.pages.len();
    for (number, page) in flow.pages.iter().enumerate() {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(RenderError::Font)?;
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        marks(&mut surface, fonts, &page.marks, &mut contents);
        let right = format!("Page {} of {n_pages}", number + 1);
        foot(&mut surface, fonts, &format!("{} · as of {}", model.title, words::moment(model.as_of)), &right);
        surface.finish();
        for link in &page.links {
            if let Some(annotation) = annotation(link, &flow)
                && let Some(contents) = contents.get_mut(link.node)
            {
                contents.push(sheet.add_tagged_annotation(annotation));
            }
        }
        sheet.finish();
    }
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    for child in &flow.nodes.first().map_or(Vec::new(), |root: &Node| root.children.clone()) {
        if let Some(group) = group(&flow.nodes, *child, &mut contents) {
            tree.push(group);
        }
    }
    document.set_tag_tree(tree);
    document.set_outline(outline(&flow));
    document.set_metadata(metadata(model));
    document.finish().map_err(|error| RenderError::Pdf(format!("{error:?}")))
}

fn metadata(model: &ReportModel) -> Metadata {
    Metadata::new()
        .title(model.title.clone())
        .description(model.lead.join(" "))
        .language("en".to_owned())
        .creator("riskgraph".to_owned())
        .creation_date(date(model.as_of))
}

/// The instant of the report: a PDF with the time of its making would be another one each time.
fn date(at: Timestamp) -> krilla::metadata::DateTime {
    let at = DateTime::from_timestamp_millis(at.millis()).unwrap_or_default();
    let part = |value: u32| u8::try_from(value).unwrap_or(0);
    krilla::metadata::DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// Draws the marks; those that follow each other and belong to one node are one piece of content.
fn marks(surface: &mut Surface<'_>, fonts: &Fonts, marks: &[(Option<NodeId>, Mark)], contents: &mut [Vec<Identifier>]) {
    for run in marks.chunk_by(|a, b| a.0 == b.0) {
        let node = run.first().and_then(|(node, _)| *node);
        let is_text = run.iter().all(|(_, mark)| matches!(mark, Mark::Text { .. }));
        let identifier = surface.start_tagged(match node {
            None => ContentTag::Artifact(Artifact::new(ArtifactType::Other, None)),
            Some(_) if is_text => ContentTag::Span(SpanTag::empty()),
            Some(_) => ContentTag::Other,
        });
        for (_, mark) in run {
            draw(surface, fonts, mark);
        }
        surface.end_tagged();
        if let Some(contents) = node.and_then(|node| contents.get_mut(node)) {
            contents.push(identifier);
        }
    }
}

fn fill((r, g, b): Colour) -> Option<Fill> {
    Some(Fill { paint: rgb::Color::new(r, g, b).into(), opacity: NormalizedF32::ONE, ..Fill::default() })
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) {
    match mark {
        Mark::Text { x, y, size, face, colour, text } => {
            surface.set_stroke(None);
            surface.set_fill(fill(*colour));
            let glyphs = fonts.glyphs(*face, text);
            if !glyphs.is_empty() {
                surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, fonts.font(*face), text, *size, false);
            }
        }
        Mark::Bar { x, y, width, height, colour } => {
            let Some(rect) = Rect::from_xywh(*x, *y, width.max(0.1), height.max(0.1)) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            filled(surface, path.finish(), *colour);
        }
        Mark::Dot { x, y, radius, colour } => filled(surface, circle(*x, *y, *radius), *colour),
        Mark::Line { points, width, colour } => {
            let mut path = PathBuilder::new();
            for (place, (x, y)) in points.iter().enumerate() {
                if place == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
            }
            let (r, g, b) = *colour;
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: rgb::Color::new(r, g, b).into(),
                width: *width,
                ..Stroke::default()
            }));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
            surface.set_stroke(None);
        }
    }
}

fn filled(surface: &mut Surface<'_>, path: Option<Path>, colour: Colour) {
    surface.set_stroke(None);
    surface.set_fill(fill(colour));
    if let Some(path) = path {
        surface.draw_path(&path);
    }
}

fn circle(x: f32, y: f32, r: f32) -> Option<Path> {
    let k = r * ARC;
    let mut path = PathBuilder::new();
    path.move_to(x + r, y);
    path.cubic_to(x + r, y + k, x + k, y + r, x, y + r);
    path.cubic_to(x - k, y + r, x - r, y + k, x - r, y);
    path.cubic_to(x - r, y - k, x - k, y - r, x, y - r);
    path.cubic_to(x + k, y - r, x + r, y - k, x + r, y);
    path.close();
    path.finish()
}

fn foot(surface: &mut Surface<'_>, fonts: &Fonts, left: &str, right: &str) {
    surface.start_tagged(ContentTag::Artifact(Artifact::new(
        ArtifactType::Footer,
        Rect::from_ltrb(LEFT, HEIGHT - 40.0, RIGHT, HEIGHT - 20.0),
    )));
    let y = HEIGHT - 28.0;
    let width = fonts.width(Face::Regular, FOOT, right);
    let left = fonts.lines(Face::Regular, FOOT, left, RIGHT - LEFT - width - 24.0).into_iter().next();
    for (x, text) in [(LEFT, left.unwrap_or_default()), (RIGHT - width, right.to_owned())] {
        draw(surface, fonts, &Mark::Text { x, y, size: FOOT, face: Face::Regular, colour: MUTED, text });
    }
    surface.end_tagged();
}

/// The link as PDF has it; none when it leads nowhere.
fn annotation(link: &LinkMark, flow: &Flow<'_>) -> Option<Annotation> {
    let rect = Rect::from_ltrb(link.left, link.top, link.right, link.bottom)?;
    let target = match link.url.strip_prefix('#') {
        Some(id) => {
            let (_, page, y) = flow.anchors.iter().find(|(known, ..)| known == id)?;
            Target::Destination(XyzDestination::new(*page, Point::from_xy(LEFT, *y)).into())
        }
        None if link.url.starts_with("http://") || link.url.starts_with("https://") => {
            Target::Action(Action::Link(LinkAction::new(link.url.clone())))
        }
        None => return None,
    };
    Some(Annotation::new_link(LinkAnnotation::new(rect, target), Some(link.text.clone())))
}

fn outline(flow: &Flow<'_>) -> Outline {
    let mut outline = Outline::new();
    for heading in &flow.headings {
        let place = XyzDestination::new(heading.page, Point::from_xy(LEFT, heading.y));
        outline.push_child(OutlineNode::new(heading.title.clone(), place));
    }
    outline
}

/// The group of a node with all below it; none when nothing of it is on a page.
fn group(nodes: &[Node], id: NodeId, contents: &mut [Vec<Identifier>]) -> Option<TagGroup> {
    let node = nodes.get(id)?;
    let mut group = TagGroup::new(kind(&node.role));
    for identifier in contents.get_mut(id).map(std::mem::take)? {
        group.push(identifier);
    }
    for child in &node.children {
        if let Some(child) = self::group(nodes, *child, contents) {
            group.push(Child::Group(child));
        }
    }
    (!group.children.is_empty()).then_some(group)
}

fn kind(role: &Role) -> TagKind {
    match role {
        Role::Root | Role::Section => Tag::Section.into(),
        Role::Heading { level, title } => {
            Tag::Hn(NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN), Some(title.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::List => Tag::L(ListNumbering::Disc).into(),
        Role::Item => Tag::LI.into(),
        Role::Table => Tag::Table.into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
        Role::Figure(alt) => Tag::Figure(Some(alt.clone())).into(),
        Role::Link => Tag::Link.into(),
    }
}
