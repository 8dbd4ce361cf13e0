//! Signals of the scraping detector, in words.

use riskgraph_domain::event::Event;
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::{EntityKind, Text};
use serde_json::json;

use super::super::Context;
use super::super::draft::Draft;
use super::page::Page;
use super::{NAME, client, group};

const CROWD_TECHNIQUES: &[&str] = &["T1594", "T1595.003", "T1119", "T1090.003"];
const ALONE_TECHNIQUES: &[&str] = &["T1594", "T1119"];
const ADVICE: &[&str] = &[
    "slow down this fingerprint on this template; do not block addresses, customers share them",
    "offer a keyed feed if the reader turns out to be a partner",
];
/// Characters of a fingerprint or user agent quoted.
const PRINT_MAX: usize = 100;

/// The signal of a group of robotic clients.
pub(super) fn crowd(
    group: &group::Group,
    shares: &group::Shares,
    score: f64,
    catalogue: u64,
    page: &Page,
    event: &Event,
    context: &Context,
) -> Signal {
    let template = page.template_name();
    let print: String = page.print_name.chars().take(PRINT_MAX).collect();
    let (n_addresses, n_items) = (group.addresses.count(), group.items.count());
    let title = format!("{n_addresses} clients of one kind read through {template}");
    let mut draft = Draft::new(NAME, format!("{print} {template}"), title);
    draft
        .reason(
            shares.coverage,
            "share of the catalogue read by clients that read nothing else",
            format!("{:.0} %: {n_items} of {catalogue} items", 100.0 * shares.covered.min(1.0)),
        )
        .reason(shares.unrepeated, "few items read twice", format!("{n_items} items in {} requests", group.requests))
        .reason(shares.addresses, "spread over many addresses", n_addresses.to_string())
        .reason(shares.all_robotic, "hardly any client with this fingerprint behaves like a browser", print.clone())
        .reason(shares.ordered, "ids asked for in ascending order", page.path)
        .reason(shares.no_assets, "loads none of the pictures and scripts that others load", "0")
        .reason(shares.no_referrers, "comes by no link where others do", "0")
        .cap(score)
        .techniques(CROWD_TECHNIQUES)
        .advice(ADVICE)
        .touch(TouchRole::Subject, EntityKind::Indicator, &print)
        .touch(TouchRole::Context, EntityKind::Endpoint, &template);
    for address in &group.sample {
        draft.touch(TouchRole::Involved, EntityKind::Address, address);
    }
    draft
        .evidence("fingerprint", print.clone())
        .evidence("user_agent", page.agent.chars().take(PRINT_MAX).collect::<String>())
        .evidence("template", template.clone())
        .evidence("since", json!(group.start))
        .evidence("requests", group.requests)
        .evidence("items", n_items)
        .evidence("catalogue", catalogue)
        .evidence("addresses", n_addresses)
        .evidence("networks", group.networks.count())
        .evidence("sample", json!(group.sample))
        .campaign(Some(Text::from(format!("scrape:{print}"))));
    draft.finish(event, context)
}

/// The signal of one client that reads far more than others.
pub(super) fn alone(
    client: &client::Client,
    shares: &client::Shares,
    score: f64,
    usual: f64,
    page: &Page,
    event: &Event,
    context: &Context,
) -> Signal {
    let n_items = client.items.count();
    let agent: String = page.agent.chars().take(PRINT_MAX).collect();
    let mut draft = Draft::new(NAME, page.ip, format!("{} reads far more pages than any visitor", page.ip));
    draft.reason(shares.pages, "distinct pages read by one client", n_items.to_string());
    if shares.pages > 0.0 {
        draft.expected(format!("up to {usual:.0}"));
    }
    draft
        .reason(shares.unrepeated, "few pages read twice", format!("{n_items} pages in {} requests", client.pages))
        .reason(shares.fast, "pace of a machine", format!("{} pages since {}", client.pages, client.start))
        .reason(shares.no_assets, "loads none of the pictures and scripts that others load", client.assets.to_string())
        .reason(shares.no_referrers, "comes by no link where others do", client.referred.to_string())
        .cap(score)
        .touch(TouchRole::Subject, EntityKind::Address, page.ip)
        .techniques(ALONE_TECHNIQUES)
        .advice(ADVICE)
        .evidence("user_agent", agent)
        .evidence("since", json!(client.start))
        .evidence("pages", client.pages)
        .evidence("distinct", n_items)
        .evidence("assets", client.assets)
        .evidence("usual", usual.round());
    draft.finish(event, context)
}
