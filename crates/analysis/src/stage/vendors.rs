//! The vendor register: declared facts as relations, and guesses where nothing is declared.

use std::collections::BTreeSet;

use riskgraph_domain::command::Command;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::FindingStatus;
use riskgraph_domain::vendor::{Integration, Vendor, VendorInput, VendorTier};
use riskgraph_domain::{EntityKind, Fault, FaultCode, IntegrationId, RelationKind, Text, Timestamp, VendorId};
use serde_json::Value;

use super::{DECLARED, RESOLVED, Stage};
use crate::detect::Context;
use crate::graph::{Direction, NodeIx, Observed, Seen, TIER};
use crate::resolve::{self, registrable};

/// Domains and integrations of one vendor.
const DOMAINS_MAX: usize = 64;
const INTEGRATIONS_MAX: usize = 256;
/// Staff of one vendor that are linked, and integrations that are resolved anew when a vendor changes.
const STAFF_MAX: usize = 1_000;
const RESOLVED_MAX: usize = 10_000;
/// Confidence of a link by the registrable part of a declared domain.
const BY_DOMAIN: f32 = 0.9;

/// The registrable domain of a mail address.
pub(super) fn mail_domain(address: &str) -> Option<Text> {
    let (_, domain) = address.rsplit_once('@')?;
    domain.contains('.').then(|| Text::from(registrable(domain)))
}

impl Stage {
    pub(super) fn add_vendor(
        &mut self,
        id: VendorId,
        input: &VendorInput,
        command: &Command,
        (context, delta): (&Context, &mut Delta),
    ) -> Result<(), Fault> {
        if self.vendors.contains_key(&id) {
            return Err(Fault::new(FaultCode::Conflict, "a vendor with this domain or name exists already"));
        }
        let vendor = vendor_of(id, input, command.at, None)?;
        self.changed.removed_vendors.remove(&id);
        self.install(vendor, command.at);
        self.settle_incidents(id, context, delta);
        Ok(())
    }

    pub(super) fn update_vendor(
        &mut self,
        id: VendorId,
        input: &VendorInput,
        command: &Command,
        _delta: &mut Delta,
    ) -> Result<(), Fault> {
        let old = self.vendors.get(&id).cloned().ok_or_else(|| Fault::not_found("vendor"))?;
        let vendor = vendor_of(id, input, old.added_at, Some(&old))?;
        self.withdraw(&old);
        let moved = (old.entity() != vendor.entity()).then(|| old.entity().id());
        self.install(vendor, command.at);
        if let Some(from) = moved.and_then(|id| self.graph.arena.find(id)) {
            self.move_causes(from, id);
        }
        self.weigh_findings(id);
        Ok(())
    }

    /// What was known of the vendor's old node is known of its new one.
    fn move_causes(&mut self, from: NodeIx, id: VendorId) {
        let Some(to) = self.vendor_node(id) else { return };
        let causes = self.graph.own.of(from).to_vec();
        self.graph.own.remove_at(from, |_| true);
        for cause in causes {
            self.graph.own.add(to, cause, &self.graph.config.own);
        }
        self.graph.arena.mark(from);
        self.graph.arena.mark(to);
    }

    pub(super) fn remove_vendor(&mut self, id: VendorId, command: &Command, _delta: &mut Delta) -> Result<(), Fault> {
        let vendor = self.vendors.get(&id).cloned().ok_or_else(|| Fault::not_found("vendor"))?;
        self.withdraw(&vendor);
        let findings: Vec<_> = self.findings.values().filter(|finding| finding.vendor == Some(id)).cloned().collect();
        for mut finding in findings {
            self.findings.remove(&finding.id);
            finding.status = FindingStatus::Resolved;
            finding.note = Some(format!("vendor removed by {}", command.by));
            self.changed.findings.insert(finding.id, finding);
        }
        self.weigh_findings(id);
        if let Some(node) = self.vendor_node(id) {
            self.graph.arena.note(node, |notes| {
                notes.attributes.remove(TIER);
            });
        }
        self.vendors.remove(&id);
        self.correlator.policy.forget_vendor(id);
        self.changed.vendors.remove(&id);
        self.changed.removed_vendors.insert(id);
        self.resolve_integrations(command.at);
        Ok(())
    }

    /// Enters a vendor with everything that follows from it.
    fn install(&mut self, vendor: Vendor, at: Timestamp) {
        let id = vendor.id;
        self.index_vendor(&vendor);
        let Some((node, _)) = self.graph.see(EntityKind::Vendor, &vendor.entity().key, at) else { return };
        self.graph.arena.note(node, |notes| {
            notes.name = Some(vendor.name.clone());
            notes.attributes.insert(TIER.to_owned(), Value::from(vendor.tier.as_str()));
            match &vendor.owner {
                Some(owner) => notes.attributes.insert("owner".to_owned(), Value::from(owner.as_str())),
                None => notes.attributes.remove("owner"),
            };
        });
        for domain in &vendor.domains {
            self.declare(node, RelationKind::Owns, (EntityKind::Domain, domain), (at, 1.0));
            let whole = registrable(domain);
            if whole != domain.as_str() {
                self.declare(node, RelationKind::Owns, (EntityKind::Domain, &whole), (at, BY_DOMAIN));
            }
            let staff: BTreeSet<NodeIx> = self.index.staff.get(whole.as_str()).cloned().unwrap_or_default();
            for ix in staff.into_iter().take(STAFF_MAX) {
                self.link(node, RelationKind::Owns, ix, (at, BY_DOMAIN, RESOLVED));
            }
        }
        for name in &vendor.integrations {
            self.declare(node, RelationKind::Operates, (EntityKind::Integration, name), (at, 1.0));
            let integration = IntegrationId::of(&[name]);
            let row = Integration { id: integration, name: name.clone(), vendor: Some(id) };
            self.integrations.insert(integration, row);
            self.changed.integrations.insert(integration);
        }
        self.changed.vendors.insert(id);
        self.correlator.policy.know_vendor(&vendor);
        self.vendors.insert(id, vendor);
        self.resolve_integrations(at);
    }

    fn declare(&mut self, from: NodeIx, kind: RelationKind, to: (EntityKind, &str), how: (Timestamp, f32)) {
        if let Some((to, _)) = self.graph.see(to.0, to.1, how.0) {
            let source = if how.1 < 1.0 { RESOLVED } else { DECLARED };
            self.link(from, kind, to, (how.0, how.1, source));
        }
    }

    pub(super) fn link(&mut self, from: NodeIx, kind: RelationKind, to: NodeIx, how: (Timestamp, f32, &str)) {
        let (time, confidence, source) = how;
        self.graph.arena.relate(Seen { kind, from, to, time, confidence, source });
    }

    /// Withdraws what was declared or guessed of a vendor, before it is declared anew or gone.
    fn withdraw(&mut self, vendor: &Vendor) {
        for domain in &vendor.domains {
            self.index.vendors.remove(registrable(domain).as_str());
        }
        let mine: Vec<IntegrationId> =
            self.integrations.values().filter(|row| row.vendor == Some(vendor.id)).map(|row| row.id).collect();
        for id in mine {
            if let Some(row) = self.integrations.get_mut(&id) {
                row.vendor = None;
                self.changed.integrations.insert(id);
            }
        }
        let Some(node) = self.graph.arena.find(vendor.entity().id()) else { return };
        let edges: Vec<_> = self
            .graph
            .arena
            .edges_at(node, Observed::Structural, Direction::Out)
            .filter(|(_, edge)| matches!(edge.kind, RelationKind::Owns | RelationKind::Operates))
            .map(|(ix, _)| ix)
            .collect();
        for edge in edges {
            self.graph.arena.set_confidence(edge, 0.0);
        }
    }

    pub(super) fn index_vendor(&mut self, vendor: &Vendor) {
        for domain in &vendor.domains {
            self.index.vendors.insert(Text::from(registrable(domain)), vendor.id);
        }
    }

    pub(super) fn vendor_node(&self, id: VendorId) -> Option<NodeIx> {
        self.graph.arena.find(self.vendors.get(&id)?.entity().id())
    }

    /// An integration seen for the first time.
    pub(super) fn new_integration(&mut self, ix: NodeIx, at: Timestamp) {
        let name = self.graph.arena.node(ix).key.clone();
        let id = IntegrationId::of(&[&name]);
        self.integrations.entry(id).or_insert_with(|| {
            self.changed.integrations.insert(id);
            Integration { id, name, vendor: None }
        });
        self.resolve_integration(id, at);
    }

    /// Guesses the vendors of integrations that nobody declared, after the register changed.
    fn resolve_integrations(&mut self, at: Timestamp) {
        let open: Vec<IntegrationId> = self.integrations.keys().copied().take(RESOLVED_MAX).collect();
        for id in open {
            self.resolve_integration(id, at);
        }
    }

    fn resolve_integration(&mut self, id: IntegrationId, at: Timestamp) {
        let Some(row) = self.integrations.get(&id) else { return };
        let name = row.name.clone();
        let declared = |vendor: &Vendor| vendor.integrations.contains(&name);
        if row.vendor.and_then(|vendor| self.vendors.get(&vendor)).is_some_and(declared) {
            return;
        }
        let guess = resolve::integration(self.vendors.values(), &name, &self.graph.config.resolve);
        let (vendor, confidence) = (guess.map(|guess| guess.vendor.id), guess.map_or(0.0, |guess| guess.confidence));
        let before = row.vendor;
        let Some((ix, _)) = self.graph.see(EntityKind::Integration, &name, at) else { return };
        if before != vendor {
            if let Some(old) = before.and_then(|old| self.vendor_node(old))
                && let Some(edge) = self.graph.arena.find_edge(RelationKind::Operates, old, ix)
            {
                self.graph.arena.set_confidence(edge, 0.0);
            }
            self.changed.integrations.insert(id);
            if let Some(row) = self.integrations.get_mut(&id) {
                row.vendor = vendor;
            }
        }
        if let Some(node) = vendor.and_then(|vendor| self.vendor_node(vendor)) {
            self.link(node, RelationKind::Operates, ix, (at, confidence as f32, RESOLVED));
        }
    }

    /// A domain seen for the first time may be a vendor's.
    pub(super) fn own_domain(&mut self, ix: NodeIx, at: Timestamp) {
        let whole = registrable(&self.graph.arena.node(ix).key);
        self.own_by_domain(&whole, ix, at);
    }

    /// A staff login may be a vendor's support.
    pub(super) fn own_staff(&mut self, ix: NodeIx, at: Timestamp) {
        if let Some(domain) = mail_domain(&self.graph.arena.node(ix).key) {
            self.own_by_domain(&domain, ix, at);
        }
    }

    fn own_by_domain(&mut self, whole: &str, ix: NodeIx, at: Timestamp) {
        if let Some(node) = self.index.vendors.get(whole).copied().and_then(|id| self.vendor_node(id)) {
            self.link(node, RelationKind::Owns, ix, (at, BY_DOMAIN, RESOLVED));
        }
    }
}

/// A vendor of what a person gave; what an update leaves out stays.
fn vendor_of(id: VendorId, input: &VendorInput, added_at: Timestamp, old: Option<&Vendor>) -> Result<Vendor, Fault> {
    let name = input.name.trim();
    if name.is_empty() {
        return Err(Fault::new(FaultCode::BadInput, "a vendor needs a name"));
    }
    let mut domains: Vec<Text> = Vec::new();
    for domain in input.domains.iter().take(DOMAINS_MAX) {
        let domain = Text::from(domain.trim().trim_end_matches('.').to_lowercase());
        if !domain.is_empty() && !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    let integrations = match (&input.integrations, old) {
        (Some(names), _) => names.iter().take(INTEGRATIONS_MAX).cloned().collect(),
        (None, Some(old)) => old.integrations.clone(),
        (None, None) => Vec::new(),
    };
    let tier = input.tier.or(old.map(|old| old.tier)).unwrap_or(VendorTier::Medium);
    let owner = input.owner.clone().or_else(|| old.and_then(|old| old.owner.clone()));
    Ok(Vendor { id, name: Text::from(name), domains, tier, owner, integrations, added_at })
}
