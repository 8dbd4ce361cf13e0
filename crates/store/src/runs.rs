//! Runs of playbooks: planned in one transaction with the consumer's cursor, saved before and after each effect.
//!
//! It must not know what a step does. A run is no function of the journal, so what a call has written is on disk when it
//! returns.

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::RunId;
use riskgraph_domain::playbook::{Approval, Plan, Run, RunChange, RunRecord, RunStep, RunStore, StepState};
use riskgraph_domain::time::Timestamp;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::{big, from_json, id_of, to_json, unsigned};
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{approval, run, run_cursor, run_step};
use crate::state::SqlState;

mod read;

type Result<T> = std::result::Result<T, StoreError>;

/// Runs that go on by themselves, read at a start: far more than any service starts.
const ACTIVE_MAX: u64 = 10_000;
/// Runs with effects that will end, looked at in one go; the next look takes the next.
const EXPIRING_MAX: u64 = 1_000;
/// Effects of one hour that are counted; more are above every cap.
const EFFECTS_MAX: u64 = 50_000;

#[async_trait]
impl RunStore for SqlState {
    async fn plan(
        &self,
        runs: Vec<RunRecord>,
        cursor: Option<(&'static str, u64)>,
    ) -> std::result::Result<Vec<RunId>, Fault> {
        Ok(self.plan_runs(runs, cursor).await?)
    }

    async fn cursor(&self, consumer: &str) -> std::result::Result<Option<u64>, Fault> {
        let row = run_cursor::Entity::find_by_id(consumer.to_owned()).one(self.db.reader()).await;
        let row = row.map_err(StoreError::Database)?;
        Ok(row.map(|row| unsigned(row.sequence, "run cursor")).transpose()?)
    }

    async fn save(&self, change: RunChange) -> std::result::Result<(), Fault> {
        Ok(self.save_run(change).await?)
    }

    async fn load(&self, id: RunId) -> std::result::Result<Option<RunRecord>, Fault> {
        Ok(self.load_run(id).await?)
    }

    async fn active(&self) -> std::result::Result<Vec<RunId>, Fault> {
        Ok(self.active_runs().await?)
    }

    async fn expiring(&self) -> std::result::Result<Vec<(RunId, Timestamp)>, Fault> {
        Ok(self.expiring_runs().await?)
    }

    async fn effects_since(&self, since: Timestamp) -> std::result::Result<Vec<(RunId, RunStep)>, Fault> {
        Ok(self.effects(since).await?)
    }
}

impl SqlState {
    async fn plan_runs(&self, runs: Vec<RunRecord>, cursor: Option<(&'static str, u64)>) -> Result<Vec<RunId>> {
        let tx = self.db.write_tx().await?;
        let last = run::Entity::find().order_by_desc(run::Column::Ordinal).limit(1).one(&tx).await?;
        let mut ordinal = last.map_or(0, |last| last.ordinal);
        let mut new = Vec::new();
        for mut record in runs {
            let id = record.run.id;
            if run::Entity::find_by_id(id.to_bytes().to_vec()).one(&tx).await?.is_some() {
                continue;
            }
            ordinal += 1;
            record.run.ordinal = unsigned(ordinal, "run")?;
            let row = run_row(&record.run, &record.plan)?;
            insert_all::<run::Entity>(&tx, vec![row], Clash::Fail).await?;
            write_parts(&tx, id, &record.steps, &record.approvals).await?;
            new.push(id);
        }
        if let Some((consumer, sequence)) = cursor {
            let row = run_cursor::Model { consumer: consumer.to_owned(), sequence: big(sequence) };
            insert_all::<run_cursor::Entity>(&tx, vec![row], Clash::Replace).await?;
        }
        tx.commit().await?;
        if !new.is_empty() {
            self.db.sync().await?;
        }
        Ok(new)
    }

    async fn save_run(&self, change: RunChange) -> Result<()> {
        let tx = self.db.write_tx().await?;
        let id = change.run.id;
        let fields = Fields::of(&change.run)?;
        run::Entity::update_many()
            .col_expr(run::Column::State, fields.state.into())
            .col_expr(run::Column::Active, fields.active.into())
            .col_expr(run::Column::Body, fields.body.into())
            .col_expr(run::Column::ContainedMs, fields.contained_ms.into())
            .filter(run::Column::Id.eq(id.to_bytes().to_vec()))
            .exec(&tx)
            .await?;
        write_parts(&tx, id, &change.steps, &change.approvals).await?;
        tx.commit().await?;
        self.db.sync().await
    }

    async fn load_run(&self, id: RunId) -> Result<Option<RunRecord>> {
        let Some(row) = run::Entity::find_by_id(id.to_bytes().to_vec()).one(self.db.reader()).await? else {
            return Ok(None);
        };
        let plan: Plan = from_json(&row.plan, "run plan")?;
        let steps = self.steps_of(id).await?;
        let approvals = self.approvals_of(id).await?;
        Ok(Some(RunRecord { run: from_json(&row.body, "run")?, plan, steps, approvals }))
    }

    async fn active_runs(&self) -> Result<Vec<RunId>> {
        let rows: Vec<Vec<u8>> = run::Entity::find()
            .select_only()
            .column(run::Column::Id)
            .filter(run::Column::Active.eq(1))
            .order_by_asc(run::Column::Ordinal)
            .limit(ACTIVE_MAX)
            .into_tuple()
            .all(self.db.reader())
            .await?;
        rows.iter().map(|id| id_of!(RunId, id, "run")).collect()
    }

    async fn expiring_runs(&self) -> Result<Vec<(RunId, Timestamp)>> {
        let rows: Vec<(Vec<u8>, Option<i64>)> = run_step::Entity::find()
            .select_only()
            .column(run_step::Column::RunId)
            .column(run_step::Column::EndsAt)
            .filter(run_step::Column::EndsAt.is_not_null())
            .order_by_asc(run_step::Column::EndsAt)
            .limit(EXPIRING_MAX)
            .into_tuple()
            .all(self.db.reader())
            .await?;
        let mut found: Vec<(RunId, Timestamp)> = Vec::new();
        for (id, ends_at) in rows {
            let id = id_of!(RunId, &id, "run step")?;
            if found.iter().all(|(known, _)| *known != id) {
                found.push((id, Timestamp(ends_at.unwrap_or_default())));
            }
        }
        Ok(found)
    }

    async fn effects(&self, since: Timestamp) -> Result<Vec<(RunId, RunStep)>> {
        let rows = run_step::Entity::find()
            .filter(run_step::Column::BeganAt.gte(since.millis()))
            .limit(EFFECTS_MAX)
            .all(self.db.reader())
            .await?;
        rows.iter()
            .map(|row| Ok((id_of!(RunId, &row.run_id, "run step")?, from_json(&row.body, "run step")?)))
            .collect()
    }
}

/// The columns of a run that change.
struct Fields {
    state: String,
    active: i16,
    body: String,
    contained_ms: Option<i64>,
}

impl Fields {
    fn of(run: &Run) -> Result<Self> {
        // What the alert has not been told yet keeps a run going as well.
        let goes_on = run.state.is_active() || !run.untold.is_empty() || run.ending_under_way();
        Ok(Self {
            state: run.state.as_str().to_owned(),
            active: i16::from(goes_on),
            body: to_json(run, "run")?,
            contained_ms: run.contained_at.map(|at| (at - run.opened_at).max(0)),
        })
    }
}

fn run_row(run: &Run, plan: &Plan) -> Result<run::Model> {
    let fields = Fields::of(run)?;
    Ok(run::Model {
        id: run.id.to_bytes().to_vec(),
        ordinal: big(run.ordinal),
        playbook_id: run.playbook.to_bytes().to_vec(),
        alert_id: run.alert.to_bytes().to_vec(),
        state: fields.state,
        active: fields.active,
        started_at: run.started_at.millis(),
        body: fields.body,
        plan: to_json(plan, "run plan")?,
        contained_ms: fields.contained_ms,
    })
}

async fn write_parts(tx: &DatabaseTransaction, id: RunId, steps: &[RunStep], approvals: &[Approval]) -> Result<()> {
    let steps = steps.iter().map(|step| step_row(id, step)).collect::<Result<Vec<_>>>()?;
    insert_all::<run_step::Entity>(tx, steps, Clash::Replace).await?;
    let approvals = approvals.iter().map(approval_row).collect::<Result<Vec<_>>>()?;
    insert_all::<approval::Entity>(tx, approvals, Clash::Replace).await?;
    Ok(())
}

fn step_row(id: RunId, step: &RunStep) -> Result<run_step::Model> {
    let has_effect = step.key.is_some() && step.attempts > 0;
    // Undoing that has not come through is looked at again like what has expired.
    let ends_at = match step.state {
        StepState::Undoing => Some(step.not_before.map_or(0, Timestamp::millis)),
        _ if step.reversible && step.is_in_force() => step.expires_at.map(Timestamp::millis),
        _ => None,
    };
    Ok(run_step::Model {
        run_id: id.to_bytes().to_vec(),
        place: i64::from(step.place),
        state: step.state.as_str().to_owned(),
        body: to_json(step, "run step")?,
        began_at: step.started_at.filter(|_| has_effect).map(Timestamp::millis),
        ends_at,
    })
}

fn approval_row(approval: &Approval) -> Result<approval::Model> {
    Ok(approval::Model {
        id: approval.id.to_bytes().to_vec(),
        run_id: approval.run.to_bytes().to_vec(),
        state: approval.state.as_str().to_owned(),
        created_at: approval.created_at.millis(),
        body: to_json(approval, "approval")?,
    })
}
