//! Card numbers in text.

/// Digits of the shortest and longest card number (ISO/IEC 7812-1; issued ones have 12 to 19).
const DIGITS_MIN: usize = 12;
const DIGITS_MAX: usize = 19;
/// Digits that stay at the front and at the end.
const KEEP_FRONT: usize = 6;
const KEEP_END: usize = 4;
/// Bytes that may stand between two digits of one number, such as ` - ` or `%20`.
const SEPARATOR_MAX: usize = 3;

/// The text with every card number masked; `None` when there is none.
pub(super) fn mask(text: &str) -> Option<String> {
    // Most texts have no run of digits that could be a card: one pass decides that.
    if text.len() < DIGITS_MIN || text.bytes().filter(u8::is_ascii_digit).count() < DIGITS_MIN {
        return None;
    }
    let mut masked: Option<Vec<u8>> = None;
    for run in runs(text.as_bytes()) {
        for (start, end) in numbers_in(&run) {
            let out = masked.get_or_insert_with(|| text.as_bytes().to_vec());
            for &(place, _) in &run[start + KEEP_FRONT..end - KEEP_END] {
                out[place] = b'*';
            }
        }
    }
    // Only ASCII digits were replaced, by ASCII: the bytes are still UTF-8.
    masked.and_then(|bytes| String::from_utf8(bytes).ok())
}

/// A run of digits, each with its place: what could be one or several numbers written close together.
type Run = Vec<(usize, u8)>;

/// Runs of at least [`DIGITS_MIN`] digits with separators between.
fn runs(bytes: &[u8]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run: Run = Vec::new();
    let mut place = 0;
    while place < bytes.len() {
        if bytes[place].is_ascii_digit() {
            run.push((place, bytes[place] - b'0'));
            place += 1;
            continue;
        }
        let skip = separator(&bytes[place..]);
        let goes_on = !run.is_empty() && skip > 0 && bytes.get(place + skip).is_some_and(u8::is_ascii_digit);
        if goes_on {
            place += skip;
        } else {
            if run.len() >= DIGITS_MIN {
                runs.push(std::mem::take(&mut run));
            }
            run.clear();
            place += 1;
        }
    }
    if run.len() >= DIGITS_MIN {
        runs.push(run);
    }
    runs
}

/// Length of what may separate digits at the front of these bytes; 0 when it is something else.
fn separator(bytes: &[u8]) -> usize {
    let encoded = [b"%20".as_slice(), b"%2D", b"%2d", b"%2B", b"%2b", b"%2E", b"%2e"];
    if encoded.iter().any(|code| bytes.starts_with(code)) {
        return 3;
    }
    let plain = bytes
        .iter()
        .take(SEPARATOR_MAX)
        .take_while(|byte| matches!(byte, b' ' | b'-' | b'.' | b'_' | b'+' | b'\t' | b'/'))
        .count();
    if plain > 0 {
        return plain;
    }
    // No-break space and thin dashes, as copied from web pages: two or three bytes in UTF-8.
    [b"\xc2\xa0".as_slice(), b"\xe2\x80\x91", b"\xe2\x80\x93", b"\xe2\x80\x89", b"\xe2\x80\xaf"]
        .iter()
        .find(|code| bytes.starts_with(code))
        .map_or(0, |code| code.len())
}

/// Card numbers in a run, as ranges of its places, longest first from each start, without overlap.
///
/// A number is made of whole groups (digits without a separator between): a window inside a long trace id is none.
fn numbers_in(run: &[(usize, u8)]) -> Vec<(usize, usize)> {
    let is_boundary = |at: usize| at == 0 || at == run.len() || run[at].0 != run[at - 1].0 + 1;
    let mut found = Vec::new();
    let mut start = 0;
    while start + DIGITS_MIN <= run.len() {
        let longest = (run.len() - start).min(DIGITS_MAX);
        let hit = (DIGITS_MIN..=longest)
            .rev()
            .find(|&n| is_boundary(start) && is_boundary(start + n) && is_card(&run[start..start + n]));
        start += match hit {
            Some(n) => {
                found.push((start, start + n));
                n
            }
            None => 1,
        };
    }
    found
}

fn is_card(digits: &[(usize, u8)]) -> bool {
    let lengths = issuer_lengths(digits);
    lengths.contains(&digits.len()) && luhn(digits)
}

/// Lengths that the issuer range at the front of the number uses; empty for no known range.
fn issuer_lengths(digits: &[(usize, u8)]) -> &'static [usize] {
    let head = |n: usize| digits.iter().take(n).fold(0_u32, |value, &(_, digit)| value * 10 + u32::from(digit));
    match (head(1), head(2), head(4)) {
        (4, _, _) => &[13, 16, 18, 19],
        (_, 34 | 37, _) => &[15],
        (_, 30 | 36 | 38 | 39, _) => &[14, 16, 19],
        (_, 51..=55, _) | (_, _, 2221..=2720) => &[16],
        (_, _, 2200..=2204 | 3528..=3589 | 6011 | 6440..=6599) | (_, 62 | 81, _) => &[16, 17, 18, 19],
        // Maestro: the only ranges with 12 to 15 digits; named one by one, or every tenth order number would be a card.
        (_, _, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761 | 6762 | 6763) => &[12, 13, 14, 15, 16, 17, 18, 19],
        _ => &[],
    }
}

/// The Luhn check.
fn luhn(digits: &[(usize, u8)]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &(_, digit))| {
            let value = u32::from(digit) * if place % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|&(_, digit)| digit != 0)
}
