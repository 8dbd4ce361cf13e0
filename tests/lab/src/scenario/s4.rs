//! S4: a partner's API key leaks and is used for a mass order export. Twin: the partner's announced full resync.

use riskgraph_domain::event::Client;
use riskgraph_domain::{EventKind, Text};

use super::Stage;
use crate::dice::Dice;
use crate::emit::{labels, object};
use crate::partner::{Call, Caller, Partner, emit};
use crate::roster::VendorRole;
use crate::world::NetworkKind;

/// Fields the thief takes that the partner never reads.
const STOLEN_FIELDS: &str = "id,status,items,name,email,phone,address";

pub(super) fn attack(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let shop = stage.shop;
    let partner = dice.pick(&shop.partners);
    let day = stage.day();
    leak(stage, &mut dice, partner, partner.key(day));
    let begin = stage.at + dice.range(40, 240) * 60_000;
    let clients = thieves(stage, &mut dice);
    let caller = |dice: &mut Dice| Caller {
        integration: &partner.integration,
        key: partner.key(day),
        client: dice.pick(&clients).clone(),
    };
    stage.step(2);
    let first = caller(&mut dice);
    for (at, route) in [(0, "/v1/me"), (dice.range(1_000, 4_000), "/v1/scopes")] {
        let call = Call::get(begin + at, route, route.to_owned(), 1, "");
        emit(shop, &mut stage.out, &mut dice, &first, call);
    }
    stage.step(3);
    let denied = ["/v1/users", "/v1/payments", "/v1/admin", "/v1/keys", "/v1/exports", "/v1/giftcards", "/v1/staff"];
    for _ in 0..dice.range(6, 16) {
        let route = *dice.pick(&denied);
        let mut call = Call::get(begin + dice.range(6_000, 200_000), route, route.to_owned(), 0, "");
        call.status = 403;
        let who = caller(&mut dice);
        emit(shop, &mut stage.out, &mut dice, &who, call);
    }
    stage.step(4);
    let n_pages = stage.count(4_200.0, 40);
    let rows = *dice.pick(&[100, 200, 200, 250]);
    // Slow thieves stay far below any rate limit.
    let gap_ms = if dice.chance(0.3) { dice.uniform(2_500.0, 9_000.0) } else { dice.uniform(450.0, 1_200.0) };
    let mut at = begin + dice.range(210_000, 300_000);
    for page in 1..=n_pages {
        let call = Call::get(at, "/v1/orders", format!("/v1/orders?page={page}"), rows, STOLEN_FIELDS);
        let who = caller(&mut dice);
        emit(shop, &mut stage.out, &mut dice, &who, call);
        at = at + dice.exponential(gap_ms).clamp(120.0, gap_ms * 6.0) as i64;
    }
}

/// The key's first characters show up in a public paste.
fn leak(stage: &mut Stage<'_>, dice: &mut Dice, partner: &Partner, key: &Text) {
    let cut = if dice.chance(0.5) { key.len() } else { key.len().saturating_sub(2) };
    let prefix = Text::from(key.as_str().get(..cut).unwrap_or(key.as_str()));
    let source = *dice.pick(&["paste", "public-repository", "forum"]);
    let company = stage.shop.companies.iter().find(|company| company.role == partner.role);
    let domain = Text::from(company.map_or("", |company| company.domain.as_str()));
    stage.step(1);
    stage.out.add(stage.at, EventKind::LeakRecord, |event| {
        event.source = Some(Text::from("leaks"));
        event.object = object("api_key", prefix.clone(), None);
        event.labels = labels([
            ("kind", Text::from("api_key")),
            ("prefix", prefix),
            ("domain", domain),
            ("source", Text::from(source)),
        ]);
    });
}

/// One to three addresses in networks the partner never used.
fn thieves(stage: &mut Stage<'_>, dice: &mut Dice) -> Vec<Client> {
    let kind = *dice.pick(&[NetworkKind::Hosting, NetworkKind::Hosting, NetworkKind::Vpn]);
    let n = dice.range(1, 3) as usize;
    let networks = stage.networks(kind, n);
    let print = stage.tool();
    let agent = Text::from(*dice.pick(&["python-requests/2.32.3", "curl/8.9.1", "Go-http-client/1.1", "aiohttp/3.10"]));
    networks.iter().map(|network| stage.client(network, network.v4(dice.below(60_000)), &agent, &print)).collect()
}

/// Once a year a partner fetches everything again: announced, with its key, from its own network, on more machines.
pub(super) fn twin(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let shop = stage.shop;
    let bulk = |partner: &&Partner| matches!(partner.role, VendorRole::Erp | VendorRole::Fulfilment);
    let candidates: Vec<&Partner> = shop.partners.iter().filter(bulk).collect();
    let partner = *candidates.get(dice.index(candidates.len())).unwrap_or(&&shop.partners[0]);
    let told = stage.at + dice.range(0, 60_000);
    let message = "partner announced a full resync of orders today";
    crate::staff::notice(shop, &mut stage.out, told, &partner.integration, message);
    let begin = stage.at + dice.range(45, 240) * 60_000;
    let day = stage.day();
    let hosts: Vec<u64> =
        partner.hosts.iter().copied().chain((0..dice.range(2, 5)).map(|_| dice.below(20_000))).collect();
    let fields = if partner.role == VendorRole::Erp { "id,status,total,tax" } else { "id,status,items,address" };
    let n_pages = stage.count(4_200.0, 40);
    let gap_ms = dice.uniform(600.0, 2_000.0);
    let mut at = begin;
    stage.step(2);
    for page in 1..=n_pages {
        let client = partner.client(&shop.world, *dice.pick(&hosts));
        let caller = Caller { integration: &partner.integration, key: partner.key(day), client };
        let call = Call::get(at, "/v1/orders", format!("/v1/orders?page={page}"), 200, fields);
        emit(shop, &mut stage.out, &mut dice, &caller, call);
        at = at + dice.exponential(gap_ms).clamp(120.0, gap_ms * 5.0) as i64;
    }
}
