//! Reports and their files. It must not know what is in them.

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{ReportId, ReportScheduleId, ReportShareId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::report::{Report, ReportFormat, ReportKind, ReportShare, ReportStore};
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::{big_len, from_json, pack, to_json, unpack};
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::records::place::{List, Place, Way, page, rows_wanted};
use crate::rows::{report, report_file, report_share};
use crate::state::SqlState;

type Result<T> = std::result::Result<T, StoreError>;

/// Reports kept, the newest: five years of four a day; at some 100 KB each under 1 GB.
const REPORTS_KEPT: u64 = 7_500;
/// Oldest reports that go with one new report, at most.
const TRIMMED_AT_ONCE: u64 = 100;

#[async_trait]
impl ReportStore for SqlState {
    async fn insert(&self, report: Report, files: Vec<(ReportFormat, Vec<u8>)>) -> std::result::Result<bool, Fault> {
        Ok(self.insert_report(&report, files).await?)
    }

    async fn report(&self, id: ReportId) -> std::result::Result<Option<Report>, Fault> {
        let row = report::Entity::find_by_id(id.to_bytes().to_vec()).one(self.db.reader()).await;
        Ok(row.map_err(StoreError::Database)?.as_ref().map(report_of).transpose()?)
    }

    async fn reports(
        &self,
        kind: Option<ReportKind>,
        request: PageRequest,
    ) -> std::result::Result<Page<Report>, Fault> {
        Ok(self.list_reports(kind, request).await?)
    }

    async fn last_of(&self, schedule: ReportScheduleId) -> std::result::Result<Option<Report>, Fault> {
        let row = report::Entity::find()
            .filter(report::Column::ScheduleId.eq(schedule.to_bytes().to_vec()))
            .order_by_desc(report::Column::AsOf)
            .one(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(row.as_ref().map(report_of).transpose()?)
    }

    async fn file(&self, id: ReportId, format: ReportFormat) -> std::result::Result<Option<Vec<u8>>, Fault> {
        let key = (id.to_bytes().to_vec(), format.as_str().to_owned());
        let row = report_file::Entity::find_by_id(key).one(self.db.reader()).await.map_err(StoreError::Database)?;
        Ok(row.map(|row| unpack(&row.data, row.n_bytes, "report file")).transpose()?)
    }

    async fn unsent(&self, max: usize) -> std::result::Result<Vec<Report>, Fault> {
        let rows = report::Entity::find()
            .filter(report::Column::ScheduleId.is_not_null())
            .filter(report::Column::Sent.eq(0))
            .order_by_asc(report::Column::AsOf)
            .order_by_asc(report::Column::Id)
            .limit(max as u64)
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(rows.iter().map(report_of).collect::<Result<_>>()?)
    }

    async fn mark_sent(&self, id: ReportId) -> std::result::Result<(), Fault> {
        Ok(self.mark_report_sent(id).await?)
    }

    async fn insert_share(&self, share: ReportShare) -> std::result::Result<(), Fault> {
        Ok(self.insert_link(&share).await?)
    }

    async fn shares(&self, report: ReportId) -> std::result::Result<Vec<ReportShare>, Fault> {
        Ok(self.links_of(report).await?)
    }

    async fn open_share(&self, secret_hash: &str, now: Timestamp) -> std::result::Result<Option<ReportShare>, Fault> {
        Ok(self.open_link(secret_hash, now).await?)
    }

    async fn revoke_share(&self, id: ReportShareId) -> std::result::Result<bool, Fault> {
        Ok(self.revoke_link(id).await?)
    }
}

fn report_of(row: &report::Model) -> Result<Report> {
    from_json(&row.body, "report")
}

impl SqlState {
    async fn insert_report(&self, made: &Report, files: Vec<(ReportFormat, Vec<u8>)>) -> Result<bool> {
        let id = made.id.to_bytes().to_vec();
        let row = report::Model {
            id: id.clone(),
            kind: made.kind.as_str().to_owned(),
            as_of: made.as_of.millis(),
            created_at: made.created_at.millis(),
            body: to_json(made, "report")?,
            sent: 0,
            schedule_id: made.schedule.map(|schedule| schedule.to_bytes().to_vec()),
        };
        let mut file_rows = Vec::with_capacity(files.len());
        for (format, bytes) in files {
            file_rows.push(report_file::Model {
                report_id: id.clone(),
                format: format.as_str().to_owned(),
                n_bytes: big_len(bytes.len()),
                data: pack(&bytes, "report file")?,
            });
        }
        let tx = self.db.write_tx().await?;
        if report::Entity::find_by_id(id).one(&tx).await?.is_some() {
            tx.rollback().await?;
            return Ok(false);
        }
        insert_all::<report::Entity>(&tx, vec![row], Clash::Fail).await?;
        insert_all::<report_file::Entity>(&tx, file_rows, Clash::Replace).await?;
        trim(&tx).await?;
        tx.commit().await?;
        self.db.sync().await?;
        Ok(true)
    }

    async fn list_reports(&self, kind: Option<ReportKind>, request: PageRequest) -> Result<Page<Report>> {
        use report::Column;
        let mut query = report::Entity::find();
        if let Some(kind) = kind {
            query = query.filter(Column::Kind.eq(kind.as_str()));
        }
        if let Some(place) = Place::<i64>::open(List::Reports, &request)? {
            query = query.filter(place.beyond(Column::CreatedAt, Column::Id, Way::Down));
        }
        let found = query
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(rows_wanted(&request))
            .all(self.db.reader())
            .await?;
        page(&request, found, |row| {
            let place = Place { key: row.created_at, id: row.id.clone() };
            Ok((place.seal(List::Reports), report_of(row)?))
        })
    }

    async fn mark_report_sent(&self, id: ReportId) -> Result<()> {
        let tx = self.db.write_tx().await?;
        report::Entity::update_many()
            .col_expr(report::Column::Sent, Expr::val(1_i16))
            .filter(report::Column::Id.eq(id.to_bytes().to_vec()))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        self.db.sync().await
    }
}

/// The oldest go, with their files and links, when there are more than are kept.
async fn trim(tx: &DatabaseTransaction) -> Result<()> {
    let old: Vec<Vec<u8>> = report::Entity::find()
        .select_only()
        .column(report::Column::Id)
        .order_by_desc(report::Column::CreatedAt)
        .order_by_desc(report::Column::Id)
        .offset(REPORTS_KEPT)
        .limit(TRIMMED_AT_ONCE)
        .into_tuple()
        .all(tx)
        .await?;
    if old.is_empty() {
        return Ok(());
    }
    report_file::Entity::delete_many().filter(report_file::Column::ReportId.is_in(old.clone())).exec(tx).await?;
    report_share::Entity::delete_many().filter(report_share::Column::ReportId.is_in(old.clone())).exec(tx).await?;
    report::Entity::delete_many().filter(report::Column::Id.is_in(old)).exec(tx).await?;
    Ok(())
}
