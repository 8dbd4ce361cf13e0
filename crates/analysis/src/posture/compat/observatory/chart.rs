//! What each result counts, and the grade of a score. The chart of algorithm 6; where 4 and 5 differ is said here.

use super::Algorithm;

/// From here on bonuses count.
pub(super) const EXTRA_CREDIT_FROM: i32 = 90;

/// Results and their modifiers; what is not listed is 0.
const MODIFIERS: &[(&str, i32)] = &[
    ("csp-implemented-with-no-unsafe-default-src-none", 10),
    ("csp-implemented-with-no-unsafe", 5),
    ("csp-implemented-with-insecure-scheme-in-passive-content-only", -10),
    ("csp-implemented-with-unsafe-eval", -10),
    ("csp-implemented-with-unsafe-inline", -20),
    ("csp-implemented-with-insecure-scheme", -20),
    ("csp-header-invalid", -25),
    ("csp-not-implemented", -25),
    ("csp-not-implemented-but-reporting-enabled", -25),
    ("cookies-secure-with-httponly-sessions-and-samesite", 5),
    ("cookies-without-secure-flag-but-protected-by-hsts", -5),
    ("cookies-session-without-secure-flag-but-protected-by-hsts", -10),
    ("cookies-without-secure-flag", -20),
    ("cookies-samesite-flag-invalid", -20),
    ("cookies-anticsrf-without-samesite-flag", -20),
    ("cookies-session-without-httponly-flag", -30),
    ("cookies-session-without-secure-flag", -40),
    ("cross-origin-resource-sharing-implemented-with-universal-access", -50),
    ("redirection-off-host-from-http", -5),
    ("redirection-not-to-https-on-initial-redirection", -10),
    ("redirection-not-to-https", -20),
    ("redirection-missing", -20),
    ("redirection-invalid-cert", -20),
    ("referrer-policy-private", 5),
    ("referrer-policy-unsafe", -5),
    ("referrer-policy-header-invalid", -5),
    ("hsts-implemented-max-age-less-than-six-months", -10),
    ("hsts-not-implemented", -20),
    ("hsts-header-invalid", -20),
    ("hsts-not-implemented-no-https", -20),
    ("hsts-invalid-cert", -20),
    ("sri-implemented-and-all-scripts-loaded-securely", 5),
    ("sri-implemented-and-external-scripts-loaded-securely", 5),
    ("sri-not-implemented-but-external-scripts-loaded-securely", -5),
    ("sri-implemented-but-external-scripts-not-loaded-securely", -20),
    ("sri-not-implemented-and-external-scripts-not-loaded-securely", -50),
    ("x-content-type-options-not-implemented", -5),
    ("x-content-type-options-header-invalid", -5),
    ("x-frame-options-implemented-via-csp", 5),
    ("x-frame-options-sameorigin-or-deny", 5),
    ("x-frame-options-not-implemented", -20),
    ("x-frame-options-header-invalid", -20),
    ("corp-implemented-with-same-origin", 10),
    ("corp-implemented-with-same-site", 10),
    ("corp-header-invalid", -5),
    ("coep-implemented-with-require-corp", 10),
    ("coep-implemented-with-credentialless", 10),
    ("coep-header-invalid", -5),
    ("coop-implemented-with-same-origin", 10),
    ("coop-implemented-with-same-origin-allow-popups", 10),
    ("coop-implemented-with-noopener-allow-popups", 10),
    ("coop-header-invalid", -5),
];

/// Failing results with a modifier of 0 or above do not exist; passing ones below 0 do.
pub(super) const PASSES_BELOW_ZERO: &[&str] = &["csp-implemented-with-insecure-scheme-in-passive-content-only"];

/// What a result adds to the score.
pub(super) fn modifier(result: &str, algorithm: Algorithm) -> i32 {
    // Algorithm 5 began to reward the header itself.
    if algorithm == Algorithm::Four && result == "x-frame-options-sameorigin-or-deny" {
        return 0;
    }
    MODIFIERS.iter().find(|(known, _)| *known == result).map_or(0, |(_, modifier)| *modifier)
}

/// The letter of a score.
pub(super) fn grade(score: i32) -> &'static str {
    match (score - score % 5).min(100) {
        100.. => "A+",
        90.. => "A",
        85.. => "A-",
        80.. => "B+",
        70.. => "B",
        65.. => "B-",
        60.. => "C+",
        50.. => "C",
        45.. => "C-",
        40.. => "D+",
        30.. => "D",
        25.. => "D-",
        _ => "F",
    }
}
