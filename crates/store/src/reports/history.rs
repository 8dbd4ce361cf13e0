//! What was known at a cut. It must not know what is told of it.

use std::collections::HashMap;

use async_trait::async_trait;
use riskgraph_domain::alert::AlertEvent;
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph::{EntityKey, EntityKind, RelationKind};
use riskgraph_domain::id::{EntityId, RelationId, VendorId};
use riskgraph_domain::journal::Position;
use riskgraph_domain::posture::{Grade, Posture};
use riskgraph_domain::report::{Cut, FindingVersion, FourthParty, GradePoint, History};
use riskgraph_domain::time::{DAY_MS, HOUR_MS, Timestamp};
use riskgraph_domain::vendor::Vendor;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::codec::{big, from_json, id_of, read_text, unsigned};
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{alert_event, entity, finding_history, fourth_party, posture, report_cut, vendor_history};
use crate::state::load::{self, APPLIED, SEQUENCE};
use crate::state::{SqlState, convert};

type Result<T> = std::result::Result<T, StoreError>;

/// Cuts are kept this long; the history of an instant before is not told any more.
const CUTS_KEPT_MS: i64 = 400 * DAY_MS;
/// A cut this far ahead was made by a clock that was wrong.
const AHEAD_MAX_MS: i64 = HOUR_MS;
/// Ids in one statement.
const IDS_A_QUERY: usize = 500;
/// Rows of one list: many times the largest portfolio.
const ROWS_MAX: u64 = 500_000;

#[async_trait]
impl History for SqlState {
    async fn cut(&self, now: Timestamp, n_events: u64) -> std::result::Result<Cut, Fault> {
        Ok(self.make_cut(now, n_events).await?)
    }

    async fn cut_at(&self, at: Timestamp) -> std::result::Result<Option<Cut>, Fault> {
        let row = report_cut::Entity::find()
            .filter(report_cut::Column::At.lte(at.millis()))
            .order_by_desc(report_cut::Column::At)
            .one(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(row.as_ref().map(cut_of).transpose()?)
    }

    async fn first_cut(&self) -> std::result::Result<Option<Cut>, Fault> {
        let query = report_cut::Entity::find().order_by_asc(report_cut::Column::At);
        let row = query.one(self.db.reader()).await.map_err(StoreError::Database)?;
        Ok(row.as_ref().map(cut_of).transpose()?)
    }

    async fn cuts(&self, after: Timestamp, until: Timestamp) -> std::result::Result<Vec<Cut>, Fault> {
        let rows = report_cut::Entity::find()
            .filter(report_cut::Column::At.gt(after.millis()))
            .filter(report_cut::Column::At.lte(until.millis()))
            .order_by_asc(report_cut::Column::At)
            .limit(ROWS_MAX)
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(rows.iter().map(cut_of).collect::<Result<_>>()?)
    }

    async fn vendors_at(&self, cut: Cut) -> std::result::Result<Vec<Vendor>, Fault> {
        let rows = vendor_history::Entity::find()
            .filter(Expr::cust(newest("vendor_history", "vendor_id", cut)))
            .order_by_asc(vendor_history::Column::VendorId)
            .limit(ROWS_MAX)
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(rows.iter().map(|row| from_json(&row.body, "vendor")).collect::<Result<_>>()?)
    }

    async fn findings_at(&self, cut: Cut, vendor: Option<VendorId>) -> std::result::Result<Vec<FindingVersion>, Fault> {
        let mut query =
            finding_history::Entity::find().filter(Expr::cust(newest("finding_history", "finding_id", cut)));
        if let Some(vendor) = vendor {
            query = query.filter(finding_history::Column::VendorId.eq(vendor.to_bytes().to_vec()));
        }
        let query = query.order_by_asc(finding_history::Column::FindingId).limit(ROWS_MAX);
        Ok(self.versions(query).await?)
    }

    async fn finding_versions(
        &self,
        after: Cut,
        until: Cut,
        max: usize,
    ) -> std::result::Result<Vec<FindingVersion>, Fault> {
        let query = finding_history::Entity::find()
            .filter(finding_history::Column::Position.gt(big(after.position.0)))
            .filter(finding_history::Column::Position.lte(big(until.position.0)))
            .order_by_desc(finding_history::Column::Position)
            .order_by_desc(finding_history::Column::FindingId)
            .limit(max as u64);
        let mut found = self.versions(query).await?;
        found.reverse();
        Ok(found)
    }

    async fn postures_at(
        &self,
        cut: Cut,
        vendor: Option<VendorId>,
    ) -> std::result::Result<Vec<(VendorId, Posture)>, Fault> {
        let newest = format!(
            "assessed_at = (SELECT MAX(n.assessed_at) FROM posture n WHERE n.vendor_id = posture.vendor_id \
             AND COALESCE(n.position, 0) <= {})",
            big(cut.position.0)
        );
        let mut query = posture::Entity::find().filter(Expr::cust(newest));
        if let Some(vendor) = vendor {
            query = query.filter(posture::Column::VendorId.eq(vendor.to_bytes().to_vec()));
        }
        let rows = query
            .order_by_asc(posture::Column::VendorId)
            .limit(ROWS_MAX)
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        let read = |row: &posture::Model| Ok((id_of!(VendorId, &row.vendor_id, "posture")?, convert::posture(row)?));
        Ok(rows.iter().map(read).collect::<Result<_>>()?)
    }

    async fn grades(&self, cut: Cut, since: Timestamp) -> std::result::Result<Vec<GradePoint>, Fault> {
        let rows: Vec<(Vec<u8>, i64, i16)> = posture::Entity::find()
            .select_only()
            .columns([posture::Column::VendorId, posture::Column::AssessedAt, posture::Column::Grade])
            .filter(known_at(cut))
            .filter(posture::Column::AssessedAt.gte(since.millis()))
            .order_by_asc(posture::Column::AssessedAt)
            .order_by_asc(posture::Column::VendorId)
            .limit(ROWS_MAX)
            .into_tuple()
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        let read = |(vendor, at, grade): (Vec<u8>, i64, i16)| {
            let grade = usize::try_from(grade).ok().and_then(|grade| Grade::ALL.get(grade));
            let grade = *grade.ok_or(StoreError::Corrupt { what: "posture" })?;
            Ok(GradePoint { vendor: id_of!(VendorId, &vendor, "posture")?, at: Timestamp(at), grade })
        };
        Ok(rows.into_iter().map(read).collect::<Result<_>>()?)
    }

    async fn posture_history(
        &self,
        cut: Cut,
        vendor: VendorId,
        since: Timestamp,
    ) -> std::result::Result<Vec<Posture>, Fault> {
        let rows = posture::Entity::find()
            .filter(posture::Column::VendorId.eq(vendor.to_bytes().to_vec()))
            .filter(known_at(cut))
            .filter(posture::Column::AssessedAt.gte(since.millis()))
            .order_by_asc(posture::Column::AssessedAt)
            .limit(ROWS_MAX)
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(rows.iter().map(convert::posture).collect::<Result<_>>()?)
    }

    async fn fourth_parties_at(&self, cut: Cut) -> std::result::Result<Vec<FourthParty>, Fault> {
        Ok(self.fourth_parties(cut).await?)
    }

    async fn alerts_at(&self, cut: Cut, max: usize) -> std::result::Result<(Vec<AlertEvent>, u64), Fault> {
        Ok(self.last_changes(cut, max).await?)
    }
}

/// The condition for the newest row of each thing at a cut.
fn newest(table: &str, id: &str, cut: Cut) -> String {
    let position = big(cut.position.0);
    format!(
        "position = (SELECT MAX(n.position) FROM {table} n WHERE n.{id} = {table}.{id} AND n.position <= {position})"
    )
}

/// Postures that a cut knows; those from before positions were noted were always known.
fn known_at(cut: Cut) -> Condition {
    let known = posture::Column::Position.lte(big(cut.position.0));
    Condition::any().add(posture::Column::Position.is_null()).add(known)
}

fn cut_of(row: &report_cut::Model) -> Result<Cut> {
    Ok(Cut {
        at: Timestamp(row.at),
        position: Position(unsigned(row.position, "cut")?),
        sequence: unsigned(row.sequence, "cut")?,
        n_events: unsigned(row.n_events, "cut")?,
    })
}

impl SqlState {
    /// Cuts follow each other in time; one that a wrong clock put far ahead goes, or it would hide all that is to come.
    async fn make_cut(&self, now: Timestamp, n_events: u64) -> Result<Cut> {
        use report_cut::{Column, Entity};
        let tx = self.db.write_tx().await?;
        let wrong = Column::At.gt((now + AHEAD_MAX_MS).millis()).or(Column::At.lt((now - CUTS_KEPT_MS).millis()));
        Entity::delete_many().filter(wrong).exec(&tx).await?;
        let last = Entity::find().order_by_desc(Column::At).one(&tx).await?;
        let row = report_cut::Model {
            at: last.map_or(now.millis(), |last| Ord::max(now.millis(), last.at + 1)),
            position: big(load::mark(&tx, APPLIED).await?),
            sequence: big(load::mark(&tx, SEQUENCE).await?),
            n_events: big(n_events),
        };
        let cut = cut_of(&row)?;
        insert_all::<Entity>(&tx, vec![row], Clash::Fail).await?;
        tx.commit().await?;
        Ok(cut)
    }

    async fn versions(&self, query: Select<finding_history::Entity>) -> Result<Vec<FindingVersion>> {
        let rows = query.all(self.db.reader()).await?;
        let read = |row: &finding_history::Model| {
            Ok(FindingVersion {
                position: Position(unsigned(row.position, "finding")?),
                finding: from_json(&row.body, "finding")?,
            })
        };
        rows.iter().map(read).collect()
    }

    async fn fourth_parties(&self, cut: Cut) -> Result<Vec<FourthParty>> {
        const WHAT: &str = "fourth party";
        let rows = fourth_party::Entity::find()
            .filter(fourth_party::Column::Position.lte(big(cut.position.0)))
            .order_by_asc(fourth_party::Column::RelationId)
            .limit(ROWS_MAX)
            .all(self.db.reader())
            .await?;
        let mut ids: Vec<Vec<u8>> = rows.iter().map(|row| row.to_id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut keys: HashMap<Vec<u8>, EntityKey> = HashMap::new();
        for ids in ids.chunks(IDS_A_QUERY) {
            let found: Vec<(Vec<u8>, String, String)> = entity::Entity::find()
                .select_only()
                .columns([entity::Column::Id, entity::Column::Kind, entity::Column::Key])
                .filter(entity::Column::Id.is_in(ids.iter().cloned()))
                .into_tuple()
                .all(self.db.reader())
                .await?;
            for (id, kind, key) in found {
                let kind = EntityKind::parse(&kind).ok_or(StoreError::Corrupt { what: WHAT })?;
                keys.insert(id, EntityKey::new(kind, read_text(key, WHAT)?));
            }
        }
        // An edge is written with its ends; one whose end is gone tells nobody anything.
        let known = rows.iter().filter_map(|row| Some((row, keys.get(&row.to_id)?.clone())));
        known
            .map(|(row, to)| {
                Ok(FourthParty {
                    relation: id_of!(RelationId, &row.relation_id, "fourth party")?,
                    kind: RelationKind::parse(&row.kind).ok_or(StoreError::Corrupt { what: WHAT })?,
                    from: id_of!(EntityId, &row.from_id, "fourth party")?,
                    to,
                    first_seen: Timestamp(row.first_seen),
                    position: Position(unsigned(row.position, WHAT)?),
                })
            })
            .collect()
    }

    /// Walks the index of alerts alone; bodies are read only of those wanted.
    async fn last_changes(&self, cut: Cut, max: usize) -> Result<(Vec<AlertEvent>, u64)> {
        use alert_event::{Column, Entity};
        let mut last: Vec<i64> = Entity::find()
            .select_only()
            .column_as(Column::Sequence.max(), "last")
            .filter(Column::Sequence.lte(big(cut.sequence)))
            .group_by(Column::AlertId)
            .into_tuple()
            .all(self.db.reader())
            .await?;
        let n_alerts = last.len() as u64;
        last.sort_unstable();
        let wanted = last.split_off(last.len().saturating_sub(max));
        let mut events = Vec::with_capacity(wanted.len());
        for sequences in wanted.chunks(IDS_A_QUERY) {
            let rows = Entity::find()
                .filter(Column::Sequence.is_in(sequences.iter().copied()))
                .order_by_asc(Column::Sequence)
                .all(self.db.reader())
                .await?;
            let read = move || rows.iter().map(convert::alert_event).collect::<Result<Vec<AlertEvent>>>();
            events.extend(tokio::task::spawn_blocking(read).await.map_err(|_| StoreError::Closed)??);
        }
        Ok((events, n_alerts))
    }
}
