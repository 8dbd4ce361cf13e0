//! The pieces of a report on pages. It must *not* know how PDF is written.

use super::flow::{Align, Flow, Heading, LEFT, Mark, NodeId, Place, RIGHT, Role, Style};
use super::font::Face;
use crate::draw::{self, Anchor, Shape};
use crate::model::{Block, Chart, Figure, ReportModel, Section};
use crate::palette::{self, ACCENT, Colour, INK, LINE, MUTED, PANEL, STALE, STALE_PAPER};
use crate::words;

mod table;

pub(super) const BODY: f32 = 9.5;
pub(super) const SMALL: f32 = 8.0;
const TITLE: Style = Style::new(20.0, Face::Strong, INK);
const H2: Style = Style::new(13.0, Face::Strong, INK);
pub(super) const H3: Style = Style::new(10.0, Face::Strong, INK);
pub(super) const NOTE: Style = Style::new(SMALL, Face::Regular, MUTED);
pub(super) const MARK: Style = Style::new(7.6, Face::Regular, STALE);
/// Figures stand side by side.
const COLUMNS: usize = 3;
const GUTTER: f32 = 9.0;
/// A heading goes with at least this much of what follows.
const KEEP: f32 = 84.0;

/// Lays the whole report out.
pub(super) fn write(flow: &mut Flow<'_>, model: &ReportModel) {
    masthead(flow, model);
    for section in &model.sections {
        write_section(flow, section);
    }
    if !model.stale.is_empty() {
        let items: Vec<&str> = model.stale.iter().map(|stale| stale.text.as_str()).collect();
        list_section(flow, ("stale", "Old or missing input"), &items);
    }
    let method: Vec<&str> = model.method.iter().map(String::as_str).collect();
    list_section(flow, ("method", "How this was made"), &method);
}

fn masthead(flow: &mut Flow<'_>, model: &ReportModel) {
    let audience = Style::new(8.5, Face::Strong, MUTED);
    flow.paragraph(0, Role::Paragraph, audience, (&model.audience.to_uppercase(), 0.0));
    flow.gap(2.0);
    let title = Role::Heading { level: 1, title: model.title.clone() };
    flow.paragraph(0, title, TITLE, (&model.title, 0.0));
    let told = format!("As of {}. Changes since {}.", words::moment(model.as_of), words::moment(model.since));
    flow.paragraph(0, Role::Paragraph, Style::new(9.0, Face::Regular, MUTED), (&told, 0.0));
    flow.gap(7.0);
    for line in &model.lead {
        flow.paragraph(0, Role::Paragraph, Style::plain(10.8), (line, 0.0));
        flow.gap(1.5);
    }
    if !model.stale.is_empty() {
        let n = words::count(model.stale.len(), "gap");
        let text = format!("{n} in the input, listed below; the figures they touch are marked.");
        flow.gap(2.0);
        flow.paragraph(0, Role::Paragraph, Style::new(9.0, Face::Strong, STALE), (&text, 0.0));
    }
    flow.gap(5.0);
    rule(flow);
}

fn rule(flow: &mut Flow<'_>) {
    let y = flow.y;
    flow.mark(None, Mark::Line { points: vec![(LEFT, y), (RIGHT, y)], width: 0.7, colour: LINE });
    flow.gap(2.0);
}

fn heading(flow: &mut Flow<'_>, parent: NodeId, (id, title): (&str, &str)) {
    flow.gap(11.0);
    flow.need(flow.s(KEEP));
    flow.anchor(id);
    let place = Heading { title: title.to_owned(), page: flow.pages.len() - 1, y: flow.y };
    flow.headings.push(place);
    flow.paragraph(parent, Role::Heading { level: 2, title: title.to_owned() }, H2, (title, 0.0));
    flow.gap(5.0);
}

fn write_section(flow: &mut Flow<'_>, section: &Section) {
    let node = flow.node(0, Role::Section);
    heading(flow, node, (&section.id, &section.title));
    for block in &section.blocks {
        match block {
            Block::Text { text } => {
                flow.paragraph(node, Role::Paragraph, Style::plain(BODY), (text, 0.0));
                flow.gap(4.0);
            }
            Block::List { items } => {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                list(flow, node, Style::plain(BODY), &items);
            }
            Block::Figures { figures } => write_figures(flow, node, figures),
            Block::Table(table) => table::write(flow, node, table),
            Block::Chart(chart) => write_chart(flow, node, chart),
        }
    }
}

fn list_section(flow: &mut Flow<'_>, (id, title): (&str, &str), items: &[&str]) {
    let node = flow.node(0, Role::Section);
    flow.gap(9.0);
    flow.need(flow.s(KEEP / 2.0));
    flow.anchor(id);
    flow.paragraph(node, Role::Heading { level: 2, title: title.to_owned() }, H3, (title, 0.0));
    flow.gap(2.0);
    list(flow, node, NOTE, items);
}

fn list(flow: &mut Flow<'_>, parent: NodeId, style: Style, items: &[&str]) {
    let node = flow.node(parent, Role::List);
    for item in items {
        flow.need(flow.leading(style));
        let y = flow.y + flow.leading(style) * 0.52;
        let (x, radius) = (LEFT + flow.s(3.0), flow.s(1.3));
        flow.mark(None, Mark::Dot { x, y, radius, colour: style.colour });
        flow.paragraph(node, Role::Item, style, (item, 10.0));
        flow.gap(1.0);
    }
    flow.gap(3.0);
}

/// The words of one figure, with how they look.
fn lines_of(figure: &Figure) -> Vec<(Style, String, Option<&str>)> {
    let mut lines = vec![
        (Style::new(8.6, Face::Regular, MUTED), figure.label.clone(), None),
        (Style::new(17.0, Face::Strong, INK), figure.shown.clone(), None),
    ];
    lines.extend(figure.note.iter().map(|note| (NOTE, note.clone(), None)));
    lines.extend(figure.stale.iter().map(|stale| (MARK, format!("Old input: {stale}"), None)));
    let evidence = Style::new(SMALL, Face::Regular, ACCENT);
    lines.push((evidence, figure.evidence.text.clone(), Some(figure.evidence.url.as_str())));
    lines
}

fn write_figures(flow: &mut Flow<'_>, parent: NodeId, figures: &[Figure]) {
    let gutter = flow.s(GUTTER);
    let width = (RIGHT - LEFT - gutter * (COLUMNS as f32 - 1.0)) / COLUMNS as f32;
    let padding = flow.s(7.0);
    let inner = width - 2.0 * padding - flow.s(3.0);
    for row in figures.chunks(COLUMNS) {
        let height_of = |figure: &Figure| -> f32 {
            lines_of(figure).iter().map(|(style, text, _)| flow.height(*style, text, inner)).sum()
        };
        let height = row.iter().map(height_of).fold(0.0, f32::max) + 2.0 * padding;
        flow.need(height);
        for (place, figure) in row.iter().enumerate() {
            let x = LEFT + place as f32 * (width + gutter);
            let top = flow.y;
            flow.anchor(&figure.id);
            flow.mark(None, Mark::Bar { x, y: top, width, height, colour: PANEL });
            let edge = flow.s(3.0);
            let colour = palette::look(figure.tone).solid;
            flow.mark(None, Mark::Bar { x, y: top, width: edge, height, colour });
            let node = flow.node(parent, Role::Paragraph);
            let mut y = top + padding;
            let x = x + edge + padding;
            for (style, text, link) in lines_of(figure) {
                let place = Place { x, y, width: inner, align_right: Align::Left, link };
                if style.colour == STALE {
                    paper(flow, style, &text, (x, y, inner));
                }
                y += flow.words(node, style, &text, place);
            }
        }
        flow.y += height + gutter;
    }
    flow.gap(3.0);
}

/// The ground behind words that tell of old input.
pub(super) fn paper(flow: &mut Flow<'_>, style: Style, text: &str, (x, y, width): (f32, f32, f32)) {
    let lines = flow.lines(style, text, width);
    let size = flow.s(style.size);
    let wide = lines.iter().map(|line| flow.fonts.width(style.face, size, line)).fold(0.0, f32::max);
    let height = lines.len() as f32 * flow.leading(style);
    let bar = Mark::Bar { x: x - 2.0, y, width: wide + 4.0, height, colour: STALE_PAPER };
    flow.mark(None, bar);
}

fn write_chart(flow: &mut Flow<'_>, parent: NodeId, chart: &Chart) {
    let picture = draw::draw(chart);
    let ratio = (RIGHT - LEFT) / draw::WIDTH * flow.scale.min(1.0);
    let height = picture.height * ratio;
    let title = flow.leading(H3) + flow.s(4.0);
    flow.need(title + height + flow.leading(NOTE) * 2.0);
    flow.anchor(&chart.id);
    let node = flow.node(parent, Role::Paragraph);
    let place = Place { x: LEFT, y: flow.y, width: RIGHT - LEFT, align_right: Align::Left, link: None };
    flow.words(node, H3, &chart.title, place);
    flow.y += title;
    let figure = flow.node(parent, Role::Figure(chart.description.clone()));
    let top = flow.y;
    let at = |x: f32, y: f32| (LEFT + x * ratio, top + y * ratio);
    for shape in &picture.shapes {
        flow_shape(flow, figure, shape, (&at, ratio));
    }
    flow.y += height + flow.s(2.0);
    flow.paragraph(parent, Role::Paragraph, NOTE, (&chart.description, 0.0));
    flow.gap(8.0);
}

type At<'f> = (&'f dyn Fn(f32, f32) -> (f32, f32), f32);

fn flow_shape(flow: &mut Flow<'_>, node: NodeId, shape: &Shape, (at, ratio): At<'_>) {
    let solid = |tone| -> Colour { palette::look(tone).solid };
    let mark = match shape {
        Shape::Bar { x, y, width, height, tone } => {
            let (x, y) = at(*x, *y);
            Mark::Bar { x, y, width: width * ratio, height: height * ratio, colour: solid(*tone) }
        }
        Shape::Rule { x, x2, y } => Mark::Line { points: vec![at(*x, *y), at(*x2, *y)], width: 0.5, colour: LINE },
        Shape::Line { points, tone } => {
            let points = points.iter().map(|(x, y)| at(*x, *y)).collect();
            Mark::Line { points, width: 1.5, colour: solid(*tone) }
        }
        Shape::Dot { x, y, tone } => {
            let (x, y) = at(*x, *y);
            Mark::Dot { x, y, radius: 2.4 * ratio, colour: solid(*tone) }
        }
        Shape::Text { x, y, size, anchor, text } => {
            let size = size * ratio * 0.92;
            let width = flow.fonts.width(Face::Regular, size, text);
            let (x, y) = at(*x, *y);
            let x = match anchor {
                Anchor::Start => x,
                Anchor::Middle => x - width / 2.0,
                Anchor::End => x - width,
            };
            Mark::Text { x, y, size, face: Face::Regular, colour: MUTED, text: text.clone() }
        }
    };
    flow.mark(Some(node), mark);
}
