//! What a change means: which are told, how loud, and why. It must *not* keep anything but through the ledger.

use std::collections::BTreeSet;

use riskgraph_domain::observation::Behaviour;
use riskgraph_domain::{Severity, Timestamp};

use super::known::KnownScript;
use super::{Change, ChangeKind, KNOWN_MAX, Ledger, News, name_of, same_site};
use crate::script::is_borrowed;
use crate::snapshot::{Integrity, ScriptKind, SeenScript, SeenTarget, Snapshot};

/// From here on a script is told as a skimmer. Three of four known ones reach it, no script of the suites' good ones does.
const SKIMMER_SCORE: f64 = 0.6;
/// Providers whose scripts take cards for shops; a list to be quiet about, so an unknown one is only louder.
const PROVIDERS: &[&str] = &[
    "stripe.com",
    "stripe.network",
    "adyen.com",
    "adyencdn.net",
    "braintreegateway.com",
    "braintree-api.com",
    "paypal.com",
    "paypalobjects.com",
    "klarna.com",
    "klarnaservices.com",
    "klarnacdn.net",
    "checkout.com",
    "worldpay.com",
    "authorize.net",
    "squareup.com",
    "squarecdn.com",
    "mollie.com",
    "amazonpay.com",
    "payments-amazon.com",
    "cybersource.com",
    "globalpay.com",
    "paysafe.com",
    "recurly.com",
    "spreedly.com",
    "verygoodvault.com",
    "evervault.com",
    "basistheory.com",
    "shopify.com",
    "shopifycs.com",
    "razorpay.com",
    "mercadopago.com",
    "mlstatic.com",
    "payu.com",
    "sagepay.com",
    "opayo.com",
    "bambora.com",
    "nets.eu",
    "unzer.com",
    "computop.com",
    "saferpay.com",
    "datatrans.com",
    "wallee.com",
    "google.com",
    "apple.com",
];
/// Ways of sending and hiding whose coming makes another version of a script dangerous.
const GRAVE: &[&str] = &[
    "websocket",
    "webrtc",
    "beacon",
    "image",
    "fetch",
    "xhr",
    "eval",
    "script-injection",
    "frame-injection",
    "form-submit",
];

impl Ledger {
    pub(super) fn take_scripts(&mut self, look: &Snapshot, news: &mut News, changes: &mut Vec<Change>) {
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        for script in &look.scripts {
            let place = self.place_of(script, look, &seen);
            match place {
                Some(place) => {
                    seen.insert(place);
                    self.again(place, script, look.at, news, changes);
                }
                None if self.scripts.len() < KNOWN_MAX => {
                    seen.insert(self.scripts.len());
                    self.added(script, look.at, news, changes);
                }
                None => {}
            }
            let hosts = script.behaviour.iter().flat_map(|behaviour| behaviour.hosts.iter().cloned());
            news.hosts.extend(hosts.chain(script.host.clone()));
        }
        for place in 0..self.scripts.len() {
            if self.scripts[place].present && !seen.contains(&place) {
                self.scripts[place].present = false;
                let known = &self.scripts[place];
                let subject = known.url.clone().unwrap_or_else(|| known.identity.clone());
                let change = Change {
                    host: known.host.clone(),
                    severity: Severity::Info,
                    told: false,
                    why: "is no longer on the page".to_owned(),
                    ..self.change(look.at, ChangeKind::ScriptRemoved, &subject)
                };
                changes.push(change);
            }
        }
    }

    /// The known script that this one is: by identity, or for inline code the absent one it is most like.
    fn place_of(&self, script: &SeenScript, look: &Snapshot, taken: &BTreeSet<usize>) -> Option<usize> {
        let by_name = |known: &KnownScript| known.identity == script.identity && known.kind == script.kind;
        let by_text = |known: &KnownScript| {
            known.kind == script.kind
                && script.sha256.as_ref().is_some_and(|sha256| known.version(sha256).is_some())
                && script.url.is_none()
        };
        let exact = self.scripts.iter().position(by_name).or_else(|| self.scripts.iter().position(by_text));
        // A script that others load is the same whether the page names it or not.
        let moved = || {
            script.url.as_ref()?;
            self.scripts.iter().position(|known| known.identity == script.identity)
        };
        if let Some(place) = exact.or_else(moved) {
            return Some(place);
        }
        if script.kind != ScriptKind::Inline {
            return None;
        }
        let behaviour = script.behaviour.as_ref()?;
        let still: BTreeSet<&str> = look.scripts.iter().map(|script| script.identity.as_str()).collect();
        let mut best: Option<(f64, usize)> = None;
        for (place, known) in self.scripts.iter().enumerate() {
            let free = known.kind == ScriptKind::Inline && known.present && !taken.contains(&place);
            let Some(last) = known.versions.last().filter(|_| free && !still.contains(known.identity.as_str())) else {
                continue;
            };
            let like = likeness(&last.behaviour, behaviour, last.size_bytes, script.size_bytes);
            if like >= 0.6 && best.is_none_or(|(other, _)| like > other) {
                best = Some((like, place));
            }
        }
        best.map(|(_, place)| place)
    }

    fn added(&mut self, script: &SeenScript, at: Timestamp, news: &News, changes: &mut Vec<Change>) {
        let mut known = KnownScript::new(script, at);
        known.note(script, at);
        let change = Change {
            host: script.host.clone(),
            after: script.sha256.as_ref().map(ToString::to_string),
            ..self.change(at, ChangeKind::ScriptAdded, &name_of(script))
        };
        let (severity, why) = match (&script.host, &script.behaviour) {
            (Some(host), _) if !news.knows(host) => {
                let why = if is_borrowed(host) {
                    "a new script from a host with a borrowed name"
                } else {
                    "a new script from a host that is new on the page"
                };
                (if is_borrowed(host) { Severity::Critical } else { Severity::High }, why)
            }
            (_, Some(behaviour)) if !foreign(behaviour, news).is_empty() && sends(behaviour) => {
                (Severity::High, "new code that speaks to a host that is new on the page")
            }
            // Nothing but data: assignments, calls without any way out.
            (None, Some(behaviour)) if is_inert(behaviour) => {
                (Severity::Low, "new inline code without ways to send or read")
            }
            _ => (Severity::Medium, "a script that is not in the inventory"),
        };
        let told = Change { severity, why: why.to_owned(), ..change };
        let skims = self.skimmer(script, at, changes);
        if skims || severity >= Severity::High {
            known.mark_suspect(script.sha256.as_ref());
        }
        changes.push(told);
        self.scripts.push(known);
    }

    /// A known script is there: another content, another host in it, less integrity?
    fn again(&mut self, place: usize, script: &SeenScript, at: Timestamp, news: &News, changes: &mut Vec<Change>) {
        let known = &self.scripts[place];
        let name = name_of(script);
        if script.integrity < known.integrity && known.integrity == Integrity::Sri {
            let change = self.change(at, ChangeKind::IntegrityLost, &name);
            changes.push(Change {
                host: script.host.clone(),
                before: Some(known.integrity.as_str().to_owned()),
                after: Some(script.integrity.as_str().to_owned()),
                severity: Severity::High,
                why: "the tag no longer pins the content".to_owned(),
                ..change
            });
        }
        let before = known.versions.last().map(|version| (version.sha256.clone(), version.behaviour.clone()));
        let returning = script.sha256.as_ref().and_then(|sha256| known.version(sha256)).map(|version| version.suspect);
        let same_address = known.url == script.url;
        let was_absent = !known.present;
        let grown = script.behaviour.as_ref().map(|behaviour| self.growth(place, behaviour, news));
        let shape_known = script
            .behaviour
            .as_ref()
            .is_some_and(|behaviour| known.versions.iter().any(|version| version.behaviour.shape == behaviour.shape));
        let is_new = self.scripts[place].note(script, at);
        self.scripts[place].integrity = script.integrity;
        if returning == Some(true) && was_absent {
            self.skimmer(script, at, changes);
            let change = self.change(at, ChangeKind::ScriptChanged, &name);
            changes.push(Change {
                host: script.host.clone(),
                severity: Severity::High,
                why: "a version that was told of before is back".to_owned(),
                ..change
            });
            return;
        }
        let (true, Some((old, _)), Some(grown)) = (is_new, before, grown) else { return };
        let change = Change {
            host: grown.hosts.first().cloned().or_else(|| script.host.clone()),
            before: Some(old.to_string()),
            after: script.sha256.as_ref().map(ToString::to_string),
            ..self.change(at, ChangeKind::ScriptChanged, &name)
        };
        let inert = script.behaviour.as_ref().is_some_and(is_inert) && script.url.is_none();
        let shape_known = shape_known || inert;
        let (severity, why) = grown.verdict(Place { same_address, shape_known, inline: script.url.is_none() });
        let skims = self.skimmer(script, at, changes);
        if skims || severity >= Severity::High {
            self.scripts[place].mark_suspect(script.sha256.as_ref());
        }
        changes.push(Change { severity, told: severity > Severity::Info, why, ..change });
    }

    /// Tells a script that looks like a skimmer, once for each content.
    fn skimmer(&self, script: &SeenScript, at: Timestamp, changes: &mut Vec<Change>) -> bool {
        let Some(behaviour) = script.behaviour.as_ref().filter(|found| found.skimmer_score >= SKIMMER_SCORE) else {
            return false;
        };
        // A payment provider's own script handles cards and speaks to its own hosts: that is its work.
        let own_work =
            |host: &String| is_provider(host) && !behaviour.obfuscation.iter().any(|how| how == "hidden-code");
        if script.host.as_ref().is_some_and(own_work) {
            return false;
        }
        let signs: Vec<&str> = behaviour.indicators.iter().take(4).map(|(sign, _)| sign.as_str()).collect();
        let change = self.change(at, ChangeKind::Skimmer, &name_of(script));
        changes.push(Change {
            host: script.host.clone().or_else(|| behaviour.hosts.first().cloned()),
            after: script.sha256.as_ref().map(ToString::to_string),
            severity: Severity::Critical,
            why: format!("looks like a card skimmer ({:.2}): {}", behaviour.skimmer_score, signs.join("; ")),
            ..change
        });
        true
    }

    /// What a content does that no earlier one did.
    fn growth(&self, place: usize, now: &Behaviour, news: &News) -> Growth {
        let versions = &self.scripts[place].versions;
        let new = |pick: &dyn Fn(&Behaviour) -> &Vec<String>| -> Vec<String> {
            let had: BTreeSet<&String> = versions.iter().flat_map(|version| pick(&version.behaviour)).collect();
            pick(now).iter().filter(|item| !had.contains(item)).cloned().collect()
        };
        let hosts: Vec<String> = new(&|b| &b.hosts).into_iter().filter(|host| !news.knows(host)).collect();
        Growth {
            hosts,
            sinks: new(&|b| &b.sinks),
            sources: new(&|b| &b.sources),
            obfuscation: new(&|b| &b.obfuscation),
        }
    }
}

/// Whether a host is a payment provider's.
#[must_use]
pub fn is_provider(host: &str) -> bool {
    psl::domain_str(host).is_some_and(|domain| PROVIDERS.contains(&domain))
}

/// Where a changed content stands.
struct Place {
    /// Under the very address that had the old content.
    same_address: bool,
    /// Only literals and names changed.
    shape_known: bool,
    inline: bool,
}

struct Growth {
    hosts: Vec<String>,
    sinks: Vec<String>,
    sources: Vec<String>,
    obfuscation: Vec<String>,
}

impl Growth {
    fn verdict(&self, place: Place) -> (Severity, String) {
        let list =
            |what: &str, all: &[String]| if all.is_empty() { None } else { Some(format!("{what} {}", all.join(", "))) };
        let parts = [
            list("new host", &self.hosts),
            list("new way out", &self.sinks),
            list("now reads", &self.sources),
            list("now hides by", &self.obfuscation),
        ];
        let grown: Vec<String> = parts.into_iter().flatten().collect();
        let grave = self.sinks.iter().any(|sink| GRAVE.contains(&sink.as_str()));
        let secret =
            self.sources.iter().any(|source| matches!(source.as_str(), "card-fields" | "keystrokes" | "all-inputs"));
        let why = |base: &str| if grown.is_empty() { base.to_owned() } else { format!("{base}: {}", grown.join("; ")) };
        if !self.hosts.is_empty() || secret || (grave && !self.obfuscation.is_empty()) {
            (Severity::High, why("other content that can do more"))
        } else if grave || !self.obfuscation.is_empty() {
            (Severity::Medium, why("other content that can do more"))
        } else if place.shape_known {
            (Severity::Info, "only data in it changed".to_owned())
        } else if place.inline {
            (Severity::Medium, why("other inline code"))
        } else if place.same_address {
            (Severity::Medium, why("other content at the same address"))
        } else {
            (Severity::Info, why("a new build under its own name that does what the old one did"))
        }
    }
}

pub(super) fn target(change: Change, target: &SeenTarget, news: &News) -> Change {
    let host = target.host.clone();
    let known = host.as_deref().is_some_and(|host| news.knows(host));
    let plain = target.url.starts_with("http://");
    let own = host.as_deref().is_some_and(|host| same_site(host, &news.own));
    let form = change.kind == ChangeKind::FormAdded;
    let (severity, why) = match (form, known) {
        (true, _) if target.sensitive && plain => (Severity::Critical, "a form sends secrets in clear"),
        (true, false) if target.sensitive => {
            (Severity::Critical, "a form sends secrets to a host that is new on the page")
        }
        (true, false) => (Severity::High, "a form sends to a host that is new on the page"),
        (false, false) => (Severity::High, "a frame from a host that is new on the page"),
        (true, true) if target.sensitive && !own => (Severity::High, "a form sends secrets elsewhere than before"),
        (true, true) if target.sensitive => (Severity::Medium, "a form that takes secrets has a new target"),
        (_, true) => (Severity::Info, "on a host that the page knew"),
    };
    let severity = if host.as_deref().is_some_and(is_borrowed) { Severity::Critical } else { severity };
    Change {
        host,
        after: Some(target.url.clone()),
        severity,
        told: severity > Severity::Info,
        why: why.to_owned(),
        ..change
    }
}

pub(super) fn host(change: Change, host: &str) -> Change {
    let (severity, why) = if is_borrowed(host) {
        (Severity::Critical, "the page contacts a new host with a borrowed name")
    } else {
        (Severity::Medium, "the page contacts a host that is new on it")
    };
    Change { host: Some(host.to_owned()), severity, why: why.to_owned(), ..change }
}

/// Hosts in a script that the page did not know.
fn foreign<'a>(behaviour: &'a Behaviour, news: &News) -> Vec<&'a String> {
    behaviour.hosts.iter().filter(|host| !news.knows(host)).collect()
}

fn sends(behaviour: &Behaviour) -> bool {
    behaviour.sinks.iter().any(|sink| GRAVE.contains(&sink.as_str()))
}

fn is_inert(behaviour: &Behaviour) -> bool {
    behaviour.sinks.is_empty()
        && behaviour.sources.is_empty()
        && behaviour.hosts.is_empty()
        && behaviour.obfuscation.is_empty()
}

/// How much two contents do the same, 0..1.
fn likeness(a: &Behaviour, b: &Behaviour, a_bytes: u64, b_bytes: u64) -> f64 {
    let set = |behaviour: &Behaviour| -> BTreeSet<String> {
        let named = |kind: &str, all: &[String]| all.iter().map(|item| format!("{kind}{item}")).collect::<Vec<_>>();
        [named("s", &behaviour.sinks), named("r", &behaviour.sources), named("h", &behaviour.hosts)]
            .concat()
            .into_iter()
            .collect()
    };
    let (x, y) = (set(a), set(b));
    let common = match (x.is_empty(), y.is_empty()) {
        (true, true) => 1.0,
        (false, false) => x.intersection(&y).count() as f64 / x.union(&y).count() as f64,
        _ => 0.0,
    };
    let size = a_bytes.min(b_bytes) as f64 / a_bytes.max(b_bytes).max(1) as f64;
    common.mul_add(0.7, size * 0.3)
}
