//! What every public shop sees besides customers: search bots, monitors, scanners, people who hammer refresh.

use riskgraph_domain::event::Client;
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use crate::day::{HOUR_MS, session_id};
use crate::device::ja4;
use crate::dice::Dice;
use crate::emit::{Emitter, Login, by_user, http, labels, money, object};
use crate::names::{CATEGORIES, FIRST};
use crate::session::popular;
use crate::shop::Shop;
use crate::world::NetworkKind;

/// Paths that internet scanners ask everybody for.
const PROBES: &[&str] = &[
    "/wp-login.php",
    "/.env",
    "/.git/config",
    "/phpmyadmin/",
    "/xmlrpc.php",
    "/admin/config.php",
    "/server-status",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/actuator/health",
    "/boaform/admin/formLogin",
];
/// Search engines: bot name, reverse-DNS suffix, requests an hour at natural volume.
const BOTS: &[(&str, &str, f64)] =
    &[("SearchBot", "crawl.searchbot.example", 55.0), ("FindSpider", "spider.findengine.example", 16.0)];

/// One request of a robot.
pub(crate) struct Request {
    pub at: Timestamp,
    pub path: String,
    pub route: Option<&'static str>,
    pub status: u16,
    pub rdns: Option<Text>,
}

/// Writes a robot's request.
pub(crate) fn request(shop: &Shop, out: &mut Emitter, dice: &mut Dice, client: Client, request: Request) {
    let mut parts = http("GET", &shop.www, request.path, request.route.unwrap_or(""), request.status);
    if request.route.is_none() {
        parts.route = None;
    }
    parts.bytes_out = Some(if request.status == 200 { dice.range(9_000, 60_000) as u64 } else { 512 });
    parts.duration_ms = Some(dice.log_normal(60.0, 0.4).round());
    out.add(request.at, EventKind::HttpRequest, |event| {
        event.source = Some(Text::from("web"));
        event.outcome = if request.status < 400 { Outcome::Success } else { Outcome::Failure };
        event.client = client;
        event.http = Some(parts);
        if let Some(rdns) = request.rdns {
            event.labels = labels([("rdns", rdns)]);
        }
    });
}

pub(crate) fn hour(shop: &Shop, out: &mut Emitter, day: u32, begin: Timestamp) {
    let mut dice = Dice::of(shop.options.seed, &["noise", &begin.0.to_string()]);
    let volume = (shop.options.events_per_day as f64 / 60_000.0).clamp(0.2, 10.0);
    for (at, (_, _, per_hour)) in BOTS.iter().enumerate() {
        for _ in 0..dice.poisson(per_hour * volume) {
            let when = begin + dice.range(0, HOUR_MS - 1);
            crawl(shop, out, &mut dice, at, when);
        }
    }
    monitor(shop, out, &mut dice, begin);
    if dice.chance(0.25) {
        scanner(shop, out, &mut dice, begin);
    }
    if dice.chance(0.09) {
        refresher(shop, out, &mut dice, begin, day);
    }
    if dice.chance(0.02) {
        chargeback(shop, out, &mut dice, begin);
    }
    for _ in 0..dice.poisson(1.2) {
        stray_login(shop, out, &mut dice, begin);
    }
}

/// A page fetched by one of the search engines.
pub(crate) fn crawl(shop: &Shop, out: &mut Emitter, dice: &mut Dice, bot: usize, at: Timestamp) {
    let (name, suffix, _) = BOTS[bot];
    let networks = shop.world.of_kind(NetworkKind::Hosting, None);
    // The last hosting networks are the engines': partners and attackers are given the others first.
    let place = &shop.world.networks[networks[networks.len() - 1 - bot]];
    let host = dice.below(12);
    let ip = place.v4(host);
    let rdns = Text::from(format!("{}.{suffix}", ip.replace('.', "-")));
    let client = Client {
        ip: Some(ip),
        user_agent: Some(Text::from(format!("Mozilla/5.0 (compatible; {name}/2.1; +https://{suffix}/bot)"))),
        ja4: Some(ja4(shop.options.seed, name)),
        asn: Some(place.asn),
        country: Some(Text::from(shop.world.country_code(place))),
        ..Client::default()
    };
    let (path, route) = match dice.below(12) {
        0 => ("/robots.txt".to_owned(), "/robots.txt"),
        1 | 2 => (format!("/c/{}", dice.pick(CATEGORIES)), "/c/{category}"),
        _ => (format!("/p/{}", 1_000 + dice.below(shop.options.n_products)), "/p/{id}"),
    };
    let status = if dice.chance(0.02) { 404 } else { 200 };
    request(shop, out, dice, client, Request { at, path, route: Some(route), status, rdns: Some(rdns) });
}

/// An uptime monitor asks for the front page every minute.
fn monitor(shop: &Shop, out: &mut Emitter, dice: &mut Dice, begin: Timestamp) {
    let networks = shop.world.of_kind(NetworkKind::Hosting, None);
    let place = &shop.world.networks[networks[networks.len() - 3]];
    for minute in 0..60 {
        let client = Client {
            ip: Some(place.v4(7)),
            user_agent: Some(Text::from("UptimeWatch/1.4")),
            ja4: Some(ja4(shop.options.seed, "uptime")),
            asn: Some(place.asn),
            country: Some(Text::from(shop.world.country_code(place))),
            ..Client::default()
        };
        let at = begin + minute * 60_000 + 1_000;
        let rdns = Some(Text::from("probe-3.uptimewatch.example"));
        request(shop, out, dice, client, Request { at, path: "/".into(), route: Some("/"), status: 200, rdns });
    }
}

/// An internet scanner asks for a handful of things the shop does not have.
fn scanner(shop: &Shop, out: &mut Emitter, dice: &mut Dice, begin: Timestamp) {
    let place = &shop.world.networks[*dice.pick(&shop.world.of_kind(NetworkKind::Hosting, None))];
    let ip = place.v4(dice.below(60_000));
    let mut at = begin + dice.range(0, HOUR_MS - 60_000);
    let agent = *dice.pick(&["Mozilla/5.0 zgrab/0.x", "python-requests/2.31.0", "Mozilla/5.0", "curl/8.5.0"]);
    for _ in 0..dice.range(1, 6) {
        let client = Client {
            ip: Some(ip.clone()),
            user_agent: Some(Text::from(agent)),
            ja4: Some(ja4(shop.options.seed, agent)),
            asn: Some(place.asn),
            country: Some(Text::from(shop.world.country_code(place))),
            ..Client::default()
        };
        let path = (*dice.pick(PROBES)).to_owned();
        request(shop, out, dice, client, Request { at, path, route: None, status: 404, rdns: None });
        at = at + dice.range(200, 4_000);
    }
}

/// A customer waits for a product to come back and reloads its page again and again.
fn refresher(shop: &Shop, out: &mut Emitter, dice: &mut Dice, begin: Timestamp, day: u32) {
    let user = &shop.users[shop.somebody(dice)];
    let at = begin + dice.range(0, HOUR_MS / 2);
    let client = crate::user::presence(&shop.world, &shop.devices, user, at, day, dice).client;
    let (product, session) = (popular(shop, dice), session_id(dice));
    let (n, gap_s) = (dice.range(60, 220), dice.uniform(2.0, 6.0));
    for step in 0..n {
        let when = at + (step as f64 * gap_s * 1e3) as i64 + dice.range(0, 900);
        let mut parts = http("GET", &shop.www, format!("/p/{product}"), "/p/{id}", 200);
        parts.bytes_out = Some(31_000);
        out.add(when, EventKind::HttpRequest, |event| {
            event.source = Some(Text::from("web"));
            event.outcome = Outcome::Success;
            event.actor = by_user(&user.name, Some(&session));
            event.client = client.clone();
            event.http = Some(parts);
            event.labels = labels([("referer", Text::from(format!("https://{}/p/{product}", shop.www)))]);
        });
    }
}

/// A customer disputes a payment of weeks ago, as a few do in every shop.
fn chargeback(shop: &Shop, out: &mut Emitter, dice: &mut Dice, begin: Timestamp) {
    let (number, user) = shop.paid_order(dice);
    let reason = *dice.pick(&["product_not_received", "fraudulent", "duplicate", "not_as_described"]);
    let (amount, card) = (dice.log_normal(user.budget_minor, 0.5) as i64, shop.banks.event_card(&user.cards[0]));
    out.add(begin + dice.range(0, HOUR_MS - 1), EventKind::PaymentChargeback, |event| {
        event.source = Some(Text::from("payments"));
        event.reason = Some(Text::from(reason));
        event.card = Some(Box::new(card));
        event.object = object("order", shop.order_id(number), Some(user.name.clone()));
        event.money = money(amount, &shop.currency);
    });
}

/// Somebody somewhere tries one name and one password.
fn stray_login(shop: &Shop, out: &mut Emitter, dice: &mut Dice, begin: Timestamp) {
    let place = &shop.world.networks[*dice.pick(&shop.world.of_kind(NetworkKind::Hosting, None))];
    let client = Client {
        ip: Some(place.v4(dice.below(60_000))),
        user_agent: Some(Text::from("Mozilla/5.0 (Windows NT 10.0; Win64; x64)")),
        ja4: Some(ja4(shop.options.seed, "stray")),
        asn: Some(place.asn),
        country: Some(Text::from(shop.world.country_code(place))),
        ..Client::default()
    };
    let name = Text::from(if dice.chance(0.5) {
        "admin".to_owned()
    } else {
        format!("{}{}", dice.pick(FIRST), dice.below(99))
    });
    let at = begin + dice.range(0, HOUR_MS - 1);
    let attempt = Login {
        actor: by_user(&name, None),
        client: &client,
        outcome: Outcome::Failure,
        reason: Some("unknown_user"),
        labels: riskgraph_domain::event::Labels::default(),
    };
    out.login(at, attempt);
}
