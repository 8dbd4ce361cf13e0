//! Which alerts mute which: open alerts by what they share, and when each is next due. Made anew from the rows.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::{Alert, MuteKind};
use riskgraph_domain::{AlertId, EntityId, EntityKind, Severity, Timestamp, VendorId};

use super::config::Share;

/// Entities of one alert that it can share; the list begins with those touched most.
const SHARED_MAX: usize = 16;
/// Alerts judged anew for one that changed; the others follow with the next review.
const DEPENDENTS_MAX: usize = 1_000;

/// What an alert can have in common with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keys {
    entities: Vec<EntityId>,
    vendors: Vec<VendorId>,
}

impl Keys {
    pub(super) fn of(alert: &Alert, hubs: &BTreeSet<EntityKind>) -> Self {
        let telling = alert.entities.iter().filter(|entity| !hubs.contains(&entity.kind));
        Self {
            entities: telling.take(SHARED_MAX).map(riskgraph_domain::EntityKey::id).collect(),
            vendors: alert.vendors.clone(),
        }
    }
}

/// What makes an alert the source of an inhibition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    /// Places of the rules in the configuration.
    rules: Vec<usize>,
    severity: Severity,
    opened_at: Timestamp,
    title: String,
}

/// One open alert as the policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    keys: Keys,
    source: Option<Source>,
    is_target: bool,
    /// The alert that is told of instead.
    parent: Option<(MuteKind, AlertId)>,
    next: Option<Timestamp>,
}

impl Entry {
    pub(super) fn new(alert: &Alert, rules: Vec<usize>, is_target: bool, keys: Keys, next: Option<Timestamp>) -> Self {
        let (severity, opened_at, title) = (alert.severity, alert.opened_at, alert.title.clone());
        let source = (!rules.is_empty()).then_some(Source { rules, severity, opened_at, title });
        let parent = alert.muted.as_ref().and_then(|mute| mute.by.map(|by| (mute.kind, by)));
        Self { keys, source, is_target, parent, next }
    }

    /// What others depend on.
    fn influence(&self) -> Option<(&[usize], Severity, Timestamp, &Keys)> {
        self.source.as_ref().map(|source| (source.rules.as_slice(), source.severity, source.opened_at, &self.keys))
    }
}

/// Whether others are to be judged anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stir {
    Still,
    Others,
}

/// Alerts by what they have in common.
#[derive(Debug, Default)]
struct Sharing {
    by_entity: BTreeMap<EntityId, BTreeSet<AlertId>>,
    by_vendor: BTreeMap<VendorId, BTreeSet<AlertId>>,
}

impl Sharing {
    fn insert(&mut self, id: AlertId, keys: &Keys) {
        for key in &keys.entities {
            self.by_entity.entry(*key).or_default().insert(id);
        }
        for key in &keys.vendors {
            self.by_vendor.entry(*key).or_default().insert(id);
        }
    }

    fn remove(&mut self, id: AlertId, keys: &Keys) {
        remove_from(&mut self.by_entity, &keys.entities, id);
        remove_from(&mut self.by_vendor, &keys.vendors, id);
    }

    fn any<'a>(&'a self, keys: &'a Keys, share: Share) -> Box<dyn Iterator<Item = AlertId> + 'a> {
        match share {
            Share::Entity => {
                Box::new(keys.entities.iter().filter_map(|key| self.by_entity.get(key)).flatten().copied())
            }
            Share::Vendor => Box::new(keys.vendors.iter().filter_map(|key| self.by_vendor.get(key)).flatten().copied()),
        }
    }
}

fn remove_from<K: Ord>(map: &mut BTreeMap<K, BTreeSet<AlertId>>, keys: &[K], id: AlertId) {
    for key in keys {
        if let Some(ids) = map.get_mut(key) {
            ids.remove(&id);
            if ids.is_empty() {
                map.remove(key);
            }
        }
    }
}

/// The open alerts.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<AlertId, Entry>,
    sources: Sharing,
    targets: Sharing,
    children: BTreeMap<AlertId, BTreeSet<AlertId>>,
    agenda: BTreeSet<(Timestamp, AlertId)>,
}

impl Index {
    /// Enters an alert or its new state.
    pub(super) fn put(&mut self, alert: &Alert, entry: Entry) -> Stir {
        let id = alert.id;
        let old = self.take(id);
        let stirs = old.as_ref().and_then(Entry::influence) != entry.influence();
        if entry.source.is_some() {
            self.sources.insert(id, &entry.keys);
        }
        if entry.is_target {
            self.targets.insert(id, &entry.keys);
        }
        if let Some((_, parent)) = entry.parent {
            self.children.entry(parent).or_default().insert(id);
        }
        self.agenda.extend(entry.next.map(|next| (next, id)));
        self.entries.insert(id, entry);
        if stirs { Stir::Others } else { Stir::Still }
    }

    /// Takes out an alert that is over; what depends on it is asked for before.
    pub(super) fn remove(&mut self, id: AlertId) -> Stir {
        match self.take(id) {
            Some(entry) if entry.source.is_some() => Stir::Others,
            _ => Stir::Still,
        }
    }

    fn take(&mut self, id: AlertId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.sources.remove(id, &entry.keys);
        self.targets.remove(id, &entry.keys);
        if let Some((_, parent)) = entry.parent {
            remove_from(&mut self.children, &[parent], id);
        }
        if let Some(next) = entry.next {
            self.agenda.remove(&(next, id));
        }
        Some(entry)
    }

    /// The worst, then oldest alert that mutes this one by a rule, with its title.
    pub(super) fn source_for(&self, rule: usize, share: Share, keys: &Keys, alert: &Alert) -> Option<(AlertId, &str)> {
        let order =
            |severity: Severity, opened_at: Timestamp, id: AlertId| (std::cmp::Reverse(severity), opened_at, id);
        let own = order(alert.severity, alert.opened_at, alert.id);
        let sources = self.sources.any(keys, share).filter(|id| *id != alert.id);
        let found = sources.filter_map(|id| {
            let source = self.entries.get(&id)?.source.as_ref()?;
            let place = order(source.severity, source.opened_at, id);
            (source.rules.contains(&rule) && place < own).then_some((place, id, source.title.as_str()))
        });
        found.min_by_key(|(place, ..)| *place).map(|(_, id, title)| (id, title))
    }

    /// Alerts muted by this one, and those that share something with it.
    pub(super) fn dependents(&self, id: AlertId) -> BTreeSet<AlertId> {
        let inhibited = self.children.get(&id).into_iter().flatten().copied();
        let inhibited = inhibited.filter(|child| {
            self.entries.get(child).is_some_and(|entry| matches!(entry.parent, Some((MuteKind::Inhibited, _))))
        });
        let mut dependents: BTreeSet<AlertId> = inhibited.collect();
        if let Some(entry) = self.entries.get(&id) {
            for share in [Share::Entity, Share::Vendor] {
                dependents.extend(self.targets.any(&entry.keys, share).take(DEPENDENTS_MAX));
            }
        }
        dependents.remove(&id);
        dependents
    }

    /// Alerts of a storm that this one stands for.
    pub(super) fn children(&self, id: AlertId) -> BTreeSet<AlertId> {
        let children = self.children.get(&id).into_iter().flatten().copied();
        let of_storm = |child: &AlertId| {
            self.entries.get(child).is_some_and(|entry| matches!(entry.parent, Some((MuteKind::Storm, _))))
        };
        children.filter(of_storm).collect()
    }

    pub(super) fn first_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(due, _)| *due)
    }
}
