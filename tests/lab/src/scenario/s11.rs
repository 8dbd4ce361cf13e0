//! S11: one token reads objects that are not its own. Twin: a household, a merged account, the support desk.

use riskgraph_domain::event::{Actor, Client};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use super::Stage;
use crate::day::session_id;
use crate::dice::Dice;
use crate::emit::{by_staff, by_user, http, object};
use crate::partner::{Call, Caller, emit};
use crate::roster::VendorRole;
use crate::staff::{Job, support_client};
use crate::user::presence;
use crate::world::NetworkKind;

/// Number of the first order a thief can guess.
const FIRST_ORDER: u64 = 400_000;

pub(super) fn attack(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let n = stage.count(2_000.0, 60).min(stage.shop.order_owners.len().max(1));
    let per_minute = if dice.chance(0.35) { dice.uniform(20.0, 120.0) } else { dice.uniform(3.0, 8.0) };
    let begin = dice.index(stage.shop.order_owners.len().saturating_sub(n).max(1));
    let mut numbers: Vec<usize> = (begin..begin + n).collect();
    if dice.chance(0.6) {
        dice.shuffle(&mut numbers);
    }
    let mut at = stage.at;
    let times: Vec<Timestamp> = numbers
        .iter()
        .map(|_| {
            let now = at;
            at = at + dice.exponential(60_000.0 / per_minute).max(50.0) as i64;
            now
        })
        .collect();
    if dice.chance(0.6) {
        customer(stage, &mut dice, &numbers, &times);
    } else {
        partner(stage, &mut dice, &numbers, &times);
    }
}

/// A customer's token on the account page's API.
fn customer(stage: &mut Stage<'_>, dice: &mut Dice, numbers: &[usize], times: &[Timestamp]) {
    let user = &stage.shop.users[stage.shop.somebody(dice)];
    let kind = if dice.chance(0.5) { NetworkKind::Home } else { NetworkKind::Vpn };
    let network = stage.networks(kind, 1).remove(0);
    let print = stage.tool();
    let agent = Text::from("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0");
    let client = stage.client(&network, network.v4(dice.below(60_000)), &agent, &print);
    let session = session_id(dice);
    for (&number, &at) in numbers.iter().zip(times) {
        let (id, owner) = (stage.shop.order_id(FIRST_ORDER + number as u64), stage.shop.owner_of(number));
        let actor = by_user(&user.name, Some(&session));
        read(stage, (at, actor, &client), id, owner);
    }
}

/// A partner's key, or somebody who has it, walks over order numbers one by one.
fn partner(stage: &mut Stage<'_>, dice: &mut Dice, numbers: &[usize], times: &[Timestamp]) {
    let shop = stage.shop;
    let quiet: Vec<_> = shop
        .partners
        .iter()
        .filter(|partner| !matches!(partner.role, VendorRole::Helpdesk | VendorRole::Returns | VendorRole::Payments))
        .collect();
    let partner = *quiet.get(dice.index(quiet.len())).unwrap_or(&&shop.partners[0]);
    let host = *dice.pick(&partner.hosts);
    for (&number, &at) in numbers.iter().zip(times) {
        let order = FIRST_ORDER + number as u64;
        let caller = Caller {
            integration: &partner.integration,
            key: partner.key(stage.day()),
            client: partner.client(&shop.world, host),
        };
        let path = format!("/v1/orders/{order}");
        let mut call = Call::get(at, "/v1/orders/{id}", path, 1, "id,status,items,name,address");
        call.order = Some((order, shop.owner_of(number)));
        if dice.chance(0.04) {
            (call.status, call.order) = (404, None);
        }
        emit(shop, &mut stage.out, dice, &caller, call);
    }
}

/// An order read through the account API: the request and what the application says about it.
fn read(stage: &mut Stage<'_>, (at, actor, client): (Timestamp, Actor, &Client), id: Text, owner: Text) {
    let path = format!("/api/orders/{id}");
    let mut parts = http("GET", &stage.shop.www, path, "/api/orders/{id}", 200);
    parts.bytes_out = Some(1_900);
    stage.out.add(at, EventKind::HttpRequest, |event| {
        event.source = Some(Text::from("web"));
        event.outcome = Outcome::Success;
        event.actor = actor.clone();
        event.client = client.clone();
        event.http = Some(parts);
    });
    stage.out.add(at + 15, EventKind::DataAccess, |event| {
        event.source = Some(Text::from("orders"));
        event.outcome = Outcome::Success;
        event.actor = actor;
        event.client = client.clone();
        event.object = object("order", id, Some(owner));
        event.records = Some(1);
    });
}

pub(super) fn twin(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    // A household: one person reads the few orders of the others.
    let n_households = stage.count(12.0, 2);
    for _ in 0..n_households {
        let (reader, others) = (stage.shop.somebody(&mut dice), dice.range(1, 2));
        for _ in 0..others {
            let owner = stage.shop.somebody(&mut dice);
            reads_of(stage, &mut dice, reader, owner, 4);
        }
    }
    // Two accounts became one: all old orders still carry the former name.
    stage.step(2);
    let (reader, former) = (stage.shop.somebody(&mut dice), stage.shop.somebody(&mut dice));
    for _ in 0..stage.count(10.0, 3) {
        reads_of(stage, &mut dice, reader, former, 4);
    }
    support(stage, &mut dice);
}

fn reads_of(stage: &mut Stage<'_>, dice: &mut Dice, reader: usize, owner: usize, n_max: usize) {
    let (user, former) = (&stage.shop.users[reader], &stage.shop.users[owner]);
    let mut at = stage.at + dice.range(0, 7_200_000);
    let client = presence(&stage.shop.world, &stage.shop.devices, user, at, stage.day(), dice).client;
    let session = session_id(dice);
    let own = format!("{}", 500_000 + dice.below(9_000));
    let ids: Vec<Text> = former.orders.iter().rev().take(n_max).map(|&number| stage.shop.order_id(number)).collect();
    read(stage, (at, by_user(&user.name, Some(&session)), &client), Text::from(own), user.name.clone());
    for id in ids {
        at = at + dice.range(4_000, 40_000);
        read(stage, (at, by_user(&user.name, Some(&session)), &client), id, former.name.clone());
    }
}

/// A busy day at the support desk: one person reads the orders of hundreds of customers, as the job asks.
fn support(stage: &mut Stage<'_>, dice: &mut Dice) {
    stage.step(3);
    let shop = stage.shop;
    let desk: Vec<_> = shop.staff.iter().filter(|member| member.job == Job::Support).collect();
    let Some(member) = desk.get(dice.index(desk.len())) else { return };
    let client = support_client(shop, &member.login, member.home);
    let session = session_id(dice);
    for _ in 0..stage.count(160.0, 20) {
        let at = stage.at + dice.range(0, 8 * 3_600_000);
        let (number, owner) = shop.past_order(dice);
        stage.out.add(at, EventKind::DataAccess, |event| {
            event.source = Some(Text::from("admin"));
            event.outcome = Outcome::Success;
            event.actor = by_staff(&member.login, Some(&session));
            event.client = client.clone();
            event.object = object("order", shop.order_id(number), Some(owner));
            event.records = Some(1);
        });
    }
}
