//! `riskgraph ingest`: ships files to a running service, with progress and resume.
//!
//! Resume needs no bookkeeping on the client: ids are derived from content where a sender gives none, so sending a file
//! again only yields duplicates. `--from-line` skips what is known to be there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use riskgraph_connectors::decompress;
use serde_json::Value;

use super::client::{Answer, Server, ServerArgs};
use super::{Done, EXIT_DONE, EXIT_FAILED, Failure, Format};

/// Lines sent in one request.
const BATCH_LINES: usize = 5_000;
/// Bytes sent in one request before compression.
const BATCH_BYTES: usize = 4 << 20;
/// Longest line that is shipped; the service refuses longer ones itself, this bounds the client.
const LINE_BYTES_MAX: u64 = 4 << 20;
/// Tries of one batch when the service is busy or away.
const TRIES_MAX: u32 = 60;
/// Rejects printed; all are counted.
const REJECTS_SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Ingest {
    /// Files, plain, gzip or zstd; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// native, nginx, apache, or auto.
    #[arg(long, default_value = "auto")]
    format: String,
    /// Skip the lines before this one (of each file).
    #[arg(long, default_value_t = 1, value_name = "LINE")]
    from_line: u64,
    /// How the summary is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Format,
    #[command(flatten)]
    server: ServerArgs,
}

/// Sums over all batches.
#[derive(Debug, Default)]
struct Totals {
    accepted: u64,
    duplicates: u64,
    rejected: u64,
    /// Reason code -> count and first examples.
    reasons: BTreeMap<String, (u64, Vec<String>)>,
}

impl Ingest {
    pub(super) async fn run(self) -> Done {
        if riskgraph_connectors::formats::Format::parse(&self.format).is_none() {
            return Err(Failure::Use(anyhow!(
                "format '{}' is unknown; use native, nginx, apache or auto",
                self.format
            )));
        }
        let server = self.server.connect()?;
        let mut totals = Totals::default();
        for file in &self.files {
            self.ship(&server, file, &mut totals).await?;
        }
        self.print(&totals)?;
        Ok(if totals.accepted + totals.duplicates == 0 && totals.rejected > 0 { EXIT_FAILED } else { EXIT_DONE })
    }

    async fn ship(&self, server: &Server, file: &Path, totals: &mut Totals) -> Result<(), Failure> {
        let (reader, bar) = open(file)?;
        let mut reader = decompress::unpack(reader).with_context(|| format!("{} cannot be read", file.display()))?;
        let mut line_number = 0_u64;
        let mut batch = Vec::new();
        let mut batch_start = 1_u64;
        let mut n_lines = 0_usize;
        loop {
            let before = batch.len();
            let n_read = reader
                .by_ref()
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut batch)
                .context("the file cannot be read further")?;
            if n_read > 0 {
                line_number += 1;
                if line_number < self.from_line {
                    batch.truncate(before);
                    continue;
                }
                if n_lines == 0 {
                    batch_start = line_number;
                }
                if batch.last() != Some(&b'\n') {
                    batch.push(b'\n');
                }
                n_lines += 1;
            }
            if n_lines > 0 && (n_read == 0 || n_lines >= BATCH_LINES || batch.len() >= BATCH_BYTES) {
                let sent = std::mem::take(&mut batch);
                let answer = self.send(server, sent).await.map_err(|error| {
                    error.context(format!(
                        "{} from line {batch_start}; resume with --from-line {batch_start}",
                        file.display()
                    ))
                })?;
                totals.add(&answer, file, batch_start);
                bar.set_message(format!("{} lines, {} rejected", line_number, totals.rejected));
                n_lines = 0;
            }
            if n_read == 0 {
                break;
            }
        }
        bar.finish();
        Ok(())
    }

    /// Sends one batch; waits and tries again while the service is busy or away.
    async fn send(&self, server: &Server, batch: Vec<u8>) -> anyhow::Result<Answer> {
        let packed = zstd::encode_all(batch.as_slice(), 1)?;
        let path = format!("/v1/events/{}", self.format);
        let mut last = anyhow!("not tried");
        for attempt in 0..TRIES_MAX {
            match server.post(&path, Some("zstd"), packed.clone()).await {
                Ok(answer)
                    if answer.status.is_success()
                        || (answer.status.as_u16() == 400 && answer.body.get("rejected").is_some()) =>
                {
                    return Ok(answer);
                }
                Ok(answer) if answer.status.as_u16() == 429 || answer.status.is_server_error() => {
                    last = anyhow!("the service answers {}: {}", answer.status, answer.body);
                    tokio::time::sleep(answer.retry_after.unwrap_or(Duration::from_secs(1))).await;
                }
                Ok(answer) => return Err(anyhow!("the service answers {}: {}", answer.status, answer.body)),
                Err(error) if attempt == 0 => return Err(error),
                Err(error) => {
                    last = error;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        Err(last.context(format!("gave up after {TRIES_MAX} tries")))
    }

    fn print(&self, totals: &Totals) -> Result<(), Failure> {
        if self.output == Format::Json {
            let reasons: BTreeMap<_, _> = totals
                .reasons
                .iter()
                .map(|(code, (n, examples))| (code, serde_json::json!({"count": n, "examples": examples})))
                .collect();
            let summary = serde_json::json!({
                "accepted": totals.accepted, "duplicates": totals.duplicates, "rejected": totals.rejected, "reasons": reasons,
            });
            println!("{}", serde_json::to_string_pretty(&summary)?);
            return Ok(());
        }
        println!("{} accepted, {} duplicates, {} rejected", totals.accepted, totals.duplicates, totals.rejected);
        for (code, (n, examples)) in &totals.reasons {
            println!("  {code}: {n}");
            for example in examples {
                println!("    {example}");
            }
        }
        Ok(())
    }
}

impl Totals {
    fn add(&mut self, answer: &Answer, file: &Path, batch_start: u64) {
        let number = |name: &str| answer.body.get(name).and_then(Value::as_u64).unwrap_or(0);
        self.accepted += number("accepted");
        self.duplicates += number("duplicates");
        let rejected = answer.body.get("rejected").and_then(Value::as_array).cloned().unwrap_or_default();
        self.rejected += rejected.len() as u64 + number("rejected_more");
        for reject in &rejected {
            let text = |name: &str| reject.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let line = reject.get("line").and_then(Value::as_u64).unwrap_or(1) + batch_start - 1;
            let (n, examples) = self.reasons.entry(text("code")).or_default();
            *n += 1;
            if examples.len() < REJECTS_SHOWN {
                examples.push(format!("{}:{line}: {}", file.display(), text("reason")));
            }
        }
    }
}

/// The file, or standard input, with a progress bar over its bytes.
fn open(file: &Path) -> Result<(Box<dyn Read + Send>, ProgressBar), Failure> {
    if file == Path::new("-") {
        return Ok((Box::new(std::io::stdin()), ProgressBar::new_spinner()));
    }
    let opened =
        File::open(file).with_context(|| format!("{} cannot be opened", file.display())).map_err(Failure::Use)?;
    let size = opened.metadata().map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {msg}") {
        bar.set_style(style);
    }
    let reader = bar.wrap_read(opened);
    Ok((Box::new(reader), bar))
}
