//! Bounds the bytes all ingest bodies hold together.

use std::sync::Arc;

use riskgraph_domain::error::{Fault, FaultCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory is counted in steps of this many bytes, so that a body asks seldom.
const STEP: usize = 64 * 1024;

/// The memory all bodies share.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Semaphore>);

impl Memory {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes_max / STEP).clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// Nothing yet; grows with its body and is given back when dropped.
    pub(crate) fn hold(&self) -> Held {
        Held { memory: self.clone(), permit: None, steps: 0 }
    }
}

/// What one body holds.
pub(crate) struct Held {
    memory: Memory,
    permit: Option<OwnedSemaphorePermit>,
    steps: usize,
}

impl Held {
    /// Makes sure `bytes` are held; never waits, since two bodies waiting for each other would wait for ever.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), Fault> {
        let steps = bytes.div_ceil(STEP);
        let missing = steps.saturating_sub(self.steps);
        if missing == 0 {
            return Ok(());
        }
        let busy = || Fault {
            retry_after_s: Some(1),
            ..Fault::new(FaultCode::Overloaded, "too many bodies are being read; send this one again in a moment")
        };
        let count = u32::try_from(missing).map_err(|_| busy())?;
        let more = Arc::clone(&self.memory.0).try_acquire_many_owned(count).map_err(|_| busy())?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        self.steps = steps;
        Ok(())
    }
}
