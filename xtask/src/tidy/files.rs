//! Rules about files: their length, and words that pure code and the tree must not hold.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Longest Rust file; `docs/architecture.md` says why.
const LINES_MAX: usize = 500;
/// Folders that are not source.
const SKIPPED: &[&str] = &["target", ".git", "node_modules", "riskgraph-data"];
/// Folders whose code is pure.
const PURE: &[&str] = &["crates/domain/src", "crates/analysis/src"];
/// What pure code may not name, and why.
const IMPURE: &[(&str, &str)] = &[
    ("SystemTime", "time comes in as an argument"),
    ("Instant::now", "time comes in as an argument"),
    ("Utc::now", "time comes in as an argument"),
    ("std::fs", "no I/O in pure code"),
    ("std::net::Tcp", "no I/O in pure code"),
    ("std::net::Udp", "no I/O in pure code"),
    ("std::env::", "no environment in pure code"),
    ("std::thread", "no threads in pure code"),
    ("thread_rng", "no randomness in pure code"),
    ("RandomState", "its order differs from run to run: use an IndexMap, BTreeMap, Keyed or FxHashMap"),
    ("std::collections::HashMap", "its order differs from run to run: use an IndexMap, BTreeMap, Keyed or FxHashMap"),
    ("std::collections::HashSet", "its order differs from run to run: use an IndexSet, BTreeSet or FxHashSet"),
    ("async fn", "no async in pure code"),
];
/// Words that mean unfinished.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "TODO", "FIXME", "#[ignore"];

pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut problems = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        check_file(&name, &text, &mut problems);
    }
    Ok(problems)
}

fn check_file(name: &str, text: &str, problems: &mut Vec<String>) {
    let n_lines = text.lines().count();
    if n_lines > LINES_MAX {
        problems.push(format!("{name}: {n_lines} lines, at most {LINES_MAX}: divide it by meaning"));
    }
    let own_rules = name.starts_with("xtask/src/tidy");
    let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
    let is_pure = PURE.iter().any(|folder| name.starts_with(folder)) && !is_test;
    // A domain file with the attribute declares ports: traits alone, whose makers are elsewhere.
    let is_async_port = name.starts_with("crates/domain/src/") && text.contains("#[async_trait]");
    let mut in_tests = false;
    for (number, line) in text.lines().enumerate() {
        in_tests |= line.starts_with("#[cfg(test)]");
        let code = line.split("//").next().unwrap_or(line);
        if !own_rules {
            for word in UNFINISHED.iter().filter(|word| line.contains(*word)) {
                problems.push(format!("{name}:{}: '{word}' means unfinished", number + 1));
            }
        }
        if is_pure && !in_tests {
            for (word, why) in IMPURE.iter().filter(|(word, _)| code.contains(word)) {
                if !(is_async_port && *word == "async fn") {
                    problems.push(format!("{name}:{}: '{word}': {why}", number + 1));
                }
            }
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let skipped = entry.file_name().to_str().is_some_and(|name| SKIPPED.contains(&name));
        if entry.file_type()?.is_dir() && !skipped {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_file;

    fn check(name: &str, text: &str, wanted: usize) {
        let mut problems = Vec::new();
        check_file(name, text, &mut problems);
        assert_eq!(problems.len(), wanted, "{name}: {problems:?}");
    }

    #[test]
    fn sees_what_breaks_a_rule() {
        check("src/a.rs", &"x\n".repeat(501), 1);
        check("src/a.rs", "fn a() { todo!() }", 1);
        check("crates/analysis/src/a.rs", "use std::collections::HashMap;", 1);
        check("crates/analysis/src/a.rs", "use rustc_hash::FxHashMap;", 0);
        check("crates/analysis/src/a.rs", "let now = SystemTime::now(); // HashMap", 1);
        check("crates/analysis/src/a/tests.rs", "let now = SystemTime::now();", 0);
        check("crates/domain/src/ports.rs", "#[async_trait]\npub trait Journal {\n    async fn append();\n}", 0);
        check("crates/domain/src/ports.rs", "async fn append() {}", 1);
        check("src/a.rs", "use std::collections::HashMap;", 0);
    }
}
