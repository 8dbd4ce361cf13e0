//! Versions as retire.js compares them. It must *not* know semantic versioning: these rules are older and looser.

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number(u64),
    Word(&'a str),
}

/// Whether a version is the same as another or comes after it. Parts are numbers or words; a number comes after a word.
#[must_use]
pub fn is_at_or_above(version: &str, other: &str) -> bool {
    let split = |text: &str| -> Vec<String> { text.split(['.', '-']).map(str::to_owned).collect() };
    let (ours, theirs) = (split(version), split(other));
    for place in 0..ours.len().max(theirs.len()) {
        let (a, b) = (part(ours.get(place)), part(theirs.get(place)));
        match (&a, &b) {
            (Part::Number(_), Part::Word(_)) => return true,
            (Part::Word(_), Part::Number(_)) => return false,
            _ if a > b => return true,
            _ if a < b => return false,
            _ => {}
        }
    }
    true
}

fn part(text: Option<&String>) -> Part<'_> {
    match text {
        None => Part::Number(0),
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Part::Number(text.parse().unwrap_or(u64::MAX))
        }
        Some(text) => Part::Word(text),
    }
}

#[cfg(test)]
mod tests {
    use super::is_at_or_above;

    #[test]
    fn compares_as_the_anchor_does() {
        let check = |a: &str, b: &str, want: bool| assert_eq!(is_at_or_above(a, b), want, "{a} {b}");
        check("1.9.0", "1.9.0", true);
        check("1.9", "1.9.0", true);
        check("1.10.0", "1.9.9", true);
        check("1.8.9", "1.9.0", false);
        check("1.9.0b1", "1.9.0", false);
        check("1.9.0", "1.9.0b1", true);
        check("2.0.0-rc1", "2.0.0", false);
        check("1.12.4-aem", "1.12.4", false);
        check("3.0.0-beta.2", "3.0.0-beta.1", true);
    }
}
