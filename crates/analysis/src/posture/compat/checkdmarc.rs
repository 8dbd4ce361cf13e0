//! The verdicts of checkdmarc 6.0.4 on SPF, DMARC, MTA-STS and TLS reporting: valid or not, its error, its warnings.
//!
//! This follows that program's own rules, which differ from the RFCs here and there (a version tag in capitals is an error,
//! terms behind `all` are not read); our own reading stands in `posture/mail`. A part is absent when an answer it hangs on is
//! missing: a failed lookup is no verdict about a vendor.

mod dmarc;
mod dmarc_record;
mod dns;
mod mta_sts;
mod report_uri;
mod spf;
mod spf_state;
mod spf_syntax;
mod spf_walk;
mod tls_rpt;

#[cfg(test)]
mod tests;

pub(super) use dmarc::dmarc;
pub(super) use mta_sts::mta_sts;
pub(super) use spf::spf;
pub(super) use tls_rpt::tls_rpt;

/// What checkdmarc puts where a syntax error begins.
const MARKER: char = '➞';

/// The text with the marker before this character.
fn marked(text: &str, place: usize) -> String {
    let at = text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte);
    format!("{}{MARKER}{}", &text[..at], &text[at..])
}

/// Blanks where the grammars allow them.
const BLANKS: [char; 2] = [' ', '\t'];

/// `;` with blanks around it, at this byte; the byte behind it.
fn separator(text: &str, from: usize) -> Option<usize> {
    let rest = text[from..].trim_start_matches(BLANKS).strip_prefix(';')?.trim_start_matches(BLANKS);
    Some(text.len() - rest.len())
}

/// The byte behind white space.
fn skip_space(text: &str, from: usize) -> usize {
    text.len() - text[from..].trim_start().len()
}

/// Characters before this byte, which is how checkdmarc counts positions.
fn position(text: &str, byte: usize) -> usize {
    text[..byte].chars().count()
}
