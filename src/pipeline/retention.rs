//! Forgets judged input that is older than the operator keeps it.

use riskgraph_domain::Timestamp;
use riskgraph_domain::error::Fault;
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::Journal;

/// Forgets whole batches accepted before `cutoff`, at most up to `until` (what the last checkpoint covers); gives the number of
/// records forgotten. Batches lie in the order in which they were accepted, so the border is found by halving.
///
/// # Errors
/// When the journal cannot be read or written.
pub async fn forget_before(journal: &dyn Journal, cutoff: Timestamp, until: Position) -> Result<u64, Fault> {
    let (mut old, mut kept) = (0, until.0);
    while old < kept {
        let middle = old + (kept - old) / 2;
        let after = journal.read_after(Position(middle), 1).await?;
        match after.first() {
            Some(stored) if stored.batch.accepted_at < cutoff => {
                let last = stored.first.0 + u64::from(stored.batch.n_records) - 1;
                old = last.min(until.0);
            }
            _ => kept = middle,
        }
    }
    if old == 0 { Ok(0) } else { journal.forget_until(Position(old)).await }
}

#[cfg(test)]
mod tests {
    use super::*;
    use riskgraph_domain::journal::Batch;

    #[tokio::test]
    async fn forgets_what_is_old_and_covered_by_a_checkpoint() {
        let dir = tempfile::tempdir().expect("dir");
        let mut config = crate::config::Config::load(None).expect("defaults");
        config.store.data_dir = dir.path().to_owned();
        let store = riskgraph_store::Store::open(crate::app::store_options(&config)).await.expect("store");
        let journal = store.journal();
        for hour in 0..20 {
            let batch = Batch {
                accepted_at: Timestamp(hour),
                n_records: 3,
                lines: b"{}\n{}\n{}\n".to_vec(),
                identities: vec![0; 3],
            };
            journal.append(batch).await.expect("append");
        }
        let first = async || journal.read_after(Position(0), 1).await.expect("read")[0].first.0;
        // Nothing is old enough.
        assert_eq!(forget_before(journal.as_ref(), Timestamp(0), Position(60)).await.expect("forget"), 0);
        assert_eq!(first().await, 1);
        // Ten batches are old, but the checkpoint covers only four.
        assert_eq!(forget_before(journal.as_ref(), Timestamp(10), Position(12)).await.expect("forget"), 12);
        assert_eq!(first().await, 13);
        assert_eq!(forget_before(journal.as_ref(), Timestamp(10), Position(60)).await.expect("forget"), 18);
        assert_eq!(first().await, 31);
        assert_eq!(journal.end().await.expect("end"), Position(60));
    }
}
