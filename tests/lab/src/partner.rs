//! Partners that call the shop's API, each with its own rhythm, endpoints, volumes and network.

use riskgraph_domain::event::{Actor, Client};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use crate::day::{HOUR_MS, Plan};
use crate::device::ja4;
use crate::dice::Dice;
use crate::emit::{Emitter, http, labels, object};
use crate::roster::{Company, VendorRole};
use crate::shop::{DayFlavour, Shop};
use crate::world::{NetworkKind, World};

/// Events a day at which a partner has its natural volume.
const NATURAL_EVENTS_PER_DAY: f64 = 60_000.0;
const MINUTE_MS: i64 = 60_000;

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
    for (at, partner) in shop.partners.iter().enumerate() {
        let mut dice = Dice::of(shop.options.seed, &["partner", &partner.integration, &begin.0.to_string()]);
        let mut hosts = partner.hosts.clone();
        // Now and then a partner's cloud gives it one more address in the same network.
        let mut today = Dice::of(shop.options.seed, &["hosts", &partner.integration, &plan.day.to_string()]);
        if today.chance(0.05) {
            hosts.push(today.below(20_000));
        }
        let mut calls = Hour { shop, partner, plan, begin, dice: &mut dice }.calls();
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

/// One partner's hour.
struct Hour<'a> {
    shop: &'a Shop,
    partner: &'a Partner,
    plan: &'a Plan,
    begin: Timestamp,
    dice: &'a mut Dice,
}

impl Hour<'_> {
    fn local(&self) -> i64 {
        (self.begin.0.div_euclid(HOUR_MS) + self.partner.utc_h).rem_euclid(24)
    }

    fn weekday(&self) -> i64 {
        ((self.begin.0.div_euclid(HOUR_MS) + self.partner.utc_h).div_euclid(24) + 3).rem_euclid(7)
    }

    /// How busy an office is: 0 at night, 1 at its best.
    fn office(&self) -> f64 {
        let shape = match self.local() {
            8 | 17 => 0.5,
            9..=11 | 13..=16 => 1.0,
            12 => 0.7,
            7 | 18 | 19 => 0.15,
            _ => 0.0,
        };
        if self.weekday() < 5 { shape } else { shape * 0.12 }
    }

    /// Volume against the natural one; a sale brings more orders to everybody.
    fn volume(&self) -> f64 {
        let size = (self.shop.options.events_per_day as f64 / NATURAL_EVENTS_PER_DAY).clamp(0.2, 20.0);
        if self.plan.flavour == DayFlavour::SaleDay { size * 3.0 } else { size }
    }

    fn at(&mut self, minute: i64) -> Timestamp {
        self.begin + minute * MINUTE_MS + self.dice.range(0, 25_000)
    }

    fn anywhen(&mut self) -> Timestamp {
        self.begin + self.dice.range(0, HOUR_MS - 1)
    }

    fn calls(&mut self) -> Vec<Call> {
        match self.partner.role {
            VendorRole::Fulfilment => self.fulfilment(),
            VendorRole::Payments => self.pages("/v1/payments", 1, 100, "id,amount,status"),
            VendorRole::Erp => self.erp(),
            VendorRole::Marketplace => self.listings(),
            VendorRole::Helpdesk => self.desk(26.0, "id,name,email,address,orders"),
            VendorRole::PriceComparison if self.local() % 6 == 1 => {
                let n = self.shop.options.n_products.div_ceil(1_000) as i64;
                self.pages("/v1/feed/products", n, 1_000, "id,title,price,stock")
            }
            VendorRole::Crm => self.crm(),
            VendorRole::Returns => self.returns(),
            VendorRole::Reviews if self.local() == 9 => {
                let n = self.dice.range(1, 3);
                self.pages("/v1/orders", n, 100, "id,status,items")
            }
            VendorRole::Reporting => self.pages("/v1/reports/sales", 1, 24, "totals"),
            _ => Vec::new(),
        }
    }

    /// Pages of a list, one after another; the last one is not full.
    fn pages(&mut self, route: &'static str, n: i64, rows: u64, fields: &'static str) -> Vec<Call> {
        let mut at = self.at(self.partner.minute);
        (1..=n)
            .map(|page| {
                at = at + self.dice.range(700, 2_500);
                let full = if page == n { self.dice.below(rows) } else { rows };
                Call::get(at, route, format!("{route}?page={page}"), full, fields)
            })
            .collect()
    }

    /// Asks for new orders every five minutes and reports what was shipped.
    fn fulfilment(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        let waiting = self.volume() * crate::user::demand(self.local()) * 2.6;
        for minute in (0..60).step_by(5) {
            let at = self.at(minute);
            let n = self.dice.poisson(waiting);
            calls.push(Call::get(
                at,
                "/v1/orders",
                "/v1/orders?status=paid&page=1".into(),
                n,
                "id,status,items,address",
            ));
            if n > 0 && self.dice.chance(0.8) {
                calls.push(Call::send(at + self.dice.range(1_500, 60_000), "POST", "/v1/shipments"));
            }
        }
        calls
    }

    /// Hourly stock, and everything new at night.
    fn erp(&mut self) -> Vec<Call> {
        let mut calls: Vec<Call> =
            (0..self.dice.range(1, 4)).map(|_| Call::send(self.at(self.partner.minute), "PUT", "/v1/stock")).collect();
        if self.local() == 2 {
            let n = (self.volume() * 7.0).ceil() as i64 + self.dice.range(0, 2);
            calls.extend(self.pages("/v1/orders", n, 100, "id,status,total,tax"));
            let n = (self.volume() * 3.0).ceil() as i64;
            calls.extend(self.pages("/v1/customers", n, 100, "id,name,country"));
            if self.weekday() == 6 {
                let n = self.shop.options.n_products.div_ceil(200) as i64;
                calls.extend(self.pages("/v1/products", n, 200, "id,title,price,stock"));
            }
        }
        calls
    }

    fn listings(&mut self) -> Vec<Call> {
        let n = self.dice.range(4, 7);
        let mut calls = self.pages("/v1/products", n, 200, "id,title,price,stock");
        for _ in 0..self.dice.poisson(self.volume() * 6.0) {
            calls.push(Call::send(self.anywhen(), "PUT", "/v1/prices"));
        }
        for _ in 0..self.dice.poisson(self.volume() * 4.0 * crate::user::demand(self.local())) {
            calls.push(Call::send(self.anywhen(), "POST", "/v1/orders"));
        }
        calls
    }

    /// People at a support desk look up single orders and customers.
    fn desk(&mut self, per_hour: f64, fields: &'static str) -> Vec<Call> {
        let n = self.dice.poisson(per_hour * self.volume() * self.office());
        let mut calls = Vec::new();
        for _ in 0..n {
            let at = self.anywhen();
            let (number, owner) = self.shop.past_order(self.dice);
            if self.dice.chance(0.5) {
                let id = self.dice.below(self.shop.users.len() as u64) + 100_000;
                calls.push(Call::get(at, "/v1/customers/{id}", format!("/v1/customers/{id}"), 1, fields));
            }
            let mut call = Call::get(at + 900, "/v1/orders/{id}", format!("/v1/orders/{number}"), 1, "id,status,items");
            call.order = Some((number, owner));
            calls.push(call);
        }
        calls
    }

    /// New and changed customers each half hour; on Mondays the week's segments.
    fn crm(&mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        for half in [0, 30] {
            let at = self.at((self.partner.minute + half) % 60);
            let n = self.dice.poisson(self.volume() * 9.0 * crate::user::demand(self.local()));
            let path = "/v1/customers?updated_since=last".to_owned();
            calls.push(Call::get(at, "/v1/customers", path, n, "id,email,segment"));
        }
        if self.weekday() == 0 && self.local() == 9 {
            let n = self.shop.users.len().div_ceil(500) as i64;
            calls.extend(self.pages("/v1/customers", n, 500, "id,email,segment"));
        }
        calls
    }

    fn returns(&mut self) -> Vec<Call> {
        let mut calls = self.desk(9.0, "id,name,address");
        for _ in 0..self.dice.poisson(self.volume() * 2.0) {
            calls.push(Call::send(self.anywhen(), "POST", "/v1/returns"));
        }
        calls
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
