//! Judging: every record through the detectors, the graph and the correlation, under the locks that readers share.

use std::sync::Arc;

use parking_lot::RwLock;
use riskgraph_analysis::detect::{Context, DetectConfig, Detectors};
use riskgraph_analysis::stage::Stage;
use riskgraph_domain::Timestamp;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::hash128;
use riskgraph_domain::journal::{Position, Record};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::signal::Signal;
use riskgraph_domain::time::Clock;

use super::apply::Outcome;

/// Records judged while the locks are held: about a millisecond, so that readers wait no longer.
const TURN_RECORDS: usize = 256;
/// Version of the layout of the detectors' state; to be raised with every change of it.
const STATE_VERSION: &str = "1";

/// What a checkpoint begins with. The state holds its quantities, so one made with others must not be used: the journal is
/// judged anew instead.
#[must_use]
pub fn checkpoint_key(config: &DetectConfig) -> [u8; 16] {
    let quantities = serde_json::to_string(config).unwrap_or_default();
    hash128(&[STATE_VERSION, env!("CARGO_PKG_VERSION"), &quantities]).to_be_bytes()
}

/// Holds the two layers of state and judges records with them.
pub struct Judge {
    detectors: Arc<RwLock<Detectors>>,
    stage: Arc<RwLock<Stage>>,
    clock: Arc<dyn Clock>,
    /// Up to here the stage was loaded from rows: only the detectors still need these records.
    stage_is_at: u64,
    checkpointed: u64,
    checkpoint_key: [u8; 16],
    signals: Vec<Signal>,
}

/// What judging some records came to, besides the delta.
#[derive(Debug, Default)]
pub struct Judged {
    pub n_events: u64,
    /// Result of the last command among the records.
    pub command_result: Option<Result<(), Fault>>,
}

impl Judge {
    #[must_use]
    pub fn new(
        detectors: Arc<RwLock<Detectors>>,
        stage: Arc<RwLock<Stage>>,
        clock: Arc<dyn Clock>,
        applied: Position,
        checkpoint_key: [u8; 16],
    ) -> Self {
        Self { detectors, stage, clock, stage_is_at: applied.0, checkpointed: 0, checkpoint_key, signals: Vec::new() }
    }

    /// Judges consecutive records, the first at position `first`.
    pub fn judge(&mut self, first: u64, accepted_at: Timestamp, records: Vec<Record>, delta: &mut Delta) -> Judged {
        let mut judged = Judged::default();
        let mut records = records.into_iter().zip(first..).peekable();
        while records.peek().is_some() {
            let now = self.clock.now();
            let mut detectors = self.detectors.write();
            let mut stage = self.stage.write();
            for (record, position) in records.by_ref().take(TURN_RECORDS) {
                let context = Context { position: Position(position), accepted_at, now };
                let stage_needs_it = position > self.stage_is_at;
                match record {
                    Record::Event(event) => {
                        judged.n_events += 1;
                        detectors.observe(&event, &context, &mut self.signals);
                        if stage_needs_it {
                            stage.on_event(&event, std::mem::take(&mut self.signals), &context, delta);
                        } else {
                            self.signals.clear();
                        }
                    }
                    Record::Command(command) => {
                        if stage_needs_it {
                            judged.command_result = Some(stage.on_command(&command, &context, delta));
                        }
                    }
                }
            }
        }
        judged
    }

    /// Takes the outcome to hand it on, and completes it: rows that changed several times are in it once.
    pub fn complete(&self, open: &mut Outcome) -> Outcome {
        let mut outcome = std::mem::take(open);
        if outcome.judged_until > 0 {
            let mut stage = self.stage.write();
            stage.flush(&mut outcome.delta);
            outcome.risk_changed = stage.risk_changed(&outcome.delta);
        }
        outcome
    }

    /// The detectors' state as bytes; `None` when it has not moved since the last time.
    ///
    /// # Errors
    /// When the state cannot be written, which only a fault in its types could cause.
    pub fn checkpoint(&mut self, judged_until: u64) -> Result<Option<Vec<u8>>, Fault> {
        if judged_until == self.checkpointed || judged_until < self.stage_is_at {
            return Ok(None);
        }
        self.checkpointed = judged_until;
        let detectors = self.detectors.read();
        let state = postcard::to_extend(&*detectors, self.checkpoint_key.to_vec()).map_err(|error| {
            Fault::new(FaultCode::Internal, format!("the detectors' state cannot be written: {error}"))
        })?;
        Ok(Some(state))
    }
}

/// Reads what [`Judge::checkpoint`] wrote; `None` when it was made with other quantities, by another version, or is damaged.
#[must_use]
pub fn read_checkpoint(state: &[u8], config: &DetectConfig) -> Option<Detectors> {
    let body = state.strip_prefix(&checkpoint_key(config))?;
    postcard::from_bytes(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_of_other_quantities_is_not_used() {
        let config = DetectConfig::shipped().expect("shipped");
        let mut state = checkpoint_key(&config).to_vec();
        state.extend(postcard::to_stdvec(&Detectors::new(&config)).expect("writes"));
        assert!(read_checkpoint(&state, &config).is_some());
        let text = serde_json::to_string(&config).expect("writes");
        let number = text.find(":0.").expect("a quantity") + 3;
        let digit = if &text[number..=number] == "9" { "8" } else { "9" };
        let other = format!("{}{digit}{}", &text[..number], &text[number + 1..]);
        let other: DetectConfig = serde_json::from_str(&other).expect("reads");
        assert_ne!(other, config);
        assert!(read_checkpoint(&state, &other).is_none());
    }
}
