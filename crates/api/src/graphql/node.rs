//! Global object identification: every node has one id, and the id says which type it is.

use std::str::FromStr;

use async_graphql::{ID, Interface};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::{
    AlertId, ApprovalId, BadId, CaseId, ChannelId, DeliveryId, EntityId, FindingId, IntegrationId, PlaybookId,
    RelationId, ReportId, ReportScheduleId, RunId, SignalId, SilenceId, VendorId,
};

use super::alert::Alert;
use super::delivery::{Channel, Delivery};
use super::entity::{Entity, Relation};
use super::integration::Integration;
use super::playbook::Playbook;
use super::posture::Finding;
use super::report::Report;
use super::report_schedule::ReportSchedule;
use super::run::{Approval, Run};
use super::signal::Signal;
use super::triage::{Case, Silence};
use super::vendor::Vendor;
use crate::access::Reader;

/// Anything with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub(crate) enum Node {
    Entity(Entity),
    Relation(Relation),
    Vendor(Vendor),
    Finding(Finding),
    Integration(Integration),
    Signal(Signal),
    Alert(Alert),
    Channel(Channel),
    Delivery(Delivery),
    Playbook(Playbook),
    Run(Run),
    Approval(Approval),
    Silence(Silence),
    Case(Case),
    Report(Report),
    ReportSchedule(ReportSchedule),
}

/// Reads an id argument that must be of one type.
pub(crate) fn parse_id<T: FromStr<Err = BadId>>(id: &ID) -> Result<T, Fault> {
    id.as_str().parse().map_err(|error: BadId| Fault::new(FaultCode::BadInput, error.to_string()))
}

/// The node of this id; `None` when there is none or the id is of no type we know.
pub(crate) async fn node(reader: &Reader, id: &ID) -> Result<Option<Node>, Fault> {
    let records = reader.records();
    let prefix = id.as_str().split('_').next().unwrap_or_default();
    Ok(match prefix {
        EntityId::PREFIX => reader.entity(parse_id(id)?)?.map(|found| Node::Entity(Entity(found))),
        RelationId::PREFIX => reader.graph().relation(parse_id(id)?).map(|found| Node::Relation(Relation(found))),
        VendorId::PREFIX => records.vendor(parse_id(id)?).await?.map(|found| Node::Vendor(Vendor(found))),
        FindingId::PREFIX => records.finding(parse_id(id)?).await?.map(|found| Node::Finding(Finding(found))),
        IntegrationId::PREFIX => {
            records.integration(parse_id(id)?).await?.map(|found| Node::Integration(Integration(found)))
        }
        SignalId::PREFIX => records.signal(parse_id(id)?).await?.map(|found| Node::Signal(Signal(found))),
        AlertId::PREFIX => records.alert(parse_id(id)?).await?.map(|found| Node::Alert(Alert(found))),
        ChannelId::PREFIX => reader.channel(parse_id(id)?).await?.map(|found| Node::Channel(Channel(found))),
        DeliveryId::PREFIX => reader.delivery_by_id(parse_id(id)?).await?.map(|found| Node::Delivery(Delivery(found))),
        PlaybookId::PREFIX => {
            reader.playbooks().playbook(parse_id(id)?).await?.map(|found| Node::Playbook(Playbook(found)))
        }
        RunId::PREFIX => reader.runs().run(parse_id(id)?).await?.map(|found| Node::Run(Run(found))),
        ApprovalId::PREFIX => reader.runs().approval(parse_id(id)?).await?.map(|found| Node::Approval(Approval(found))),
        SilenceId::PREFIX => reader.silence(parse_id(id)?).await?.map(|found| Node::Silence(Silence(found))),
        CaseId::PREFIX => reader.triage().case(parse_id(id)?).await?.map(|found| Node::Case(Case(found))),
        ReportId::PREFIX => reader.reports().report(parse_id(id)?).await?.map(|found| Node::Report(Report(found))),
        ReportScheduleId::PREFIX => {
            let found = reader.reports().schedule(parse_id(id)?).await?;
            found.map(|found| Node::ReportSchedule(ReportSchedule(found)))
        }
        _ => None,
    })
}
