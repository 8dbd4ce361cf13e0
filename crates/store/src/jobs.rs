//! The queue of assessment jobs. It must not know what a job does.

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::JobStore;
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{job, job_run};
use crate::state::SqlState;

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl JobStore for SqlState {
    async fn enqueue(&self, key: &str, due_at: Timestamp) -> std::result::Result<bool, Fault> {
        Ok(self.enqueue_job(key, due_at).await?)
    }

    async fn lease(&self, now: Timestamp, lease_until: Timestamp) -> std::result::Result<Option<String>, Fault> {
        Ok(self.lease_job(now, lease_until).await?)
    }

    async fn finish(&self, key: &str, finished_at: Timestamp) -> std::result::Result<(), Fault> {
        Ok(self.finish_job(key, finished_at).await?)
    }

    async fn retry(&self, key: &str, due_at: Timestamp) -> std::result::Result<(), Fault> {
        Ok(self.retry_job(key, due_at).await?)
    }

    async fn release_all(&self) -> std::result::Result<u64, Fault> {
        Ok(self.release_jobs().await?)
    }

    async fn last_run(&self, key: &str) -> std::result::Result<Option<Timestamp>, Fault> {
        let row =
            job_run::Entity::find_by_id(key.to_owned()).one(self.db.reader()).await.map_err(StoreError::Database)?;
        Ok(row.map(|row| Timestamp(row.finished_at)))
    }
}

impl SqlState {
    async fn enqueue_job(&self, key: &str, due_at: Timestamp) -> Result<bool> {
        let row = job::Model { key: key.to_owned(), due_at: due_at.millis(), attempts: 0, lease_until: None };
        let tx = self.db.write_tx().await?;
        let n_rows = job::Entity::insert_many([row.into_active_model()])
            .on_conflict(OnConflict::column(job::Column::Key).do_nothing().to_owned())
            .exec_without_returning(&tx)
            .await?;
        tx.commit().await?;
        Ok(n_rows > 0)
    }

    async fn lease_job(&self, now: Timestamp, lease_until: Timestamp) -> Result<Option<String>> {
        let tx = self.db.write_tx().await?;
        let free =
            Condition::any().add(job::Column::LeaseUntil.is_null()).add(job::Column::LeaseUntil.lte(now.millis()));
        let found = job::Entity::find()
            .filter(job::Column::DueAt.lte(now.millis()))
            .filter(free)
            .order_by_asc(job::Column::DueAt)
            .order_by_asc(job::Column::Key)
            .one(&tx)
            .await?;
        let Some(found) = found else {
            tx.rollback().await?;
            return Ok(None);
        };
        job::Entity::update_many()
            .col_expr(job::Column::LeaseUntil, Expr::val(lease_until.millis()))
            .filter(job::Column::Key.eq(found.key.clone()))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        Ok(Some(found.key))
    }

    async fn finish_job(&self, key: &str, finished_at: Timestamp) -> Result<()> {
        let tx = self.db.write_tx().await?;
        job::Entity::delete_by_id(key.to_owned()).exec(&tx).await?;
        let run = job_run::Model { key: key.to_owned(), finished_at: finished_at.millis() };
        insert_all::<job_run::Entity>(&tx, vec![run], Clash::Replace).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn release_jobs(&self) -> Result<u64> {
        let tx = self.db.write_tx().await?;
        let released = job::Entity::update_many()
            .col_expr(job::Column::LeaseUntil, Expr::val(Option::<i64>::None))
            .filter(job::Column::LeaseUntil.is_not_null())
            .exec(&tx)
            .await?;
        tx.commit().await?;
        Ok(released.rows_affected)
    }

    async fn retry_job(&self, key: &str, due_at: Timestamp) -> Result<()> {
        let tx = self.db.write_tx().await?;
        job::Entity::update_many()
            .col_expr(job::Column::DueAt, Expr::val(due_at.millis()))
            .col_expr(job::Column::LeaseUntil, Expr::val(Option::<i64>::None))
            .col_expr(job::Column::Attempts, Expr::col(job::Column::Attempts).add(1))
            .filter(job::Column::Key.eq(key))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}
