//! Leaked logins and keys: ours to care about when we know them.

use riskgraph_domain::event::Event;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::{EntityKind, RelationKind, Text, VendorId};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Report, Said, cut, signal_of};
use crate::detect::Context;
use crate::graph::{NodeIx, Upsert};
use crate::resolve;
use crate::stage::{LEAK_MATCH, RESOLVED, Stage};

/// Keys that one leaked prefix may match; more is no match but a common beginning.
const KEYS_MATCHED_MAX: usize = 16;

fn sha256(login: &str) -> [u8; 32] {
    Sha256::digest(login.trim().to_lowercase().as_bytes()).into()
}

/// The first 64 bits of the SHA-256 of a lower-case login.
pub(in crate::stage) fn login_hash(login: &str) -> u64 {
    let digest = sha256(login);
    u64::from_be_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(u32::from(digit), 16)));
        text
    })
}

impl Stage {
    /// Keeps the leak, and makes a signal of each login or key of ours in it.
    pub(in crate::stage) fn leak(&mut self, event: &Event, context: &Context, delta: &mut Delta) {
        let hash = event.label("id_hash").map(str::to_lowercase);
        let prefix = event.label("prefix");
        let key = hash.clone().or_else(|| prefix.map(str::to_owned)).unwrap_or_else(|| format!("leak/{}", event.id));
        let Some((leak, upsert)) = self.graph.see(EntityKind::Leak, &cut(&key), event.time) else { return };
        self.index.n_leaks += u64::from(upsert == Upsert::New);
        self.graph.arena.note(leak, |notes| {
            for name in ["kind", "source", "vendor", "domain"] {
                if let Some(value) = event.label(name) {
                    notes.attributes.insert(name.to_owned(), Value::from(cut(value)));
                }
            }
        });
        let vendor = self.leaking_vendor(event).and_then(|(id, sure)| self.vendor_node(id).map(|ix| (ix, sure)));
        if let Some((node, confidence)) = vendor {
            self.link(node, RelationKind::MentionedIn, leak, (event.time, confidence as f32, RESOLVED));
        }
        let kind = event.label("kind").or_else(|| event.object_kind()).unwrap_or_default();
        let mut matched: Vec<NodeIx> = Vec::new();
        if let Some(prefix) = prefix.filter(|_| kind != "credential") {
            matched.extend(self.keys_with(prefix));
        }
        matched.extend(hash.as_deref().and_then(|hash| self.login_with(hash)));
        for ix in matched {
            self.leak_of(ix, (leak, vendor.map(|(node, _)| node)), Report::of(event), (context, delta));
        }
    }

    fn leaking_vendor(&self, event: &Event) -> Option<(VendorId, f64)> {
        match (event.label("vendor"), event.label("domain")) {
            (Some(name), domain) => self.company(name, domain),
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
        found.extend(beginnings(prefix, min).filter_map(|part| keys.get(part).copied()));
        if found.len() > KEYS_MATCHED_MAX { Vec::new() } else { found }
    }

    fn login_with(&self, hash: &str) -> Option<NodeIx> {
        let short = u64::from_str_radix(hash.get(..16)?, 16).ok()?;
        let ix = *self.index.logins.get(&short)?;
        (hex(&sha256(&self.graph.arena.node(ix).key)) == hash).then_some(ix)
    }

    /// The leak in which a login or key was that we see for the first time.
    pub(in crate::stage) fn leaked_before(&self, ix: NodeIx) -> Option<NodeIx> {
        let node = self.graph.arena.node(ix);
        let find = |key: &str| self.graph.arena.find_key(EntityKind::Leak, key);
        match node.kind {
            EntityKind::User | EntityKind::Staff if self.index.n_leaks > 0 => find(&hex(&sha256(&node.key))),
            EntityKind::ApiKey if self.index.n_leaks > 0 => {
                let min = self.graph.config.intel.prefix_chars_min;
                find(&node.key).or_else(|| beginnings(&node.key, min).find_map(find))
            }
            _ => None,
        }
    }

    /// A signal about a login or key whose leak was known before it was.
    pub(in crate::stage) fn leaked(&mut self, ix: NodeIx, leak: NodeIx, context: &Context, delta: &mut Delta) {
        let source = self.graph.arena.attribute(leak, "source");
        let (id, time) = (self.graph.arena.node(leak).key.clone(), self.graph.arena.node(ix).first_seen);
        let report = Report { id: &id, time, source: source.as_deref() };
        self.leak_of(ix, (leak, None), report, (context, delta));
    }

    fn leak_of(
        &mut self,
        ix: NodeIx,
        (leak, vendor): (NodeIx, Option<NodeIx>),
        report: Report<'_>,
        (context, delta): (&Context, &mut Delta),
    ) {
        self.link(ix, RelationKind::MentionedIn, leak, (report.time, 1.0, RESOLVED));
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
        let source = cut(report.source.unwrap_or("a leak"));
        let mut involved = vec![self.graph.arena.key(leak)];
        involved.extend(vendor.map(|node| self.graph.arena.key(node)));
        let said = Said {
            detector: LEAK_MATCH,
            title: format!("Leaked {what} {} in {source}", self.graph.arena.name(ix)),
            score,
            reason: format!("the {what} is in a leak from {source}"),
            subject,
            involved,
            techniques,
            advice,
            campaign: report.source.map(|source| Text::from(format!("leak:{}", cut(source)))),
        };
        self.judge(signal_of(said, report, context), context, delta);
    }
}

/// The proper beginnings of a text, from `min` bytes on.
fn beginnings(text: &str, min: usize) -> impl Iterator<Item = &str> {
    (min..text.len()).filter(|&end| text.is_char_boundary(end)).map(|end| &text[..end])
}
