//! The one table of who may enter where: every GraphQL root field and every HTTP route with the capability it asks for.
//!
//! Resolvers get their capability object from here (`surface::query::vendors(ctx)?`), the router is built from
//! [`ROUTES`], and [`surface`] lists both. So the list cannot tell anything but what is enforced: an entry nobody uses is
//! a compiler warning, and a field or route without an entry does not get past the tests.

use async_graphql::Context;
use riskgraph_domain::access::Capability;
use riskgraph_domain::error::Fault;

use crate::access::{Administrator, Approver, Grant, Observer, Reader, Responder, Sender, Triager, grant};

/// One entrance and what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurfaceItem {
    /// `Query.vendors`, `Mutation.addVendor`, `Subscription.alerts`, or method and path such as `POST /v1/events`.
    pub name: &'static str,
    /// What the viewer's role must have; `None` is open to everyone.
    pub capability: Option<Capability>,
}

/// Every GraphQL root field and HTTP route with the capability it asks for.
#[must_use]
pub fn surface() -> Vec<SurfaceItem> {
    let routes = ROUTES.iter().map(|route| SurfaceItem { name: route.name, capability: route.door.capability() });
    [query::ITEMS, mutation::ITEMS, subscription::ITEMS].into_iter().flatten().copied().chain(routes).collect()
}

/// What a root field asks for; `None` when there is no such field.
pub(crate) fn asks_for(root: &str, field: &str) -> Option<Capability> {
    let items = [query::ITEMS, mutation::ITEMS, subscription::ITEMS].into_iter().flatten();
    let mut own = items.filter(|item| item.name.split_once('.') == Some((root, field)));
    own.next().and_then(|item| item.capability)
}

macro_rules! fields {
    ($module:ident, $root:literal: $($field:ident $name:literal => $grant:ident;)*) => {
        pub(crate) mod $module {
            use super::*;

            $(pub(crate) fn $field(ctx: &Context<'_>) -> Result<$grant, Fault> {
                grant(ctx)
            })*

            pub(super) const ITEMS: &[SurfaceItem] = &[$(SurfaceItem {
                name: concat!($root, ".", $name),
                capability: Some(<$grant as Grant>::CAPABILITY),
            }),*];
        }
    };
}

fields! { query, "Query":
    node "node" => Reader;
    vendors "vendors" => Reader;
    vendor "vendor" => Reader;
    entity "entity" => Reader;
    entities "entities" => Reader;
    path "path" => Reader;
    blast_radius "blastRadius" => Reader;
    concentration "concentration" => Reader;
    findings "findings" => Reader;
    integrations "integrations" => Reader;
    integration "integration" => Reader;
    signals "signals" => Reader;
    alerts "alerts" => Reader;
    alert "alert" => Reader;
    silences "silences" => Reader;
    cases "cases" => Reader;
    case "case" => Reader;
    tokens "tokens" => Administrator;
    playbooks "playbooks" => Reader;
    playbook "playbook" => Reader;
    runs "runs" => Reader;
    run "run" => Reader;
    approvals "approvals" => Reader;
    kill_switches "killSwitches" => Reader;
    dry_run "dryRun" => Reader;
    me "me" => Reader;
    channels "channels" => Reader;
    channel "channel" => Reader;
    deliveries "deliveries" => Reader;
    reports "reports" => Reader;
    report "report" => Reader;
    report_schedules "reportSchedules" => Reader;
    verify_report "verifyReport" => Reader;
    changes "changes" => Reader;
    audit "audit" => Administrator;
    audit_verification "auditVerification" => Administrator;
}

fields! { mutation, "Mutation":
    add_vendor "addVendor" => Administrator;
    update_vendor "updateVendor" => Administrator;
    remove_vendor "removeVendor" => Administrator;
    assess_vendor "assessVendor" => Triager;
    acknowledge_alert "acknowledgeAlert" => Triager;
    assign_alert "assignAlert" => Triager;
    resolve_alert "resolveAlert" => Triager;
    comment_alert "commentAlert" => Triager;
    reopen_alert "reopenAlert" => Triager;
    set_alert_due "setAlertDue" => Triager;
    create_silence "createSilence" => Triager;
    expire_silence "expireSilence" => Triager;
    create_case "createCase" => Triager;
    update_case "updateCase" => Triager;
    comment_case "commentCase" => Triager;
    add_to_case "addToCase" => Triager;
    remove_from_case "removeFromCase" => Triager;
    merge_cases "mergeCases" => Triager;
    unmerge_case "unmergeCase" => Triager;
    accept_finding "acceptFinding" => Triager;
    dispute_finding "disputeFinding" => Triager;
    create_token "createToken" => Administrator;
    revoke_token "revokeToken" => Administrator;
    create_channel "createChannel" => Administrator;
    update_channel "updateChannel" => Administrator;
    remove_channel "removeChannel" => Administrator;
    enable_channel "enableChannel" => Administrator;
    disable_channel "disableChannel" => Administrator;
    rotate_channel_secret "rotateChannelSecret" => Administrator;
    recover_channel "recoverChannel" => Administrator;
    test_channel "testChannel" => Triager;
    retry_delivery "retryDelivery" => Triager;
    save_playbook "savePlaybook" => Administrator;
    import_playbook "importPlaybook" => Administrator;
    set_playbook_enabled "setPlaybookEnabled" => Administrator;
    set_kill_switch "setKillSwitch" => Administrator;
    start_run "startRun" => Responder;
    cancel_run "cancelRun" => Responder;
    undo_run "undoRun" => Responder;
    decide "decide" => Approver;
    make_report "makeReport" => Triager;
    share_report "shareReport" => Triager;
    revoke_share "revokeShare" => Triager;
    create_report_schedule "createReportSchedule" => Administrator;
    update_report_schedule "updateReportSchedule" => Administrator;
    remove_report_schedule "removeReportSchedule" => Administrator;
    import_vendors "importVendors" => Administrator;
}

fields! { subscription, "Subscription":
    alerts "alerts" => Reader;
    risk_changes "riskChanges" => Reader;
    assessments "assessments" => Reader;
    runs "runs" => Reader;
}

/// One HTTP route.
pub(crate) struct Route {
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) door: Door,
}

/// The methods we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

/// How a route is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Open to everyone.
    Open,
    /// A valid bearer token or session whose role has the capability, before the handler runs.
    Bearer(Capability),
    /// The same, but a WebSocket may bring its token in the first message: the handler checks.
    Handshake(Capability),
}

impl Door {
    pub(crate) const fn capability(self) -> Option<Capability> {
        match self {
            Self::Open => None,
            Self::Bearer(capability) | Self::Handshake(capability) => Some(capability),
        }
    }
}

macro_rules! routes {
    ($($method:ident $verb:literal $path:literal => $endpoint:ident, $door:expr;)*) => {
        /// What answers a route.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Endpoint { $($endpoint),* }

        /// Every HTTP route the router has.
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            name: concat!($verb, " ", $path),
            method: Method::$method,
            path: $path,
            endpoint: Endpoint::$endpoint,
            door: $door,
        }),*];
    };
}

routes! {
    Post "POST" "/v1/events" => Events, Door::Bearer(Sender::CAPABILITY);
    Post "POST" "/v1/events/{format}" => EventsIn, Door::Bearer(Sender::CAPABILITY);
    Post "POST" "/graphql" => GraphqlPost, Door::Bearer(Reader::CAPABILITY);
    Get "GET" "/graphql" => GraphqlGet, Door::Handshake(Reader::CAPABILITY);
    Get "GET" "/graphiql" => Graphiql, Door::Open;
    Get "GET" "/graphiql.js" => GraphiqlScript, Door::Open;
    Get "GET" "/graphiql.css" => GraphiqlStyle, Door::Open;
    Get "GET" "/health/live" => HealthLive, Door::Open;
    Get "GET" "/health/ready" => HealthReady, Door::Open;
    Get "GET" "/metrics" => Metrics, Door::Bearer(Observer::CAPABILITY);
    Post "POST" "/session" => SignIn, Door::Open;
    Delete "DELETE" "/session" => SignOut, Door::Open;
    Get "GET" "/reports/key" => ReportKey, Door::Open;
    Get "GET" "/reports/{file}" => ReportFile, Door::Bearer(Reader::CAPABILITY);
    Get "GET" "/shared/{secret}" => SharedReport, Door::Open;
}

#[cfg(test)]
mod tests;
