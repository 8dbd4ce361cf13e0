//! A delta as the rows it becomes. It must not know the database.
//!
//! Done before the transaction begins and off the async threads: JSON and compression of a large delta take a while.

use riskgraph_domain::ports::Delta;

use super::{convert, triage};
use crate::codec::{big_len, index_text, pack};
use crate::error::StoreError;
use crate::insert::last_of_each;
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// The rows of a delta: each key once, the last value wins, in order of the keys.
#[derive(Debug, Default)]
pub(super) struct Shaped {
    pub(super) entities: Vec<rows::entity::Model>,
    pub(super) relations: Vec<rows::relation::Model>,
    pub(super) signals: Vec<rows::signal::Model>,
    pub(super) signal_entities: Vec<rows::signal_entity::Model>,
    pub(super) alerts: Vec<rows::alert::Model>,
    pub(super) alert_events: Vec<rows::alert_event::Model>,
    pub(super) alert_entities: Vec<rows::alert_entity::Model>,
    pub(super) alert_techniques: Vec<rows::alert_technique::Model>,
    /// `(alert, relation)` of the alerts' paths; what the relations join is found in the transaction.
    pub(super) alert_paths: Vec<(Vec<u8>, Vec<u8>)>,
    /// `(alert, signal)`; when the signal occurred is found in the transaction.
    pub(super) alert_signals: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) removed_vendors: Vec<Vec<u8>>,
    pub(super) vendors: Vec<rows::vendor::Model>,
    pub(super) vendor_domains: Vec<rows::vendor_domain::Model>,
    pub(super) integrations: Vec<rows::integration::Model>,
    pub(super) postures: Vec<rows::posture::Model>,
    pub(super) findings: Vec<rows::finding::Model>,
    pub(super) triage: triage::Triage,
    pub(super) blobs: Vec<rows::state_blob::Model>,
    /// Names of blobs that are empty now: they go.
    pub(super) removed_blobs: Vec<String>,
}

/// Turns the delta into rows.
pub(super) fn shape(delta: Delta) -> Result<Shaped> {
    let entities = last_of_each(delta.entities, |entity| entity.id);
    let relations = last_of_each(delta.relations, |relation| relation.id);
    let mut shaped = Shaped {
        entities: entities.into_iter().map(convert::entity_row).collect::<Result<_>>()?,
        relations: relations.into_iter().map(convert::relation_row).collect(),
        ..Shaped::default()
    };
    shaped.signals(delta.signals)?;
    shaped.alerts(&delta.alert_events)?;
    shaped.alert_links(delta.alert_signals, delta.alert_entities);
    shaped.triage.fill(delta.silences, delta.cases)?;
    shaped.removed_vendors = delta.removed_vendors.iter().map(|id| id.to_bytes().to_vec()).collect();
    shaped.vendors(delta.vendors)?;
    shaped.integrations = last_of_each(delta.integrations, |integration| integration.id)
        .iter()
        .map(convert::integration_row)
        .collect::<Result<_>>()?;
    shaped.postures = last_of_each(delta.postures, |(vendor, posture)| (*vendor, posture.assessed_at))
        .iter()
        .map(|(vendor, posture)| convert::posture_row(*vendor, posture))
        .collect::<Result<_>>()?;
    shaped.findings =
        last_of_each(delta.findings, |finding| finding.id).iter().map(convert::finding_row).collect::<Result<_>>()?;
    for (name, data) in last_of_each(delta.blobs, |(name, _)| name.clone()) {
        if data.is_empty() {
            shaped.removed_blobs.push(name.into());
            continue;
        }
        let n_bytes = big_len(data.len());
        shaped.blobs.push(rows::state_blob::Model { name: name.into(), n_bytes, data: pack(&data, "blob")? });
    }
    Ok(shaped)
}

impl Shaped {
    fn signals(&mut self, signals: Vec<riskgraph_domain::Signal>) -> Result<()> {
        for signal in last_of_each(signals, |signal| signal.id) {
            let row = convert::signal_row(&signal)?;
            self.signal_entities.extend(signal.entities.iter().map(|touched| rows::signal_entity::Model {
                entity_id: touched.entity.id().to_bytes().to_vec(),
                occurred_at: row.occurred_at,
                signal_id: row.id.clone(),
            }));
            self.signals.push(row);
        }
        let links = std::mem::take(&mut self.signal_entities);
        self.signal_entities = last_of_each(links, |l| (l.entity_id.clone(), l.occurred_at, l.signal_id.clone()));
        Ok(())
    }

    fn alerts(&mut self, events: &[riskgraph_domain::alert::AlertEvent]) -> Result<()> {
        self.alert_events = events.iter().map(convert::alert_event_row).collect::<Result<_>>()?;
        for event in events {
            let alert_id = event.alert.id.to_bytes().to_vec();
            self.alert_entities.extend(event.alert.entities.iter().map(|key| rows::alert_entity::Model {
                entity_id: key.id().to_bytes().to_vec(),
                alert_id: alert_id.clone(),
            }));
        }
        // Stable sort: of several events of one alert the last in the sequence gives the row.
        for event in last_of_each(events.iter().collect(), |event| event.alert.id) {
            let row = convert::alert_row(&event.alert)?;
            for technique in &event.alert.techniques {
                let alert_id = || row.id.clone();
                let named = names_of(&index_text(technique));
                self.alert_techniques.extend(
                    named.into_iter().map(|technique| rows::alert_technique::Model { technique, alert_id: alert_id() }),
                );
            }
            let path = event.alert.path.iter().map(|relation| (row.id.clone(), relation.to_bytes().to_vec()));
            self.alert_paths.extend(path);
            self.triage.alerts.push(triage::alert_row(&event.alert));
            self.alerts.push(row);
        }
        let techniques = std::mem::take(&mut self.alert_techniques);
        self.alert_techniques = last_of_each(techniques, |t| (t.technique.clone(), t.alert_id.clone()));
        let paths = std::mem::take(&mut self.alert_paths);
        self.alert_paths = last_of_each(paths, Clone::clone);
        Ok(())
    }

    fn alert_links(
        &mut self,
        signals: Vec<(riskgraph_domain::AlertId, riskgraph_domain::SignalId)>,
        entities: Vec<(riskgraph_domain::AlertId, riskgraph_domain::EntityId)>,
    ) {
        self.alert_entities.extend(entities.into_iter().map(|(alert, entity)| rows::alert_entity::Model {
            entity_id: entity.to_bytes().to_vec(),
            alert_id: alert.to_bytes().to_vec(),
        }));
        let links = std::mem::take(&mut self.alert_entities);
        self.alert_entities = last_of_each(links, |link| (link.entity_id.clone(), link.alert_id.clone()));
        self.alert_signals = last_of_each(signals, |link| *link)
            .into_iter()
            .map(|(alert, signal)| (alert.to_bytes().to_vec(), signal.to_bytes().to_vec()))
            .collect();
    }

    fn vendors(&mut self, vendors: Vec<riskgraph_domain::vendor::Vendor>) -> Result<()> {
        for vendor in last_of_each(vendors, |vendor| vendor.id) {
            let row = convert::vendor_row(&vendor)?;
            let domains = vendor
                .domains
                .iter()
                .map(|domain| rows::vendor_domain::Model { domain: convert::fold(domain), vendor_id: row.id.clone() });
            self.vendor_domains.extend(last_of_each(domains.collect(), |domain| domain.domain.clone()));
            self.vendors.push(row);
        }
        Ok(())
    }
}

/// The names a technique is found by: its own and its parents', so that T1110 finds T1110.004 by an equal text.
fn names_of(technique: &str) -> Vec<String> {
    let parents = technique.match_indices('.').map(|(dot, _)| technique[..dot].to_owned());
    parents.chain([technique.to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technique_is_found_by_its_parents_too() {
        for (technique, names) in [
            ("T1110", &["T1110"] as &[&str]),
            ("T1110.004", &["T1110", "T1110.004"]),
            ("AML.T0024.001", &["AML", "AML.T0024", "AML.T0024.001"]),
            ("", &[""]),
            ("ü.", &["ü", "ü."]),
        ] {
            assert_eq!(names_of(technique), names, "{technique}");
        }
    }
}
