//! The state: what judging the journal has come to, as rows. It must not know how any of it was judged.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::alert::Alert;
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph::{Entity, Relation};
use riskgraph_domain::id::{EntityId, RelationId};
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::{Delta, StateStore};
use riskgraph_domain::posture::Finding;
use riskgraph_domain::triage::{Case, Silence};
use riskgraph_domain::vendor::{Integration, Vendor};

use crate::db::Db;
use crate::error::StoreError;

mod apply;
mod checkpoint;
pub(crate) mod convert;
mod history;
mod links;
pub(crate) mod load;
mod shape;
pub(crate) mod triage;
mod trim;

type Result<T> = std::result::Result<T, Fault>;

/// The state in an SQL database.
#[derive(Debug)]
pub(crate) struct SqlState {
    pub(crate) db: Arc<Db>,
}

impl SqlState {
    pub(crate) fn new(db: Db) -> Self {
        Self { db: Arc::new(db) }
    }

    pub(crate) async fn close(&self) -> std::result::Result<(), StoreError> {
        self.db.close().await
    }
}

#[async_trait]
impl StateStore for SqlState {
    /// All of the delta or nothing. A delta that ends exactly where the last one did is a repetition and changes
    /// nothing; one that ends before is refused with `FaultCode::Conflict`. Alert events must continue the sequence
    /// without a gap. Vendors of `removed_vendors` go first, with their postures and findings, so a vendor in both
    /// lists is there afterwards, without a past.
    async fn apply(&self, delta: Delta) -> Result<()> {
        Ok(apply::apply(&self.db, delta).await?)
    }

    async fn applied(&self) -> Result<Position> {
        Ok(Position(load::mark(self.db.reader(), load::APPLIED).await?))
    }

    async fn load_entities(&self, after: Option<EntityId>, max: usize) -> Result<Vec<Entity>> {
        Ok(load::entities(&self.db, after, max).await?)
    }

    async fn load_relations(&self, after: Option<RelationId>, max: usize) -> Result<Vec<Relation>> {
        Ok(load::relations(&self.db, after, max).await?)
    }

    async fn load_blob(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(load::blob(&self.db, name).await?)
    }

    async fn load_open_alerts(&self) -> Result<Vec<Alert>> {
        Ok(load::open_alerts(&self.db).await?)
    }

    async fn load_vendors(&self) -> Result<Vec<Vendor>> {
        Ok(load::vendors(&self.db).await?)
    }

    async fn load_integrations(&self) -> Result<Vec<Integration>> {
        Ok(load::integrations(&self.db).await?)
    }

    async fn load_findings(&self) -> Result<Vec<Finding>> {
        Ok(load::findings(&self.db).await?)
    }

    async fn load_silences(&self) -> Result<Vec<Silence>> {
        Ok(triage::silences(&self.db).await?)
    }

    async fn load_cases(&self) -> Result<Vec<Case>> {
        Ok(triage::cases(&self.db).await?)
    }

    async fn last_alert_sequence(&self) -> Result<u64> {
        Ok(load::mark(self.db.reader(), load::SEQUENCE).await?)
    }

    /// Once this returns, the checkpoint and everything applied before it survive a power loss.
    async fn save_checkpoint(&self, position: Position, state: Vec<u8>) -> Result<()> {
        Ok(checkpoint::save(&self.db, position, state).await?)
    }

    async fn load_checkpoint(&self) -> Result<Option<(Position, Vec<u8>)>> {
        Ok(checkpoint::newest(&self.db).await?)
    }
}
