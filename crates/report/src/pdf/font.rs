//! The built-in fonts: which glyph a character has, how wide words are, where lines break. It must *not* know pages.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};

use crate::RenderError;

static REGULAR: &[u8] = include_bytes!("../../fonts/Inter-Regular.otf");
static STRONG: &[u8] = include_bytes!("../../fonts/Inter-SemiBold.otf");
/// Drawn for what the font has no glyph for, in order of preference.
const BOXES: [char; 3] = ['\u{25a1}', '\u{25a0}', '?'];

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    Regular,
    Strong,
}

/// Both faces, ready to measure and to draw.
pub(crate) struct Fonts {
    regular: Loaded,
    strong: Loaded,
}

struct Loaded {
    font: Font,
    charmap: Charmap<'static>,
    /// Widths in units of the em.
    metrics: GlyphMetrics<'static>,
    units_per_em: f32,
    missing: u32,
}

impl Loaded {
    fn new(data: &'static [u8]) -> Result<Self, RenderError> {
        let font = Font::new(data.into(), 0).ok_or(RenderError::Font)?;
        let parsed = FontRef::new(data).map_err(|_| RenderError::Font)?;
        let charmap = parsed.charmap();
        let metrics = parsed.glyph_metrics(Size::unscaled(), LocationRef::default());
        let units_per_em = f32::from(parsed.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        let missing = BOXES.into_iter().find_map(|c| charmap.map(c)).map_or(0, |glyph| glyph.to_u32());
        Ok(Self { font, charmap, metrics, units_per_em, missing })
    }

    fn glyph(&self, c: char) -> u32 {
        let c = if c == '\u{a0}' || c == '\u{202f}' { ' ' } else { c };
        self.charmap.map(c).map_or(self.missing, |glyph| glyph.to_u32())
    }

    fn advance(&self, c: char) -> f32 {
        self.metrics.advance_width(skrifa::GlyphId::new(self.glyph(c))).unwrap_or(0.0) / self.units_per_em
    }
}

impl Fonts {
    pub(crate) fn built_in() -> Result<Self, RenderError> {
        Ok(Self { regular: Loaded::new(REGULAR)?, strong: Loaded::new(STRONG)? })
    }

    fn face(&self, face: Face) -> &Loaded {
        match face {
            Face::Regular => &self.regular,
            Face::Strong => &self.strong,
        }
    }

    pub(crate) fn font(&self, face: Face) -> Font {
        self.face(face).font.clone()
    }

    /// The glyphs of a text, each with the bytes it stands for.
    pub(crate) fn glyphs(&self, face: Face, text: &str) -> Vec<KrillaGlyph> {
        let loaded = self.face(face);
        let glyph = |(at, c): (usize, char)| {
            let id = GlyphId::new(loaded.glyph(c));
            KrillaGlyph::new(id, loaded.advance(c), 0.0, 0.0, 0.0, at..at + c.len_utf8(), None)
        };
        text.char_indices().map(glyph).collect()
    }

    pub(crate) fn width(&self, face: Face, size: f32, text: &str) -> f32 {
        let loaded = self.face(face);
        text.chars().map(|c| loaded.advance(c)).sum::<f32>() * size
    }

    /// The text in lines no wider than `width`. Words break where they must.
    pub(crate) fn lines(&self, face: Face, size: f32, text: &str, width: f32) -> Vec<String> {
        let loaded = self.face(face);
        let space = loaded.advance(' ') * size;
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut used = 0.0;
        for word in printable(text).split_whitespace() {
            let mut wide = self.width(face, size, word);
            if !line.is_empty() && used + space + wide > width {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if !line.is_empty() {
                line.push(' ');
                used += space;
            }
            for c in word.chars() {
                let step = loaded.advance(c) * size;
                // Only a word that is wider than a line can come here: it breaks wherever the line ends.
                if wide > width && used + step > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    wide -= used;
                    used = 0.0;
                }
                line.push(c);
                used += step;
            }
        }
        if !line.is_empty() || lines.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// Without what takes no room on paper: controls, direction marks, joiners, variation selectors.
fn printable(text: &str) -> String {
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}');
    text.chars().filter(|c| !hidden(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_width_and_lose_nothing() {
        let fonts = Fonts::built_in().expect("the fonts read");
        for text in [
            "",
            "one",
            "The quick brown fox jumps over the lazy dog, again and again.",
            &"W".repeat(500),
            &format!("short {} short", "x".repeat(200)),
            "שלום עולם 👩‍👩‍👧 漢字 Ελληνικά Кириллица",
        ] {
            let lines = fonts.lines(Face::Regular, 9.0, text, 100.0);
            for line in &lines {
                assert!(fonts.width(Face::Regular, 9.0, line) <= 100.5, "{line}");
            }
            let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(squeezed(&lines.concat()), squeezed(&printable(text)));
        }
    }
}
