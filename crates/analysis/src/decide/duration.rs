//! Lengths of time as people write them: `90s`, `15m`, `6h`, `7d`.

/// Reads one; at most `max_s` seconds.
///
/// # Errors
/// What is wrong and what to write.
pub fn parse(text: &str, max_s: u32) -> Result<u32, String> {
    let text = text.trim();
    let wrong = || {
        format!(
            "'{}' is no length of time; write it like 90s, 15m, 6h or 7d",
            text.chars().take(20).collect::<String>()
        )
    };
    let (digits, unit) = text.split_at(text.char_indices().next_back().map_or(0, |(place, _)| place));
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let seconds =
        digits.parse::<u32>().ok().filter(|_| is_number).and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)?;
    if seconds > max_s {
        return Err(format!("{text} is longer than {} at most", print(max_s)));
    }
    Ok(seconds)
}

/// Writes one in the largest unit that loses nothing.
#[must_use]
pub fn print(seconds: u32) -> String {
    match seconds {
        0 => "0s".to_owned(),
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("6h", 21_600), ("7d", 604_800), ("0s", 0)] {
            assert_eq!(parse(text, u32::MAX), Ok(seconds));
            assert_eq!(print(seconds), text);
        }
        for bad in ["", "s", "1", "-1s", "1.5h", "1 h", "99999999999s", "+1s", "1µ"] {
            assert!(parse(bad, u32::MAX).is_err(), "{bad}");
        }
        assert!(parse("2h", 3_600).is_err());
    }
}
