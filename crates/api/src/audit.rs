//! The record of every change and of every read of personal data, kept in the one path all operations take.
//!
//! A resolver need not think of it and cannot forget it: changes are known from the document before anything runs, and
//! what was read is noted where the data comes from ([`watch`]). It must *not* know how the log is kept. A change is
//! recorded before it is made and again with its outcome; a read before its answer goes out. When the log cannot be
//! written, nothing is changed and nothing is told.

pub(crate) mod asked;
mod redact;
pub(crate) mod trail;
pub(crate) mod watch;

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{PathSegment, Response, Value};
use futures::future::try_join_all;
use riskgraph_domain::audit::{Audit, Outcome, READ, Record};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::text::Text;
use serde_json::{Value as Json, json};

use crate::fault::{RequestId, fault_of};
use crate::http::caller::{Caller, Via};
use crate::surface;
use asked::{Asked, Root};
use trail::Trail;

/// Characters of a fault's words that are kept.
const REASON_LENGTH_MAX: usize = 300;

/// Whether reads are recorded; changes always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    Recorded,
    Unrecorded,
}

/// Records one operation.
pub(crate) struct Auditor {
    pub(crate) audit: Audit,
    pub(crate) reads: Reads,
    pub(crate) caller: Caller,
    pub(crate) request: RequestId,
    pub(crate) asked: Asked,
    pub(crate) trail: Arc<Trail>,
}

/// A record of this caller's request, to be filled in.
pub(crate) fn of_caller(audit: &Audit, caller: &Caller, request: &RequestId, action: &str) -> Record {
    let session = match caller.via {
        Via::Token => json!({}),
        Via::Session(key) => json!({ "session": key.short() }),
    };
    Record {
        address: caller.address.map(|address| Text::from(address.to_string())),
        request: Some(Text::from(request.to_string())),
        detail: session,
        ..Record::of_viewer(audit.clock.now(), &caller.viewer, action)
    }
}

impl Auditor {
    /// Records what is about to be changed; what the viewer's role may not do is refused without a start.
    pub(crate) async fn begin(&self) -> Result<(), Fault> {
        let starts = self.changes().iter().filter(|root| self.may(root));
        let records = starts.map(|root| self.change(root, Outcome::Started, root.target.clone(), json!({})));
        self.write(records.collect()).await
    }

    /// Records what became of it, before the answer goes out.
    pub(crate) async fn end(&self, response: &Response) -> Result<(), Fault> {
        let read = self.trail.take();
        if self.changes().is_empty() {
            let sensitive = self.asked.roots.iter().any(|root| root.name == "audit");
            if self.reads == Reads::Recorded && (read.total > 0 || sensitive) {
                self.write(vec![self.read(&read, "once")]).await?;
            }
            return Ok(());
        }
        let mut records = Vec::new();
        for (at, root) in self.changes().iter().enumerate() {
            let (outcome, mut more) = outcome_of(root, response);
            if at == 0 && read.total > 0 {
                more["ids"] = json!(read.ids);
                more["total"] = json!(read.total);
            }
            let target = root.target.clone().or_else(|| read.made.get(at).cloned()).or_else(|| id_in(root, response));
            records.push(self.change(root, outcome, target.or_else(|| root.names.clone()), more));
        }
        self.write(records).await
    }

    /// Records a change that was refused before it could run.
    pub(crate) async fn refused(&self, fault: &Fault) -> Result<(), Fault> {
        let detail = || told(fault);
        let records =
            self.changes().iter().map(|root| self.change(root, Outcome::Refused, root.target.clone(), detail()));
        self.write(records.collect()).await
    }

    /// Records what a stream has shown since the last time.
    pub(crate) async fn shown(&self) -> Result<(), Fault> {
        let read = self.trail.take();
        if read.total == 0 || self.reads == Reads::Unrecorded {
            return Ok(());
        }
        self.write(vec![self.read(&read, "stream")]).await
    }

    fn changes(&self) -> &[Root] {
        if self.asked.kind == OperationType::Mutation { &self.asked.roots } else { &[] }
    }

    fn may(&self, root: &Root) -> bool {
        surface::asks_for("Mutation", &root.name).is_none_or(|capability| self.caller.viewer.role.may(capability))
    }

    fn change(&self, root: &Root, outcome: Outcome, target: Option<String>, more: Json) -> Record {
        let record = of_caller(&self.audit, &self.caller, &self.request, &root.name);
        let mut detail = record.detail.clone();
        detail["arguments"] = root.arguments.clone();
        merge(&mut detail, more);
        Record { outcome, target: target.map(Text::from), detail, ..record }
    }

    fn read(&self, read: &trail::Taken, how: &str) -> Record {
        let record = of_caller(&self.audit, &self.caller, &self.request, READ);
        let fields: Vec<Json> =
            self.asked.roots.iter().map(|root| json!({ "field": root.name, "arguments": root.arguments })).collect();
        let mut detail = record.detail.clone();
        let more = json!({ "fields": fields, "ids": read.ids, "total": read.total, "how": how });
        merge(&mut detail, more);
        if let Some(operation) = &self.asked.operation {
            detail["operation"] = json!(operation);
        }
        let target = (read.total == 1).then(|| read.ids.first().map(|id| Text::from(id.as_str()))).flatten();
        Record { target, detail, ..record }
    }

    async fn write(&self, records: Vec<Record>) -> Result<(), Fault> {
        try_join_all(records.into_iter().map(|record| self.audit.recorder.record(record))).await.map(drop)
    }
}

fn merge(detail: &mut Json, more: Json) {
    if let (Json::Object(detail), Json::Object(more)) = (detail, more) {
        detail.extend(more);
    }
}

/// What a fault tells the log. An internal one tells its number alone: its words are for the operator's log.
pub(crate) fn told(fault: &Fault) -> Json {
    let reason: String = fault.message.chars().take(REASON_LENGTH_MAX).collect();
    if fault.code.graphql() == "INTERNAL" {
        return json!({ "code": fault.code.number() });
    }
    json!({ "code": fault.code.number(), "reason": reason })
}

/// A fault as an outcome: of a request that may not be made, or that went wrong.
pub(crate) const fn outcome_of_fault(code: FaultCode) -> Outcome {
    match code {
        FaultCode::Forbidden | FaultCode::Unauthenticated | FaultCode::RateLimited => Outcome::Refused,
        _ => Outcome::Failed,
    }
}

/// What became of one change of an operation.
fn outcome_of(root: &Root, response: &Response) -> (Outcome, Json) {
    let own = response.errors.iter().find(|error| match error.path.first() {
        Some(PathSegment::Field(key)) => *key == root.key,
        _ => true,
    });
    match own {
        Some(error) => {
            let fault = fault_of(error);
            // Words of the library quote the document; ours never quote a secret.
            let fault = if error.path.is_empty() { Fault { message: "not valid".into(), ..fault } } else { fault };
            (outcome_of_fault(fault.code), told(&fault))
        }
        None => (Outcome::Done, json!({})),
    }
}

/// The id in a change's answer, on its first or second level.
fn id_in(root: &Root, response: &Response) -> Option<String> {
    let Value::Object(data) = &response.data else { return None };
    let Value::Object(answer) = data.get(root.key.as_str())? else { return None };
    let id_of = |value: &Value| match value {
        Value::Object(fields) => match fields.get("id") {
            Some(Value::String(id)) => Some(id.clone()),
            _ => None,
        },
        _ => None,
    };
    id_of(&Value::Object(answer.clone())).or_else(|| answer.values().find_map(id_of))
}
