//! The contract's enums, each the mirror of a domain enum, and its scalars. Must not know how anything is served.

use async_graphql::{Enum, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use riskgraph_domain::time::Timestamp;

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident = $remote:literal { $($(#[$item_meta:meta])* $item:ident),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
        #[graphql(remote = $remote)]
        pub(crate) enum $name { $($(#[$item_meta])* $item),* }
    )* };
}

mirror! {
    /// Why a finding is disputed.
    DisputeKind = "riskgraph_domain::posture::DisputeKind" { NotMine, Fixed, CompensatingControl, CannotReproduce }
    /// Why points came or went between two postures.
    ScoreCause = "riskgraph_domain::posture::ScoreCause" {
        New, Fixed, Changed, Decayed, AssetChanged, Disputed, Incident, Limit, Share, ModelVersion,
    }
    /// How bad, mildest first.
    Severity = "riskgraph_domain::signal::Severity" { Info, Low, Medium, High, Critical }
    /// Where a playbook's text lies.
    PlaybookSource = "riskgraph_domain::playbook::PlaybookSource" { Shipped, File, Api }
    /// Where a run is in its life.
    RunState = "riskgraph_domain::playbook::RunState" { WaitingApproval, Running, Done, Failed, Refused, Cancelled, Undone }
    /// Where a step, or a step at one target, is in its life.
    StepState = "riskgraph_domain::playbook::StepState" {
        Pending, Waiting, Running, Done, Failed, Skipped, Undoing, Undone,
    }
    /// Where an approval is in its life.
    ApprovalState = "riskgraph_domain::playbook::ApprovalState" { Pending, Approved, Rejected, Expired }
    /// Letter of a posture; NR is not rated: coverage too low.
    Grade = "riskgraph_domain::posture::Grade" { A, B, C, D, F, #[graphql(name = "NR")] NR }
    /// How much the shop depends on a vendor.
    VendorTier = "riskgraph_domain::vendor::VendorTier" { Critical, High, Medium, Low }
    /// What a node of the risk graph is.
    EntityKind = "riskgraph_domain::graph::EntityKind" {
        Vendor, Domain, Host, Address, Network, Certificate, Script, Product, Vulnerability, Integration, ApiKey,
        Endpoint, User, Staff, Session, Device, Card, Order, GiftCard, Indicator, Leak, Asset,
    }
    /// What an edge says: `from` KIND `to`.
    RelationKind = "riskgraph_domain::graph::RelationKind" {
        Owns, ResolvesTo, DependsOn, Loads, Presents, Runs, AffectedBy, Operates, Uses, CalledFrom, AuthenticatedFrom,
        UsedDevice, PaidWith, Placed, Redeemed, Matches, MentionedIn, LookalikeOf, SameAs,
    }
    /// What a check said.
    CheckResult = "riskgraph_domain::posture::CheckResult" { Pass, Warn, Fail, Unknown }
    /// Where a finding is in its life.
    FindingStatus = "riskgraph_domain::posture::FindingStatus" { Open, Resolved, Accepted, Disputed }
    /// Where an alert is in its life.
    AlertStatus = "riskgraph_domain::alert::AlertStatus" { Open, Acknowledged, Resolved }
    /// What a person said an alert really was.
    Verdict = "riskgraph_domain::alert::Verdict" { TruePositive, FalsePositive, Benign, Duplicate, InsufficientData }
    /// What happened to an alert.
    AlertChange = "riskgraph_domain::alert::AlertChange" { Opened, Updated, Escalated, Retracted, Resolved }
    /// Why an alert changed.
    AlertCause = "riskgraph_domain::alert::AlertCause" {
        Signal, Correlation, Acknowledged, Assigned, Commented, Resolved, Reopened, Muted, Unmuted, DueSet, Overdue,
        Case, Response,
    }
    /// How a channel is reached.
    ChannelKind = "riskgraph_domain::delivery::ChannelKind" { Webhook, Email, Slack, Teams, Pagerduty, Splunk, File }
    /// In which shape programs get their messages.
    PayloadFormat = "riskgraph_domain::delivery::PayloadFormat" { Native, Cloudevents, Ocsf }
    /// Whether a channel is told anything.
    ChannelStatus = "riskgraph_domain::delivery::ChannelStatus" { Active, Disabled }
    /// Whom a report is for.
    ReportKind = "riskgraph_domain::report::ReportKind" { VendorManager, RiskLead, Board, Vendor }
    /// How a report is written down.
    ReportFormat = "riskgraph_domain::report::ReportFormat" { Html, Pdf, Csv, Json }
    /// What changed in the portfolio.
    ChangeKind = "riskgraph_domain::report::ChangeKind" {
        Grade, FindingNew, FindingFixed, FourthParty, Incident, Alert,
    }
    /// Where a delivery is in its life: DEAD ones were given up.
    DeliveryState = "riskgraph_domain::delivery::DeliveryState" { Waiting, Retrying, Delivered, Dead }
    /// Why nobody is told of an alert.
    MuteKind = "riskgraph_domain::alert::MuteKind" { Silenced, Inhibited, Storm }
    /// What of an alert a matcher looks at.
    MatchField = "riskgraph_domain::triage::MatchField" {
        Severity, Detector, Technique, Entity, EntityKind, Vendor, Title,
    }
    /// How a matcher compares; AT_LEAST and AT_MOST are for severities.
    MatchOp = "riskgraph_domain::triage::MatchOp" { Equals, NotEquals, Contains, AtLeast, AtMost }
    /// Whether somebody works on a case.
    CaseStatus = "riskgraph_domain::triage::CaseStatus" { Open, Closed }
    /// What a token may do: ADMIN all, ANALYST reads and triages, READER reads, INGEST only sends events.
    Role = "riskgraph_domain::access::Role" { Admin, Analyst, Reader, Ingest }
}

/// The domain's words of an optional list argument; empty when it was not given.
pub(crate) fn words<From, To: std::convert::From<From>>(given: Option<Vec<From>>) -> Vec<To> {
    given.unwrap_or_default().into_iter().map(To::from).collect()
}

/// An instant: RFC 3339, printed in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) Timestamp);

#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Timestamp::parse_rfc3339(text)
            .map(Self)
            .ok_or_else(|| InputValueError::custom("not an RFC 3339 time; write it like 2026-03-02T08:00:00Z"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339())
    }
}

/// A count as GraphQL's 32-bit `Int`; what does not fit reads as the largest.
pub(crate) fn int(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}
