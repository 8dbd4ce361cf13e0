use riskgraph_domain::vendor::VendorTier;
use riskgraph_domain::{Text, Timestamp, VendorId};

use super::*;
use crate::spread::RiskConfig;

fn vendor(name: &str, domains: &[&str]) -> Vendor {
    Vendor {
        id: VendorId::of(&[name]),
        name: Text::from(name),
        domains: domains.iter().map(|&domain| Text::from(domain)).collect(),
        tier: VendorTier::Medium,
        owner: None,
        integrations: Vec::new(),
        added_at: Timestamp(0),
    }
}

fn register() -> Vec<Vendor> {
    vec![
        vendor("Logistix GmbH & Co. KG", &["logistix.example"]),
        vendor("Müller Zahlungen AG", &["mueller-pay.co.uk"]),
        vendor("Northwind Traders, Inc.", &[]),
        vendor("Acme Fulfilment Ltd", &["acmefulfil.example"]),
        vendor("Sun S.A.", &["sun.example"]),
    ]
}

#[test]
fn companies_are_known_by_what_others_call_them() {
    let vendors = register();
    let config = RiskConfig::defaults().expect("the defaults parse").resolve;
    let check = |name: &str, domain: Option<&str>, expected: Option<&str>| {
        let found = company(vendors.iter(), name, domain, &config).map(|guess| guess.vendor.name.to_string());
        assert_eq!(found.as_deref(), expected, "{name} {domain:?}");
    };
    check("Logistix Ltd", None, Some("Logistix GmbH & Co. KG"));
    check("LOGISTIX", Some("www.logistix.example"), Some("Logistix GmbH & Co. KG"));
    check("Logistix Ltd", Some("logistix-group.example"), None);
    check("LGX Holding", Some("portal.logistix.example"), Some("Logistix GmbH & Co. KG"));
    check("Mueller Zahlungen", None, Some("Müller Zahlungen AG"));
    check("northwind trader", None, Some("Northwind Traders, Inc."));
    check("Northwood Traders", None, None);
    check("Sun Corporation", None, Some("Sun S.A."));
    check("Son Ltd", None, None);
    check("Unheard Of Ltd", None, None);
    check("", None, None);
}

#[test]
fn integrations_are_guessed_with_less_than_certainty() {
    let vendors = register();
    let config = RiskConfig::defaults().expect("the defaults parse").resolve;
    let check = |name: &str, expected: Option<&str>| {
        let found = integration(vendors.iter(), name, &config);
        assert_eq!(found.map(|guess| guess.vendor.name.as_str()), expected, "{name}");
        assert!(found.is_none_or(|guess| guess.confidence < 1.0));
    };
    check("acme-fulfilment", Some("Acme Fulfilment Ltd"));
    check("logistix-api-v2", Some("Logistix GmbH & Co. KG"));
    check("northwind_webhooks", Some("Northwind Traders, Inc."));
    check("acmefulfil", Some("Acme Fulfilment Ltd"));
    check("nightly-export", None);
    check("api", None);
}

#[test]
fn two_vendors_equally_alike_are_no_answer() {
    let vendors = [vendor("Delta Ltd", &[]), vendor("Delta GmbH", &[])];
    let config = RiskConfig::defaults().expect("the defaults parse").resolve;
    assert_eq!(company(vendors.iter(), "Delta Inc", None, &config), None);
}
