//! The model as one HTML file: style and charts inside, no script, nothing loaded from elsewhere.
//!
//! Every text goes through [`escape`], every address through [`href`], which lets only `http`, `https` and anchors through.
//! A content security policy in the file says the same to the browser. It must *not* know what the report is about.

mod style;
mod svg;

use std::fmt::Write as _;

use crate::model::{Block, Cell, Chart, Column, Figure, ReportModel, Row, Section, Table};
use crate::palette;
use crate::words;

/// Only what is in the file may be used.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

pub(crate) fn render(model: &ReportModel) -> String {
    let mut page = String::with_capacity(64 * 1024);
    head(&mut page, model);
    page.push_str("<body>\n<a class=\"skip\" href=\"#main\">To the report</a>\n");
    masthead(&mut page, model);
    page.push_str("<main id=\"main\">\n");
    for section in &model.sections {
        write_section(&mut page, section);
    }
    stale(&mut page, model);
    method(&mut page, model);
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// The text, so that it is text: also in attributes between double quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Not allowed in HTML; and marks that turn the direction of what follows.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => safe.push('\u{fffd}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => safe.push(c),
        }
    }
    safe
}

/// The address, when it is one that may be followed.
fn href(url: &str) -> Option<String> {
    let safe =
        url.starts_with('#') || url.starts_with("https://") || url.starts_with("http://") || url.starts_with('/');
    (safe && !url.starts_with("//")).then(|| escape(url))
}

/// Words that lead somewhere, when they do.
fn linked(text: &str, url: Option<&str>) -> String {
    match url.and_then(href) {
        Some(url) => format!("<a href=\"{url}\">{}</a>", escape(text)),
        None => escape(text),
    }
}

fn head(page: &mut String, model: &ReportModel) {
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"riskgraph\">\n\
         <title>{} · {}</title>\n<style>\n{}</style>\n</head>\n",
        escape(&model.title),
        words::date(model.as_of),
        style::sheet(),
    );
}

fn masthead(page: &mut String, model: &ReportModel) {
    let _ = write!(
        page,
        "<header>\n<p class=\"audience\">{}</p>\n<h1 dir=\"auto\">{}</h1>\n<p class=\"asof\">As of <time datetime=\"{}\">{}</time>. \
         Changes since <time datetime=\"{}\">{}</time>.</p>\n",
        escape(&model.audience),
        escape(&model.title),
        model.as_of.to_rfc3339(),
        words::moment(model.as_of),
        model.since.to_rfc3339(),
        words::moment(model.since),
    );
    if !model.lead.is_empty() {
        page.push_str("<div class=\"lead\">\n");
        for line in &model.lead {
            let _ = writeln!(page, "<p dir=\"auto\">{}</p>", escape(line));
        }
        page.push_str("</div>\n");
    }
    if !model.stale.is_empty() {
        let n = words::count(model.stale.len(), "gap");
        let _ = writeln!(
            page,
            "<p class=\"stale\"><a href=\"#stale\">{n} in the input</a>; the figures they touch are marked.</p>"
        );
    }
    page.push_str("</header>\n");
}

fn write_section(page: &mut String, section: &Section) {
    let (id, title) = (escape(&section.id), escape(&section.title));
    let _ = writeln!(page, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>");
    for block in &section.blocks {
        match block {
            Block::Text { text } => {
                let _ = writeln!(page, "<p dir=\"auto\">{}</p>", escape(text));
            }
            Block::List { items } => {
                page.push_str("<ul>\n");
                for item in items {
                    let _ = writeln!(page, "<li dir=\"auto\">{}</li>", escape(item));
                }
                page.push_str("</ul>\n");
            }
            Block::Figures { figures } => write_figures(page, figures),
            Block::Table(table) => write_table(page, table),
            Block::Chart(chart) => write_chart(page, chart),
        }
    }
    page.push_str("</section>\n");
}

fn write_figures(page: &mut String, figures: &[Figure]) {
    page.push_str("<ul class=\"figures\">\n");
    for figure in figures {
        let tone = palette::look(figure.tone).name;
        let _ = write!(
            page,
            "<li class=\"figure {tone}\" id=\"{}\"><span class=\"label\">{}</span><span class=\"value\">{}</span>",
            escape(&figure.id),
            escape(&figure.label),
            escape(&figure.shown),
        );
        if let Some(note) = &figure.note {
            let _ = write!(page, "<span class=\"note\">{}</span>", escape(note));
        }
        if let Some(stale) = &figure.stale {
            let _ = write!(page, "<span class=\"mark\">Old input: {}</span>", escape(stale));
        }
        let _ = writeln!(
            page,
            "<span class=\"evidence\">{}</span></li>",
            linked(&figure.evidence.text, Some(&figure.evidence.url))
        );
    }
    page.push_str("</ul>\n");
}

fn write_table(page: &mut String, table: &Table) {
    if table.rows.is_empty() {
        let (id, title, empty) = (escape(&table.id), escape(&table.title), escape(&table.empty));
        let _ = writeln!(page, "<div class=\"none\" id=\"{id}\"><h3>{title}</h3><p>{empty}</p></div>");
        return;
    }
    let _ = writeln!(
        page,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{1}\" tabindex=\"0\">\n<table id=\"{0}\">\n<caption>{1}</caption>",
        escape(&table.id),
        escape(&table.title)
    );
    let total: f32 = table.columns.iter().map(|column| column.width).sum();
    page.push_str("<colgroup>");
    for column in &table.columns {
        let _ = write!(page, "<col style=\"width:{:.1}%\">", column.width / total * 100.0);
    }
    page.push_str("</colgroup>\n<thead><tr>");
    for column in &table.columns {
        let _ = write!(page, "<th scope=\"col\"{}>{}</th>", class_of(column), escape(&column.title));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        write_row(page, &table.columns, row);
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
    if let Some(note) = &table.note {
        let _ = writeln!(page, "<p class=\"note\">{}</p>", escape(note));
    }
}

fn class_of(column: &Column) -> &'static str {
    if column.numeric { " class=\"num\"" } else { "" }
}

fn write_row(page: &mut String, columns: &[Column], row: &Row) {
    match &row.id {
        Some(id) => {
            let _ = write!(page, "<tr id=\"{}\">", escape(id));
        }
        None => page.push_str("<tr>"),
    }
    for (place, (column, cell)) in columns.iter().zip(&row.cells).enumerate() {
        let (open, close) = if place == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
        let _ = write!(page, "<{open}{} dir=\"auto\">{}", class_of(column), write_cell(cell));
        if place == 0
            && let Some(stale) = &row.stale
        {
            let _ = write!(page, "<span class=\"mark\">Old input: {}</span>", escape(stale));
        }
        let _ = write!(page, "</{close}>");
    }
    page.push_str("</tr>\n");
}

fn write_cell(cell: &Cell) -> String {
    let words = linked(&cell.text, cell.link.as_deref());
    let words = match cell.tone {
        Some(tone) => format!("<span class=\"badge {}\">{words}</span>", palette::look(tone).name),
        None => words,
    };
    match &cell.detail {
        Some(detail) => format!("{words}<span class=\"detail\">{}</span>", escape(detail)),
        None => words,
    }
}

fn write_chart(page: &mut String, chart: &Chart) {
    let _ = writeln!(page, "<figure id=\"{}\">\n<figcaption>{}</figcaption>", escape(&chart.id), escape(&chart.title));
    page.push_str(&svg::of(chart));
    let _ = write!(page, "<p class=\"note\">{}", escape(&chart.description));
    if let Some(evidence) = &chart.evidence {
        let _ = write!(page, " {}", linked(&evidence.text, Some(&evidence.url)));
    }
    page.push_str("</p>\n</figure>\n");
}

fn stale(page: &mut String, model: &ReportModel) {
    if model.stale.is_empty() {
        return;
    }
    page.push_str("<section aria-labelledby=\"stale\">\n<h2 id=\"stale\">Old or missing input</h2>\n<ul>\n");
    for stale in &model.stale {
        let _ = writeln!(page, "<li dir=\"auto\">{}</li>", escape(&stale.text));
    }
    page.push_str("</ul>\n</section>\n");
}

fn method(page: &mut String, model: &ReportModel) {
    page.push_str(
        "<section class=\"method\" aria-labelledby=\"method\">\n<h2 id=\"method\">How this was made</h2>\n<ul>\n",
    );
    for line in &model.method {
        let _ = writeln!(page, "<li>{}</li>", escape(line));
    }
    page.push_str("</ul>\n</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_and_addresses_are_harmless() {
        assert_eq!(escape("<script>alert('x')&\"\0\u{202e}"), "&lt;script&gt;alert(&#39;x&#39;)&amp;&quot;\u{fffd}");
        for bad in ["javascript:alert(1)", "data:text/html,x", "//evil.example", "JaVaScRiPt:x", " https://x"] {
            assert_eq!(href(bad), None, "{bad}");
        }
        assert_eq!(href("https://x/?a=1&b=\"2"), Some("https://x/?a=1&amp;b=&quot;2".to_owned()));
    }
}
