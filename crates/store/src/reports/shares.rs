//! Links that open a report. It must not know secrets: only their hashes come here.

use riskgraph_domain::id::{ReportId, ReportShareId};
use riskgraph_domain::report::ReportShare;
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::{big, from_json, to_json, unsigned};
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::report_share::{Column, Entity, Model};
use crate::state::SqlState;

type Result<T> = std::result::Result<T, StoreError>;

/// Links listed of one report, newest first.
const LISTED_MAX: u64 = 100;

impl SqlState {
    pub(super) async fn insert_link(&self, share: &ReportShare) -> Result<()> {
        let row = Model {
            id: share.id.to_bytes().to_vec(),
            report_id: share.report.to_bytes().to_vec(),
            secret_hash: share.secret_hash.clone(),
            created_at: share.created_at.millis(),
            expires_at: share.expires_at.millis(),
            body: to_json(share, "report share")?,
            opened: big(share.opened),
            revoked: i16::from(share.revoked),
        };
        let tx = self.db.write_tx().await?;
        insert_all::<Entity>(&tx, vec![row], Clash::Fail).await?;
        tx.commit().await?;
        self.db.sync().await
    }

    pub(super) async fn links_of(&self, report: ReportId) -> Result<Vec<ReportShare>> {
        let rows = Entity::find()
            .filter(Column::ReportId.eq(report.to_bytes().to_vec()))
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(LISTED_MAX)
            .all(self.db.reader())
            .await?;
        rows.iter().map(share_of).collect()
    }

    /// Asks the writer, so that a link revoked a moment ago opens nothing.
    pub(super) async fn open_link(&self, secret_hash: &str, now: Timestamp) -> Result<Option<ReportShare>> {
        let tx = self.db.write_tx().await?;
        let row = Entity::find().filter(Column::SecretHash.eq(secret_hash)).one(&tx).await?;
        let valid = row.filter(|row| row.revoked == 0 && row.expires_at > now.millis());
        let Some(row) = valid else {
            tx.rollback().await?;
            return Ok(None);
        };
        Entity::update_many()
            .col_expr(Column::Opened, Expr::col(Column::Opened).add(1))
            .filter(Column::Id.eq(row.id.clone()))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        let share = share_of(&row)?;
        Ok(Some(ReportShare { opened: share.opened + 1, ..share }))
    }

    pub(super) async fn revoke_link(&self, id: ReportShareId) -> Result<bool> {
        let tx = self.db.write_tx().await?;
        let done = Entity::update_many()
            .col_expr(Column::Revoked, Expr::val(1_i16))
            .filter(Column::Id.eq(id.to_bytes().to_vec()))
            .filter(Column::Revoked.eq(0))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        self.db.sync().await?;
        Ok(done.rows_affected > 0)
    }
}

/// Openings and revocation are what the columns say.
fn share_of(row: &Model) -> Result<ReportShare> {
    let share: ReportShare = from_json(&row.body, "report share")?;
    Ok(ReportShare { opened: unsigned(row.opened, "report share")?, revoked: row.revoked != 0, ..share })
}
