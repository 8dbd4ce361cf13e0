//! Charts as plain shapes, for whoever writes them down: the same picture in HTML and in PDF. It must *not* know formats.

use crate::model::{Chart, ChartKind, Series, Tone};
use crate::words;

/// Width in points of a chart; pages are laid out for it.
pub(crate) const WIDTH: f32 = 520.0;
const TEXT: f32 = 9.0;
const LEGEND: f32 = 18.0;
const AXIS: f32 = 20.0;
const GUTTER: f32 = 36.0;
const PLOT: f32 = 120.0;
/// Height of one lying bar, and where it begins.
const BAR: f32 = 20.0;
const LABEL: f32 = 170.0;
/// Room for a value behind a lying bar.
const VALUE: f32 = 44.0;
/// Room a label below the axis takes.
const TICK: f32 = 44.0;
/// Lines across the plot, at most.
const RULES: f64 = 4.0;
/// Characters of a label beside a lying bar.
const LABEL_CHARS: usize = 30;

/// A picture: `width` is always [`WIDTH`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    pub(crate) height: f32,
    pub(crate) shapes: Vec<Shape>,
}

/// Where a text stands against its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// What a picture is made of; `y` runs down.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Bar {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        tone: Tone,
    },
    /// A thin grey line from `x` to `x2` at `y`.
    Rule {
        x: f32,
        x2: f32,
        y: f32,
    },
    Line {
        points: Vec<(f32, f32)>,
        tone: Tone,
    },
    Dot {
        x: f32,
        y: f32,
        tone: Tone,
    },
    Text {
        x: f32,
        y: f32,
        size: f32,
        anchor: Anchor,
        text: String,
    },
}

/// The chart as shapes.
pub(crate) fn draw(chart: &Chart) -> Picture {
    match chart.kind {
        ChartKind::Bars => lying(chart),
        ChartKind::Stacked | ChartKind::Lines => upright(chart),
    }
}

fn text(x: f32, y: f32, anchor: Anchor, text: impl Into<String>) -> Shape {
    Shape::Text { x, y, size: TEXT, anchor, text: text.into() }
}

/// A number without needless decimals.
fn number(value: f64) -> String {
    if value.fract() == 0.0 { words::thousands(value as i64) } else { words::score(value) }
}

fn lying(chart: &Chart) -> Picture {
    let values: Vec<f64> = chart
        .series
        .first()
        .map_or_else(Vec::new, |series| series.values.iter().map(|value| value.unwrap_or(0.0).max(0.0)).collect());
    let max = chart.max.unwrap_or_else(|| values.iter().copied().fold(1.0, f64::max));
    let room = WIDTH - LABEL - VALUE;
    let mut shapes = Vec::new();
    for (place, (category, value)) in chart.categories.iter().zip(&values).enumerate() {
        let y = place as f32 * BAR;
        let width = (value / max) as f32 * room;
        shapes.push(text(LABEL - 8.0, y + 13.5, Anchor::End, words::cut(category, LABEL_CHARS)));
        shapes.push(Shape::Rule { x: LABEL, x2: LABEL + room, y: y + BAR / 2.0 });
        let tone = if chart.max == Some(100.0) { score_tone(*value) } else { Tone::Fair };
        shapes.push(Shape::Bar { x: LABEL, y: y + 4.0, width: width.max(0.5), height: BAR - 8.0, tone });
        shapes.push(text(LABEL + room + 6.0, y + 13.5, Anchor::Start, number(*value)));
    }
    Picture { height: chart.categories.len() as f32 * BAR + 4.0, shapes }
}

/// The tone of points of 100, by the limits of the grades.
fn score_tone(score: f64) -> Tone {
    match score {
        s if s >= 90.0 => Tone::Good,
        s if s >= 80.0 => Tone::Fair,
        s if s >= 70.0 => Tone::Warn,
        s if s >= 60.0 => Tone::Bad,
        _ => Tone::Worst,
    }
}

/// The smallest of 1, 2, 5, 10, 20 ... whose multiples reach the largest value in a few steps.
fn step_of(max: f64) -> f64 {
    let raw = (max / RULES).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= raw - 1e-9).unwrap_or(raw);
    // Things are counted whole.
    step.max(1.0)
}

fn upright(chart: &Chart) -> Picture {
    let series: Vec<&Series> = chart.series.iter().filter(|s| s.values.iter().flatten().any(|v| *v > 0.0)).collect();
    let total = |at: usize| -> f64 { series.iter().filter_map(|s| s.values.get(at).copied().flatten()).sum() };
    let largest = match chart.kind {
        ChartKind::Lines => series.iter().flat_map(|s| s.values.iter().flatten().copied()).fold(0.0, f64::max),
        _ => (0..chart.categories.len()).map(total).fold(0.0, f64::max),
    };
    let wanted = chart.max.unwrap_or(largest).max(1.0);
    let step = step_of(wanted);
    let max = (wanted / step).ceil() * step;
    let has_legend = series.len() > 1 && chart.series.iter().any(|s| !chart.categories.contains(&s.name));
    let top = if has_legend { LEGEND + 6.0 } else { 12.0 };
    let mut shapes = Vec::new();
    if has_legend {
        legend(&series, &mut shapes);
    }
    let y_of = |value: f64| top + PLOT - (value / max) as f32 * PLOT;
    for rule in 0..=(max / step).round() as usize {
        let value = rule as f64 * step;
        shapes.push(Shape::Rule { x: GUTTER, x2: WIDTH, y: y_of(value) });
        shapes.push(text(GUTTER - 6.0, y_of(value) + 3.0, Anchor::End, number(value)));
    }
    let n = chart.categories.len().max(1);
    let slot = (WIDTH - GUTTER) / n as f32;
    let every = (TICK / slot).ceil().max(1.0) as usize;
    for (place, category) in chart.categories.iter().enumerate() {
        // Counted from the newest, which always has its label.
        if (n - 1 - place).is_multiple_of(every) {
            let x = GUTTER + slot * (place as f32 + 0.5);
            shapes.push(text(x, top + PLOT + 13.0, Anchor::Middle, category.clone()));
        }
    }
    match chart.kind {
        ChartKind::Lines => lines(&series, slot, &y_of, &mut shapes),
        _ => stacks(&series, n, slot, &y_of, &mut shapes),
    }
    Picture { height: top + PLOT + AXIS, shapes }
}

fn legend(series: &[&Series], shapes: &mut Vec<Shape>) {
    let mut x = GUTTER;
    for series in series {
        shapes.push(Shape::Bar { x, y: 2.0, width: 9.0, height: 9.0, tone: series.tone });
        shapes.push(text(x + 13.0, 10.0, Anchor::Start, series.name.clone()));
        x += 13.0 + series.name.chars().count() as f32 * TEXT * 0.58 + 16.0;
    }
}

fn stacks(series: &[&Series], n: usize, slot: f32, y_of: &dyn Fn(f64) -> f32, shapes: &mut Vec<Shape>) {
    let width = (slot * 0.66).min(46.0);
    for place in 0..n {
        let x = GUTTER + slot * (place as f32 + 0.5) - width / 2.0;
        let mut below = 0.0;
        // The last series lies at the bottom: the worst, which is named first, is on top.
        for series in series.iter().rev() {
            let value = series.values.get(place).copied().flatten().unwrap_or(0.0);
            if value > 0.0 {
                let (bottom, top) = (y_of(below), y_of(below + value));
                shapes.push(Shape::Bar { x, y: top, width, height: bottom - top, tone: series.tone });
                below += value;
            }
        }
        if below > 0.0 {
            shapes.push(text(x + width / 2.0, y_of(below) - 3.0, Anchor::Middle, number(below)));
        }
    }
}

fn lines(series: &[&Series], slot: f32, y_of: &dyn Fn(f64) -> f32, shapes: &mut Vec<Shape>) {
    for series in series {
        let mut points: Vec<(f32, f32)> = Vec::new();
        let mut last = None;
        for (place, value) in series.values.iter().enumerate() {
            let x = GUTTER + slot * (place as f32 + 0.5);
            match value {
                Some(value) => {
                    points.push((x, y_of(*value)));
                    last = Some((x, y_of(*value), *value));
                }
                None if points.len() > 1 => {
                    shapes.push(Shape::Line { points: std::mem::take(&mut points), tone: series.tone });
                }
                None => points.clear(),
            }
        }
        if points.len() > 1 {
            shapes.push(Shape::Line { points, tone: series.tone });
        }
        if let Some((x, y, value)) = last {
            shapes.push(Shape::Dot { x, y, tone: series.tone });
            shapes.push(text(x, y - 6.0, Anchor::Middle, number(value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_steps() {
        for (max, step) in
            [(0.0, 1.0), (1.0, 1.0), (4.0, 1.0), (7.0, 2.0), (18.0, 5.0), (100.0, 50.0), (1_234.0, 500.0)]
        {
            assert_eq!(step_of(max), step, "{max}");
        }
    }

    #[test]
    fn empty_charts_have_an_axis_and_no_bars() {
        for kind in [ChartKind::Stacked, ChartKind::Lines, ChartKind::Bars] {
            let chart = Chart {
                id: "x".into(),
                title: "x".into(),
                description: "x".into(),
                kind,
                unit: "x".into(),
                categories: Vec::new(),
                series: Vec::new(),
                max: None,
                evidence: None,
            };
            let picture = draw(&chart);
            assert!(picture.height.is_finite());
            assert!(!picture.shapes.iter().any(|shape| matches!(shape, Shape::Bar { .. })));
        }
    }
}
