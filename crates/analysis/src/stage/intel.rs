//! What others say: incidents at vendors, leaked credentials and keys. Matched with what we know, it becomes a signal.

use riskgraph_domain::event::{Event, Outcome};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::signal::{Reason, Severity, Signal, TouchRole, Touched};
use riskgraph_domain::{EntityKey, EntityKind, RelationKind, Text, VendorId};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{LEAK_MATCH, RESOLVED, Stage, VENDOR_INCIDENT};
use crate::detect::{Context, signal_id};
use crate::graph::NodeIx;
use crate::resolve;

/// Keys that one leaked prefix may match; more is no match but a common beginning.
const KEYS_MATCHED_MAX: usize = 16;
/// Characters of a source's text that are kept.
const MESSAGE_CHARS_MAX: usize = 200;

fn sha256(login: &str) -> [u8; 32] {
    Sha256::digest(login.trim().to_lowercase().as_bytes()).into()
}

/// The first 64 bits of the SHA-256 of a lower-case login.
pub(super) fn login_hash(login: &str) -> u64 {
    let digest = sha256(login);
    u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}

fn cut(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// What the stage's own signals are made of.
struct Said<'a> {
    detector: &'static str,
    title: String,
    score: f64,
    subject: EntityKey,
    involved: Vec<EntityKey>,
    reason: String,
    techniques: &'a [&'a str],
    advice: &'a [&'a str],
    campaign: Option<Text>,
}

fn signal_of(said: Said<'_>, event: &Event, context: &Context) -> Signal {
    let mut entities = vec![Touched { entity: said.subject.clone(), role: TouchRole::Subject }];
    entities.extend(said.involved.into_iter().map(|entity| Touched { entity, role: TouchRole::Involved }));
    Signal {
        id: signal_id(said.detector, &format!("{}:{}", said.subject.kind.as_str(), said.subject.key), event),
        detector: Text::from(said.detector),
        title: said.title,
        score: said.score,
        severity: Severity::of_score(said.score),
        occurred_at: event.time,
        accepted_at: context.accepted_at,
        detected_at: context.now,
        entities,
        reasons: vec![Reason { text: said.reason, weight: said.score, observed: None, expected: None }],
        techniques: said.techniques.iter().map(|&id| Text::from(id)).collect(),
        advice: said.advice.iter().map(|&text| text.to_owned()).collect(),
        evidence: json!({ "event": event.id, "source": event.label("source").or(event.source.as_deref()) }),
        campaign: said.campaign,
    }
}

impl Stage {
    /// An incident at some company: ours to care about when it is a vendor's.
    pub(super) fn incident(&mut self, event: &Event, context: &Context, delta: &mut Delta) {
        let Some(company) = event.label("vendor").or_else(|| event.object_id().map(Text::as_str)) else { return };
        let Some((indicator, _)) = self.graph.see(EntityKind::Indicator, &incident_key(&event.id), event.time) else {
            return;
        };
        let domain = event.label("domain");
        let message = event.message.as_deref().unwrap_or("incident reported");
        let facts = [
            ("company", Some(company)),
            ("domain", domain),
            ("message", Some(message)),
            ("source", event.label("source").or(event.source.as_deref())),
        ];
        self.graph.arena.note(indicator, |notes| {
            notes.name = Some(Text::from(format!("Incident: {}", cut(company))));
            for (name, value) in facts {
                if let Some(value) = value {
                    notes.attributes.insert(name.to_owned(), Value::from(cut(value)));
                }
            }
        });
        let guess = resolve::company(self.vendors.values(), company, domain, &self.graph.config.resolve)
            .map(|guess| (guess.vendor.id, guess.confidence));
        if event.outcome == Outcome::Denied || event.label("retracts").is_some() {
            self.retract_incident(event, guess.map(|guess| guess.0), delta);
        } else if let Some(guess) = guess {
            self.incident_at(guess, indicator, (event, message), (context, delta));
        }
    }

    fn incident_at(
        &mut self,
        (vendor, confidence): (VendorId, f64),
        indicator: NodeIx,
        (event, message): (&Event, &str),
        (context, delta): (&Context, &mut Delta),
    ) {
        let Some(node) = self.vendor_node(vendor) else { return };
        self.link(node, RelationKind::MentionedIn, indicator, (event.time, confidence as f32, RESOLVED));
        let name = self.graph.arena.name(node).clone();
        let signal = signal_of(
            Said {
                detector: VENDOR_INCIDENT,
                title: format!("Incident at vendor {name}: {}", cut(message)),
                score: self.graph.config.intel.incident_score,
                subject: self.graph.arena.key(node),
                involved: vec![self.graph.arena.key(indicator)],
                reason: format!(
                    "a source reports an incident at a company that is vendor {name} ({confidence:.2} sure)"
                ),
                techniques: &["T1199"],
                advice: &[
                    "Ask the vendor what of ours is affected.",
                    "Watch its keys, scripts and logins; be ready to rotate and suspend them.",
                ],
                campaign: None,
            },
            event,
            context,
        );
        self.judge(signal, context, delta);
    }

    /// A vendor just registered may have been in the news before.
    pub(super) fn settle_incidents(&mut self, _vendor: VendorId, _context: &Context, _delta: &mut Delta) {}

    fn retract_incident(&mut self, _event: &Event, _vendor: Option<VendorId>, _delta: &mut Delta) {}

    /// A leaked login or key: ours to care about when we know it.
    pub(super) fn leak(&mut self, event: &Event, context: &Context, delta: &mut Delta) {
        let hash = event.label("id_hash").map(str::to_lowercase);
        let prefix = event.label("prefix");
        let key = hash.clone().or_else(|| prefix.map(str::to_owned)).unwrap_or_else(|| format!("leak/{}", event.id));
        let Some((leak, _)) = self.graph.see(EntityKind::Leak, &key, event.time) else { return };
        self.graph.arena.note(leak, |notes| {
            for name in ["kind", "source", "vendor", "domain"] {
                if let Some(value) = event.label(name) {
                    notes.attributes.insert(name.to_owned(), Value::from(cut(value)));
                }
            }
        });
        let vendor = self.leaking_vendor(event);
        let vendor_node = vendor.and_then(|(id, confidence)| self.vendor_node(id).map(|ix| (ix, confidence)));
        if let Some((node, confidence)) = vendor_node {
            self.link(node, RelationKind::MentionedIn, leak, (event.time, confidence as f32, RESOLVED));
        }
        let kind = event.label("kind").or_else(|| event.object_kind()).unwrap_or_default();
        let mut matched: Vec<NodeIx> = Vec::new();
        if let Some(prefix) = prefix.filter(|_| kind != "credential") {
            matched.extend(self.keys_with(prefix));
        }
        matched.extend(hash.as_deref().and_then(|hash| self.login_with(hash)));
        for ix in matched {
            let vendor = vendor_node.map(|(node, _)| node);
            self.leak_of(ix, (leak, vendor), event, (context, delta));
        }
    }

    fn leaking_vendor(&self, event: &Event) -> Option<(VendorId, f64)> {
        let (name, domain) = (event.label("vendor"), event.label("domain"));
        let named = |name: &str, domain| {
            resolve::company(self.vendors.values(), name, domain, &self.graph.config.resolve)
                .map(|guess| (guess.vendor.id, guess.confidence))
        };
        match (name, domain) {
            (Some(name), _) => named(name, domain),
            (None, Some(domain)) => resolve::host(self.vendors.values(), domain).map(|vendor| (vendor.id, 1.0)),
            (None, None) => None,
        }
    }

    /// Known keys that begin with the leaked prefix, or with which the leaked text begins.
    fn keys_with(&self, prefix: &str) -> Vec<NodeIx> {
        let min = self.graph.config.intel.prefix_chars_min;
        if prefix.chars().count() < min {
            return Vec::new();
        }
        let keys = &self.index.api_keys;
        let longer = keys.range(Text::from(prefix)..).take_while(|(key, _)| key.starts_with(prefix));
        let mut found: Vec<NodeIx> = longer.map(|(_, &ix)| ix).take(KEYS_MATCHED_MAX + 1).collect();
        let shorter = (min..prefix.len()).filter(|&end| prefix.is_char_boundary(end));
        found.extend(shorter.filter_map(|end| keys.get(&prefix[..end]).copied()));
        if found.len() > KEYS_MATCHED_MAX { Vec::new() } else { found }
    }

    fn login_with(&self, hash: &str) -> Option<NodeIx> {
        let short = u64::from_str_radix(hash.get(..16)?, 16).ok()?;
        let ix = *self.index.logins.get(&short)?;
        (hex(&sha256(&self.graph.arena.node(ix).key)) == hash).then_some(ix)
    }

    fn leak_of(
        &mut self,
        ix: NodeIx,
        (leak, vendor): (NodeIx, Option<NodeIx>),
        event: &Event,
        (context, delta): (&Context, &mut Delta),
    ) {
        self.link(ix, RelationKind::MentionedIn, leak, (event.time, 1.0, RESOLVED));
        let intel = &self.graph.config.intel;
        let subject = self.graph.arena.key(ix);
        let (what, score, techniques, advice): (&str, f64, &[&str], &[&str]) = match subject.kind {
            EntityKind::ApiKey => (
                "API key",
                intel.leak_key_score,
                &["T1552.001"],
                &["Rotate the key with its partner.", "Look at its calls since the leak."],
            ),
            EntityKind::Staff => (
                "staff login",
                intel.leak_staff_score,
                &["T1589.001", "T1078"],
                &["Reset the password, end its sessions and require a second factor."],
            ),
            _ => (
                "customer login",
                intel.leak_customer_score,
                &["T1589.001", "T1078"],
                &["Ask the customer for a new password at the next login."],
            ),
        };
        let source = event.label("source").unwrap_or("a source");
        let mut involved = vec![self.graph.arena.key(leak)];
        involved.extend(vendor.map(|node| self.graph.arena.key(node)));
        let signal = signal_of(
            Said {
                detector: LEAK_MATCH,
                title: format!("Leaked {what} {} in {}", self.graph.arena.name(ix), cut(source)),
                score,
                reason: format!("the {what} is in a leak from {}", cut(source)),
                subject,
                involved,
                techniques,
                advice,
                campaign: event.label("source").map(|source| Text::from(format!("leak:{}", cut(source)))),
            },
            event,
            context,
        );
        self.judge(signal, context, delta);
    }
}

/// The natural key of an incident's indicator.
fn incident_key(event_id: &str) -> String {
    format!("incident/{event_id}")
}
