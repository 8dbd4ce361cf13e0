//! One document for each root field of the surface, for every test that walks it.

/// A document that asks for one root field with arguments that are valid in form.
pub(crate) fn document(name: &str) -> Option<&'static str> {
    Some(match name {
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
        "Query.channels" => "{ channels { totalCount } }",
        "Query.channel" => "{ channel(id: \"chn_00000000000000000000000000\") { id } }",
        "Query.deliveries" => "{ deliveries { totalCount } }",
        "Mutation.createChannel" => {
            "mutation { createChannel(input: { name: \"c\", kind: FILE, target: \"c.jsonl\" }) { secret } }"
        }
        "Mutation.updateChannel" => {
            "mutation { updateChannel(id: \"chn_00000000000000000000000000\", input: { name: \"c\", kind: FILE, target: \"c.jsonl\" }) { id } }"
        }
        "Mutation.removeChannel" => "mutation { removeChannel(id: \"chn_00000000000000000000000000\") }",
        "Mutation.enableChannel" => "mutation { enableChannel(id: \"chn_00000000000000000000000000\") { id } }",
        "Mutation.disableChannel" => {
            "mutation { disableChannel(id: \"chn_00000000000000000000000000\", reason: \"r\") { id } }"
        }
        "Mutation.rotateChannelSecret" => {
            "mutation { rotateChannelSecret(id: \"chn_00000000000000000000000000\") { secret } }"
        }
        "Mutation.testChannel" => "mutation { testChannel(id: \"chn_00000000000000000000000000\") { id } }",
        "Mutation.recoverChannel" => {
            "mutation { recoverChannel(id: \"chn_00000000000000000000000000\", since: \"2026-01-01T00:00:00Z\") }"
        }
        "Mutation.retryDelivery" => "mutation { retryDelivery(id: \"dlv_00000000000000000000000000\") { id } }",
        _ => return None,
    })
}
