//! Who may enter where: every role at every entrance of the surface.

use riskgraph_api::{SurfaceItem, surface};
use riskgraph_domain::access::{Capability, Role};
use serde_json::json;

use crate::support::{ADMIN, ANALYST, INGEST, READER, Server, answer};

/// A document that asks for one root field with arguments that are valid in form.
pub(crate) fn document(name: &str) -> Option<(&'static str, &'static str)> {
    let document = match name {
        "Query.node" => "{ node(id: \"ven_0\") { id } }",
        "Query.vendors" => "{ vendors { totalCount } }",
        "Query.vendor" => "{ vendor(name: \"acme\") { id } }",
        "Query.entity" => "{ entity(kind: USER, key: \"x\") { id } }",
        "Query.entities" => "{ entities { totalCount } }",
        "Query.path" => {
            "{ path(from: \"ent_00000000000000000000000000\", to: \"ent_00000000000000000000000000\") { id } }"
        }
        "Query.blastRadius" => "{ blastRadius(entity: \"ent_00000000000000000000000000\") { distance } }",
        "Query.concentration" => "{ concentration { share } }",
        "Query.findings" => "{ findings { totalCount } }",
        "Query.integrations" => "{ integrations { totalCount } }",
        "Query.integration" => "{ integration(name: \"acme-sync\") { id } }",
        "Query.signals" => "{ signals { totalCount } }",
        "Query.alerts" => "{ alerts { totalCount } }",
        "Query.alert" => "{ alert(id: \"alr_00000000000000000000000000\") { id } }",
        "Query.tokens" => "{ tokens { id } }",
        "Query.playbooks" => "{ playbooks { totalCount } }",
        "Query.playbook" => "{ playbook(name: \"contain\") { id steps { id detail } stats { runs } cacao } }",
        "Query.runs" => "{ runs { edges { node { id approvals { mayDecide whyNot } } } } }",
        "Query.run" => "{ run(id: \"run_00000000000000000000000000\") { id } }",
        "Query.approvals" => "{ approvals { edges { node { id } } } }",
        "Query.killSwitches" => "{ killSwitches { on } }",
        "Query.dryRun" => {
            "{ dryRun(playbook: \"pbk_00000000000000000000000000\", alert: \"alr_00000000000000000000000000\") { allowed } }"
        }
        "Mutation.savePlaybook" => "mutation { savePlaybook(text: \"x\") { id } }",
        "Mutation.importPlaybook" => "mutation { importPlaybook(cacao: {}) { id } }",
        "Mutation.setPlaybookEnabled" => {
            "mutation { setPlaybookEnabled(id: \"pbk_00000000000000000000000000\", enabled: true) { id } }"
        }
        "Mutation.setKillSwitch" => "mutation { setKillSwitch(on: true, reason: \"r\") { on } }",
        "Mutation.startRun" => {
            "mutation { startRun(playbook: \"pbk_00000000000000000000000000\", alert: \"alr_00000000000000000000000000\") { id } }"
        }
        "Mutation.cancelRun" => "mutation { cancelRun(id: \"run_00000000000000000000000000\", reason: \"r\") { id } }",
        "Mutation.undoRun" => "mutation { undoRun(id: \"run_00000000000000000000000000\", reason: \"r\") { id } }",
        "Mutation.decide" => "mutation { decide(approval: \"apv_00000000000000000000000000\", approved: true) { id } }",
        "Query.me" => "{ me { name } }",
        "Query.audit" => "{ audit { totalCount } }",
        "Query.auditVerification" => "{ auditVerification { whole } }",
        "Mutation.addVendor" => "mutation { addVendor(input: { name: \"n\", domains: [\"n.example\"] }) { id } }",
        "Mutation.updateVendor" => {
            "mutation { updateVendor(id: \"ven_00000000000000000000000000\", input: { name: \"n\", domains: [] }) { id } }"
        }
        "Mutation.removeVendor" => "mutation { removeVendor(id: \"ven_00000000000000000000000000\") }",
        "Mutation.assessVendor" => "mutation { assessVendor(id: \"ven_00000000000000000000000000\") }",
        "Mutation.acknowledgeAlert" => "mutation { acknowledgeAlert(id: \"alr_00000000000000000000000000\") { id } }",
        "Mutation.assignAlert" => {
            "mutation { assignAlert(id: \"alr_00000000000000000000000000\", assignee: \"me\") { id } }"
        }
        "Mutation.resolveAlert" => {
            "mutation { resolveAlert(id: \"alr_00000000000000000000000000\", verdict: BENIGN) { id } }"
        }
        "Mutation.acceptFinding" => {
            "mutation { acceptFinding(id: \"fnd_00000000000000000000000000\", reason: \"r\", until: \"2030-01-01T00:00:00Z\") { id } }"
        }
        "Mutation.disputeFinding" => {
            "mutation { disputeFinding(id: \"fnd_00000000000000000000000000\", reason: \"r\") { id } }"
        }
        "Query.silences" => "{ silences { totalCount } }",
        "Query.cases" => "{ cases { totalCount } }",
        "Query.case" => "{ case(id: \"cas_00000000000000000000000000\") { id } }",
        "Mutation.commentAlert" => {
            "mutation { commentAlert(id: \"alr_00000000000000000000000000\", text: \"x\") { id } }"
        }
        "Mutation.reopenAlert" => "mutation { reopenAlert(id: \"alr_00000000000000000000000000\") { id } }",
        "Mutation.setAlertDue" => {
            "mutation { setAlertDue(id: \"alr_00000000000000000000000000\", dueAt: \"2030-01-01T00:00:00Z\") { id } }"
        }
        "Mutation.createSilence" => {
            "mutation { createSilence(input: { matchers: [], reason: \"r\", endsAt: \"2030-01-01T00:00:00Z\" }) { id } }"
        }
        "Mutation.expireSilence" => "mutation { expireSilence(id: \"sil_00000000000000000000000000\") { id } }",
        "Mutation.createCase" => "mutation { createCase(input: { title: \"c\" }) { id } }",
        "Mutation.updateCase" => {
            "mutation { updateCase(id: \"cas_00000000000000000000000000\", input: { title: \"c\" }) { id } }"
        }
        "Mutation.commentCase" => {
            "mutation { commentCase(id: \"cas_00000000000000000000000000\", text: \"x\") { id } }"
        }
        "Mutation.addToCase" => "mutation { addToCase(id: \"cas_00000000000000000000000000\", alerts: []) { id } }",
        "Mutation.removeFromCase" => {
            "mutation { removeFromCase(id: \"cas_00000000000000000000000000\", alerts: []) { id } }"
        }
        "Mutation.mergeCases" => {
            "mutation { mergeCases(from: \"cas_00000000000000000000000000\", into: \"cas_00000000000000000000000001\") { id } }"
        }
        "Mutation.unmergeCase" => "mutation { unmergeCase(id: \"cas_00000000000000000000000000\") { id } }",
        "Mutation.createToken" => "mutation { createToken(name: \"t\", role: READER) { secret } }",
        "Mutation.importVendors" => "mutation { importVendors(csv: \"name\") { added } }",
        "Mutation.revokeToken" => "mutation { revokeToken(id: \"tok_00000000000000000000000000\") }",
        "Query.reports" => "{ reports { totalCount } }",
        "Query.report" => "{ report(id: \"rep_00000000000000000000000000\") { id } }",
        "Query.reportSchedules" => "{ reportSchedules { totalCount } }",
        "Query.verifyReport" => "{ verifyReport(id: \"rep_00000000000000000000000000\") { valid } }",
        "Query.changes" => "{ changes(since: \"2026-01-01T00:00:00Z\") { totalCount } }",
        "Mutation.makeReport" => "mutation { makeReport(input: { kind: BOARD }) { id } }",
        "Mutation.shareReport" => {
            "mutation { shareReport(id: \"rep_00000000000000000000000000\", expiresAt: \"2030-01-01T00:00:00Z\") { id } }"
        }
        "Mutation.revokeShare" => "mutation { revokeShare(id: \"rsh_00000000000000000000000000\") }",
        "Mutation.createReportSchedule" => {
            "mutation { createReportSchedule(input: { name: \"n\", kind: BOARD, cron: \"0 8 * * 1\", timeZone: \"UTC\" }) { id } }"
        }
        "Mutation.updateReportSchedule" => {
            "mutation { updateReportSchedule(id: \"rsc_00000000000000000000000000\", input: { name: \"n\", kind: BOARD, cron: \"0 8 * * 1\", timeZone: \"UTC\" }) { id } }"
        }
        "Mutation.removeReportSchedule" => "mutation { removeReportSchedule(id: \"rsc_00000000000000000000000000\") }",
        // Refused or let through before the stream's form matters.
        "Subscription.alerts" => "subscription { alerts { cursor } }",
        "Subscription.riskChanges" => "subscription { riskChanges { id } }",
        "Subscription.runs" => "subscription { runs { id } }",
        "Subscription.assessments" => "subscription { assessments { done } }",
        _ => return None,
    };
    Some((name.split('.').next().map_or("", |_| "POST"), document))
}

/// Whether this caller got in.
async fn enters(server: &Server, item: &SurfaceItem, token: Option<&str>) -> bool {
    let (status, body) = match document(item.name) {
        Some((_, query)) => {
            let mut request = server.client.post(server.url("/graphql")).json(&json!({ "query": query }));
            if item.name.starts_with("Subscription.") {
                // A stream that starts answers its head; what a refused one says is in its only event.
                request = request.header("accept", "text/event-stream");
                return enters_stream(request, token).await;
            }
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            answer(request).await
        }
        None => {
            let (method, path) = item.name.split_once(' ').expect("method and path");
            let path = path.replace("{format}", "nginx");
            let method = method.parse().expect("a method");
            let mut request = server.client.request(method, server.url(&path));
            if path == "/graphql" {
                request = request.query(&[("query", "{ vendors { totalCount } }")]);
                request = request.json(&json!({ "query": "{ vendors { totalCount } }" }));
            }
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            answer(request).await
        }
    };
    let code = body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    !matches!(status, 401 | 403) && !matches!(code, "UNAUTHENTICATED" | "FORBIDDEN")
}

async fn enters_stream(request: reqwest::RequestBuilder, token: Option<&str>) -> bool {
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.expect("an answer").status().as_u16() == 200
}

#[tokio::test]
async fn every_role_enters_exactly_where_the_surface_says() {
    let server = Server::start().await;
    let callers = [
        (None, None),
        (Some("no-such-token"), None),
        (Some(ADMIN), Some(Role::Admin)),
        (Some(ANALYST), Some(Role::Analyst)),
        (Some(READER), Some(Role::Reader)),
        (Some(INGEST), Some(Role::Ingest)),
    ];
    let mut wrong = Vec::new();
    for item in surface() {
        for (token, role) in callers {
            let may = item.capability.is_none_or(|wanted| role.is_some_and(|role| role.may(wanted)));
            if enters(&server, &item, token).await != may {
                wrong.push(format!("{} as {token:?}: expected {may}", item.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_graphql_field_of_the_surface_is_walked() {
    let fields: Vec<SurfaceItem> = surface().into_iter().filter(|item| !item.name.contains(' ')).collect();
    let missing: Vec<&str> = fields.iter().map(|item| item.name).filter(|name| document(name).is_none()).collect();
    assert!(missing.is_empty() && fields.len() > 25, "not walked: {missing:?}");
    assert!(fields.iter().all(|item| item.capability.is_some_and(|c| c != Capability::Ingest)));
}

#[tokio::test]
async fn a_revoked_token_stops_working_at_once() {
    let server = Server::start().await;
    let made =
        server.data(ADMIN, "mutation { createToken(name: \"ci\", role: READER) { secret token { id role } } }").await;
    let secret = made["createToken"]["secret"].as_str().expect("a secret").to_owned();
    let id = made["createToken"]["token"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(made["createToken"]["token"]["role"], "READER");
    server.data(&secret, "{ vendors { totalCount } }").await;
    let revoked = server.data(ADMIN, &format!("mutation {{ revokeToken(id: \"{id}\") }}")).await;
    assert_eq!(revoked["revokeToken"], true);
    assert_eq!(server.code(&secret, "{ vendors { totalCount } }").await, "UNAUTHENTICATED");
    let listed = server.data(ADMIN, "{ tokens { name role } }").await.to_string();
    assert!(listed.contains("ci") && !listed.contains("secret"), "{listed}");
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let server = Server::start().await;
    for token in ["no-such-token", INGEST] {
        for query in ["{ vendorz { id } }", "{ __schema { types { name } } }", "{ __typename }"] {
            let (_, body) = server.ask(token, query, json!({})).await;
            let body = body.to_string();
            assert!(!body.contains("Did you mean") && !body.contains("vendors") && body.contains("errors"), "{body}");
        }
    }
    let (status, body) = server.ask(READER, "{ __schema { queryType { name } } }", json!({})).await;
    assert_eq!((status, &body["data"]["__schema"]["queryType"]["name"]), (200, &json!("Query")));
}

#[tokio::test]
async fn a_refusal_says_how_to_sign_in() {
    let server = Server::start().await;
    let response = server.client.get(server.url("/metrics")).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 401);
    assert!(response.headers()["www-authenticate"].to_str().expect("text").starts_with("Bearer"));
    let request = server.client.get(server.url("/metrics")).header("authorization", "Basic YTpi");
    let (status, body) = answer(request).await;
    assert_eq!((status, &body["error"]["code"]), (401, &json!("RG-0201")));
}
