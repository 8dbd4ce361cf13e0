//! `riskgraph audit`.

use std::io::{BufRead, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use riskgraph_domain::Timestamp;
use riskgraph_domain::audit::chain::{Beginning, Broken, Link, Verifier};
use riskgraph_domain::audit::{Record, Recorder as _};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::time::Clock as _;
use serde_json::{Value, json};

use super::{Done, EXIT_DONE, EXIT_FINDINGS, Failure, Format, SettingsArgs};
use crate::app::open_store;
use crate::audit::heads::Heads;
use crate::audit::{Ledger, local_actor, proof};
use crate::clock::SystemClock;
use crate::config::Config;

/// Bytes of a line of an export; entries are far shorter.
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Entries exported at once.
const STRIDE: usize = 2_000;

#[derive(Debug, clap::Args)]
pub(super) struct AuditCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Prove the log whole, or name the first entry that does not fit. Exit code 1 when it does not hold.
    Verify {
        /// An export to verify instead of the log itself (`-` for standard input).
        file: Option<PathBuf>,
        /// A hash that must be in it, noted earlier and kept elsewhere; may be given several times.
        #[arg(long, value_name = "HASH")]
        head: Vec<String>,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Write the log as JSON lines, oldest first, in the form `verify` reads.
    Export {
        /// From this time on (RFC 3339).
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Before this time (RFC 3339).
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        settings: SettingsArgs,
    },
}

impl AuditCommand {
    pub(super) async fn run(self) -> Done {
        match self.action {
            Action::Verify { file, head, format, settings } => {
                let wanted = head.iter().map(|hash| hash_of(hash)).collect::<Result<Vec<Sum>, _>>()?;
                match file {
                    Some(file) => verify_file(&file, &wanted, format),
                    None => verify_log(&settings.load()?, &wanted, format).await,
                }
            }
            Action::Export { since, until, settings } => {
                let span = (instant("--since", since.as_deref())?, instant("--until", until.as_deref())?);
                export(&settings.load()?, span).await
            }
        }
    }
}

fn hash_of(text: &str) -> Result<Sum, Failure> {
    text.parse().map_err(|error| Failure::Use(anyhow!("--head '{text}': {error}")))
}

fn instant(what: &str, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let parsed = Timestamp::parse_rfc3339(text);
    parsed.map(Some).ok_or_else(|| Failure::Use(anyhow!("{what} '{text}' is no time such as 2026-03-02T08:00:00Z")))
}

/// A log is not made by looking at it.
fn must_exist(config: &Config) -> Result<(), Failure> {
    let file = config.store.data_dir.join(Config::AUDIT_FILE);
    if config.store.url.is_empty() && config.audit.url.is_empty() && !file.exists() {
        return Err(Failure::Use(anyhow!("{} is not there; name the data folder with --data-dir", file.display())));
    }
    Ok(())
}

async fn verify_log(config: &Config, wanted: &[Sum], format: Format) -> Done {
    must_exist(config)?;
    let log = open_store(config).await?.audit();
    let heads = Heads::in_folder(&config.store.data_dir);
    let mut verifier = proof::verifier(log.as_ref(), &heads, wanted).await?;
    let walked = proof::walk(log.as_ref(), &mut verifier, u64::MAX).await?;
    tell(&verifier, walked.err(), "the audit log", format)
}

fn verify_file(file: &Path, wanted: &[Sum], format: Format) -> Done {
    let input: Box<dyn BufRead> = if file.as_os_str() == "-" {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()));
        Box::new(BufReader::new(opened.map_err(Failure::Use)?))
    };
    let mut verifier = Verifier::new(Beginning::Part);
    wanted.iter().for_each(|&hash| verifier.want(hash));
    let broken = walk_lines(input, &mut verifier)?.or_else(|| verifier.end().err());
    tell(&verifier, broken, "the export", format)
}

/// The first line that does not fit.
fn walk_lines(mut input: Box<dyn BufRead>, verifier: &mut Verifier) -> Result<Option<Broken>, Failure> {
    loop {
        let mut line = Vec::new();
        let n_read = input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if n_read == 0 {
            return Ok(None);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let pushed =
            match std::str::from_utf8(&line).map_err(|_| "the line is not UTF-8".to_owned()).and_then(Link::read) {
                Ok(link) => verifier.push(&link),
                Err(reason) => {
                    let sequence = verifier.head().map_or(1, |head| head.sequence + 1);
                    Err(Broken { sequence, reason })
                }
            };
        if let Err(broken) = pushed {
            return Ok(Some(broken));
        }
    }
}

fn tell(verifier: &Verifier, broken: Option<Broken>, what: &str, format: Format) -> Done {
    let entries = verifier.entries();
    let head = verifier.head().map(|head| head.hash.to_string()).unwrap_or_default();
    match format {
        Format::Json => {
            let found = json!({
                "whole": broken.is_none(), "entries": entries, "head": head,
                "firstBroken": broken.as_ref().map(|broken| broken.sequence),
                "reason": broken.as_ref().map(|broken| broken.reason.as_str()),
            });
            println!("{found}");
        }
        Format::Text => match &broken {
            None => println!("{what} is whole: {entries} entries, head {head}"),
            Some(broken) => println!("{what} is broken at {broken}\n{entries} entries before it hold, head {head}"),
        },
    }
    Ok(if broken.is_none() { EXIT_DONE } else { EXIT_FINDINGS })
}

async fn export(config: &Config, (since, until): (Option<Timestamp>, Option<Timestamp>)) -> Done {
    must_exist(config)?;
    let log = open_store(config).await?.audit();
    // The export itself is in the log, and so in the export when its time is wanted.
    let ledger = Ledger::new(Arc::clone(&log), Arc::new(SystemClock));
    let shown = |at: Option<Timestamp>| at.map_or(Value::Null, |at| at.to_rfc3339().into());
    let record = Record::of_system(SystemClock.now(), &local_actor(), "exportAudit");
    ledger.record(Record { detail: json!({ "since": shown(since), "until": shown(until) }), ..record }).await?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let (mut after, mut n_written) = (0, 0_u64);
    loop {
        let links = log.links_after(after, STRIDE).await?;
        let Some(last) = links.last() else { break };
        after = last.sequence;
        for link in links {
            let at = link.beside.as_ref().map(|beside| beside.at);
            // A part of the chain is without gaps: from the first entry of the time on, up to the last.
            let is_early = n_written == 0 && since.is_some_and(|since| at.is_some_and(|at| at < since));
            let is_late = until.is_some_and(|until| at.is_some_and(|at| at >= until));
            if is_late && n_written > 0 {
                out.flush()?;
                return Ok(EXIT_DONE);
            }
            if !is_early && !is_late {
                writeln!(out, "{}", link.line())?;
                n_written += 1;
            }
        }
    }
    out.flush()?;
    eprintln!("{n_written} entries");
    Ok(EXIT_DONE)
}
