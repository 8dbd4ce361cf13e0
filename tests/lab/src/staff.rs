//! The shop's own people and the vendors' support people: logins, looking up customers, refunds.

use riskgraph_domain::event::{Client, Labels};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use crate::day::{HOUR_MS, session_id};
use crate::device::{ClassKind, Device, Devices};
use crate::dice::Dice;
use crate::emit::{Emitter, Login, by_staff, labels, money, object};
use crate::names::{FIRST, LAST};
use crate::shop::Shop;
use crate::world::{NetworkKind, World};

const N_STAFF: usize = 16;

/// What somebody at the shop does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    Support,
    Merchandise,
    Admin,
}

/// Somebody with a login to the shop's admin.
#[derive(Debug, Clone)]
pub(crate) struct StaffMember {
    pub login: Text,
    pub job: Job,
    pub home: usize,
    pub host: u64,
    pub device: Device,
    /// Local hour the shift begins.
    shift: i64,
    utc_h: i64,
}

/// The shop's staff.
pub(crate) fn members(seed: u64, world: &World) -> Vec<StaffMember> {
    let mut dice = Dice::of(seed, &["staff"]);
    let devices = Devices::of(seed);
    let homes = world.of_kind(NetworkKind::Home, Some(0));
    (0..N_STAFF)
        .map(|at| StaffMember {
            login: Text::from(format!("{}.{}{at}@shop.example", dice.pick(FIRST), dice.pick(LAST))),
            job: match at {
                0..=9 => Job::Support,
                10..=13 => Job::Merchandise,
                _ => Job::Admin,
            },
            home: *dice.pick(&homes),
            host: dice.below(50_000),
            device: devices.draw(Some(ClassKind::Desktop), 0, &mut dice),
            shift: dice.range(7, 12),
            utc_h: world.countries[0].utc_h,
        })
        .collect()
}

/// Staff's hour, and the rare visits of vendors' support people.
pub(crate) fn hour(shop: &Shop, out: &mut Emitter, day: u32, begin: Timestamp) {
    for member in &shop.staff {
        let mut dice = Dice::of(shop.options.seed, &["shift", &member.login, &begin.0.to_string()]);
        let local_h = begin.0.div_euclid(HOUR_MS) + member.utc_h;
        let (local, weekday) = (local_h.rem_euclid(24), (local_h.div_euclid(24) + 3).rem_euclid(7));
        let weekend_duty = member.job == Job::Support && (u64::from(day) + member.host).is_multiple_of(4);
        if !(member.shift..member.shift + 8).contains(&local) || (weekday >= 5 && !weekend_duty) {
            continue;
        }
        let client = at_desk(shop, member, day);
        let session = session_id(&mut Dice::of(shop.options.seed, &["sit", &member.login, &day.to_string()]));
        if local == member.shift {
            sign_in(out, &mut dice, &member.login, &client, begin + dice_minute(&member.login));
        }
        work(shop, out, &mut dice, &Seat { member, client, session, begin });
    }
    vendor_support(shop, out, day, begin);
}

/// Everybody is a little late in their own way.
fn dice_minute(login: &str) -> i64 {
    login.bytes().map(i64::from).sum::<i64>() % 20 * 30_000
}

/// In the office most days, at home on others.
fn at_desk(shop: &Shop, member: &StaffMember, day: u32) -> Client {
    let offices = shop.world.of_kind(NetworkKind::Office, None);
    let mut dice = Dice::of(shop.options.seed, &["desk", &member.login, &day.to_string()]);
    let (network, host) = if dice.chance(0.35) { (member.home, member.host) } else { (offices[0], 1) };
    staff_client(shop, network, host, &member.device)
}

fn staff_client(shop: &Shop, network: usize, host: u64, device: &Device) -> Client {
    let place = &shop.world.networks[network];
    let (agent, ja4) = shop.devices.agent(device);
    Client {
        ip: Some(place.v4(host)),
        forwarded: None,
        user_agent: Some(agent.clone()),
        device: Some(device.id.clone()),
        ja4: Some(ja4.clone()),
        asn: Some(place.asn),
        country: Some(Text::from(shop.world.country_code(place))),
    }
}

/// A staff login, sometimes mistyped, with a second factor.
pub(crate) fn sign_in(out: &mut Emitter, dice: &mut Dice, login: &Text, client: &Client, at: Timestamp) {
    let attempt =
        |outcome, reason, labels: Labels| Login { actor: by_staff(login, None), client, outcome, reason, labels };
    if dice.chance(0.05) {
        out.login(at - 9_000, attempt(Outcome::Failure, Some("bad_password"), Labels::default()));
    }
    out.login(at, attempt(Outcome::Success, None, labels([("mfa", Text::from("totp"))])));
    out.add(at + 7_000, EventKind::AuthMfa, |event| {
        event.source = Some(Text::from("auth"));
        event.outcome = Outcome::Success;
        event.reason = Some(Text::from("totp"));
        event.actor = by_staff(login, None);
        event.client = client.clone();
    });
}

struct Seat<'a> {
    member: &'a StaffMember,
    client: Client,
    session: Text,
    begin: Timestamp,
}

fn work(shop: &Shop, out: &mut Emitter, dice: &mut Dice, seat: &Seat<'_>) {
    let volume = (shop.options.events_per_day as f64 / 60_000.0).clamp(0.2, 10.0);
    match seat.member.job {
        Job::Support => {
            for _ in 0..dice.poisson(6.0 * volume) {
                let at = seat.begin + dice.range(0, HOUR_MS - 120_000);
                let (number, owner) = shop.past_order(dice);
                let id = shop.order_id(number);
                read(out, seat, at, ("customer", owner.clone(), owner.clone()));
                read(out, seat, at + dice.range(5_000, 40_000), ("order", id.clone(), owner.clone()));
                if dice.chance(0.35) {
                    act(
                        out,
                        seat,
                        at + dice.range(50_000, 100_000),
                        "ticket.reply",
                        ("order", id.clone(), owner.clone()),
                    );
                }
                if dice.chance(0.08) {
                    refund(shop, out, dice, seat, at + 110_000);
                }
            }
        }
        Job::Merchandise => {
            for _ in 0..dice.poisson(4.0) {
                let product = Text::from((1_000 + dice.below(shop.options.n_products)).to_string());
                let name = *dice.pick(&["price.update", "product.edit", "stock.adjust"]);
                let at = seat.begin + dice.range(0, HOUR_MS - 1);
                act(out, seat, at, name, ("product", product, Text::default()));
            }
        }
        Job::Admin => {
            if dice.chance(0.1) {
                let at = seat.begin + dice.range(0, HOUR_MS - 1);
                act(out, seat, at, "report.view", ("report", Text::from("weekly"), Text::default()));
            }
        }
    }
}

fn read(out: &mut Emitter, seat: &Seat<'_>, at: Timestamp, (kind, id, owner): (&'static str, Text, Text)) {
    out.add(at, EventKind::DataAccess, |event| {
        event.source = Some(Text::from("admin"));
        event.outcome = Outcome::Success;
        event.actor = by_staff(&seat.member.login, Some(&seat.session));
        event.client = seat.client.clone();
        event.object = object(kind, id, Some(owner));
        event.records = Some(1);
    });
}

fn act(
    out: &mut Emitter,
    seat: &Seat<'_>,
    at: Timestamp,
    name: &'static str,
    (kind, id, owner): (&'static str, Text, Text),
) {
    out.add(at, EventKind::StaffAction, |event| {
        event.source = Some(Text::from("admin"));
        event.outcome = Outcome::Success;
        event.actor = by_staff(&seat.member.login, Some(&seat.session));
        event.client = seat.client.clone();
        event.name = Some(Text::from(name));
        event.object = object(kind, id, (!owner.is_empty()).then_some(owner));
    });
}

/// A refund, to the card or as the customer likes it.
fn refund(shop: &Shop, out: &mut Emitter, dice: &mut Dice, seat: &Seat<'_>, at: Timestamp) {
    let (number, user) = shop.paid_order(dice);
    let (id, owner) = (shop.order_id(number), user.name.clone());
    let amount = dice.log_normal(4_000.0, 0.6) as i64;
    let to = ["card", "card", "card", "bank", "giftcard"][dice.index(5)];
    let reason = *dice.pick(&["returned", "returned", "damaged", "not_received", "goodwill"]);
    let ticket = Text::from(format!("t-{}", dice.below(900_000)));
    out.add(at, EventKind::OrderRefund, |event| {
        event.source = Some(Text::from("orders"));
        event.outcome = Outcome::Success;
        event.reason = Some(Text::from(reason));
        event.actor = by_staff(&seat.member.login, Some(&seat.session));
        event.client = seat.client.clone();
        event.object = object("order", id.clone(), Some(owner.clone()));
        event.money = money(amount, &shop.currency);
        event.labels = labels([("destination", Text::from(to)), ("ticket", ticket)]);
    });
    if to == "card" {
        let card = shop.banks.event_card(&user.cards[0]);
        out.add(at + 4_000, EventKind::PaymentRefund, |event| {
            event.source = Some(Text::from("payments"));
            event.outcome = Outcome::Success;
            event.reason = Some(Text::from(reason));
            event.card = Some(Box::new(card));
            event.object = object("order", id, Some(owner));
            event.money = money(amount, &shop.currency);
        });
    }
}

/// Staff write down what a partner announced.
pub(crate) fn notice(shop: &Shop, out: &mut Emitter, at: Timestamp, integration: &Text, message: &str) {
    let Some(admin) = shop.staff.last() else { return };
    let client = staff_client(shop, admin.home, admin.host, &admin.device);
    out.add(at, EventKind::StaffAction, |event| {
        event.source = Some(Text::from("admin"));
        event.outcome = Outcome::Success;
        event.actor = by_staff(&admin.login, None);
        event.client = client;
        event.name = Some(Text::from("partner.notice"));
        event.object = object("integration", integration.clone(), None);
        event.message = Some(Text::from(message));
    });
}

/// A vendor's support person looks something up every few days: from the vendor's network, with a second factor.
fn vendor_support(shop: &Shop, out: &mut Emitter, day: u32, begin: Timestamp) {
    for company in &shop.companies {
        let Some(login) = &company.support_login else { continue };
        let Some(partner) = shop.partners.iter().find(|partner| partner.role == company.role) else { continue };
        let mut dice = Dice::of(shop.options.seed, &["support", login, &day.to_string()]);
        let local_h = begin.0.div_euclid(HOUR_MS) + partner.utc_h;
        let (local, weekday) = (local_h.rem_euclid(24), (local_h.div_euclid(24) + 3).rem_euclid(7));
        let wanted_hour = dice.range(9, 16);
        if weekday >= 5 || local != wanted_hour || !dice.chance(0.8) {
            continue;
        }
        let (login, client) = (Text::from(login.as_str()), support_client(shop, login, partner.network));
        let at = begin + dice.range(0, 40) * 60_000;
        sign_in(out, &mut dice, &login, &client, at);
        for _ in 0..dice.range(1, 5) {
            let (number, owner) = shop.past_order(&mut dice);
            let when = at + dice.range(30_000, 900_000);
            out.add(when, EventKind::DataAccess, |event| {
                event.source = Some(Text::from("admin"));
                event.outcome = Outcome::Success;
                event.actor = by_staff(&login, None);
                event.client = client.clone();
                event.object = object("order", shop.order_id(number), Some(owner));
                event.records = Some(1);
            });
        }
    }
}

/// The usual desk of a vendor's support login.
pub(crate) fn support_client(shop: &Shop, login: &str, network: usize) -> Client {
    let mut dice = Dice::of(shop.options.seed, &["support desk", login]);
    let device = shop.devices.draw(Some(ClassKind::Desktop), 0, &mut dice);
    let host = 40_000 + dice.below(3);
    staff_client(shop, network, host, &device)
}
