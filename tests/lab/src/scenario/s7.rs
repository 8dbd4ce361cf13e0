//! S7: distributed scraping of the catalogue. Twin: a search bot's deep crawl, price comparison, a product launch.

use riskgraph_domain::event::Client;
use riskgraph_domain::{EventKind, Outcome, Text};

use super::Stage;
use crate::day::session_id;
use crate::dice::Dice;
use crate::emit::{http, labels};
use crate::noise::{Request, crawl, request};
use crate::partner::{Call, Caller, emit};
use crate::roster::VendorRole;
use crate::user::presence;
use crate::world::NetworkKind;

/// Shortest and longest a run lasts, minutes.
const MINUTES: (f64, f64) = (20.0, 420.0);
/// Share of the catalogue a run wants.
const COVERAGE: f64 = 0.96;

pub(super) fn attack(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let n_addresses = stage.count(900.0, 12);
    let residential = dice.chance(0.75);
    let kind = if residential { NetworkKind::Home } else { NetworkKind::Hosting };
    let n_networks = dice.range(25, 70) as usize;
    let networks = stage.networks(kind, n_networks);
    let print = stage.tool();
    let agents = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ];
    let agents: Vec<Text> = agents.iter().map(|agent| Text::from(*agent)).collect();
    let clients: Vec<Client> = (0..n_addresses)
        .map(|at| {
            let network = &networks[at % networks.len()];
            stage.client(network, network.v4(dice.below(60_000)), dice.pick(&agents), &print)
        })
        .collect();
    let n_products = stage.shop.options.n_products;
    let gap_s = dice.uniform(25.0, 60.0);
    let wanted = n_products as f64 * COVERAGE * dice.uniform(1.05, 1.3);
    let minutes = (wanted * gap_s / n_addresses as f64 / 60.0).clamp(MINUTES.0, MINUTES.1);
    let n_requests = (minutes * 60.0 * n_addresses as f64 / gap_s) as u64;
    let mut targets: Vec<u64> = (0..n_products).filter(|_| dice.chance(COVERAGE)).map(|at| 1_000 + at).collect();
    if dice.chance(0.3) {
        dice.shuffle(&mut targets);
    }
    let step_ms = minutes * 60_000.0 / n_requests.max(1) as f64;
    for at in 0..n_requests {
        let when = stage.at + (at as f64 * step_ms) as i64 + dice.range(0, step_ms as i64);
        let product = targets[(at % targets.len().max(1) as u64) as usize];
        let status = if dice.chance(0.01) { 404 } else { 200 };
        let client = clients[dice.index(clients.len())].clone();
        let ask = Request { at: when, path: format!("/p/{product}"), route: Some("/p/{id}"), status, rdns: None };
        request(stage.shop, &mut stage.out, &mut dice, client, ask);
    }
}

pub(super) fn twin(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let minutes = dice.uniform(120.0, 300.0);
    let length_ms = (minutes * 60_000.0) as i64;
    // A search engine whose addresses resolve back to it reads the whole catalogue.
    for _ in 0..stage.count(6_000.0, 100) {
        let at = stage.at + dice.range(0, length_ms);
        crawl(stage.shop, &mut stage.out, &mut dice, 0, at);
    }
    price_feed(stage, &mut dice, length_ms);
    launch(stage, &mut dice);
}

/// The price-comparison partner fetches its feed with its key.
fn price_feed(stage: &mut Stage<'_>, dice: &mut Dice, length_ms: i64) {
    stage.step(2);
    let Some(partner) = stage.shop.partners.iter().find(|partner| partner.role == VendorRole::PriceComparison) else {
        return;
    };
    let begin = stage.at + dice.range(0, length_ms / 2);
    for page in 1..=stage.shop.options.n_products.div_ceil(1_000) as i64 {
        let client = partner.client(&stage.shop.world, *dice.pick(&partner.hosts));
        let caller = Caller { integration: &partner.integration, key: partner.key(stage.day()), client };
        let path = format!("/v1/feed/products?page={page}");
        let call = Call::get(begin + page * 1_500, "/v1/feed/products", path, 1_000, "id,title,price,stock");
        emit(stage.shop, &mut stage.out, dice, &caller, call);
    }
}

/// A launch: many customers look at the few new products at once, from their own devices, with all a page loads.
fn launch(stage: &mut Stage<'_>, dice: &mut Dice) {
    stage.step(3);
    let first = 1_000 + dice.below(stage.shop.options.n_products.saturating_sub(20));
    for _ in 0..stage.count(1_500.0, 40) {
        let at = stage.at + (dice.unit().powf(2.0) * 2_400_000.0) as i64;
        let user = &stage.shop.users[dice.index(stage.shop.users.len())];
        let client = presence(&stage.shop.world, &stage.shop.devices, user, at, stage.day(), dice).client;
        let session = session_id(dice);
        let product = first + dice.below(12);
        let pages = ["/c/new".to_owned(), format!("/p/{product}"), "/static/app.js".into(), "/static/hero.webp".into()];
        let routes = ["/c/{category}", "/p/{id}", "/static/{file}", "/static/{file}"];
        for (step, (path, route)) in pages.into_iter().zip(routes).enumerate() {
            let mut parts = http("GET", &stage.shop.www, path, route, 200);
            parts.bytes_out = Some(dice.range(4_000, 60_000) as u64);
            let when = at + step as i64 * 700 + dice.range(0, 500);
            stage.out.add(when, EventKind::HttpRequest, |event| {
                event.source = Some(Text::from("web"));
                event.outcome = Outcome::Success;
                event.actor.user = Some(user.name.clone());
                event.actor.session = Some(session.clone());
                event.client = client.clone();
                event.http = Some(parts);
                event.labels = labels([("referer", Text::from("https://www.shop.example/"))]);
            });
        }
    }
}
