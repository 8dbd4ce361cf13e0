//! The journal: everything that can change a judgement, in the order in which it was made durable.

use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::event::Event;
use crate::time::Timestamp;

/// Place of a record in the journal, from 1, without gaps. 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One journal record: a line of JSON in the journal, an event or a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    Event(Box<Event>),
    Command(Box<Command>),
}

/// How a command's line begins; an event's line never does.
const COMMAND_PREFIX: &[u8] = b"{\"$command\":";

impl Record {
    /// Appends the record's line, with its line end, to `lines`.
    pub fn write_line(&self, lines: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        match self {
            Self::Event(event) => serde_json::to_writer(&mut *lines, event)?,
            Self::Command(command) => {
                lines.extend_from_slice(COMMAND_PREFIX);
                serde_json::to_writer(&mut *lines, command)?;
                lines.push(b'}');
            }
        }
        lines.push(b'\n');
        Ok(())
    }

    /// Reads one line that [`Self::write_line`] wrote, without its line end.
    pub fn read_line(line: &[u8]) -> Result<Self, serde_json::Error> {
        match line.strip_prefix(COMMAND_PREFIX).and_then(|rest| rest.strip_suffix(b"}")) {
            Some(command) => serde_json::from_slice(command).map(|command| Self::Command(Box::new(command))),
            None => serde_json::from_slice(line).map(|event| Self::Event(Box::new(event))),
        }
    }
}

/// Records that become durable together, as one row of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Wall time at which the batch was taken in.
    pub accepted_at: Timestamp,
    /// Number of records, at least 1.
    pub n_records: u32,
    /// The records as JSON lines, masked.
    pub lines: Vec<u8>,
    /// Identity of each record (the first 8 bytes of BLAKE3 over its id), so that duplicates are known after a restart.
    pub identities: Vec<u64>,
}

/// A batch and where it lies: `first` ..= `first + n_records - 1`.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBatch {
    pub first: Position,
    pub batch: Batch,
}
