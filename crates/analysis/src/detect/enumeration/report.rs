//! Signals of the enumeration detector, in words.

use riskgraph_domain::EntityKind;
use riskgraph_domain::event::Event;
use riskgraph_domain::signal::{Signal, TouchRole};
use serde_json::json;

use super::super::Context;
use super::super::draft::Draft;
use super::super::telling::SCORE_MAX;
use super::access::Access;
use super::reader::{Reader, Shares};
use super::{Group, NAME};

const TECHNIQUES: &[&str] = &["T1190", "T1213", "T1119"];
const ADVICE: &[&str] = &[
    "check that the endpoint compares the object's owner with the caller",
    "end the sessions or suspend the key of the reader, and list what it read",
    "owners of the objects read may have to be told",
];
const STAFF_ADVICE: &[&str] = &[
    "ask the team lead whether a task explains this; volume alone proves nothing",
    "compare the objects read with the tickets of the day",
];

/// The signal of an actor that reads what is not its own, or far more than usual.
pub(super) fn enumeration(
    reader: &Reader,
    shares: &Shares,
    access: &Access,
    event: &Event,
    context: &Context,
) -> Signal {
    let (who, kind) = match access.group {
        Group::Customer => (format!("user {}", access.name), EntityKind::User),
        Group::Staff => (format!("staff {}", access.name), EntityKind::Staff),
        Group::Token if event.actor.key.is_none() => (format!("session {}", access.name), EntityKind::Session),
        Group::Partner if event.actor.key.is_none() => {
            (format!("integration {}", access.name), EntityKind::Integration)
        }
        Group::Token | Group::Partner => (format!("key {}", access.name), EntityKind::ApiKey),
    };
    let title = if shares.foreign + shares.owners > 0.0 {
        format!("{who} reads {}s of many other owners", access.kind_name)
    } else {
        format!("{who} reads far more {}s than usual", access.kind_name)
    };
    let n_objects = reader.objects.count();
    let mut draft = Draft::new(NAME, format!("{who} {}", access.kind_name), title);
    draft
        .reason(
            shares.foreign,
            "objects of owners it has nothing to do with, read with success",
            format!("{} objects within a week", reader.foreign.count()),
        )
        .reason(
            shares.owners,
            "objects of many different owners under one token",
            format!("{} owners", reader.owners.count()),
        )
        .reason(shares.volume, "distinct objects in a day", n_objects.to_string());
    if shares.volume > 0.0 {
        draft.expected(format!("up to {:.0}", shares.usual));
    }
    draft
        .reason(shares.refused, "objects refused or missing: ids are being tried", reader.refused.count().to_string())
        .reason(shares.dense, "ids without gaps", access.id)
        .cap(SCORE_MAX)
        .touch(TouchRole::Subject, kind, access.name)
        .techniques(TECHNIQUES)
        .advice(if access.group == Group::Staff { STAFF_ADVICE } else { ADVICE });
    if let Some(key) = event.actor.key.as_deref().filter(|_| access.group == Group::Customer) {
        draft.touch(TouchRole::Involved, EntityKind::ApiKey, key);
    }
    if let Some(session) = event.actor.session.as_deref().filter(|_| access.group == Group::Customer) {
        draft.touch(TouchRole::Involved, EntityKind::Session, session);
    }
    if let Some(integration) = &event.actor.integration {
        draft.touch(TouchRole::Involved, EntityKind::Integration, integration);
    }
    if let Some(ip) = &event.client.ip {
        draft.touch(TouchRole::Involved, EntityKind::Address, ip);
    }
    for victim in &reader.victims {
        draft.touch(TouchRole::Context, EntityKind::User, victim);
    }
    draft
        .evidence("type", access.kind_name)
        .evidence("since", json!(reader.first))
        .evidence("objects_today", n_objects)
        .evidence("foreign_objects", reader.foreign.count())
        .evidence("refused", reader.refused.count())
        .evidence("usual", shares.usual.round())
        .evidence("own_highest_day", reader.own_top.round())
        .evidence("samples", json!(reader.samples))
        .evidence("owners", json!(reader.victims));
    draft.finish(event, context)
}
