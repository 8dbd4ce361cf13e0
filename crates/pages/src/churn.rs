//! What changes from visit to visit without meaning anything: build hashes, versions, cache-busters, nonces. It must *not*
//! know which change is harmless, only which two names mean the same thing.

use url::Url;

/// Parts of a name from which on a run of hex digits is a hash.
const HEX_MIN: usize = 6;
/// Digits at the end of a word from which on they number builds.
const NUMBER_MIN: usize = 4;
/// Length from which on a mixed run of letters and digits is one.
const MIXED_MIN: usize = 8;

/// The name of a script, frame or form target that stays the same over builds: host and path without hashes, versions and
/// numbers; of the query the names of parameters that are no cache-busters.
#[must_use]
pub fn identity(url: &str) -> String {
    let Ok(parsed) = Url::parse(url) else { return url.to_owned() };
    let Some(host) = parsed.host_str() else { return parsed.scheme().to_owned() };
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path: Vec<String> = parsed.path().split('/').map(segment).collect();
    let mut keys: Vec<String> = parsed.query_pairs().filter_map(|(key, value)| parameter(&key, &value)).collect();
    keys.sort_unstable();
    keys.dedup();
    let query = if keys.is_empty() { String::new() } else { format!("?{}", keys.join("&")) };
    let scheme = if parsed.scheme() == "https" { String::new() } else { format!("{}:", parsed.scheme()) };
    format!("{scheme}//{}{port}{}{query}", host.to_ascii_lowercase(), path.join("/"))
}

/// The page itself: without what only tells sessions apart.
#[must_use]
pub fn page(url: &str) -> String {
    identity(url)
}

/// A parameter as far as it says which thing is meant; `None` for one that only defeats caches.
fn parameter(key: &str, value: &str) -> Option<String> {
    const BUSTERS: &[&str] = &[
        "v",
        "ver",
        "version",
        "t",
        "ts",
        "time",
        "timestamp",
        "_",
        "cb",
        "cachebuster",
        "cache",
        "rnd",
        "rand",
        "random",
        "r",
        "hash",
        "h",
        "nonce",
        "build",
        "rev",
        "bust",
        "sid",
        "session",
        "token",
        "dt",
        "d",
        "y",
        "z",
        "ord",
        "gtm_auth",
        "variant",
        "experiment",
        "exp",
        "ab",
    ];
    let lower = key.to_ascii_lowercase();
    if BUSTERS.contains(&lower.as_str()) || (value.is_empty() && is_token(&lower)) {
        return None;
    }
    if is_token(value) { Some(lower) } else { Some(format!("{lower}={value}")) }
}

/// One segment of a path with its changing parts as `*`.
fn segment(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(if matches!(c, '_' | '-' | '~') { '-' } else { c });
        }
    }
    flush(&mut word, &mut out);
    while out.contains("*-*") || out.contains("*.*") {
        out = out.replace("*-*", "*").replace("*.*", "*");
    }
    // A build may or may not put a hash into the name, and minifies or not.
    out.replace("-*", "").replace(".*", "").replace(".min", "").replace(".bundle", "")
}

fn flush(word: &mut String, out: &mut String) {
    // The four digits in the middle of a UUID.
    let in_uuid = out.ends_with("*-") && word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if in_uuid || is_token(word) || is_variant(word, out) {
        out.push('*');
    } else {
        // `version1700000000`: a word with a time or number at its end.
        let name = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let numbered = word.len() - name.len() >= NUMBER_MIN;
        out.push_str(if numbered { name } else { word });
        if numbered {
            out.push('*');
        }
    }
    word.clear();
}

/// Whether a word says nothing but which build, version or session this is.
fn is_token(word: &str) -> bool {
    let plain = word.trim_start_matches(['v', 'V']);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    if word.is_empty() {
        return false;
    }
    // Numbers and versions.
    if plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')) && digits > 0 {
        return true;
    }
    let hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && word.len() >= HEX_MIN && digits > 0 {
        return true;
    }
    // Base62 and UUIDs: letters and digits in turn, or capitals in the middle of words that are none.
    let turns = word.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count();
    let upper = word.bytes().skip(1).filter(u8::is_ascii_uppercase).count();
    let cases =
        word.as_bytes().windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    word.len() >= MIXED_MIN
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'+' | b'/'))
        && letters > 0
        && ((digits >= 2 && turns >= 2)
            || (digits >= 1 && upper >= 2)
            || (upper >= 3 && cases >= 3 && vowels(word) * 5 < word.len()))
}

fn vowels(word: &str) -> usize {
    word.bytes().filter(|byte| b"aeiouAEIOU".contains(byte)).count()
}

/// Whether a word names an arm of an experiment: `variant-b`, `exp_2`, `test-a`.
fn is_variant(word: &str, before: &str) -> bool {
    let arm = matches!(
        word.to_ascii_lowercase().as_str(),
        "a" | "b" | "c" | "control" | "treatment" | "original" | "challenger"
    );
    let named = ["variant", "var", "exp", "experiment", "ab", "test", "version", "arm", "bucket", "group"];
    let parent = before.trim_end_matches(['-', '.', '_']).rsplit(['-', '.', '_']).next().unwrap_or("");
    arm && (named.iter().any(|name| parent.eq_ignore_ascii_case(name)) || before.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_of_one_thing_have_one_name() {
        let same = |a: &str, b: &str| assert_eq!(identity(a), identity(b));
        let base = "https://shop.example/static/";
        for (a, b) in [
            ("app.3f9a2c1b.js", "app.77bc01de.js"),
            ("app.3f9a2c1b.min.js", "app.js"),
            ("main-BX7k2pQz.js", "main-Zt91mmLa.js"),
            ("app.js?v=1.2.3", "app.js?v=1.2.4"),
            ("app.js?1700000000", "app.js?1700000999"),
            ("app.js?_=17&cb=abc", "app.js"),
            ("jquery-3.6.0.min.js", "jquery-3.7.1.min.js"),
            ("3.6.0/jquery.js", "3.7.1/jquery.js"),
            ("chunk-12.js", "chunk-7.js"),
            ("version1700000000/frontend/a.js", "version1700009999/frontend/a.js"),
            ("exp/hero-a.js", "exp/hero-b.js"),
            ("variant-control.js", "variant-b.js"),
            ("550e8400-e29b-41d4-a716-446655440000/a.js", "123e4567-e89b-12d3-a456-426614174000/a.js"),
        ] {
            same(&format!("{base}{a}"), &format!("{base}{b}"));
        }
    }

    #[test]
    fn other_things_have_other_names() {
        let differ = |a: &str, b: &str| assert_ne!(identity(a), identity(b), "{a} {b}");
        differ("https://shop.example/app.js", "https://shop.example/stats.js");
        differ("https://shop.example/app.js", "https://cdn.example/app.js");
        differ("https://shop.example/app.js", "http://shop.example/app.js");
        differ("https://shop.example/app.js", "https://shop.example:8443/app.js");
        differ("https://t.example/gtm.js?id=GTM-ABC", "https://t.example/gtm.js?id=GTM-XYZ");
        differ("https://shop.example/a/app.js", "https://shop.example/b/app.js");
        differ("https://shop.example/analytics.js", "https://shop.example/checkout.js");
    }
}
