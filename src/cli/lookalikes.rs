//! `riskgraph lookalikes`: names that look like one, and which of them exist.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use riskgraph_analysis::lookalike::{Name, Permutation, WORDS_MAX, Words, additions, permutations, suppress};
use riskgraph_connectors::lookalike::Bulk;
use riskgraph_domain::Text;
use riskgraph_domain::lookalike::Lookalike;
use serde_json::{Value, json};

use super::{Done, EXIT_DONE, Failure, Format};
use crate::lookalikes::resolver;

/// Longest word list read, in bytes.
const LIST_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct Lookalikes {
    /// Domain, in ASCII or Unicode, or the address of a page.
    #[arg(value_name = "DOMAIN")]
    domain: String,
    /// Ask DNS which of the names exist.
    #[arg(long)]
    resolve: bool,
    /// DNS resolver, ADDRESS or ADDRESS:PORT; without it the system's.
    #[arg(long, value_name = "ADDR", requires = "resolve")]
    resolver: Option<String>,
    /// Show only names that are registered and stand for themselves.
    #[arg(long, requires = "resolve")]
    registered: bool,
    /// Add what dnstwist does not make: words beside the name, other suffixes, homophones, numerals.
    #[arg(long)]
    more: bool,
    /// File of words to put beside the name, one a line.
    #[arg(long, value_name = "FILE")]
    dictionary: Option<PathBuf>,
    /// File of suffixes to put in place of the name's, one a line.
    #[arg(long, value_name = "FILE")]
    tld: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Lookalikes {
    pub(super) async fn run(self) -> Done {
        let name = Name::parse(&self.domain).map_err(|problem| Failure::Use(problem.into()))?;
        let words = Words {
            dictionary: words(self.dictionary.as_deref(), is_label).map_err(Failure::Use)?,
            suffixes: words(self.tld.as_deref(), is_suffix).map_err(Failure::Use)?,
        };
        let mut names = permutations(&name, &words);
        if self.more {
            names.extend(additions(&name, &words));
        }
        if !self.resolve {
            print(self.format, &names, |made| json!({ "fuzzer": made.fuzzer, "domain": made.domain }), names_only)?;
            return Ok(EXIT_DONE);
        }
        let options = resolver(self.resolver.as_deref().unwrap_or_default());
        let bulk = Bulk::new(options.map_err(|fault| Failure::Use(fault.into()))?);
        let asked = names.into_iter().map(|made| (Text::from(made.fuzzer.as_str()), made.domain)).collect();
        let mut found = bulk.look(asked).await.context("no socket could be opened")?;
        for lookalike in found.iter_mut().filter(|lookalike| lookalike.fuzzer.as_str() != "*original") {
            suppress(lookalike, name.ascii());
        }
        if self.registered {
            found.retain(|lookalike| lookalike.registered == Some(true) && lookalike.suppressed.is_none());
        }
        print(self.format, &found, shown, table)?;
        Ok(EXIT_DONE)
    }
}

fn print<T>(format: Format, rows: &[T], json: impl Fn(&T) -> Value, text: impl Fn(&[T])) -> Result<(), Failure> {
    match format {
        Format::Json => {
            let rows: Vec<Value> = rows.iter().map(json).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
        Format::Text => text(rows),
    }
    Ok(())
}

fn shown(lookalike: &Lookalike) -> Value {
    json!({
        "fuzzer": lookalike.fuzzer,
        "domain": lookalike.domain,
        "dns": lookalike.dns,
        "registered": lookalike.registered,
        "suppressed": lookalike.suppressed,
    })
}

fn names_only(names: &[Permutation]) {
    for made in names {
        println!("{:<14} {}", made.fuzzer.as_str(), made.domain);
    }
    println!("\n{} names", names.len());
}

/// The names that have records, and in one line what was left out.
fn table(found: &[Lookalike]) {
    let rows: Vec<&Lookalike> = found.iter().filter(|lookalike| !lookalike.dns.is_empty()).collect();
    let widest = rows.iter().map(|lookalike| lookalike.domain.len()).max().unwrap_or(0).clamp(6, 60);
    if !rows.is_empty() {
        println!("{:<14} {:<widest$}  RECORDS", "FUZZER", "NAME");
    }
    for lookalike in &rows {
        let dns = &lookalike.dns;
        let part = |kind: &str, records: &[Text]| {
            let shown: Vec<&str> = records.iter().take(2).map(Text::as_str).collect();
            let more = if records.len() > 2 { format!(" +{}", records.len() - 2) } else { String::new() };
            if shown.is_empty() { String::new() } else { format!("{kind} {}{more}  ", shown.join(" ")) }
        };
        let records = [part("A", &dns.a), part("AAAA", &dns.aaaa), part("NS", &dns.ns), part("MX", &dns.mx)].concat();
        let note = match lookalike.suppressed {
            Some(why) => format!("({})", json!(why).as_str().unwrap_or_default()),
            None => String::new(),
        };
        println!("{:<14} {:<widest$}  {records}{note}", lookalike.fuzzer, lookalike.domain);
    }
    let count = |test: &dyn Fn(&Lookalike) -> bool| found.iter().filter(|lookalike| test(lookalike)).count();
    println!(
        "\n{} names asked: {} registered, {} of them left out (parking, own), {} wildcard, {} without an answer",
        found.len(),
        count(&|lookalike| lookalike.registered == Some(true)),
        count(&|lookalike| lookalike.registered == Some(true) && lookalike.suppressed.is_some()),
        count(&|lookalike| lookalike.registered == Some(false) && lookalike.suppressed.is_some()),
        count(&|lookalike| lookalike.registered.is_none()),
    );
}

/// The usable lines of a list, in lower case, each once.
fn words(file: Option<&std::path::Path>, usable: fn(&str) -> bool) -> anyhow::Result<Vec<String>> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let size = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?.len();
    if size > LIST_BYTES_MAX {
        return Err(anyhow!("{} is larger than {LIST_BYTES_MAX} bytes", file.display()));
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut seen = std::collections::BTreeSet::new();
    let lines = text.lines().map(str::to_lowercase).filter(|line| usable(line) && seen.insert(line.clone()));
    Ok(lines.take(WORDS_MAX).collect())
}

fn is_label(word: &str) -> bool {
    let plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    plain && (1..=63).contains(&word.len())
}

fn is_suffix(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    labels.len() <= 2 && labels.iter().all(|label| label.len() >= 2 && is_label(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lists_may_hold() {
        let check = |word: &str, label: bool, suffix: bool| {
            assert_eq!((is_label(word), is_suffix(word)), (label, suffix), "{word:?}");
        };
        check("login", true, true);
        check("x", true, false);
        check("co.uk", false, true);
        check("a.b.c", false, false);
        check("ümlaut", false, false);
        check("", false, false);
        check("with space", false, false);
    }
}
