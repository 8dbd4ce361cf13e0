//! Proves the audit log whole, or names the first entry that does not fit.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use riskgraph_domain::audit::chain::{Beginning, Broken, Verifier};
use riskgraph_domain::audit::{AuditLog, Verification, Verify};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::{Fault, FaultCode};

use super::heads::Heads;

/// Entries read at once.
const STRIDE: usize = 2_000;
/// Entries of one call of a running service: about a second.
const CALL_MAX: u64 = 100_000;

/// A verifier that starts where the log starts.
///
/// # Errors
/// When the log cannot be read.
pub async fn verifier(log: &dyn AuditLog, heads: &Heads, wanted: &[Sum]) -> Result<Verifier, Fault> {
    let oldest = log.links_after(0, 1).await?.into_iter().next();
    let behind = oldest.as_ref().map_or(0, |link| link.sequence.saturating_sub(1));
    let anchor = if behind == 0 { None } else { log.anchor_at(behind).await? };
    let mut verifier = Verifier::new(Beginning::Whole { anchor: anchor.map(|head| (head.sequence, head.hash)) });
    let noted = heads.all().map_err(|error| {
        Fault::new(FaultCode::Store, format!("the noted heads of the audit log cannot be read: {}", error.kind()))
    })?;
    // Heads before a cut are gone with it, as they should be.
    let kept: HashMap<u64, Sum> = noted.into_iter().map(|noted| (noted.sequence, noted.hash)).collect();
    kept.iter().filter(|(sequence, _)| **sequence > behind).for_each(|(_, &hash)| verifier.want(hash));
    wanted.iter().for_each(|&hash| verifier.want(hash));
    Ok(verifier)
}

/// Feeds the verifier from the log until its end or `max` entries; says whether the end was reached.
///
/// # Errors
/// The outer one when the log cannot be read, the inner one where it does not hold.
pub async fn walk(log: &dyn AuditLog, verifier: &mut Verifier, max: u64) -> Result<Result<bool, Broken>, Fault> {
    let mut n_left = max;
    let mut after = verifier.head().map_or(0, |head| head.sequence);
    loop {
        let links = log.links_after(after, STRIDE).await?;
        let Some(last) = links.last() else { return Ok(verifier.end().map(|()| true)) };
        after = last.sequence;
        for link in &links {
            if let Err(broken) = verifier.push(link) {
                return Ok(Err(broken));
            }
        }
        n_left = n_left.saturating_sub(links.len() as u64);
        if n_left == 0 {
            return Ok(Ok(false));
        }
    }
}

/// Verifies for the API, a bounded part a call.
pub struct Prover {
    log: Arc<dyn AuditLog>,
    heads: Heads,
    /// Where the last call stopped.
    walking: Mutex<Option<Verifier>>,
}

impl Prover {
    #[must_use]
    pub fn new(log: Arc<dyn AuditLog>, heads: Heads) -> Self {
        Self { log, heads, walking: Mutex::new(None) }
    }
}

#[async_trait]
impl Verify for Prover {
    async fn verify(&self) -> Result<Verification, Fault> {
        let walking = self.walking.lock().take();
        let mut verifier = match walking {
            Some(verifier) => verifier,
            None => verifier(self.log.as_ref(), &self.heads, &[]).await?,
        };
        let walked = walk(self.log.as_ref(), &mut verifier, CALL_MAX).await?;
        let (entries, head) = (verifier.entries(), verifier.head());
        let found = Verification { whole: false, entries, head, first_broken: None, reason: None };
        Ok(match walked {
            Ok(true) => Verification { whole: true, ..found },
            Ok(false) => {
                *self.walking.lock() = Some(verifier);
                let reason = format!("the first {entries} entries hold; ask again to go on");
                Verification { reason: Some(reason), ..found }
            }
            Err(broken) => Verification { first_broken: Some(broken.sequence), reason: Some(broken.reason), ..found },
        })
    }
}
