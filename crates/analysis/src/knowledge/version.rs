//! Orders version numbers of all the makers that never agreed on a form. Knows no product.

use std::cmp::Ordering;

/// Parts of a version looked at; longer ones are noise.
const PARTS_MAX: usize = 16;
/// Words that stand before a release, not after it.
const BEFORE_RELEASE: &[&str] =
    &["alpha", "beta", "rc", "cr", "pre", "preview", "dev", "snapshot", "nightly", "ea", "m"];

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(u64),
    /// Comes before the release (`rc`).
    Before(String),
    /// Comes after it (`1.0.2k`, `p1`).
    After(String),
}

/// Which of two versions is older. `1.0` and `1.0.0` are equal, `1.0rc1` is older and `1.0.2k` newer than without.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for at in 0..a.len().max(b.len()) {
        let order = match (a.get(at), b.get(at)) {
            (Some(a), Some(b)) => rank(a).cmp(&rank(b)).then_with(|| within(a, b)),
            (Some(rest), None) => against_end(rest),
            (None, Some(rest)) => against_end(rest).reverse(),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

fn rank(part: &Part) -> u8 {
    match part {
        Part::Before(_) => 0,
        Part::After(_) => 1,
        Part::Number(_) => 2,
    }
}

fn within(a: &Part, b: &Part) -> Ordering {
    match (a, b) {
        (Part::Number(a), Part::Number(b)) => a.cmp(b),
        (Part::Before(a), Part::Before(b)) | (Part::After(a), Part::After(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

/// A part where the other version has ended.
fn against_end(part: &Part) -> Ordering {
    match part {
        Part::Number(0) => Ordering::Equal,
        Part::Number(_) | Part::After(_) => Ordering::Greater,
        Part::Before(_) => Ordering::Less,
    }
}

fn parts(version: &str) -> Vec<Part> {
    let lower = version.trim().trim_start_matches(['v', 'V']).to_ascii_lowercase();
    let mut runs: Vec<String> = Vec::new();
    let mut kind = None;
    for c in lower.chars() {
        let this = if c.is_ascii_digit() { Some(true) } else { c.is_alphabetic().then_some(false) };
        if this.is_some() && this != kind && runs.len() < PARTS_MAX {
            runs.push(String::new());
        }
        if let (Some(_), Some(run)) = (this, runs.last_mut()) {
            run.push(c);
        }
        kind = this;
    }
    let is_number = |run: Option<&String>| run.is_some_and(|run| run.starts_with(|c: char| c.is_ascii_digit()));
    let read = |(at, run): (usize, &String)| {
        if let Ok(number) = run.parse() {
            return Part::Number(number);
        }
        // `1.0a1` is a test version, `1.0.2a` a repaired one.
        let tests = matches!(run.as_str(), "a" | "b") && is_number(runs.get(at + 1));
        let before = tests || BEFORE_RELEASE.contains(&run.as_str());
        if before { Part::Before(run.clone()) } else { Part::After(run.clone()) }
    };
    runs.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let check = |a: &str, b: &str, want: Ordering| {
            assert_eq!(compare(a, b), want, "{a} {b}");
            assert_eq!(compare(b, a), want.reverse(), "{b} {a}");
        };
        check("1.18.0", "1.18.0", Ordering::Equal);
        check("1.9.9", "1.10.0", Ordering::Less);
        check("1.0", "1.0.0", Ordering::Equal);
        check("1.0", "1.0.1", Ordering::Less);
        check("1.0.2k", "1.0.2", Ordering::Greater);
        check("1.0.2k", "1.0.2zh", Ordering::Less);
        check("1.0.2a", "1.0.3", Ordering::Less);
        check("2.4.0-rc1", "2.4.0", Ordering::Less);
        check("2.4.0rc2", "2.4.0-rc1", Ordering::Greater);
        check("2.4.0-beta", "2.4.0-rc", Ordering::Less);
        check("1.0a1", "1.0", Ordering::Less);
        check("2.4.6-p3", "2.4.6", Ordering::Greater);
        check("2.4.6-p3", "2.4.6-p10", Ordering::Less);
        check("v6.1", "6.1", Ordering::Equal);
        check("99999999999999999999999", "1", Ordering::Less);
    }
}
