//! A customer's visit: arriving, logging in, looking around.

use riskgraph_domain::event::{Actor, Client, Labels};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use crate::checkout::{self, Outage};
use crate::day::session_id;
use crate::device::{ClassKind, kind_of};
use crate::dice::Dice;
use crate::emit::{Emitter, Login, by_user, change, http, labels, object};
use crate::names::{CATEGORIES, SEARCHES};
use crate::shop::Shop;
use crate::user::presence;

/// Share of visits that belong to somebody who logs in or is logged in.
const KNOWN_SHARE: f64 = 0.5;
/// Chance that a known visitor must type the password: web, app.
const TYPES_PASSWORD: [f64; 2] = [0.55, 0.12];

/// What is going on in the shop when the visit begins.
pub(crate) struct Mood<'a> {
    pub newcomer: bool,
    pub sale: bool,
    pub outage: Option<&'a Outage>,
}

/// Who comes and when.
pub(crate) struct Arrival<'a> {
    pub user: usize,
    pub at: Timestamp,
    pub day: u32,
    pub mood: Mood<'a>,
}

/// A visit under way.
pub(crate) struct Visit {
    pub user: usize,
    /// The visitor's name once known.
    pub name: Option<Text>,
    pub session: Text,
    pub client: Client,
    pub now: Timestamp,
    pub app: bool,
    referer: Text,
}

impl Visit {
    /// A visit that begins at the login form.
    pub(crate) fn at_login(user: usize, session: Text, client: Client, now: Timestamp) -> Self {
        Self { user, name: None, session, client, now, app: false, referer: Text::default() }
    }

    pub(crate) fn actor(&self) -> Actor {
        Actor { user: self.name.clone(), session: Some(self.session.clone()), ..Actor::default() }
    }

    /// Lets some seconds pass.
    pub(crate) fn wait(&mut self, median_s: f64, dice: &mut Dice) {
        let wait_s = dice.log_normal(median_s, 0.8).clamp(0.3, 900.0);
        self.now = self.now + (wait_s * 1e3) as i64;
    }
}

/// Plays a whole visit.
pub(crate) fn visit(shop: &mut Shop, out: &mut Emitter, dice: &mut Dice, arrival: &Arrival<'_>) {
    if shop.users[arrival.user].in_transit(arrival.day) {
        return;
    }
    maybe_new_phone(shop, dice, arrival.user);
    let user = &mut shop.users[arrival.user];
    let seen = presence(&shop.world, &shop.devices, user, arrival.at, arrival.day, dice);
    let held = &mut user.devices[seen.device];
    let app = kind_of(held) == ClassKind::App;
    if app && held.release < shop.app_release && dice.chance(0.45) {
        held.release = shop.app_release;
    }
    let mut visit = Visit {
        user: arrival.user,
        name: None,
        session: session_id(dice),
        client: seen.client,
        now: arrival.at,
        app,
        referer: Text::from(*dice.pick(&["https://search.example/", "", "", "https://news.example/", ""])),
    };
    land(shop, out, dice, &mut visit);
    let known = arrival.mood.newcomer || dice.chance(if app { 0.9 } else { KNOWN_SHARE });
    if known && !enter(shop, out, dice, &mut visit, &arrival.mood) {
        return;
    }
    let n_pages = dice.exponential(if arrival.mood.sale { 3.5 } else { 4.5 }).min(60.0) as usize;
    let mut looked_at = None;
    for _ in 0..n_pages {
        looked_at = look(shop, out, dice, &mut visit).or(looked_at);
    }
    if visit.name.is_some() {
        at_home(shop, out, dice, &mut visit);
    }
    let buys = if arrival.mood.sale { 0.22 } else { 0.16 };
    if let Some(product) = looked_at.filter(|_| dice.chance(buys)) {
        checkout::shop_for(shop, out, dice, &mut visit, &checkout::Errand { product, outage: arrival.mood.outage });
    } else if visit.name.is_some() && dice.chance(0.012) {
        checkout::redeem(shop, out, dice, &mut visit);
    }
}

fn maybe_new_phone(shop: &mut Shop, dice: &mut Dice, user: usize) {
    if dice.chance(0.004) {
        let device = shop.devices.draw(None, shop.app_release, dice);
        shop.users[user].devices[0] = device;
    }
}

/// The first page with all it loads.
fn land(shop: &Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit) {
    if dice.chance(0.5) {
        page(shop, out, dice, visit, "/", "/");
    } else {
        let path = format!("/p/{}", popular(shop, dice));
        page(shop, out, dice, visit, &path, "/p/{id}");
    }
    if !visit.app {
        for _ in 0..dice.range(2, 5) {
            asset(shop, out, dice, visit);
        }
    }
}

/// Looks at one more page; gives the product when it was one.
fn look(shop: &Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit) -> Option<u64> {
    visit.wait(14.0, dice);
    let product = match dice.weighted(&[0.25, 0.12, 0.6, 0.03]) {
        0 => {
            let path = format!("/c/{}?page={}", dice.pick(CATEGORIES), dice.range(1, 4));
            page(shop, out, dice, visit, &path, "/c/{category}");
            None
        }
        1 => {
            let path = format!("/search?q={}", dice.pick(SEARCHES));
            page(shop, out, dice, visit, &path, "/search");
            None
        }
        2 => {
            let product = popular(shop, dice);
            page(shop, out, dice, visit, &format!("/p/{product}"), "/p/{id}");
            Some(product)
        }
        _ => {
            page(shop, out, dice, visit, "/help", "/help");
            None
        }
    };
    if !visit.app {
        for _ in 0..dice.poisson(0.7) {
            asset(shop, out, dice, visit);
        }
    }
    product
}

/// A product, the popular ones more often.
pub(crate) fn popular(shop: &Shop, dice: &mut Dice) -> u64 {
    let n = shop.options.n_products;
    1_000 + ((n as f64 * dice.unit().powi(3)) as u64).min(n.saturating_sub(1))
}

/// One page.
pub(crate) fn page(
    shop: &Shop,
    out: &mut Emitter,
    dice: &mut Dice,
    visit: &mut Visit,
    path: &str,
    route: &'static str,
) {
    let status = match dice.below(400) {
        0 => 500,
        1..=2 => 404,
        3..=9 => 304,
        _ => 200,
    };
    let path = if visit.app { format!("/app/v1{path}") } else { path.to_owned() };
    let (actor, client) = (visit.actor(), visit.client.clone());
    let referer = std::mem::replace(&mut visit.referer, Text::from(format!("https://{}{path}", shop.www)));
    let mut request = http("GET", &shop.www, path, route, status);
    request.bytes_out = Some(if status == 200 { dice.range(9_000, 70_000) as u64 } else { 420 });
    request.duration_ms = Some((dice.log_normal(70.0, 0.5) * 10.0).round() / 10.0);
    let app = visit.app;
    out.add(visit.now, EventKind::HttpRequest, |event| {
        event.source = Some(Text::from("web"));
        event.actor = actor;
        event.client = client;
        event.outcome = if status < 400 { Outcome::Success } else { Outcome::Failure };
        event.http = Some(request);
        if !app && !referer.is_empty() {
            event.labels = labels([("referer", referer)]);
        }
    });
}

fn asset(shop: &Shop, out: &mut Emitter, dice: &mut Dice, visit: &Visit) {
    let files = ["app.js", "style.css", "logo.svg", "font.woff2", "hero.webp", "vendor.js", "thumb.webp"];
    let mut request = http("GET", &shop.www, format!("/static/{}", dice.pick(&files)), "/static/{file}", 200);
    request.bytes_out = Some(dice.range(2_000, 180_000) as u64);
    request.duration_ms = Some(dice.range(1, 9) as f64);
    let at = visit.now + dice.range(60, 900);
    out.add(at, EventKind::HttpRequest, |event| {
        event.source = Some(Text::from("web"));
        event.actor = visit.actor();
        event.client = visit.client.clone();
        event.outcome = Outcome::Success;
        event.http = Some(request);
        event.labels = labels([("referer", visit.referer.clone())]);
    });
}

/// Becomes known: by cookie, by password, or by opening an account. False when the visitor gave up.
fn enter(shop: &mut Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit, mood: &Mood<'_>) -> bool {
    let name = shop.users[visit.user].name.clone();
    if mood.newcomer {
        visit.wait(60.0, dice);
        let (domain, changed) = (shop.users[visit.user].mail_domain, change("account", dice));
        let client = visit.client.clone();
        out.add(visit.now, EventKind::AccountChange, |event| {
            event.source = Some(Text::from("accounts"));
            event.outcome = Outcome::Success;
            event.actor = by_user(&name, None);
            event.client = client;
            event.change = changed;
            event.labels = labels([("email_domain", Text::from(domain))]);
        });
    } else if !dice.chance(TYPES_PASSWORD[usize::from(visit.app)]) {
        visit.name = Some(name);
        return true;
    }
    visit.wait(9.0, dice);
    let typo = shop.users[visit.user].typo;
    let entered = log_in(out, dice, visit, &Attempt { name: name.clone(), typo, mfa: shop.users[visit.user].mfa });
    if entered {
        visit.name = Some(name);
    }
    entered
}

/// Somebody at the login form.
pub(crate) struct Attempt {
    pub name: Text,
    /// Chance of mistyping, per try.
    pub typo: f64,
    pub mfa: bool,
}

/// Types the password until it fits, is reset, or patience ends.
pub(crate) fn log_in(out: &mut Emitter, dice: &mut Dice, visit: &mut Visit, attempt: &Attempt) -> bool {
    let forgot = dice.chance(0.012);
    let n_wrong = if forgot {
        dice.range(2, 5)
    } else if dice.chance(attempt.typo) {
        1 + dice.weighted(&[0.8, 0.15, 0.05]) as i64
    } else {
        0
    };
    for _ in 0..n_wrong {
        // Some mistype the name: the shop knows nobody of that name.
        let (name, reason) = if dice.chance(0.12) {
            (Text::from(format!("{}{}", attempt.name, dice.pick(&["1", "s", ".", "x", "e"]))), "unknown_user")
        } else {
            (attempt.name.clone(), "bad_password")
        };
        tried(out, visit, Outcome::Failure, Some(reason), &name, Labels::default());
        visit.wait(8.0, dice);
    }
    if forgot {
        if dice.chance(0.25) {
            return false;
        }
        visit.wait(90.0, dice);
        let changed = change("password", dice);
        out.add(visit.now, EventKind::AccountChange, |event| {
            event.source = Some(Text::from("accounts"));
            event.outcome = Outcome::Success;
            event.actor = by_user(&attempt.name, Some(&visit.session));
            event.client = visit.client.clone();
            event.change = changed;
            event.labels = labels([("via", Text::from("reset_mail"))]);
        });
        visit.wait(12.0, dice);
    }
    let extra = if attempt.mfa { labels([("mfa", Text::from("totp"))]) } else { Labels::default() };
    tried(out, visit, Outcome::Success, None, &attempt.name, extra);
    if attempt.mfa {
        visit.wait(10.0, dice);
        out.add(visit.now, EventKind::AuthMfa, |event| {
            event.source = Some(Text::from("auth"));
            event.outcome = Outcome::Success;
            event.reason = Some(Text::from("totp"));
            event.actor = by_user(&attempt.name, Some(&visit.session));
            event.client = visit.client.clone();
        });
    }
    true
}

fn tried(
    out: &mut Emitter,
    visit: &Visit,
    outcome: Outcome,
    reason: Option<&'static str>,
    name: &Text,
    labels: Labels,
) {
    let actor = by_user(name, Some(&visit.session));
    out.login(visit.now, Login { actor, client: &visit.client, outcome, reason, labels });
}

/// What a logged-in customer does with the account: reads orders, moves house, changes details.
fn at_home(shop: &Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit) {
    let orders = &shop.users[visit.user].orders;
    if !orders.is_empty() && dice.chance(0.22) {
        for _ in 0..dice.range(1, 3) {
            let id = shop.order_id(*dice.pick(orders));
            visit.wait(7.0, dice);
            page(shop, out, dice, visit, &format!("/account/orders/{id}"), "/account/orders/{id}");
            read_own(out, visit, &id);
        }
    }
    if dice.chance(0.012) {
        visit.wait(40.0, dice);
        let field = ["address", "phone", "email", "password"][dice.weighted(&[0.5, 0.18, 0.12, 0.2])];
        let changed = change(field, dice);
        out.add(visit.now, EventKind::AccountChange, |event| {
            event.source = Some(Text::from("accounts"));
            event.outcome = Outcome::Success;
            event.actor = visit.actor();
            event.client = visit.client.clone();
            event.change = changed;
        });
    }
}

fn read_own(out: &mut Emitter, visit: &Visit, id: &Text) {
    out.add(visit.now + 20, EventKind::DataAccess, |event| {
        event.source = Some(Text::from("orders"));
        event.outcome = Outcome::Success;
        event.actor = visit.actor();
        event.client = visit.client.clone();
        event.object = object("order", id.clone(), visit.name.clone());
        event.records = Some(1);
    });
}
