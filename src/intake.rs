//! Takes input and makes it durable: decode, mask, drop duplicates, append to the journal, hand on to the pipeline.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use parking_lot::Mutex;
use riskgraph_analysis::{mask, normalise};
use riskgraph_connectors::formats::Format;
use riskgraph_domain::command::Command;
use riskgraph_domain::error::{Fault, FaultCode, Reject};
use riskgraph_domain::event::Event;
use riskgraph_domain::journal::{Batch, Position, Record};
use riskgraph_domain::ports::{Intake, Journal, RawBatch, Receipt};
use riskgraph_domain::time::Clock;
use riskgraph_domain::{Text, Timestamp};
use tokio::sync::{Notify, oneshot};

use crate::counters::Counters;
use crate::pipeline::{Feed, Stretch};
use crate::seen::{Seen, identity};

/// Rejects listed in an answer; more are only counted.
const REJECTS_MAX: usize = 1_000;
/// Records in one journal batch: keeps a row below a megabyte, and the pipeline's turns short.
const BATCH_RECORDS_MAX: usize = 2_000;
/// What a sender waits when the pipeline is behind, seconds.
const RETRY_AFTER_S: u32 = 1;

/// The way in.
#[derive(Clone)]
pub struct Door {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    feed: Feed,
    counters: Arc<Counters>,
    seen: Arc<Mutex<Seen>>,
    settled: Arc<Notify>,
    lag_max: u64,
}

/// What a [`Door`] is made of.
pub struct DoorParts {
    pub journal: Arc<dyn Journal>,
    pub clock: Arc<dyn Clock>,
    pub feed: Feed,
    pub counters: Arc<Counters>,
    pub seen: Seen,
    pub lag_max: u64,
}

/// A decoded body.
#[derive(Default)]
struct Decoded {
    events: Vec<Event>,
    identities: Vec<u64>,
    rejected: Vec<Reject>,
    rejected_more: u64,
}

impl Decoded {
    fn reject(&mut self, line: u64, fault: (FaultCode, String)) {
        if self.rejected.len() < REJECTS_MAX {
            self.rejected.push(normalise::reject(line, fault));
        } else {
            self.rejected_more += 1;
        }
    }

    fn n_rejected(&self) -> u64 {
        self.rejected.len() as u64 + self.rejected_more
    }
}

impl Door {
    #[must_use]
    pub fn new(parts: DoorParts) -> Self {
        Self {
            journal: parts.journal,
            clock: parts.clock,
            feed: parts.feed,
            counters: parts.counters,
            seen: Arc::new(Mutex::new(parts.seen)),
            settled: Arc::new(Notify::new()),
            lag_max: parts.lag_max,
        }
    }

    /// Journals a change; the receiver gets its result once it is judged.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn command(&self, command: Command) -> Result<(Position, oneshot::Receiver<Result<(), Fault>>), Fault> {
        let record = Record::Command(Box::new(command));
        let accepted_at = self.clock.now();
        let mut lines = Vec::new();
        record
            .write_line(&mut lines)
            .map_err(|error| Fault::new(FaultCode::Internal, format!("the change cannot be written: {error}")))?;
        let batch = Batch { accepted_at, n_records: 1, lines, identities: vec![0] };
        let position = self.journal.append(batch).await?;
        self.counters.appended(1);
        let (reply, result) = oneshot::channel();
        self.feed.send(Stretch { first: position, accepted_at, records: vec![record], reply: Some(reply) }).await;
        Ok((position, result))
    }

    /// Makes events durable and hands them on; says how many were new and where the last lies.
    async fn keep(&self, events: Vec<Event>, identities: Vec<u64>) -> Result<(u64, Option<Position>), Fault> {
        let (ticket, fresh, fresh_identities) = self.drop_duplicates(events, identities);
        // From here on the work must end whether or not the sender still waits, or the journal and the pipeline would part.
        let door = self.clone();
        let kept = tokio::spawn(async move { door.append_all(ticket, fresh, fresh_identities).await });
        kept.await
            .unwrap_or_else(|_| Err(Fault::new(FaultCode::Internal, "the batch could not be kept; send it again")))
    }

    fn drop_duplicates(&self, events: Vec<Event>, identities: Vec<u64>) -> (u64, Vec<Event>, Vec<u64>) {
        let mut seen = self.seen.lock();
        let mut fresh = Vec::with_capacity(events.len());
        let mut fresh_identities = Vec::with_capacity(events.len());
        for (event, identity) in events.into_iter().zip(identities) {
            if seen.insert(identity) {
                fresh.push(event);
                fresh_identities.push(identity);
            }
        }
        (seen.begin(), fresh, fresh_identities)
    }

    async fn append_all(
        &self,
        ticket: u64,
        fresh: Vec<Event>,
        identities: Vec<u64>,
    ) -> Result<(u64, Option<Position>), Fault> {
        let n_fresh = fresh.len() as u64;
        let mut last = None;
        let mut events = fresh.into_iter();
        let mut failure = None;
        for (number, chunk) in identities.chunks(BATCH_RECORDS_MAX).enumerate() {
            let records: Vec<Record> =
                events.by_ref().take(chunk.len()).map(|event| Record::Event(Box::new(event))).collect();
            match self.append_one(records, chunk.to_vec()).await {
                Ok(position) => last = Some(position),
                Err(fault) => {
                    self.seen.lock().forget(&identities[number * BATCH_RECORDS_MAX..]);
                    failure = Some(fault);
                    break;
                }
            }
        }
        self.seen.lock().end(ticket);
        self.settled.notify_waiters();
        match failure {
            Some(fault) => Err(fault),
            None => {
                self.wait_until_settled(ticket).await;
                Ok((n_fresh, last))
            }
        }
    }

    async fn append_one(&self, records: Vec<Record>, identities: Vec<u64>) -> Result<Position, Fault> {
        let accepted_at = self.clock.now();
        let n_records = records.len() as u32;
        let (records, lines) = write_lines(records).await?;
        let last = self.journal.append(Batch { accepted_at, n_records, lines, identities }).await?;
        self.counters.appended(u64::from(n_records));
        let first = Position(last.0 + 1 - u64::from(n_records));
        self.feed.send(Stretch { first, accepted_at, records, reply: None }).await;
        Ok(last)
    }

    /// Waits until every batch that was begun before is durable, so that a duplicate of one of them may be acknowledged.
    async fn wait_until_settled(&self, ticket: u64) {
        loop {
            let notified = self.settled.notified();
            if self.seen.lock().settled_before(ticket) {
                return;
            }
            notified.await;
        }
    }
}

/// Writes journal lines off the runtime's threads when there are many.
async fn write_lines(records: Vec<Record>) -> Result<(Vec<Record>, Vec<u8>), Fault> {
    let write = move || {
        let mut lines = Vec::with_capacity(records.len() * 400);
        for record in &records {
            record.write_line(&mut lines)?;
        }
        Ok::<_, serde_json::Error>((records, lines))
    };
    let written = tokio::task::spawn_blocking(write).await;
    written
        .map_err(|_| Fault::new(FaultCode::Stopping, "the service is stopping; send the batch again"))?
        .map_err(|error| Fault::new(FaultCode::Internal, format!("the batch cannot be written: {error}")))
}

#[async_trait]
impl Intake for Door {
    async fn accept(&self, batch: RawBatch) -> Result<Receipt, Fault> {
        if self.counters.lag() > self.lag_max {
            self.counters.refused.inc();
            let message = format!("{} events wait to be judged; send again in {RETRY_AFTER_S} s", self.counters.lag());
            return Err(Fault { retry_after_s: Some(RETRY_AFTER_S), ..Fault::new(FaultCode::Overloaded, message) });
        }
        let now = self.clock.now();
        let counters = Arc::clone(&self.counters);
        let decoded = tokio::task::spawn_blocking(move || decode(&batch, now, &counters))
            .await
            .map_err(|_| Fault::new(FaultCode::Internal, "the batch could not be decoded"))??;
        let n_rejected = decoded.n_rejected();
        let n_events = decoded.events.len() as u64;
        let (accepted, position) = self.keep(decoded.events, decoded.identities).await?;
        self.counters.accepted.inc_by(accepted);
        self.counters.duplicates.inc_by(n_events - accepted);
        self.counters.rejected.inc_by(n_rejected);
        Ok(Receipt {
            accepted,
            duplicates: n_events - accepted,
            rejected: decoded.rejected,
            rejected_more: decoded.rejected_more,
            position,
        })
    }
}

/// Decodes a body of any format.
fn decode(batch: &RawBatch, now: Timestamp, counters: &Counters) -> Result<Decoded, Fault> {
    let format = format_of(batch)?;
    let mut decoded = Decoded::default();
    if format == Format::Native {
        decode_native(batch, now, &mut decoded)?
    } else {
        decode_log(batch, format, now, &mut decoded)
    }
    for event in &mut decoded.events {
        let masked = mask::mask_event(event);
        counters.masked.inc_by(u64::from(masked));
        if event.source.is_none() {
            event.source = Some(batch.sender.clone());
        }
        decoded.identities.push(identity(&event.id));
    }
    Ok(decoded)
}

/// The format the sender named, or the one most of the first lines have.
fn format_of(batch: &RawBatch) -> Result<Format, Fault> {
    let known = "use native, nginx, apache or auto";
    match Format::parse(&batch.format) {
        None => {
            let message = format!("format '{}' is unknown; {known}", mask::mask_text(&batch.format));
            Err(Fault::new(FaultCode::UnknownFormat, message))
        }
        Some(Format::Auto) if batch.body.trim_ascii_start().first() == Some(&b'[') => Ok(Format::Native),
        Some(Format::Auto) => Format::detect(batch.body.split(|&byte| byte == b'\n')).ok_or_else(|| {
            Fault::new(FaultCode::UnknownFormat, format!("no line looks like a known format; {known} by its name"))
        }),
        Some(format) => Ok(format),
    }
}

fn decode_native(batch: &RawBatch, now: Timestamp, decoded: &mut Decoded) -> Result<(), Fault> {
    let lines = normalise::lines_of(&batch.body).map_err(|error| {
        Fault::new(FaultCode::Syntax, format!("the body begins as a JSON array but is none: {error}"))
    })?;
    for (line, bytes) in lines {
        match normalise::decode_line(bytes, now) {
            Ok(event) => decoded.events.push(event),
            Err(fault) => decoded.reject(line, fault),
        }
    }
    Ok(())
}

/// Decodes log lines. Identical lines are facts of their own (two requests in one second), so the line's number within its
/// second's run of equal lines is part of its id; the same file sent twice still gives the same ids.
fn decode_log(batch: &RawBatch, format: Format, now: Timestamp, decoded: &mut Decoded) {
    let mut repeats: std::collections::HashMap<Text, u32> = std::collections::HashMap::new();
    let mut events = Vec::new();
    let Ok(lines) = normalise::lines_of(&batch.body) else { return };
    for (line, bytes) in lines {
        events.clear();
        if let Err(fault) = riskgraph_connectors::formats::decode_line(format, bytes, &mut events) {
            decoded.reject(line, fault);
            continue;
        }
        for mut event in events.drain(..) {
            if let Err(fault) = normalise::complete(&mut event, bytes, now) {
                decoded.reject(line, fault);
                continue;
            }
            let repeat = repeats.entry(event.id.clone()).or_insert(0);
            if *repeat > 0 {
                event.id = format!("{}.{repeat}", event.id).into();
            }
            *repeat += 1;
            decoded.events.push(event);
        }
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("lag", &self.counters.judged_until.load(Ordering::Relaxed)).finish_non_exhaustive()
    }
}
