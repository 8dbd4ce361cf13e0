//! Secrets in text, by their shape.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

/// A shape: a literal that must be there before the pattern is tried, and the pattern whose group 1 (or whole) is the secret.
struct Shape {
    literal: &'static str,
    pattern: &'static str,
}

/// Known shapes. Sources: the providers' own documentation of their token formats.
const SHAPES: &[Shape] = &[
    Shape { literal: "AKIA", pattern: r"\b(AKIA[0-9A-Z]{16})\b" },
    Shape { literal: "ASIA", pattern: r"\b(ASIA[0-9A-Z]{16})\b" },
    Shape { literal: "sk_live_", pattern: r"(sk_live_[0-9a-zA-Z]{10,})" },
    Shape { literal: "sk_test_", pattern: r"(sk_test_[0-9a-zA-Z]{10,})" },
    Shape { literal: "rk_live_", pattern: r"(rk_live_[0-9a-zA-Z]{10,})" },
    Shape { literal: "whsec_", pattern: r"(whsec_[0-9A-Za-z+/=]{16,})" },
    Shape { literal: "ghp_", pattern: r"(ghp_[0-9A-Za-z]{30,})" },
    Shape { literal: "gho_", pattern: r"(gho_[0-9A-Za-z]{30,})" },
    Shape { literal: "ghs_", pattern: r"(ghs_[0-9A-Za-z]{30,})" },
    Shape { literal: "github_pat_", pattern: r"(github_pat_[0-9A-Za-z_]{22,})" },
    Shape { literal: "glpat-", pattern: r"(glpat-[0-9A-Za-z_\-]{16,})" },
    Shape { literal: "xox", pattern: r"(xox[abeoprs]-[0-9A-Za-z\-]{10,})" },
    Shape { literal: "shpat_", pattern: r"(shpat_[0-9a-fA-F]{32})" },
    Shape { literal: "shpss_", pattern: r"(shpss_[0-9a-fA-F]{32})" },
    Shape { literal: "SG.", pattern: r"(SG\.[0-9A-Za-z_\-]{16,}\.[0-9A-Za-z_\-]{16,})" },
    Shape { literal: "AIza", pattern: r"(AIza[0-9A-Za-z_\-]{35})" },
    Shape { literal: "npm_", pattern: r"(npm_[0-9A-Za-z]{36})" },
    Shape { literal: "sk-", pattern: r"(sk-(?:ant-|proj-)?[0-9A-Za-z_\-]{20,})" },
    Shape { literal: "rg_", pattern: r"(rg_[0-9a-zA-Z]{20,})" },
    Shape { literal: "eyJ", pattern: r"(eyJ[0-9A-Za-z_\-]{8,}\.eyJ[0-9A-Za-z_\-]{8,}\.[0-9A-Za-z_\-]*)" },
    Shape {
        literal: "PRIVATE KEY",
        pattern: r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))",
    },
    Shape { literal: "Bearer ", pattern: r"(?i)bearer\s+([0-9A-Za-z._~+/=\-]{8,})" },
    Shape { literal: "Basic ", pattern: r"(?i)basic\s+([0-9A-Za-z+/=]{8,})" },
    Shape { literal: "://", pattern: r"://[^\s/:@]{0,64}:([^\s/@]{1,128})@" },
    Shape { literal: "pass", pattern: r#"(?i)\bpass(?:word|wd|phrase)?\s*["']?\s*[=:]\s*["']?([^\s&"',;]{3,})"# },
    Shape { literal: "pwd", pattern: r#"(?i)\bpwd\s*["']?\s*[=:]\s*["']?([^\s&"',;]{3,})"# },
    Shape { literal: "secret", pattern: r#"(?i)secret(?:_?key)?\s*["']?\s*[=:]\s*["']?([^\s&"',;]{6,})"# },
    Shape { literal: "token", pattern: r#"(?i)token\s*["']?\s*[=:]\s*["']?([^\s&"',;]{12,})"# },
    Shape { literal: "api", pattern: r#"(?i)api[_\-]?key\s*["']?\s*[=:]\s*["']?([^\s&"',;]{12,})"# },
    Shape { literal: "cvv", pattern: r#"(?i)\bcvv2?\s*["']?\s*[=:]\s*["']?(\d{3,4})\b"# },
    Shape { literal: "cvc", pattern: r#"(?i)\bcvc2?\s*["']?\s*[=:]\s*["']?(\d{3,4})\b"# },
];

/// Characters of a secret that stay, so that its kind can still be told.
const KEEP: usize = 4;

/// Finds which shapes are worth trying, in one pass over the text.
struct Finder {
    literals: AhoCorasick,
    patterns: Vec<Regex>,
}

/// `None` when a pattern of the table did not compile, which the tests rule out.
static FINDER: LazyLock<Option<Finder>> = LazyLock::new(|| {
    let literals =
        AhoCorasick::builder().ascii_case_insensitive(true).build(SHAPES.iter().map(|shape| shape.literal)).ok()?;
    let patterns = SHAPES.iter().map(|shape| Regex::new(shape.pattern).ok()).collect::<Option<Vec<_>>>()?;
    Some(Finder { literals, patterns })
});

/// The text with every known secret masked; `None` when there is none.
pub(super) fn mask(text: &str) -> Option<String> {
    // The shortest shape (`cvv=123`) has seven bytes.
    if text.len() < 7 {
        return None;
    }
    let finder = FINDER.as_ref()?;
    let mut tried = 0_u64;
    let mut masked: Option<String> = None;
    for hit in finder.literals.find_overlapping_iter(text) {
        let shape = hit.pattern().as_usize();
        if tried & (1 << shape) != 0 {
            continue;
        }
        tried |= 1 << shape;
        let current = masked.as_deref().unwrap_or(text);
        if let Some(replaced) = replace(&finder.patterns[shape], current) {
            masked = Some(replaced);
        }
    }
    masked
}

fn replace(pattern: &Regex, text: &str) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for captures in pattern.captures_iter(text) {
        let Some(secret) = captures.get(1) else { continue };
        if secret.as_str().contains(super::BLANK) || secret.as_str().ends_with("****") {
            continue;
        }
        let kept: String =
            if secret.len() > 3 * KEEP { secret.as_str().chars().take(KEEP).collect() } else { String::new() };
        out.push_str(&text[done..secret.start()]);
        out.push_str(&kept);
        out.push_str("****");
        done = secret.end();
    }
    (done > 0).then(|| {
        out.push_str(&text[done..]);
        out
    })
}

/// Whether a field of this name holds a secret whatever its value looks like.
pub(super) fn is_secret_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "client_secret",
        "api_secret",
        "private_key",
        "access_token",
        "refresh_token",
        "id_token",
        "auth_token",
        "authorization",
        "cookie",
        "set-cookie",
        "cvv",
        "cvc",
        "cvv2",
        "pin",
        "card_number",
        "cardnumber",
        "pan",
        "x-api-key",
    ];
    let last = name.rsplit('.').next().unwrap_or(name);
    NAMES.iter().any(|secret| last.eq_ignore_ascii_case(secret))
}

#[cfg(test)]
pub(super) fn all_patterns_compile() -> bool {
    FINDER.is_some() && SHAPES.len() <= 64
}
