//! JavaScript regular expressions on an engine without backtracking. It must *not* know libraries.
//!
//! The engine takes linear time on hostile scripts; what it lacks is put beside it. A back-reference becomes a group of its
//! own that must have caught the same text. Patterns with look-around are not read.

use super::{Regex, compiled};

/// What stands for the version in the repository, and what it means (`replaceVersion` of retire.js).
const VERSION: &str = "§§version§§";
const VERSION_PATTERN: &str = r"[0-9][0-9.a-z_\\-]+";
/// A needle below this length rules nothing out.
const NEEDLE_MIN_CHARS: usize = 4;

/// One compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// Pairs of groups that must have caught the same text.
    same: Vec<(usize, usize)>,
    needle: Option<String>,
}

impl Pattern {
    /// Translates and compiles; `None` when it uses what the engine cannot do.
    pub(super) fn new(text: &str, whole: bool) -> Option<Self> {
        let text = text.replace(VERSION, VERSION_PATTERN);
        let text = if whole { format!("^{text}$") } else { text };
        let translated = Translator::default().run(&text)?;
        let needle = if whole { None } else { needle(&text) };
        Some(Self { regex: compiled(&translated.text)?, same: translated.same, needle })
    }

    /// A text without which the pattern cannot match.
    pub(super) fn needle(&self) -> Option<&str> {
        self.needle.as_deref()
    }

    /// What the first group caught, match by match.
    pub(super) fn versions(&self, bytes: &[u8]) -> Vec<String> {
        let found = self.regex.captures_iter(bytes).take(super::MATCHES_MAX);
        let caught = found.filter(|caught| self.holds(caught)).filter_map(|caught| caught.get(1));
        caught.map(|version| String::from_utf8_lossy(version.as_bytes()).into_owned()).collect()
    }

    /// Every match, rewritten by a template of `$1`.
    pub(super) fn expand(&self, bytes: &[u8], template: &str) -> Vec<String> {
        let found = self.regex.captures_iter(bytes).take(super::MATCHES_MAX);
        let filled = found.filter(|caught| self.holds(caught)).map(|caught| {
            let mut out = template.to_owned();
            for group in (1..10).rev() {
                let text = caught.get(group).map(|text| String::from_utf8_lossy(text.as_bytes())).unwrap_or_default();
                out = out.replace(&format!("${group}"), &text);
            }
            out
        });
        filled.collect()
    }

    fn holds(&self, caught: &regex::bytes::Captures<'_>) -> bool {
        let text = |group: usize| caught.get(group).map(|text| text.as_bytes());
        self.same.iter().all(|(a, b)| text(*a) == text(*b))
    }
}

/// Splits `/search/replacement/`.
pub(super) fn replacement(text: &str) -> Option<(String, String)> {
    let inner = text.strip_prefix('/')?.strip_suffix('/')?;
    let at = inner.rfind('/')?;
    Some((inner[..at].to_owned(), inner[at + 1..].to_owned()))
}

#[derive(Default)]
struct Translator {
    out: String,
    /// Where each open group began in `out`, and its number when it catches.
    open: Vec<(usize, Option<usize>)>,
    /// The texts of closed groups, by number.
    groups: Vec<Option<String>>,
    n_groups: usize,
    /// How JavaScript's numbers of groups map to ours, which also count those made for back-references.
    numbers: Vec<usize>,
    same: Vec<(usize, usize)>,
}

struct Translated {
    text: String,
    same: Vec<(usize, usize)>,
}

impl Translator {
    fn run(mut self, text: &str) -> Option<Translated> {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += match c {
                '\\' => self.escape(*chars.get(at + 1)?)?,
                '[' => self.class(&chars[at..])?,
                '(' => self.group(&chars[at..])?,
                ')' => self.close()?,
                '{' if !is_quantifier(&chars[at..]) => self.literal("\\{"),
                _ => self.literal(c.encode_utf8(&mut [0; 4])),
            };
        }
        Some(Translated { text: self.out, same: self.same })
    }

    fn literal(&mut self, text: &str) -> usize {
        self.out.push_str(text);
        1
    }

    fn escape(&mut self, next: char) -> Option<usize> {
        match next {
            '1'..='9' => {
                let theirs = next.to_digit(10)? as usize;
                let ours = *self.numbers.get(theirs - 1)?;
                let inner = self.groups.get(ours - 1)?.clone()?;
                // The group's own text must not hold groups: their numbers would shift what follows.
                if inner.contains('(') {
                    return None;
                }
                self.n_groups += 1;
                self.groups.push(None);
                self.same.push((ours, self.n_groups));
                self.out.push_str(&format!("({inner})"));
            }
            'd' => self.out.push_str("[0-9]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            c if c.is_ascii_alphanumeric() => self.out.extend(['\\', c]),
            c => self.out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
        Some(2)
    }

    /// A class, in which the engine gives `[`, `&&`, `--` and `~~` a meaning they do not have in JavaScript.
    fn class(&mut self, chars: &[char]) -> Option<usize> {
        let mut at = 1;
        let mut inner = String::new();
        if chars.get(at) == Some(&'^') {
            inner.push('^');
            at += 1;
        }
        if chars.get(at) == Some(&']') {
            // `[^]` is anything and `[]` nothing.
            self.out.push_str(if inner.is_empty() { "[^\\x00-\\xff]" } else { "(?s:.)" });
            return Some(at + 1);
        }
        loop {
            match *chars.get(at)? {
                ']' => break,
                '\\' => {
                    match *chars.get(at + 1)? {
                        'd' => inner.push_str("0-9"),
                        'w' => inner.push_str("0-9A-Za-z_"),
                        'b' => inner.push_str("\\x08"),
                        c if c.is_ascii_alphanumeric() => inner.extend(['\\', c]),
                        c if c.is_ascii() => inner.extend(['\\', c]),
                        c => inner.push(c),
                    }
                    at += 2;
                    continue;
                }
                c @ ('[' | '&' | '~') => inner.extend(['\\', c]),
                '-' if chars.get(at + 1) == Some(&'-') || chars.get(at + 1) == Some(&']') => inner.push_str("\\-"),
                c => inner.push(c),
            }
            at += 1;
        }
        self.out.push_str(&format!("[{inner}]"));
        Some(at + 1)
    }

    fn group(&mut self, chars: &[char]) -> Option<usize> {
        let kind: String = chars.iter().take(3).collect();
        if kind == "(?:" {
            self.open.push((self.out.len(), None));
            self.out.push_str("(?:");
            return Some(3);
        }
        if kind.starts_with("(?") {
            return None;
        }
        self.n_groups += 1;
        self.numbers.push(self.n_groups);
        self.groups.push(None);
        self.out.push('(');
        self.open.push((self.out.len(), Some(self.n_groups)));
        Some(1)
    }

    fn close(&mut self) -> Option<usize> {
        let (began, number) = self.open.pop()?;
        if let Some(number) = number {
            self.groups[number - 1] = Some(self.out[began..].to_owned());
        }
        self.out.push(')');
        Some(1)
    }
}

/// Whether `{` opens a count (`{3}`, `{3,}`, `{3,5}`).
fn is_quantifier(chars: &[char]) -> bool {
    let inner: String = chars.iter().skip(1).take_while(|c| **c != '}').take(12).collect();
    let closed = chars.get(inner.chars().count() + 1) == Some(&'}');
    let (from, to) = inner.split_once(',').unwrap_or((&inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    closed && !from.is_empty() && digits(from) && digits(to)
}

/// The longest text that every match holds: plain characters outside of groups and classes that are not optional.
fn needle(text: &str) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    let (mut best, mut run, mut depth, mut at) = (String::new(), String::new(), 0_usize, 0);
    while let Some(&c) = chars.get(at) {
        let (plain, width) = match c {
            '\\' => (chars.get(at + 1).copied().filter(|next| !next.is_ascii_alphanumeric()), 2),
            '|' if depth == 0 => return None,
            '[' => (None, class_width(&chars[at..])?),
            '(' | ')' | '.' | '^' | '$' | '*' | '+' | '?' => (None, 1),
            '{' if is_quantifier(&chars[at..]) => (None, chars[at..].iter().position(|c| *c == '}')? + 1),
            c => (Some(c), 1),
        };
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        at += width;
        let optional =
            matches!(chars.get(at), Some('?' | '*')) || chars.get(at).is_some_and(|_| is_quantifier(&chars[at..]));
        match plain.filter(|_| depth == 0 && !optional) {
            Some(c) => run.push(c),
            None => run.clear(),
        }
        if run.len() > best.len() {
            best.clone_from(&run);
        }
    }
    (best.chars().count() >= NEEDLE_MIN_CHARS).then_some(best)
}

fn class_width(chars: &[char]) -> Option<usize> {
    let mut at = 1;
    while *chars.get(at)? != ']' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    Some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_javascript_patterns() {
        let check = |pattern: &str, text: &str, want: &[&str]| {
            let read = Pattern::new(pattern, false).expect(pattern);
            assert_eq!(read.versions(text.as_bytes()), want, "{pattern}");
        };
        check(r"/\*!? jQuery v(§§version§§)", "/*! jQuery v1.8.3 jquery.com", &["1.8.3"]);
        check(
            r#"="(§§version§§)",.{3,9}(.)\.fn=(\2)\.prototype=\{jquery:"#,
            r#"x="1.9.1",abcdn.fn=n.prototype={jquery:"#,
            &["1.9.1"],
        );
        check(
            r#"="(§§version§§)",.{3,9}(.)\.fn=(\2)\.prototype=\{jquery:"#,
            r#"x="1.9.1",abcdn.fn=m.prototype={jquery:"#,
            &[],
        );
        check(r"a={version:(§§version§§)}", "a={version:1.2}", &["1.2"]);
        check(r#"x[["'](\d[\d.]+)"#, r#"x[1.5"#, &["1.5"]);
        check(r"a[^]b(\d+)", "a\nb7", &["7"]);
        assert!(Pattern::new(r"(?!x)a(\d)", false).is_none());
    }

    #[test]
    fn finds_what_every_match_holds() {
        let check = |pattern: &str, want: Option<&str>| assert_eq!(needle(pattern).as_deref(), want, "{pattern}");
        check(r"/\*!? jQuery v(x)", Some(" jQuery v"));
        check(r"abc?defg(x)", Some("defg"));
        check(r"abcd|efgh", None);
        check(r"(abcdef)x", None);
        check(r"[abcdef]{3}xyz\.w", Some("xyz.w"));
    }
}
