//! Charts as SVG inside the page, readable by a screen reader. It must *not* know what they show.

use std::fmt::Write as _;

use super::escape;
use crate::draw::{Anchor, Shape, WIDTH, draw};
use crate::model::Chart;
use crate::palette;

/// The chart as an `svg` element with title and description.
pub(super) fn of(chart: &Chart) -> String {
    let picture = draw(chart);
    let id = escape(&chart.id);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
         <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>\n",
        short(picture.height),
        escape(&chart.title),
        escape(&chart.description)
    );
    for shape in &picture.shapes {
        write_shape(&mut svg, shape);
    }
    svg.push_str("</svg>\n");
    svg
}

fn write_shape(svg: &mut String, shape: &Shape) {
    let _ = match shape {
        Shape::Bar { x, y, width, height, tone } => writeln!(
            svg,
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"1\"/>",
            palette::look(*tone).name,
            short(*x),
            short(*y),
            short(*width),
            short(*height)
        ),
        Shape::Rule { x, x2, y } => {
            writeln!(svg, "<path class=\"rule\" d=\"M{} {}H{}\"/>", short(*x), short(*y), short(*x2))
        }
        Shape::Line { points, tone } => {
            let path: Vec<String> = points.iter().map(|(x, y)| format!("{} {}", short(*x), short(*y))).collect();
            writeln!(svg, "<path class=\"line {}\" d=\"M{}\"/>", palette::look(*tone).name, path.join("L"))
        }
        Shape::Dot { x, y, tone } => {
            writeln!(
                svg,
                "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"3\"/>",
                palette::look(*tone).name,
                short(*x),
                short(*y)
            )
        }
        Shape::Text { x, y, size, anchor, text } => {
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{anchor}\">{}</text>",
                short(*x),
                short(*y),
                short(*size),
                escape(text)
            )
        }
    };
}

/// At most two decimals: enough for a screen, and the same on every machine.
fn short(value: f32) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
