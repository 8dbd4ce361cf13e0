//! JavaScript as tokens. It must *not* know what they do.
//!
//! No grammar: a slash is a regular expression where an operand may stand, which is right but for rare cases after `)`;
//! being wrong there costs a string, not a crash. Source: ECMA-262 12.

/// Tokens read of one script.
const TOKENS_MAX: usize = 400_000;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Number,
    /// With its quotes; a template is one token with all its parts.
    String,
    Regex,
    Sign,
}

/// One token, as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

const KEYWORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "let",
    "new",
    "null",
    "of",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

pub(crate) fn is_keyword(text: &str) -> bool {
    KEYWORDS.binary_search(&text).is_ok()
}

/// Whether a text is one identifier.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(starts_name) && chars.all(goes_on) && text.len() <= 64
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

fn goes_on(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// The tokens of a text; comments and blanks are left out.
pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all: Vec<Token<'_>> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if all.len() >= TOKENS_MAX {
            break;
        }
        let rest = &text[at..];
        if c.is_whitespace() || c == '\u{feff}' {
            at += c.len_utf8();
            continue;
        }
        if let Some(width) = comment(rest) {
            at += width;
            continue;
        }
        let (kind, width) = match c {
            '"' | '\'' => (Kind::String, quoted(rest, c)),
            '`' => (Kind::String, template(rest)),
            c if c.is_ascii_digit() => (Kind::Number, number(rest)),
            c if starts_name(c) || c == '\\' || c == '#' => (Kind::Name, name(rest)),
            '/' if operand_may_stand(all.last()) => (Kind::Regex, regex(rest)),
            _ => (Kind::Sign, sign(rest)),
        };
        all.push(Token { kind, text: &rest[..width] });
        at += width;
    }
    all
}

fn comment(rest: &str) -> Option<usize> {
    let line = || rest.find(['\n', '\r', '\u{2028}']).unwrap_or(rest.len());
    if rest.starts_with("//") || rest.starts_with("<!--") {
        return Some(line());
    }
    let inner = rest.strip_prefix("/*")?;
    Some(inner.find("*/").map_or(rest.len(), |end| end + 4))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return at,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn template(rest: &str) -> usize {
    let (mut escaped, mut depth, mut before) = (false, 0_usize, ' ');
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' if before == '$' || depth > 0 => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            '`' if depth == 0 => return at + 1,
            _ => {}
        }
        before = c;
    }
    rest.len()
}

fn number(rest: &str) -> usize {
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        let exponent = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !rest.starts_with("0x");
        if !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || exponent) {
            return at;
        }
        before = c;
    }
    rest.len()
}

fn name(rest: &str) -> usize {
    let goes = |c: char| goes_on(c) || matches!(c, '\\' | '{' | '}');
    let escaped = rest.starts_with('\\');
    let first = rest.chars().next().map_or(1, char::len_utf8);
    rest[first..].find(|c: char| !(if escaped { goes(c) } else { goes_on(c) })).map_or(rest.len(), |end| end + first)
}

fn regex(rest: &str) -> usize {
    let (mut escaped, mut class) = (false, false);
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return 1,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '/' if !class => {
                let flags = rest[at + 1..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - at - 1);
                return at + 1 + flags;
            }
            _ => {}
        }
    }
    1
}

fn sign(rest: &str) -> usize {
    if rest.starts_with("?.") { 2 } else { rest.chars().next().map_or(1, char::len_utf8) }
}

/// Whether a slash after this token opens a regular expression.
fn operand_may_stand(last: Option<&Token<'_>>) -> bool {
    last.is_none_or(|token| match token.kind {
        Kind::Name => matches!(
            token.text,
            "return" | "typeof" | "case" | "in" | "of" | "do" | "else" | "void" | "throw" | "delete" | "new"
        ),
        Kind::Number | Kind::String | Kind::Regex => false,
        Kind::Sign => !matches!(token.text, ")" | "]" | "}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cuts_scripts_into_tokens() {
        let check = |text: &str, want: &[&str]| {
            let all = tokens(text);
            let got: Vec<&str> = all.iter().map(|token| token.text).collect();
            assert_eq!(got, want, "{text}");
        };
        check("var a=1; // x\n/* y */b", &["var", "a", "=", "1", ";", "b"]);
        check("a=/x\\/[/]y/gi.test(b)", &["a", "=", "/x\\/[/]y/gi", ".", "test", "(", "b", ")"]);
        check("a/b/c", &["a", "/", "b", "/", "c"]);
        check("'it\\'s'+\"x\"", &["'it\\'s'", "+", "\"x\""]);
        check("`a${b+`c`}d`;e", &["`a${b+`c`}d`", ";", "e"]);
        check("0x1f+1e-5+1.5", &["0x1f", "+", "1e-5", "+", "1.5"]);
        check("a?.b", &["a", "?.", "b"]);
        check("'open\nx", &["'open", "x"]);
        assert!(KEYWORDS.is_sorted());
    }

    proptest! {
        #[test]
        fn never_panics(text in "(?s)[a-z0-9/'\"`\\\\$\\{\\}\\[\\]\n*é]{0,120}") {
            let all = tokens(&text);
            prop_assert!(all.iter().all(|token| !token.text.is_empty()));
        }
    }
}
