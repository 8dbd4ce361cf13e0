//! Whether an alert meets conditions. It must not know what follows from that.

use std::collections::BTreeMap;

use riskgraph_domain::alert::Alert;
use riskgraph_domain::triage::{MatchField, MatchOp, Matcher};
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{EntityKind, Severity, VendorId};

/// The vendors by id, for conditions that name one.
pub type Vendors = BTreeMap<VendorId, Vendor>;

/// Whether the alert meets all of them. Of what an alert has several (detectors, techniques, entities, vendors) one is
/// enough to meet a condition, and none may be there to meet a `NOT_EQUALS`.
#[must_use]
pub fn meets(matchers: &[Matcher], alert: &Alert, vendors: &Vendors) -> bool {
    matchers.iter().all(|matcher| met(matcher, alert, vendors))
}

fn met(matcher: &Matcher, alert: &Alert, vendors: &Vendors) -> bool {
    if matcher.op == MatchOp::NotEquals {
        return !any(matcher, MatchOp::Equals, alert, vendors);
    }
    any(matcher, matcher.op, alert, vendors)
}

fn any(matcher: &Matcher, op: MatchOp, alert: &Alert, vendors: &Vendors) -> bool {
    let wanted = matcher.value.as_str();
    match matcher.field {
        MatchField::Severity => Severity::parse(wanted).is_some_and(|severity| match op {
            MatchOp::AtLeast => alert.severity >= severity,
            MatchOp::AtMost => alert.severity <= severity,
            _ => alert.severity == severity,
        }),
        MatchField::Detector => alert.detectors.iter().any(|detector| text(op, detector, wanted)),
        MatchField::Technique => alert.techniques.iter().any(|technique| {
            // A technique is also named by its parent: T1110 by T1110.004.
            text(op, technique, wanted)
                || (op == MatchOp::Equals && technique.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.')))
        }),
        MatchField::Entity => alert.entities.iter().any(|entity| {
            text(op, &entity.key, wanted) || (op == MatchOp::Equals && entity.id().to_string() == wanted)
        }),
        MatchField::EntityKind => {
            EntityKind::parse(wanted).is_some_and(|kind| alert.entities.iter().any(|entity| entity.kind == kind))
        }
        MatchField::Vendor => alert.vendors.iter().any(|id| {
            let by_id = op == MatchOp::Equals && id.to_string() == wanted;
            by_id
                || vendors.get(id).is_some_and(|vendor| {
                    text(op, &vendor.name, wanted) || vendor.domains.iter().any(|domain| text(op, domain, wanted))
                })
        }),
        MatchField::Title => text(op, &alert.title, wanted),
    }
}

/// Compares without case.
fn text(op: MatchOp, has: &str, wanted: &str) -> bool {
    let (has, wanted) = (has.to_lowercase(), wanted.to_lowercase());
    if op == MatchOp::Contains { has.contains(&wanted) } else { has == wanted }
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::vendor::VendorTier;
    use riskgraph_domain::{AlertId, EntityKey, Timestamp};

    use super::*;

    #[test]
    fn conditions_on_every_field() {
        let vendor = Vendor {
            id: VendorId::of(&["acme.example"]),
            name: "Acme GmbH".into(),
            domains: vec!["acme.example".into()],
            tier: VendorTier::High,
            owner: None,
            integrations: Vec::new(),
            added_at: Timestamp(0),
        };
        let key = EntityKey::new(EntityKind::ApiKey, "ak_51d0");
        let alert = Alert {
            severity: Severity::High,
            detectors: vec!["scraping".into(), "integration_novelty".into()],
            techniques: vec!["T1110.004".into()],
            entities: vec![key.clone(), EntityKey::new(EntityKind::Address, "192.0.2.7")],
            vendors: vec![vendor.id],
            ..Alert::new(AlertId::of(&["a"]), "Odd call of API key ak_51d0", Timestamp(0))
        };
        let (vendor_id, key_id) = (vendor.id.to_string(), key.id().to_string());
        let vendors = Vendors::from([(vendor.id, vendor)]);
        let check = |field: &str, op: &str, value: &str, expected: bool| {
            let matcher = Matcher {
                field: MatchField::parse(field).expect("a field"),
                op: MatchOp::parse(op).expect("an operator"),
                value: value.into(),
            };
            matcher.check().expect("well formed");
            assert_eq!(meets(std::slice::from_ref(&matcher), &alert, &vendors), expected, "{matcher:?}");
        };
        for (value, at_least, at_most) in
            [("INFO", true, false), ("MEDIUM", true, false), ("HIGH", true, true), ("CRITICAL", false, true)]
        {
            check("SEVERITY", "AT_LEAST", value, at_least);
            check("SEVERITY", "AT_MOST", value, at_most);
            check("SEVERITY", "EQUALS", value, value == "HIGH");
            check("SEVERITY", "NOT_EQUALS", value, value != "HIGH");
        }
        for (field, value, contains, equals) in [
            ("DETECTOR", "scraping", true, true),
            ("DETECTOR", "Integration", true, false),
            ("DETECTOR", "scrap", true, false),
            ("DETECTOR", "scanning", false, false),
            ("TECHNIQUE", "T1110", true, true),
            ("TECHNIQUE", "T1110.004", true, true),
            ("TECHNIQUE", "T111", true, false),
            ("TECHNIQUE", "T1110.003", false, false),
            ("ENTITY", "192.0.2.", true, false),
            ("ENTITY", "192.0.2.7", true, true),
            ("ENTITY", "AK_51D0", true, true),
            ("ENTITY", key_id.as_str(), false, true),
            ("VENDOR", "acme gmbh", true, true),
            ("VENDOR", "acme.example", true, true),
            ("VENDOR", "acme", true, false),
            ("VENDOR", vendor_id.as_str(), false, true),
            ("VENDOR", "brook", false, false),
            ("TITLE", "odd CALL", true, false),
            ("TITLE", "odd call of api key AK_51d0", true, true),
        ] {
            check(field, "CONTAINS", value, contains);
            check(field, "EQUALS", value, equals);
            check(field, "NOT_EQUALS", value, !equals);
        }
        check("ENTITY_KIND", "EQUALS", "ADDRESS", true);
        check("ENTITY_KIND", "EQUALS", "USER", false);
        check("ENTITY_KIND", "NOT_EQUALS", "USER", true);
    }

    #[test]
    fn all_conditions_must_hold() {
        let alert = Alert { severity: Severity::Low, ..Alert::new(AlertId::of(&["a"]), "title", Timestamp(0)) };
        let matcher = |field, op, value: &str| Matcher { field, op, value: value.into() };
        let low = matcher(MatchField::Severity, MatchOp::AtMost, "LOW");
        let other = matcher(MatchField::Title, MatchOp::Contains, "other");
        assert!(meets(std::slice::from_ref(&low), &alert, &Vendors::new()));
        assert!(!meets(&[low, other], &alert, &Vendors::new()));
    }
}
