//! Signals of the integration baseline, in words.

use riskgraph_domain::event::Event;
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::{EntityKind, Text};
use serde_json::json;

use super::super::Context;
use super::super::draft::Draft;
use super::super::telling::SCORE_MAX;
use super::call::Call;
use super::habits::Departure;
use super::partner::{Finding, Grown};
use super::{NAME, Standing};

const FOREIGN_TECHNIQUES: &[&str] = &["T1528", "T1550.001"];
const EXPORT_TECHNIQUES: &[&str] = &["T1528", "T1550.001", "T1119", "T1213", "T1020"];
const HOME_TECHNIQUES: &[&str] = &["T1119", "T1213"];
const RAMP_TECHNIQUES: &[&str] = &["T1119", "T1020"];
const FOREIGN_ADVICE: &[&str] = &[
    "ask the partner whether this network is theirs; if not, suspend the key",
    "issue a successor key and keep the known network working meanwhile",
    "list the records read since the first odd call: a report to customers may be due",
];
const HOME_ADVICE: &[&str] =
    &["ask the partner whether a resync or a release explains this", "agree on an hourly record limit for the key"];
const RAMP_ADVICE: &[&str] = &[
    "compare with the orders of the partner: real growth shows there too",
    "agree on a daily record limit for the key",
];
/// Longest user agent quoted.
const AGENT_MAX: usize = 80;

/// The signal of a call that departs from the normal of its key.
pub(super) fn departure(
    found: &Finding,
    call: &Call,
    departure: &Departure,
    event: &Event,
    context: &Context,
) -> Signal {
    let foreign = departure.standing == Standing::Foreign;
    let export = found.shares.volume + found.shares.paging > 0.05;
    let who = call.key.map_or_else(|| call.subject.to_owned(), |key| format!("key {key} of {}", call.subject));
    let title = match (foreign, export) {
        (true, true) => format!("{who} used from a new network to read much data"),
        (true, false) => format!("{who} used from a network it never used"),
        (false, true) if found.shares.fields + found.shares.refusals <= 0.0 => format!("{who} reads more than ever"),
        (false, _) => format!("{who} departs from its habits"),
    };
    let mut draft = Draft::new(NAME, who, title);
    explain(&mut draft, found, call);
    draft.cap(SCORE_MAX);
    touch(&mut draft, call, foreign);
    draft.techniques(match (foreign, export) {
        (true, true) => EXPORT_TECHNIQUES,
        (true, false) => FOREIGN_TECHNIQUES,
        (false, _) => HOME_TECHNIQUES,
    });
    draft.advice(if foreign { FOREIGN_ADVICE } else { HOME_ADVICE });
    prove(&mut draft, found, call);
    if foreign {
        draft.campaign(Some(Text::from(format!("integration:{}:{}", call.subject, call.key.unwrap_or_default()))));
    }
    draft.finish(event, context)
}

fn explain(draft: &mut Draft, found: &Finding, call: &Call) {
    let (shares, episode) = (&found.shares, &found.episode);
    let network =
        if episode.country_new { "network and country never used before" } else { "network never used before" };
    let place = format!("{} {}", call.network_label(), call.country.unwrap_or("country unknown"));
    draft.reason(shares.network, network, place);
    if shares.network > 0.0 {
        draft.expected(found.usual_networks.join(", "));
    }
    draft.reason(shares.many_networks, "several new networks at once", episode.networks.list().join(", "));
    draft.reason(shares.fingerprint, "TLS fingerprint never seen before", call.ja4.unwrap_or("-"));
    let agent: String = call.agent.unwrap_or("-").chars().take(AGENT_MAX).collect();
    draft.reason(shares.agent, "client software never seen before", agent);
    let who = format!(
        "{} from {}",
        call.agent.unwrap_or("-").chars().take(AGENT_MAX).collect::<String>(),
        call.network_label()
    );
    draft.reason(shares.stranger, "another client at another place, neither ever seen", who);
    draft.reason(shares.odd_hour, "hour at which it hardly ever calls", call.time.to_rfc3339());
    draft.reason(shares.fields, "field groups it never read", episode.fields.list().join(", "));
    draft.reason(shares.endpoints, "endpoints it never called", episode.endpoints.list().join(", "));
    draft.reason(shares.refusals, "burst of refused calls", format!("{} within 10 minutes", episode.burst));
    let pages = format!("{} pages in a row, up to page {}", episode.page_run_max, episode.page_max);
    draft.reason(shares.paging, "pages read one after another", pages);
    if shares.paging > 0.0 {
        draft.expected(format!("up to page {}", found.page_max));
    }
    let volume = format!("{} in the last hour, {} in one minute", found.hour_amount, found.minute_amount);
    draft.reason(shares.volume, "records against the highest hour learned", volume);
    if shares.volume > 0.0 {
        draft.expected(format!("at most {:.0} an hour", found.top));
    }
    draft.reason(shares.rate, "calls far above this hour of the week", found.calls_of_hour.to_string());
    if shares.rate > 0.0 {
        draft.expected(format!("about {:.0}", found.expected_calls));
    }
}

fn touch(draft: &mut Draft, call: &Call, foreign: bool) {
    if let Some(key) = call.key {
        draft.touch(TouchRole::Subject, EntityKind::ApiKey, key);
    }
    if let Some(integration) = call.integration {
        let role = if call.key.is_some() { TouchRole::Involved } else { TouchRole::Subject };
        draft.touch(role, EntityKind::Integration, integration);
    }
    if let Some(ip) = call.ip {
        draft.touch(if foreign { TouchRole::Involved } else { TouchRole::Context }, EntityKind::Address, ip);
    }
    if let Some(asn) = call.asn {
        draft.touch(TouchRole::Context, EntityKind::Network, &format!("AS{asn}"));
    }
}

fn prove(draft: &mut Draft, found: &Finding, call: &Call) {
    let episode = &found.episode;
    draft
        .evidence("integration", json!(call.integration))
        .evidence("key", json!(call.key))
        .evidence("address", json!(call.ip))
        .evidence("network", json!(call.network_label()))
        .evidence("country", json!(call.country))
        .evidence("endpoint", json!(call.endpoint_label()))
        .evidence("since", json!(episode.start))
        .evidence("calls", json!(episode.calls))
        .evidence("records", json!(episode.records))
        .evidence("refused", json!(episode.denied))
        .evidence("records_last_hour", json!(found.hour_amount))
        .evidence("highest_hour", json!(found.top.round()))
        .evidence("deepest_page", json!(episode.page_max))
        .evidence("networks", json!(episode.networks.list()))
        .evidence("addresses", json!(episode.addresses.list()))
        .evidence("new_fields", json!(episode.fields.list()))
        .evidence("new_endpoints", json!(episode.endpoints.list()))
        .evidence("usual_networks", json!(found.usual_networks));
}

/// The signal of a day that ends a steady climb above the capped norm.
pub(super) fn ramp(grown: &Grown, call: &Call, event: &Event, context: &Context) -> Option<Signal> {
    let name = call.integration?;
    let title = format!("{name} reads more every day than its own growth explains");
    let mut draft = Draft::new(NAME, format!("ramp {name}"), title);
    draft
        .reason(
            grown.weight,
            format!("daily records climb steadily, {} days beyond the norm that may be learned", grown.days),
            format!("{:.1} times the norm: {} records", grown.ratio, grown.records),
        )
        .expected(format!("{:.1} times, as before", grown.ratio_before))
        .touch(TouchRole::Subject, EntityKind::Integration, name)
        .techniques(RAMP_TECHNIQUES)
        .advice(RAMP_ADVICE)
        .evidence("days", json!(grown.days))
        .evidence("ratio", json!(grown.ratio))
        .evidence("records", json!(grown.records));
    Some(draft.finish(event, context))
}
