//! Times as access logs write them, in the zone the log names.

use chrono::NaiveDate;
use riskgraph_domain::Timestamp;
use riskgraph_domain::time::{MINUTE_MS, SECOND_MS};

/// Reads `17/May/2015:10:05:03 +0000` (also with fractional seconds); `None` when it is none such.
///
/// A leap second (`:60`) reads as the second after it, as most systems repeat it.
pub(super) fn parse_clf(text: &[u8]) -> Option<Timestamp> {
    let (date, zone) = text.split_at(text.iter().rposition(|&byte| byte == b' ')?);
    let offset_ms = zone_ms(zone.get(1..)?)?;
    if date.len() < 20 || date[2] != b'/' || date[6] != b'/' || date[11] != b':' || date[14] != b':' || date[17] != b':'
    {
        return None;
    }
    let day = number(&date[..2])?;
    let month = month(&date[3..6])?;
    let year = i32::try_from(number(&date[7..11])?).ok()?;
    let (hour, minute, second) = (number(&date[12..14])?, number(&date[15..17])?, number(&date[18..20])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction_ms = match date.get(20..) {
        None | Some([]) => 0,
        Some([b'.', digits @ ..]) => fraction_ms(digits)?,
        Some(_) => return None,
    };
    let days = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis();
    let of_day = i64::from((hour * 60 + minute) * 60 + second) * SECOND_MS;
    Some(Timestamp(days + of_day + fraction_ms - offset_ms))
}

/// Milliseconds of the digits behind a decimal point; at most nine digits.
fn fraction_ms(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(digits.len()).ok()?);
    Some(i64::from(number(digits)?) * SECOND_MS / scale)
}

/// `+0300` or `-0800` as milliseconds east of UTC.
fn zone_ms(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 {
        return None;
    }
    let (hours, minutes) = (number(&digits[..2])?, number(&digits[2..])?);
    (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes) * MINUTE_MS)
}

fn month(name: &[u8]) -> Option<u32> {
    const NAMES: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    let place = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    u32::try_from(place + 1).ok()
}

/// At most nine decimal digits.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    digits.iter().try_fold(0, |sum: u32, &byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_in_its_own_zone() {
        let check = |text: &str, want: Option<&str>| {
            let got = parse_clf(text.as_bytes()).map(Timestamp::to_rfc3339);
            assert_eq!(got.as_deref(), want, "{text}");
        };
        check("17/May/2015:10:05:03 +0000", Some("2015-05-17T10:05:03.000Z"));
        check("22/Dec/2016:15:19:05 +0300", Some("2016-12-22T12:19:05.000Z"));
        check("01/Jan/2026:00:30:00 -0830", Some("2026-01-01T09:00:00.000Z"));
        check("29/Feb/2024:23:59:59.250 +0100", Some("2024-02-29T22:59:59.250Z"));
        check("31/Dec/2016:23:59:60 +0000", Some("2017-01-01T00:00:00.000Z"));
        check("29/Feb/2023:00:00:00 +0000", None);
        check("17/May/2015:10:05:03", None);
        check("17/May/2015:24:05:03 +0000", None);
        check("17/Foo/2015:10:05:03 +0000", None);
        check("17/May/2015:10:05:03 0000", None);
        check("", None);
    }
}
