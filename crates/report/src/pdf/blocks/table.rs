//! Tables over pages: a row stays whole, and every page begins with the heads of the columns.

use super::{BODY, H3, MARK, NOTE, SMALL, paper};
use crate::model::{Cell, Column, Row, Table};
use crate::palette::{self, ACCENT, INK, LINE, MUTED};
use crate::pdf::flow::{Align, Flow, LEFT, Mark, NodeId, Place, RIGHT, Role, Style};
use crate::pdf::font::Face;

const HEAD: Style = Style::new(7.8, Face::Strong, MUTED);
const CELL: Style = Style::new(8.6, Face::Regular, INK);
const STRONG: Style = Style::new(8.6, Face::Strong, INK);
const DETAIL: Style = Style::new(7.6, Face::Regular, MUTED);
/// Around the words of a cell.
const PAD_X: f32 = 4.0;
const PAD_Y: f32 = 3.6;

/// A column's place on the page.
struct Slot {
    x: f32,
    width: f32,
    align: Align,
}

pub(super) fn write(flow: &mut Flow<'_>, parent: NodeId, table: &Table) {
    let slots = slots(flow, &table.columns);
    let title = flow.height(H3, &table.title, RIGHT - LEFT);
    if table.rows.is_empty() {
        flow.need(title + flow.leading(Style::plain(BODY)));
        flow.anchor(&table.id);
        flow.paragraph(parent, Role::Paragraph, H3, (&table.title, 0.0));
        flow.paragraph(parent, Role::Paragraph, Style::new(BODY, Face::Regular, MUTED), (&table.empty, 0.0));
        flow.gap(7.0);
        return;
    }
    let head = head_height(flow, &slots, table);
    let first = table.rows.first().map_or(0.0, |row| row_height(flow, &slots, row));
    flow.need((title + head + first + flow.s(4.0)).min(Flow::page_room()));
    flow.anchor(&table.id);
    flow.paragraph(parent, Role::Paragraph, H3, (&table.title, 0.0));
    flow.gap(2.0);
    let node = flow.node(parent, Role::Table);
    let row = flow.node(node, Role::Row);
    write_head(flow, Some(row), (&slots, head), table);
    for row in &table.rows {
        let height = row_height(flow, &slots, row);
        if flow.need(height) {
            write_head(flow, None, (&slots, head), table);
        }
        write_row(flow, node, (&slots, height), row);
    }
    if let Some(note) = &table.note {
        flow.gap(2.0);
        flow.paragraph(parent, Role::Paragraph, NOTE, (note, 0.0));
    }
    flow.gap(9.0);
}

fn slots(flow: &Flow<'_>, columns: &[Column]) -> Vec<Slot> {
    let total: f32 = columns.iter().map(|column| column.width).sum::<f32>().max(1.0);
    let pad = flow.s(PAD_X);
    let mut x = LEFT;
    let mut slots = Vec::with_capacity(columns.len());
    for column in columns {
        let whole = (RIGHT - LEFT) * column.width / total;
        let align = if column.numeric { Align::Right } else { Align::Left };
        slots.push(Slot { x: x + pad, width: whole - 2.0 * pad, align });
        x += whole;
    }
    slots
}

fn head_height(flow: &Flow<'_>, slots: &[Slot], table: &Table) -> f32 {
    let heights = slots.iter().zip(&table.columns).map(|(slot, column)| flow.height(HEAD, &column.title, slot.width));
    heights.fold(0.0, f32::max) + 2.0 * flow.s(PAD_Y)
}

/// The heads of the columns; on a later page they are decoration, for they are said already.
fn write_head(flow: &mut Flow<'_>, row: Option<NodeId>, (slots, height): (&[Slot], f32), table: &Table) {
    let top = flow.y;
    for (slot, column) in slots.iter().zip(&table.columns) {
        let place = Place { x: slot.x, y: top + flow.s(PAD_Y), width: slot.width, align_right: slot.align, link: None };
        match row {
            Some(row) => {
                let node = flow.node(row, Role::ColumnHead);
                flow.words(node, HEAD, &column.title, place);
            }
            None => repeat(flow, &column.title, place),
        }
    }
    let y = top + height;
    flow.mark(None, Mark::Line { points: vec![(LEFT, y), (RIGHT, y)], width: 1.0, colour: LINE });
    flow.y = y;
}

fn repeat(flow: &mut Flow<'_>, text: &str, place: Place<'_>) {
    let size = flow.s(HEAD.size);
    let leading = flow.leading(HEAD);
    for (number, line) in flow.lines(HEAD, text, place.width).into_iter().enumerate() {
        let width = flow.fonts.width(HEAD.face, size, &line);
        let x = if place.align_right == Align::Right { place.x + place.width - width } else { place.x };
        let y = place.y + number as f32 * leading + size * 1.02;
        flow.mark(None, Mark::Text { x, y, size, face: HEAD.face, colour: HEAD.colour, text: line });
    }
}

/// How the words of a cell look: a badge's are strong and in its tone, a link's in the colour of links.
fn style_of(cell: &Cell, place: usize) -> Style {
    let base = if place == 0 { STRONG } else { CELL };
    match (cell.tone, &cell.link) {
        (Some(tone), _) => Style { face: Face::Strong, colour: palette::look(tone).ink, size: SMALL },
        (None, Some(_)) => Style { colour: ACCENT, ..base },
        (None, None) => base,
    }
}

/// Lines of a cell, from the top.
fn parts<'c>(row: &'c Row, place: usize, cell: &'c Cell) -> Vec<(Style, String)> {
    let mut parts = vec![(style_of(cell, place), cell.text.clone())];
    parts.extend(cell.detail.iter().map(|detail| (DETAIL, detail.clone())));
    if place == 0 {
        parts.extend(row.stale.iter().map(|stale| (MARK, format!("Old input: {stale}"))));
    }
    parts
}

fn row_height(flow: &Flow<'_>, slots: &[Slot], row: &Row) -> f32 {
    let cells = slots.iter().zip(&row.cells).enumerate();
    let heights = cells.map(|(place, (slot, cell))| -> f32 {
        parts(row, place, cell).iter().map(|(style, text)| flow.height(*style, text, slot.width)).sum()
    });
    heights.fold(0.0, f32::max) + 2.0 * flow.s(PAD_Y)
}

fn write_row(flow: &mut Flow<'_>, table: NodeId, (slots, height): (&[Slot], f32), row: &Row) {
    let top = flow.y;
    if let Some(id) = &row.id {
        flow.anchor(id);
    }
    let node = flow.node(table, Role::Row);
    for (place, (slot, cell)) in slots.iter().zip(&row.cells).enumerate() {
        let role = if place == 0 { Role::RowHead } else { Role::Cell };
        let cell_node = flow.node(node, role);
        let mut y = top + flow.s(PAD_Y);
        for (number, (style, text)) in parts(row, place, cell).into_iter().enumerate() {
            let link = cell.link.as_deref().filter(|_| number == 0);
            let at = Place { x: slot.x, y, width: slot.width, align_right: slot.align, link };
            match cell.tone.filter(|_| number == 0) {
                Some(tone) => badge(flow, style, &text, (at, palette::look(tone).soft)),
                None if style.colour == MARK.colour => paper(flow, style, &text, (slot.x, y, slot.width)),
                None => {}
            }
            y += flow.words(cell_node, style, &text, at);
        }
    }
    flow.y = top + height;
    let y = flow.y;
    flow.mark(None, Mark::Line { points: vec![(LEFT, y), (RIGHT, y)], width: 0.5, colour: LINE });
}

/// The ground behind a badge's words.
fn badge(flow: &mut Flow<'_>, style: Style, text: &str, (at, colour): (Place<'_>, palette::Colour)) {
    let size = flow.s(style.size);
    let lines = flow.lines(style, text, at.width);
    let wide = lines.iter().map(|line| flow.fonts.width(style.face, size, line)).fold(0.0, f32::max);
    let height = lines.len() as f32 * flow.leading(style);
    let x = if at.align_right == Align::Right { at.x + at.width - wide } else { at.x };
    let edge = flow.s(3.0);
    flow.mark(None, Mark::Bar { x: x - edge, y: at.y - 0.5, width: wide + 2.0 * edge, height: height + 0.5, colour });
}
