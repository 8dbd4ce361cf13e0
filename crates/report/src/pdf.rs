//! The model as a PDF: A4, tagged for screen readers, with links, an outline and page numbers.
//!
//! [`flow`] lays text and shapes out on pages and builds the tree of tags, [`blocks`] knows the pieces of a report,
//! [`paint`] writes both with krilla. The fonts are the built-in Inter; what it has no glyph for (most scripts beyond
//! Latin, Greek and Cyrillic, and emoji) is drawn as a box, and still found and copied as the text it is.

mod blocks;
mod flow;
mod font;
mod paint;

use riskgraph_domain::report::ReportKind;

use crate::RenderError;
use crate::model::ReportModel;
use flow::Flow;
use font::Fonts;

/// Sizes the one page of the board is tried in, until it is one page.
const SCALES: [f32; 6] = [1.0, 0.95, 0.9, 0.85, 0.78, 0.7];

pub(crate) fn render(model: &ReportModel) -> Result<Vec<u8>, RenderError> {
    let fonts = Fonts::built_in()?;
    let laid = lay_out(model, &fonts);
    paint::paint(model, &fonts, laid)
}

fn lay_out<'a>(model: &ReportModel, fonts: &'a Fonts) -> Flow<'a> {
    let at = |scale: f32| {
        let mut flow = Flow::new(fonts, scale);
        blocks::write(&mut flow, model);
        flow
    };
    if model.kind == ReportKind::Board {
        for scale in SCALES {
            let flow = at(scale);
            if flow.pages.len() == 1 {
                return flow;
            }
        }
    }
    at(1.0)
}

#[cfg(test)]
pub(crate) fn pages_of(model: &ReportModel) -> Result<usize, RenderError> {
    Ok(lay_out(model, &Fonts::built_in()?).pages.len())
}
