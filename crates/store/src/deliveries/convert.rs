//! Rows of deliveries and what they stand for.

use riskgraph_domain::alert::AlertChange;
use riskgraph_domain::delivery::{Delivery, DeliveryState, Due, Message, Told, Tries};
use riskgraph_domain::id::{AlertId, ChannelId, DeliveryId};
use riskgraph_domain::time::Timestamp;

use super::BLOCKED;
use crate::codec::{big_len, from_json, id_of, pack, read_text, to_json, unpack, unsigned};
use crate::error::StoreError;
use crate::rows::{delivery, delivery_told};

type Result<T> = std::result::Result<T, StoreError>;

/// What separates the changes a delivery tells.
const BETWEEN: char = ',';
/// Changes remembered of one delivery; further ones are told by the last.
const CHANGES_MAX: usize = 64;

pub(crate) fn delivery(row: &delivery::Model) -> Result<Delivery> {
    Ok(Delivery {
        id: id_of!(DeliveryId, &row.id, "delivery")?,
        channel: id_of!(ChannelId, &row.channel_id, "delivery")?,
        alert: alert(row)?,
        subject: read_text(row.subject.clone(), "delivery")?,
        state: DeliveryState::parse(&row.state).ok_or(StoreError::Corrupt { what: "delivery" })?,
        created_at: Timestamp(row.created_at),
        next_attempt_at: (row.open == 1 && row.due_at != BLOCKED).then_some(Timestamp(row.due_at)),
        delivered_at: row.delivered_at.map(Timestamp),
        attempts: from_json(&row.attempts, "delivery")?,
    })
}

pub(super) fn due(row: &delivery::Model) -> Result<Due> {
    Ok(Due {
        id: id_of!(DeliveryId, &row.id, "delivery")?,
        alert: alert(row)?,
        created_at: Timestamp(row.created_at),
        n_failed: u32::try_from(row.n_failed).unwrap_or(u32::MAX),
        tries: if row.tries == 1 { Tries::One } else { Tries::Many },
        message: message(row)?,
        changes: row.changes.split(BETWEEN).filter_map(AlertChange::parse).collect(),
    })
}

fn alert(row: &delivery::Model) -> Result<Option<AlertId>> {
    row.alert_id.as_deref().map(|bytes| id_of!(AlertId, bytes, "delivery")).transpose()
}

fn message(row: &delivery::Model) -> Result<Message> {
    let bytes = unpack(&row.body, row.n_bytes, "message")?;
    let text = std::str::from_utf8(&bytes).map_err(|_| StoreError::Corrupt { what: "message" })?;
    from_json(text, "message")
}

/// The message as it is kept: packed, with its size before.
pub(super) fn body(message: &Message) -> Result<(Vec<u8>, i64)> {
    let text = to_json(message, "message")?;
    Ok((pack(text.as_bytes(), "message")?, big_len(text.len())))
}

/// The changes with one more.
pub(super) fn with_change(changes: &str, change: Option<AlertChange>) -> String {
    match change {
        Some(change) if changes.is_empty() => change.as_str().to_owned(),
        Some(change) if changes.split(BETWEEN).count() < CHANGES_MAX => {
            format!("{changes}{BETWEEN}{}", change.as_str())
        }
        _ => changes.to_owned(),
    }
}

pub(super) const fn tries(tries: Tries) -> i16 {
    match tries {
        Tries::Many => 0,
        Tries::One => 1,
    }
}

pub(super) fn told(row: &delivery_told::Model) -> Result<Told> {
    Ok(Told {
        alert: id_of!(AlertId, &row.alert_id, "told alert")?,
        sequence: unsigned(row.sequence, "told alert")?,
        at: Timestamp(row.told_at),
        repeats: row.repeats == 1,
        n_repeats: u32::try_from(row.n_repeats).unwrap_or(u32::MAX),
    })
}
