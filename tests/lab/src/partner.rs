//! Partners that call the shop's API, each with its own rhythm, endpoints, volumes and network.

use riskgraph_domain::event::{Actor, Client};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use crate::day::{HOUR_MS, Plan};
use crate::device::ja4;
use crate::dice::Dice;
use crate::emit::{Emitter, http, labels, object};
use crate::roster::{Company, VendorRole};
use crate::shop::Shop;
use crate::staff;
use crate::world::{NetworkKind, World};

mod rhythm;

/// Events a day at which a partner has its natural volume.
const NATURAL_EVENTS_PER_DAY: f64 = 60_000.0;
const MINUTE_MS: i64 = 60_000;
/// How long before its maintenance a partner says so.
const NOTICE_MS: i64 = 3 * HOUR_MS;

/// A partner integration.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub role: VendorRole,
    pub integration: Text,
    key: Text,
    /// The key that replaces the first, and from which day.
    next_key: (u32, Text),
    pub network: usize,
    /// Host numbers it calls from.
    pub hosts: Vec<u64>,
    pub user_agent: Text,
    pub ja4: Text,
    /// Minute of the hour its hourly jobs begin.
    minute: i64,
    pub utc_h: i64,
}

impl Partner {
    /// The key in use that day.
    pub(crate) fn key(&self, day: u32) -> &Text {
        if day >= self.next_key.0 { &self.next_key.1 } else { &self.key }
    }

    /// A client at this host of the partner's network.
    pub(crate) fn client(&self, world: &World, host: u64) -> Client {
        let place = &world.networks[self.network];
        Client {
            ip: Some(place.v4(host)),
            user_agent: Some(self.user_agent.clone()),
            ja4: Some(self.ja4.clone()),
            asn: Some(place.asn),
            country: Some(Text::from(world.country_code(place))),
            ..Client::default()
        }
    }
}

/// The integrations of these companies.
pub(crate) fn partners(seed: u64, world: &World, companies: &[Company]) -> Vec<Partner> {
    let mut dice = Dice::of(seed, &["partners"]);
    let mut networks = world.of_kind(NetworkKind::Hosting, None);
    dice.shuffle(&mut networks);
    let prefix = *dice.pick(&["ak_", "key-", "pk", "k_live_"]);
    let agents = [
        "okhttp/4.12.0",
        "python-requests/2.32.3",
        "Java/21.0.4",
        "GuzzleHttp/7",
        "node-fetch/3.3",
        "Go-http-client/2.0",
    ];
    companies
        .iter()
        .filter_map(|company| company.integrations.first().map(|integration| (company, integration)))
        .zip(networks.iter().cycle())
        .map(|((company, integration), &network)| Partner {
            role: company.role,
            integration: Text::from(integration.as_str()),
            key: Text::from(format!("{prefix}{}", dice.hex(6))),
            next_key: (dice.range(18, 90) as u32, Text::from(format!("{prefix}{}", dice.hex(6)))),
            network,
            hosts: (0..dice.range(1, 3)).map(|_| dice.below(20_000)).collect(),
            user_agent: Text::from(format!(
                "{}/{}.{} {}",
                company.brand,
                dice.range(1, 6),
                dice.below(20),
                dice.pick(&agents)
            )),
            ja4: ja4(seed, integration),
            minute: dice.range(0, 50),
            utc_h: world.countries[dice.weighted(&world.markets)].utc_h,
        })
        .collect()
}

/// One call of a partner.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub at: Timestamp,
    pub method: &'static str,
    pub route: &'static str,
    pub path: String,
    pub records: u64,
    pub fields: &'static str,
    /// A single order read: its number and owner.
    pub order: Option<(u64, Text)>,
    pub status: u16,
}

impl Call {
    pub(crate) fn get(at: Timestamp, route: &'static str, path: String, records: u64, fields: &'static str) -> Self {
        Self { at, method: "GET", route, path, records, fields, order: None, status: 200 }
    }
    fn send(at: Timestamp, method: &'static str, route: &'static str) -> Self {
        Self { at, method, route, path: route.to_owned(), records: 0, fields: "", order: None, status: 200 }
    }
}

/// Who calls.
pub(crate) struct Caller<'a> {
    pub integration: &'a Text,
    pub key: &'a Text,
    pub client: Client,
}

/// Writes a call.
pub(crate) fn emit(shop: &Shop, out: &mut Emitter, dice: &mut Dice, caller: &Caller<'_>, call: Call) {
    let mut request = http(call.method, &shop.api, call.path, call.route, call.status);
    let records = if call.status < 400 { call.records } else { 0 };
    request.bytes_out = Some(180 + records * dice.range(180, 260) as u64);
    request.bytes_in = (call.method != "GET").then(|| dice.range(200, 6_000) as u64);
    request.duration_ms = Some((dice.log_normal(20.0 + records as f64 * 0.4, 0.4) * 10.0).round() / 10.0);
    out.add(call.at, EventKind::ApiCall, |event| {
        event.source = Some(Text::from("gateway"));
        event.outcome = match call.status {
            401 | 403 | 429 => Outcome::Denied,
            400.. => Outcome::Failure,
            _ => Outcome::Success,
        };
        event.actor =
            Actor { integration: Some(caller.integration.clone()), key: Some(caller.key.clone()), ..Actor::default() };
        event.client = caller.client.clone();
        event.http = Some(request);
        if call.method == "GET" {
            event.records = Some(records);
        }
        if let Some((number, owner)) = call.order {
            event.object = object("order", shop.order_id(number), Some(owner));
        }
        if records > 0 && !call.fields.is_empty() {
            event.labels = labels([("fields", Text::from(call.fields))]);
        }
    });
}

/// All partners' calls of the hour that begins at `begin`.
pub(crate) fn hour(shop: &Shop, out: &mut Emitter, plan: &Plan, begin: Timestamp) {
    if let Some((at, from, _)) = plan.maintenance {
        let told = from - NOTICE_MS;
        if (begin..begin + HOUR_MS).contains(&told) {
            let message = "partner announced maintenance today";
            staff::notice(shop, out, told, &shop.partners[at].integration, message);
        }
    }
    for (at, partner) in shop.partners.iter().enumerate() {
        let mut dice = Dice::of(shop.options.seed, &["partner", &partner.integration, &begin.0.to_string()]);
        let mut hosts = partner.hosts.clone();
        // Now and then a partner's cloud gives it one more address in the same network.
        let mut today = Dice::of(shop.options.seed, &["hosts", &partner.integration, &plan.day.to_string()]);
        if today.chance(0.05) {
            hosts.push(today.below(20_000));
        }
        let mut calls = rhythm::Hour { shop, partner, plan, begin, dice: &mut dice }.calls();
        if let Some((_, from, to)) = plan.maintenance.filter(|&(index, _, _)| index == at) {
            maintain(&mut calls, from, to, begin);
        }
        if partner.role == VendorRole::Payments {
            webhooks(shop, out, &mut dice, partner, begin, &hosts);
        }
        for mut call in calls {
            call.status = mishap(&call, &mut dice);
            let client = partner.client(&shop.world, *dice.pick(&hosts));
            let caller = Caller { integration: &partner.integration, key: partner.key(plan.day), client };
            emit(shop, out, &mut dice, &caller, call);
        }
    }
}

/// A partner under maintenance is silent, then fetches what it missed.
fn maintain(calls: &mut Vec<Call>, from: Timestamp, to: Timestamp, begin: Timestamp) {
    let resumes = (begin..begin + HOUR_MS).contains(&to);
    calls.retain(|call| !(from..to).contains(&call.at));
    if resumes {
        let missed_h = ((to - from) / HOUR_MS).max(1) as u64;
        for call in calls.iter_mut().filter(|call| call.at >= to && call.at < to + 10 * MINUTE_MS) {
            call.records *= 1 + missed_h * 2;
        }
    }
}

fn mishap(call: &Call, dice: &mut Dice) -> u16 {
    if call.status != 200 {
        return call.status;
    }
    match dice.below(1_000) {
        0..=2 => 502,
        3..=5 => 429,
        6..=9 if call.order.is_some() => 404,
        6 => 400,
        _ if call.method == "POST" => 201,
        _ => 200,
    }
}

/// A payment provider's webhooks; one in a few hundred comes twice, as providers do when an answer is slow.
fn webhooks(shop: &Shop, out: &mut Emitter, dice: &mut Dice, partner: &Partner, begin: Timestamp, hosts: &[u64]) {
    let per_hour = shop.options.events_per_day as f64 / NATURAL_EVENTS_PER_DAY * 9.0;
    let local = begin.0.div_euclid(HOUR_MS) + partner.utc_h;
    for _ in 0..dice.poisson(per_hour * crate::user::demand(local)) {
        let signed = begin + dice.range(0, HOUR_MS - 60_000);
        let id = Text::from(format!("evt_{}", dice.hex(14)));
        let (order, _) = shop.past_order(dice);
        let client = partner.client(&shop.world, *dice.pick(hosts));
        let kind = *dice.pick(&["payment.succeeded", "payment.succeeded", "payment.failed", "payout.paid"]);
        for retry in 0..if dice.chance(0.004) { 2 } else { 1 } {
            let at = signed + 300 + retry * 30_000;
            out.add(at, EventKind::WebhookReceived, |event| {
                event.source = Some(Text::from("webhooks"));
                event.outcome = Outcome::Success;
                event.actor.integration = Some(partner.integration.clone());
                event.client = client.clone();
                event.object = object("webhook", id.clone(), None);
                event.labels = labels([
                    ("type", Text::from(kind)),
                    ("order", shop.order_id(order)),
                    ("signed_at", Text::from(at.to_rfc3339())),
                ]);
            });
        }
    }
}
