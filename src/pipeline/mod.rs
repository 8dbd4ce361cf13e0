//! The pipeline: takes journal records in their order, judges them, and has the outcome stored and published.
//!
//! One thread judges (`judge`), one task applies and publishes (`apply`). Between them is a queue of one: while a delta
//! commits, the next is judged, and when the store is slow the delta grows instead of the queue. Only this file knows
//! both; judging itself is in `riskgraph_analysis`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use riskgraph_analysis::detect::Detectors;
use riskgraph_analysis::stage::Stage;
use riskgraph_domain::error::Fault;
use riskgraph_domain::journal::{Position, Record, StoredBatch};
use riskgraph_domain::ports::Journal;
use riskgraph_domain::time::Clock;
use riskgraph_domain::{Timestamp, error::FaultCode};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub mod apply;
pub mod judge;
pub mod retention;

use apply::Outcome;
use judge::Judge;

/// Stretches that may wait between door and judge; their events are bounded by `pipeline.lag_max`.
const FEED_STRETCHES_MAX: usize = 4_096;
/// A delta of this many events is handed on even if the store is still busy with the one before: the judge then waits.
const DELTA_EVENTS_MAX: u64 = 20_000;
/// Records read from the journal at once when catching up.
const CATCH_UP_RECORDS: usize = 5_000;
/// How long a hole in the order may last before it is filled from the journal: a door task was cut off between making a batch
/// durable and handing it on.
const HOLE_PATIENCE: Duration = Duration::from_millis(200);
/// Results of commands whose sender was not known when they were judged.
const ORPHAN_RESULTS_MAX: usize = 64;

/// Consecutive journal records, with whoever waits for their result.
pub struct Stretch {
    pub first: Position,
    pub accepted_at: Timestamp,
    pub records: Vec<Record>,
    /// For the result of a single command.
    pub reply: Option<oneshot::Sender<Result<(), Fault>>>,
}

/// The door's end of the pipeline.
#[derive(Clone)]
pub struct Feed(mpsc::Sender<Stretch>);

impl Feed {
    /// Hands on a stretch that is durable. When the pipeline is gone the journal still has it.
    pub async fn send(&self, stretch: Stretch) {
        let _ = self.0.send(stretch).await;
    }
}

/// What the pipeline is made of.
pub struct PipelineParts {
    pub journal: Arc<dyn Journal>,
    pub detectors: Arc<RwLock<Detectors>>,
    pub stage: Arc<RwLock<Stage>>,
    pub clock: Arc<dyn Clock>,
    /// Detector state is as of this position.
    pub checkpoint: Position,
    /// The stage is as of this position.
    pub applied: Position,
    pub checkpoint_every: Duration,
    /// What checkpoints begin with: [`judge::checkpoint_key`].
    pub checkpoint_key: [u8; 16],
    pub stop: CancellationToken,
}

/// A feed into a pipeline that is yet to be started with [`run`].
#[must_use]
pub fn feed() -> (Feed, mpsc::Receiver<Stretch>) {
    let (sender, receiver) = mpsc::channel(FEED_STRETCHES_MAX);
    (Feed(sender), receiver)
}

/// Judges until stopped. Blocks: give it a thread of its own.
///
/// # Errors
/// When the journal cannot be read.
pub fn run(
    parts: PipelineParts,
    feed: mpsc::Receiver<Stretch>,
    outcomes: mpsc::Sender<Outcome>,
    runtime: &tokio::runtime::Handle,
) -> Result<(), Fault> {
    let judge = Judge::new(
        Arc::clone(&parts.detectors),
        Arc::clone(&parts.stage),
        Arc::clone(&parts.clock),
        parts.applied,
        parts.checkpoint_key,
    );
    let mut line = Line {
        next: parts.checkpoint.0 + 1,
        applied: parts.applied.0,
        waiting: BTreeMap::new(),
        orphan_results: VecDeque::new(),
        open: Outcome::default(),
        last_checkpoint: std::time::Instant::now(),
        journal: parts.journal,
        checkpoint_every: parts.checkpoint_every,
        feed,
        outcomes,
        judge,
        stop: parts.stop,
    };
    runtime.block_on(line.catch_up())?;
    runtime.block_on(line.follow())
}

/// What a wait ended with.
enum Next {
    Stretch(Stretch),
    Stop,
    Pause,
    Nothing,
}

/// The judge's side of the pipeline: what is next, and what is not handed on yet.
struct Line {
    /// Position of the next record to judge.
    next: u64,
    /// Position that the store's rows were at when the service started.
    applied: u64,
    /// Stretches that came before their turn, by first position.
    waiting: BTreeMap<u64, Stretch>,
    orphan_results: VecDeque<(u64, Result<(), Fault>)>,
    /// The outcome being filled.
    open: Outcome,
    last_checkpoint: std::time::Instant,
    checkpoint_every: Duration,
    journal: Arc<dyn Journal>,
    feed: mpsc::Receiver<Stretch>,
    outcomes: mpsc::Sender<Outcome>,
    judge: Judge,
    stop: CancellationToken,
}

impl Line {
    /// Judges what the journal holds beyond `next`.
    async fn catch_up(&mut self) -> Result<(), Fault> {
        let end = self.journal.end().await?;
        if self.next <= end.0 {
            tracing::info!(
                from = self.next,
                until = end.0,
                "judging what the journal holds beyond the last checkpoint"
            );
        }
        while self.next <= end.0 && !self.stop.is_cancelled() {
            if !self.judge_from_journal().await? {
                break;
            }
        }
        self.hand_on_now().await
    }

    async fn judge_from_journal(&mut self) -> Result<bool, Fault> {
        let batches = self.journal.read_after(Position(self.next - 1), CATCH_UP_RECORDS).await?;
        if batches.is_empty() {
            return Ok(false);
        }
        for stored in batches {
            let stretch = read_batch(&stored)?;
            if stretch.first.0 != self.next {
                // The journal forgot what lies between: nothing can be judged there any more.
                tracing::warn!(from = self.next, until = stretch.first.0, "the journal no longer holds these records");
                self.next = stretch.first.0;
            }
            self.judge_stretch(stretch);
            self.hand_on(DELTA_EVENTS_MAX).await?;
        }
        Ok(true)
    }

    /// Judges what the door hands on, in order, until stopped.
    async fn follow(&mut self) -> Result<(), Fault> {
        loop {
            self.take_waiting();
            while let Some(stretch) = self.waiting.remove(&self.next) {
                self.judge_stretch(stretch);
                self.hand_on(DELTA_EVENTS_MAX).await?;
                self.take_waiting();
            }
            self.checkpoint_when_due().await?;
            if self.stop.is_cancelled() {
                return self.finish().await;
            }
            self.wait().await?;
        }
    }

    /// Waits for the first of: more input, place for the open outcome, a hole that lasts, the next checkpoint, the stop.
    async fn wait(&mut self) -> Result<(), Fault> {
        let has_hole = !self.waiting.is_empty();
        let pause = if has_hole { HOLE_PATIENCE } else { self.checkpoint_every };
        let has_open = !self.open.is_empty();
        let next = tokio::select! {
            biased;
            permit = self.outcomes.reserve(), if has_open => match permit {
                Ok(permit) => {
                    permit.send(self.judge.complete(&mut self.open));
                    Next::Nothing
                }
                Err(_) => return Err(stopping()),
            },
            stretch = self.feed.recv() => stretch.map_or(Next::Stop, Next::Stretch),
            () = self.stop.cancelled() => Next::Stop,
            () = tokio::time::sleep(pause) => Next::Pause,
        };
        match next {
            Next::Stretch(stretch) => self.arrive(stretch),
            Next::Stop => self.stop.cancel(),
            Next::Pause if self.waiting.first_key_value().is_some_and(|(&first, _)| first > self.next) => {
                self.judge_from_journal().await?;
            }
            Next::Pause | Next::Nothing => {}
        }
        Ok(())
    }

    fn take_waiting(&mut self) {
        while let Ok(stretch) = self.feed.try_recv() {
            self.arrive(stretch);
        }
    }

    fn arrive(&mut self, mut stretch: Stretch) {
        if stretch.first.0 >= self.next {
            self.waiting.insert(stretch.first.0, stretch);
        } else if let Some(reply) = stretch.reply.take() {
            // It was judged out of the journal already; its result was kept.
            let kept = self.orphan_results.iter().position(|(position, _)| *position == stretch.first.0);
            if let Some((_, result)) = kept.and_then(|place| self.orphan_results.remove(place)) {
                self.open.replies.push((reply, result));
            }
        }
    }

    fn judge_stretch(&mut self, stretch: Stretch) {
        let n_records = stretch.records.len() as u64;
        let first = stretch.first.0;
        let judged = self.judge.judge(first, stretch.accepted_at, stretch.records, &mut self.open.delta);
        self.next = first + n_records;
        // Up to `applied` the rows are there already: these records only moved the detectors.
        if self.next > self.applied + 1 {
            self.open.delta.position = Position(self.next - 1);
            self.open.n_events += judged.n_events;
            self.open.judged_until = self.next - 1;
        }
        match (judged.command_result, stretch.reply) {
            (Some(result), Some(reply)) => self.open.replies.push((reply, result)),
            (Some(result), None) => {
                if self.orphan_results.len() >= ORPHAN_RESULTS_MAX {
                    self.orphan_results.pop_front();
                }
                self.orphan_results.push_back((first, result));
            }
            (None, _) => {}
        }
    }

    /// Hands the open outcome on when the applier is free, or waits for it once the outcome has `events_max` events.
    async fn hand_on(&mut self, events_max: u64) -> Result<(), Fault> {
        if self.open.is_empty() {
            return Ok(());
        }
        if self.open.n_events >= events_max {
            return self.hand_on_now().await;
        }
        match self.outcomes.try_reserve() {
            Ok(permit) => permit.send(self.judge.complete(&mut self.open)),
            Err(mpsc::error::TrySendError::Full(())) => {}
            Err(mpsc::error::TrySendError::Closed(())) => return Err(stopping()),
        }
        Ok(())
    }

    async fn hand_on_now(&mut self) -> Result<(), Fault> {
        if self.open.is_empty() {
            return Ok(());
        }
        let outcome = self.judge.complete(&mut self.open);
        self.outcomes.send(outcome).await.map_err(|_| stopping())
    }

    async fn checkpoint_when_due(&mut self) -> Result<(), Fault> {
        if self.last_checkpoint.elapsed() < self.checkpoint_every {
            return Ok(());
        }
        self.checkpoint().await
    }

    async fn checkpoint(&mut self) -> Result<(), Fault> {
        self.last_checkpoint = std::time::Instant::now();
        if let Some(state) = self.judge.checkpoint(self.next - 1)? {
            self.open.checkpoint = Some((Position(self.next - 1), state));
            self.hand_on_now().await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), Fault> {
        self.hand_on_now().await?;
        self.checkpoint().await
    }
}

fn stopping() -> Fault {
    Fault::new(FaultCode::Stopping, "the service is stopping")
}

/// Reads a journal batch back into records.
fn read_batch(stored: &StoredBatch) -> Result<Stretch, Fault> {
    let lines = stored.batch.lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let records: Result<Vec<Record>, _> = lines.map(Record::read_line).collect();
    let records = records.map_err(|error| {
        Fault::new(FaultCode::Internal, format!("journal record near {} cannot be read: {error}", stored.first))
    })?;
    Ok(Stretch { first: stored.first, accepted_at: stored.batch.accepted_at, records, reply: None })
}

impl Outcome {
    fn is_empty(&self) -> bool {
        self.judged_until == 0 && self.replies.is_empty() && self.checkpoint.is_none()
    }
}
