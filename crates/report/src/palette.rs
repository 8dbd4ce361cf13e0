//! Colours by tone. Text on a badge and on paper has a contrast of at least 4.5 to 1 (WCAG 2.2, AA), in light and in dark.

use crate::model::Tone;

/// Red, green, blue.
pub(crate) type Colour = (u8, u8, u8);

pub(crate) const INK: Colour = (0x1b, 0x1f, 0x27);
pub(crate) const MUTED: Colour = (0x56, 0x5d, 0x6b);
pub(crate) const LINE: Colour = (0xd5, 0xd9, 0xe0);
pub(crate) const PANEL: Colour = (0xf5, 0xf6, 0xf8);
pub(crate) const ACCENT: Colour = (0x1d, 0x4e, 0xa8);
/// Behind words that tell of old input.
pub(crate) const STALE: Colour = (0x8a, 0x4b, 0x00);
pub(crate) const STALE_PAPER: Colour = (0xff, 0xf4, 0xe0);

/// How one tone looks on paper.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// Name in the style sheet.
    pub(crate) name: &'static str,
    /// Bars and lines.
    pub(crate) solid: Colour,
    /// Words, on paper and on `soft`.
    pub(crate) ink: Colour,
    /// Behind a badge's words.
    pub(crate) soft: Colour,
    /// The same three in the dark.
    pub(crate) dark: (Colour, Colour, Colour),
}

pub(crate) const ALL: [Tone; 6] = [Tone::Good, Tone::Fair, Tone::Warn, Tone::Bad, Tone::Worst, Tone::Plain];

pub(crate) const fn look(tone: Tone) -> Look {
    match tone {
        Tone::Good => Look {
            name: "good",
            solid: (0x2e, 0x8b, 0x57),
            ink: (0x17, 0x5c, 0x37),
            soft: (0xdf, 0xf3, 0xe6),
            dark: ((0x4c, 0xb4, 0x7c), (0x9c, 0xe5, 0xbb), (0x14, 0x3a, 0x27)),
        },
        Tone::Fair => Look {
            name: "fair",
            solid: (0x4a, 0x86, 0xc5),
            ink: (0x1c, 0x4f, 0x86),
            soft: (0xe1, 0xed, 0xf9),
            dark: ((0x6b, 0xa4, 0xdd), (0xae, 0xd2, 0xf5), (0x16, 0x32, 0x4f)),
        },
        Tone::Warn => Look {
            name: "warn",
            solid: (0xd9, 0xa4, 0x1b),
            ink: (0x6f, 0x4d, 0x00),
            soft: (0xfb, 0xef, 0xcf),
            dark: ((0xe0, 0xb2, 0x45), (0xf5, 0xd8, 0x91), (0x43, 0x33, 0x0c)),
        },
        Tone::Bad => Look {
            name: "bad",
            solid: (0xdd, 0x6b, 0x20),
            ink: (0x8c, 0x38, 0x07),
            soft: (0xfd, 0xe6, 0xd6),
            dark: ((0xee, 0x8a, 0x48), (0xfa, 0xbe, 0x94), (0x4c, 0x25, 0x0d)),
        },
        Tone::Worst => Look {
            name: "worst",
            solid: (0xb8, 0x1d, 0x2c),
            ink: (0x93, 0x12, 0x20),
            soft: (0xfa, 0xdf, 0xe1),
            dark: ((0xe3, 0x55, 0x63), (0xf8, 0xad, 0xb4), (0x50, 0x14, 0x1b)),
        },
        Tone::Plain => Look {
            name: "plain",
            solid: (0x5b, 0x6b, 0x8c),
            ink: (0x3a, 0x42, 0x52),
            soft: (0xe9, 0xec, 0xf1),
            dark: ((0x8a, 0x9b, 0xbe), (0xc9, 0xd2, 0xe3), (0x2b, 0x32, 0x40)),
        },
    }
}

/// `#rrggbb`.
pub(crate) fn hex((r, g, b): Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast by WCAG 2.2.
    fn contrast(a: Colour, b: Colour) -> f64 {
        let light = |(r, g, b): Colour| {
            let part = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
        };
        let (high, low) = (light(a).max(light(b)), light(a).min(light(b)));
        (high + 0.05) / (low + 0.05)
    }

    #[test]
    fn every_word_can_be_read() {
        const WHITE: Colour = (0xff, 0xff, 0xff);
        for tone in ALL {
            let look = look(tone);
            assert!(contrast(look.ink, look.soft) >= 4.5, "{} badge", look.name);
            assert!(contrast(look.ink, WHITE) >= 4.5, "{} word", look.name);
            assert!(contrast(look.dark.1, look.dark.2) >= 4.5, "{} dark badge", look.name);
            assert!(contrast(look.solid, WHITE) >= 2.2, "{} bar", look.name);
        }
        for word in [INK, MUTED, ACCENT, STALE] {
            assert!(contrast(word, WHITE) >= 4.5 && contrast(word, PANEL) >= 4.5, "{word:?}");
        }
        assert!(contrast(STALE, STALE_PAPER) >= 4.5);
    }
}
