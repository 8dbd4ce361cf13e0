//! Domain values to rows and back. It must not know when rows are written or read.

use riskgraph_domain::access::Token;
use riskgraph_domain::alert::{Alert, AlertEvent};
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::id::{EntityId, RelationId, VendorId};
use riskgraph_domain::posture::{Finding, Grade, Posture};
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Integration, Vendor, VendorTier};
use serde_json::Value;

use crate::codec::{big, big_len, column_text, from_json, id_of, index_text, pack, rank, read_text, to_json, unpack};
use crate::error::StoreError;
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// Separates the parts of what a vendor is searched by; in no name or domain.
const PART_END: char = '\n';

pub(crate) fn severity(severity: Severity) -> i16 {
    rank(Severity::ALL, &severity)
}

pub(crate) fn grade(grade: Grade) -> i16 {
    rank(Grade::ALL, &grade)
}

pub(crate) fn tier(tier: VendorTier) -> i16 {
    rank(VendorTier::ALL, &tier)
}

/// How names and domains are compared: without case.
pub(crate) fn fold(text: &str) -> String {
    index_text(&text.to_lowercase())
}

pub(super) fn entity_row(entity: Entity) -> Result<rows::entity::Model> {
    let attributes = match &entity.attributes {
        Value::Object(known) if known.is_empty() => "{}".to_owned(),
        known => to_json(known, "entity")?,
    };
    Ok(rows::entity::Model {
        id: entity.id.to_bytes().to_vec(),
        kind: entity.kind.as_str().to_owned(),
        key: column_text(&entity.key),
        name: column_text(&entity.name),
        attributes,
        first_seen: entity.first_seen.millis(),
        last_seen: entity.last_seen.millis(),
    })
}

pub(super) fn entity(row: rows::entity::Model) -> Result<Entity> {
    const WHAT: &str = "entity";
    Ok(Entity {
        id: id_of!(EntityId, &row.id, "entity")?,
        kind: EntityKind::parse(&row.kind).ok_or(StoreError::Corrupt { what: WHAT })?,
        key: read_text(row.key, WHAT)?.into(),
        name: read_text(row.name, WHAT)?.into(),
        attributes: match row.attributes.as_str() {
            "{}" => Value::Object(serde_json::Map::new()),
            text => from_json(text, WHAT)?,
        },
        first_seen: Timestamp(row.first_seen),
        last_seen: Timestamp(row.last_seen),
    })
}

pub(super) fn relation_row(relation: Relation) -> rows::relation::Model {
    rows::relation::Model {
        id: relation.id.to_bytes().to_vec(),
        kind: relation.kind.as_str().to_owned(),
        from_id: relation.from.to_bytes().to_vec(),
        to_id: relation.to.to_bytes().to_vec(),
        first_seen: relation.first_seen.millis(),
        last_seen: relation.last_seen.millis(),
        confidence: f64::from(relation.confidence),
        source: column_text(&relation.source),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the column holds what was an f32")]
pub(super) fn relation(row: rows::relation::Model) -> Result<Relation> {
    Ok(Relation {
        id: id_of!(RelationId, &row.id, "relation")?,
        kind: RelationKind::parse(&row.kind).ok_or(StoreError::Corrupt { what: "relation" })?,
        from: id_of!(EntityId, &row.from_id, "relation")?,
        to: id_of!(EntityId, &row.to_id, "relation")?,
        first_seen: Timestamp(row.first_seen),
        last_seen: Timestamp(row.last_seen),
        confidence: row.confidence as f32,
        source: read_text(row.source, "relation")?.into(),
    })
}

pub(super) fn signal_row(signal: &Signal) -> Result<rows::signal::Model> {
    Ok(rows::signal::Model {
        id: signal.id.to_bytes().to_vec(),
        detector: index_text(&signal.detector),
        severity: severity(signal.severity),
        occurred_at: signal.occurred_at.millis(),
        body: to_json(signal, "signal")?,
    })
}

pub(crate) fn signal(row: &rows::signal::Model) -> Result<Signal> {
    from_json(&row.body, "signal")
}

pub(super) fn alert_row(alert: &Alert) -> Result<rows::alert::Model> {
    Ok(rows::alert::Model {
        id: alert.id.to_bytes().to_vec(),
        status: alert.status.as_str().to_owned(),
        severity: severity(alert.severity),
        updated_at: alert.updated_at.millis(),
        body: to_json(alert, "alert")?,
    })
}

pub(crate) fn alert(row: &rows::alert::Model) -> Result<Alert> {
    from_json(&row.body, "alert")
}

pub(super) fn alert_event_row(event: &AlertEvent) -> Result<rows::alert_event::Model> {
    let body = to_json(event, "alert event")?;
    Ok(rows::alert_event::Model {
        sequence: big(event.sequence),
        alert_id: event.alert.id.to_bytes().to_vec(),
        change: event.change.as_str().to_owned(),
        n_bytes: big_len(body.len()),
        body: pack(body.as_bytes(), "alert event")?,
    })
}

pub(crate) fn alert_event(row: &rows::alert_event::Model) -> Result<AlertEvent> {
    const WHAT: &str = "alert event";
    let body = unpack(&row.body, row.n_bytes, WHAT)?;
    from_json(std::str::from_utf8(&body).map_err(|_| StoreError::Corrupt { what: WHAT })?, WHAT)
}

pub(super) fn vendor_row(vendor: &Vendor) -> Result<rows::vendor::Model> {
    let mut search = vendor.name.to_lowercase();
    for domain in &vendor.domains {
        search.push(PART_END);
        search.push_str(&domain.to_lowercase());
    }
    Ok(rows::vendor::Model {
        id: vendor.id.to_bytes().to_vec(),
        name_key: fold(&vendor.name),
        search: search.replace('\0', "\u{fffd}"),
        tier: tier(vendor.tier),
        body: to_json(vendor, "vendor")?,
        grade: None,
    })
}

pub(crate) fn vendor(row: &rows::vendor::Model) -> Result<Vendor> {
    from_json(&row.body, "vendor")
}

pub(super) fn integration_row(integration: &Integration) -> Result<rows::integration::Model> {
    Ok(rows::integration::Model {
        id: integration.id.to_bytes().to_vec(),
        name: index_text(&integration.name),
        entity_id: EntityKey::new(EntityKind::Integration, integration.name.clone()).id().to_bytes().to_vec(),
        body: to_json(integration, "integration")?,
        vendor_id: integration.vendor.map(|vendor| vendor.to_bytes().to_vec()),
    })
}

/// The vendor of an integration is what the column says: removing a vendor clears it.
pub(crate) fn integration(row: &rows::integration::Model) -> Result<Integration> {
    let integration: Integration = from_json(&row.body, "integration")?;
    let vendor = match &row.vendor_id {
        Some(bytes) => Some(id_of!(VendorId, bytes, "integration")?),
        None => None,
    };
    Ok(Integration { vendor, ..integration })
}

pub(super) fn posture_row(vendor: VendorId, posture: &Posture) -> Result<rows::posture::Model> {
    Ok(rows::posture::Model {
        vendor_id: vendor.to_bytes().to_vec(),
        assessed_at: posture.assessed_at.millis(),
        grade: grade(posture.grade),
        body: to_json(posture, "posture")?,
        position: None,
    })
}

pub(crate) fn posture(row: &rows::posture::Model) -> Result<Posture> {
    from_json(&row.body, "posture")
}

pub(super) fn finding_row(finding: &Finding) -> Result<rows::finding::Model> {
    Ok(rows::finding::Model {
        id: finding.id.to_bytes().to_vec(),
        check_id: index_text(&finding.outcome.check),
        status: finding.status.as_str().to_owned(),
        severity: severity(finding.outcome.severity),
        body: to_json(finding, "finding")?,
        vendor_id: finding.vendor.map(|vendor| vendor.to_bytes().to_vec()),
    })
}

pub(crate) fn finding(row: &rows::finding::Model) -> Result<Finding> {
    from_json(&row.body, "finding")
}

pub(crate) fn token_row(token: &Token) -> Result<rows::token::Model> {
    Ok(rows::token::Model {
        id: token.id.to_bytes().to_vec(),
        created_at: token.created_at.millis(),
        body: to_json(token, "token")?,
        last_used_at: token.last_used_at.map(Timestamp::millis),
        revoked_at: token.revoked_at.map(Timestamp::millis),
    })
}

/// Last use and revocation are what the columns say.
pub(crate) fn token(row: &rows::token::Model) -> Result<Token> {
    let token: Token = from_json(&row.body, "token")?;
    Ok(Token { last_used_at: row.last_used_at.map(Timestamp), revoked_at: row.revoked_at.map(Timestamp), ..token })
}
