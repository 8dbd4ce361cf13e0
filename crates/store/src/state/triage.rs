//! Silences, cases and what alerts are found by in triage, as rows. It must not know when they are written.

use riskgraph_domain::alert::Alert;
use riskgraph_domain::triage::{Case, Silence, SilenceState};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

use super::apply::IDS_A_STATEMENT;
use super::convert::fold;
use crate::codec::{from_json, to_json};
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all, last_of_each};
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// Characters of an alert that are searched: title and summary whole, and the first entities.
const SEARCHED_CHARS_MAX: usize = 2_048;

pub(super) fn silence_row(silence: &Silence) -> Result<rows::silence::Model> {
    Ok(rows::silence::Model {
        id: silence.id.to_bytes().to_vec(),
        state: silence.state.as_str().to_owned(),
        ends_at: silence.ends_at.millis(),
        body: to_json(silence, "silence")?,
    })
}

pub(crate) fn silence(row: &rows::silence::Model) -> Result<Silence> {
    from_json(&row.body, "silence")
}

pub(super) fn case_row(case: &Case) -> Result<rows::case_file::Model> {
    Ok(rows::case_file::Model {
        id: case.id.to_bytes().to_vec(),
        status: case.status.as_str().to_owned(),
        archived: i16::from(case.archived),
        updated_at: case.updated_at.millis(),
        search: searched(&case.title),
        body: to_json(case, "case")?,
    })
}

pub(crate) fn case(row: &rows::case_file::Model) -> Result<Case> {
    from_json(&row.body, "case")
}

/// What an alert is found by.
pub(super) fn alert_row(alert: &Alert) -> rows::alert_triage::Model {
    let mut text = format!("{}\n{}", alert.title, alert.summary);
    for entity in &alert.entities {
        text.push('\n');
        text.push_str(&entity.key);
    }
    rows::alert_triage::Model {
        alert_id: alert.id.to_bytes().to_vec(),
        muted: i16::from(alert.muted.is_some()),
        overdue: i16::from(alert.overdue()),
        search: searched(&text),
        assignee: alert.assignee.as_deref().map(fold),
        verdict: alert.verdict.map(|verdict| verdict.as_str().to_owned()),
    }
}

fn searched(text: &str) -> String {
    text.to_lowercase().chars().take(SEARCHED_CHARS_MAX).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

/// The rows of one delta.
#[derive(Debug, Default)]
pub(super) struct Triage {
    pub(super) alerts: Vec<rows::alert_triage::Model>,
    silences: Vec<rows::silence::Model>,
    cases: Vec<rows::case_file::Model>,
    case_alerts: Vec<rows::case_alert::Model>,
}

impl Triage {
    /// Takes in silences and cases; the last of each id wins.
    pub(super) fn fill(&mut self, silences: Vec<Silence>, cases: Vec<Case>) -> Result<()> {
        self.silences = last_of_each(silences, |row| row.id).iter().map(silence_row).collect::<Result<_>>()?;
        for case in last_of_each(cases, |row| row.id) {
            let row = case_row(&case)?;
            let links = case.members.iter().map(|member| rows::case_alert::Model {
                case_id: row.id.clone(),
                alert_id: member.alert.to_bytes().to_vec(),
            });
            self.case_alerts.extend(last_of_each(links.collect(), |link| link.alert_id.clone()));
            self.cases.push(row);
        }
        Ok(())
    }
}

/// Writes them; the alerts of a case are those it has now.
pub(super) async fn write(tx: &DatabaseTransaction, triage: Triage) -> Result<()> {
    insert_all::<rows::alert_triage::Entity>(tx, triage.alerts, Clash::Replace).await?;
    insert_all::<rows::silence::Entity>(tx, triage.silences, Clash::Replace).await?;
    let changed: Vec<Vec<u8>> = triage.cases.iter().map(|row| row.id.clone()).collect();
    insert_all::<rows::case_file::Entity>(tx, triage.cases, Clash::Replace).await?;
    for ids in changed.chunks(IDS_A_STATEMENT) {
        rows::case_alert::Entity::delete_many()
            .filter(rows::case_alert::Column::CaseId.is_in(ids.iter().cloned()))
            .exec(tx)
            .await?;
    }
    insert_all::<rows::case_alert::Entity>(tx, triage.case_alerts, Clash::Keep).await?;
    Ok(())
}

/// Silences that are not over.
pub(super) async fn silences(db: &Db) -> Result<Vec<Silence>> {
    let found = rows::silence::Entity::find()
        .filter(rows::silence::Column::State.ne(SilenceState::Over.as_str()))
        .order_by_asc(rows::silence::Column::Id)
        .all(db.reader())
        .await?;
    found.iter().map(silence).collect()
}

/// Cases that are not archived.
pub(super) async fn cases(db: &Db) -> Result<Vec<Case>> {
    let found = rows::case_file::Entity::find()
        .filter(rows::case_file::Column::Archived.eq(0_i16))
        .order_by_asc(rows::case_file::Column::Id)
        .all(db.reader())
        .await?;
    found.iter().map(case).collect()
}
