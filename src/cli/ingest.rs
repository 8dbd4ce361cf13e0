//! `riskgraph ingest`: ships files to a running service, with progress and resume.
//!
//! Resume needs no bookkeeping on the client: ids are derived from content (for log lines also from the file and the line's
//! number), so sending a file again only yields duplicates. `--from-line` skips what is known to be there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use riskgraph_connectors::decompress;
use riskgraph_connectors::formats::Format as LogFormat;
use riskgraph_domain::Reject;
use serde_json::Value;

use super::client::{Answer, Server, ServerArgs};
use super::log_lines::LogLines;
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
        let format = LogFormat::parse(&self.format).ok_or_else(|| {
            Failure::Use(anyhow!("format '{}' is unknown; use native, nginx, apache or auto", self.format))
        })?;
        let server = self.server.connect()?;
        let mut totals = Totals::default();
        for file in &self.files {
            self.ship(&server, format, file, &mut totals).await?;
        }
        self.print(&totals)?;
        Ok(if totals.accepted + totals.duplicates == 0 && totals.rejected > 0 { EXIT_FAILED } else { EXIT_DONE })
    }

    async fn ship(&self, server: &Server, format: LogFormat, file: &Path, totals: &mut Totals) -> Result<(), Failure> {
        let (reader, bar) = open(file)?;
        let mut reader = decompress::unpack(reader).with_context(|| format!("{} cannot be read", file.display()))?;
        let beginning = reader.fill_buf().with_context(|| format!("{} cannot be read", file.display()))?;
        let log_lines = LogLines::of(format, beginning);
        let mut next_line = 1_u64;
        while let Some(batch) = next_batch(&mut reader, &mut next_line, self.from_line)? {
            let first = batch.first_line;
            let (body, lines) = match &log_lines {
                Some(log_lines) => {
                    let converted = log_lines.convert(&batch.lines, first);
                    totals.reject(&converted.rejected, file);
                    (converted.body, Lines::Of(converted.lines))
                }
                None => (batch.lines, Lines::From(first)),
            };
            if !body.is_empty() {
                let answer = self.send(server, body).await.map_err(|error| {
                    error.context(format!("{} from line {first}; resume with --from-line {first}", file.display()))
                })?;
                totals.add(&answer, file, &lines);
            }
            bar.set_message(format!("{} lines, {} rejected", next_line - 1, totals.rejected));
        }
        bar.finish();
        Ok(())
    }

    /// Sends one batch; waits and tries again while the service is busy or away.
    async fn send(&self, server: &Server, batch: Vec<u8>) -> anyhow::Result<Answer> {
        let packed = zstd::encode_all(batch.as_slice(), 1)?;
        let path = "/v1/events/native";
        let mut last = anyhow!("not tried");
        for attempt in 0..TRIES_MAX {
            match server.post(path, Some("zstd"), packed.clone()).await {
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
    fn add(&mut self, answer: &Answer, file: &Path, lines: &Lines) {
        let number = |name: &str| answer.body.get(name).and_then(Value::as_u64).unwrap_or(0);
        self.accepted += number("accepted");
        self.duplicates += number("duplicates");
        self.rejected += number("rejected_more");
        let rejected = answer.body.get("rejected").cloned().unwrap_or_default();
        let mut rejected: Vec<Reject> = serde_json::from_value(rejected).unwrap_or_default();
        for reject in &mut rejected {
            reject.line = lines.of_file(reject.line);
        }
        self.reject(&rejected, file);
    }

    fn reject(&mut self, rejected: &[Reject], file: &Path) {
        self.rejected += rejected.len() as u64;
        for reject in rejected {
            let (n, examples) = self.reasons.entry(reject.code.clone()).or_default();
            *n += 1;
            if examples.len() < REJECTS_SHOWN {
                examples.push(format!("{}:{}: {}", file.display(), reject.line, reject.reason));
            }
        }
    }
}

/// Which line of the file a line of a request is.
enum Lines {
    /// They follow each other from this one.
    From(u64),
    Of(Vec<u64>),
}

impl Lines {
    fn of_file(&self, line: u64) -> u64 {
        match self {
            Self::From(first) => first + line.max(1) - 1,
            Self::Of(lines) => lines.get(line.max(1) as usize - 1).copied().unwrap_or(line),
        }
    }
}

/// Consecutive lines of a file.
struct Batch {
    lines: Vec<u8>,
    first_line: u64,
}

/// The next lines from `from_line` on, at most a request's worth; `None` at the end of the file.
fn next_batch(reader: &mut dyn BufRead, next_line: &mut u64, from_line: u64) -> Result<Option<Batch>, Failure> {
    let mut batch = Batch { lines: Vec::new(), first_line: from_line.max(*next_line) };
    let mut n_lines = 0;
    while n_lines < BATCH_LINES && batch.lines.len() < BATCH_BYTES {
        let before = batch.lines.len();
        let mut bounded = (&mut *reader).take(LINE_BYTES_MAX);
        if bounded.read_until(b'\n', &mut batch.lines).context("the file cannot be read further")? == 0 {
            break;
        }
        *next_line += 1;
        if *next_line <= from_line {
            batch.lines.truncate(before);
            continue;
        }
        if batch.lines.last() != Some(&b'\n') {
            batch.lines.push(b'\n');
        }
        n_lines += 1;
    }
    Ok((n_lines > 0).then_some(batch))
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
