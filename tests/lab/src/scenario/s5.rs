//! S5: a vendor is breached and its support login is used here. Twin: a namesake's breach, and a colleague abroad.

use riskgraph_domain::event::{Change, Client, Labels};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use sha2::{Digest, Sha256};

use super::Stage;
use crate::day::session_id;
use crate::device::ClassKind;
use crate::dice::Dice;
use crate::emit::{Login, by_staff, http, labels, object};
use crate::names::{COMPANY_TAIL, HEADLINE_LEGAL};
use crate::roster::Company;
use crate::staff::{sign_in, support_client};
use crate::world::NetworkKind;

const MINUTE_MS: i64 = 60_000;

/// How a leak feed names a login: SHA-256 of its lower-case form.
fn id_hash(login: &str) -> Text {
    let digest = Sha256::digest(login.to_lowercase().as_bytes());
    Text::from(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// A vendor with a support login at the shop's admin, and that login.
fn victim<'a>(stage: &Stage<'a>, dice: &mut Dice) -> Option<(&'a Company, &'a str)> {
    let all: Vec<_> = stage
        .shop
        .companies
        .iter()
        .filter_map(|company| company.support_login.as_deref().map(|login| (company, login)))
        .filter(|(company, _)| stage.shop.partners.iter().any(|partner| partner.role == company.role))
        .collect();
    all.get(dice.index(all.len())).copied()
}

pub(super) fn attack(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let Some((company, login)) = victim(stage, &mut dice) else { return };
    let headline = format!("{} {}", company.brand, dice.pick(HEADLINE_LEGAL)).trim().to_owned();
    let domain = dice.chance(0.3).then(|| company.domain.clone());
    incident(stage, &mut dice, &headline, domain);
    leak(stage, &mut dice, company, login);
    let begin = stage.at + dice.range(240, 560) * MINUTE_MS;
    let client = stranger(stage, &mut dice);
    let (login, session) = (Text::from(login), session_id(&mut dice));
    stage.step(3);
    let actor = by_staff(&login, Some(&session));
    stage.out.login(
        begin,
        Login { actor, client: &client, outcome: Outcome::Success, reason: None, labels: Labels::default() },
    );
    let intruder = Intruder { login, session, client };
    let (admin, taken) = (begin + dice.range(2, 8) * MINUTE_MS, begin + dice.range(12, 30) * MINUTE_MS);
    new_admin(stage, &mut dice, &intruder, admin);
    export(stage, &mut dice, &intruder, taken);
}

struct Intruder {
    login: Text,
    session: Text,
    client: Client,
}

/// News name the company their own way.
fn incident(stage: &mut Stage<'_>, dice: &mut Dice, headline: &str, domain: Option<String>) {
    let tells = [
        "confirms breach of its customer portal",
        "listed by extortion group, data samples posted",
        "discloses unauthorised access to support systems",
        "investigates theft of client credentials",
    ];
    let (name, source) = (Text::from(headline), Text::from(*dice.pick(&["news", "leak-site", "advisory"])));
    let message = format!("{headline} {}", dice.pick(&tells));
    stage.step(1);
    stage.out.add(stage.at, EventKind::VendorIncident, |event| {
        event.source = Some(source.clone());
        event.object = object("company", name.clone(), None);
        event.labels = labels([("vendor", name), ("source", source)]);
        if let Some(domain) = domain {
            event.labels.0.push((Text::from("domain"), Text::from(domain)));
        }
        event.message = Some(Text::from(message));
    });
}

/// Hashed logins from the vendor's portal: few of ours among many, the support login one of them.
fn leak(stage: &mut Stage<'_>, dice: &mut Dice, company: &Company, login: &str) {
    stage.step(2);
    let n = stage.count(312.0, 12);
    let begin = stage.at + dice.range(30, 180) * MINUTE_MS;
    let staff: Vec<Text> = stage.shop.staff.iter().take(5).map(|member| member.login.clone()).collect();
    for at in 0..n {
        let id = match at {
            0 => id_hash(login),
            1..=5 => id_hash(&staff[(at - 1).min(staff.len() - 1)]),
            _ => id_hash(&format!("{}@{}.example", dice.hex(8), dice.hex(6))),
        };
        let (vendor, domain) = (Text::from(company.brand.as_str()), Text::from(company.domain.as_str()));
        stage.out.add(begin + dice.range(0, 120_000), EventKind::LeakRecord, |event| {
            event.source = Some(Text::from("leaks"));
            event.object = object("credential", id.clone(), None);
            event.labels = labels([
                ("kind", Text::from("credential")),
                ("id_hash", id),
                ("vendor", vendor),
                ("domain", domain),
                ("source", Text::from("forum")),
            ]);
        });
    }
}

/// A client in a country the login never came from.
fn stranger(stage: &mut Stage<'_>, dice: &mut Dice) -> Client {
    let country = stage.shop.world.far_country(dice);
    let networks = stage.shop.world.of_kind(NetworkKind::Home, Some(country));
    let network = &stage.shop.world.networks[*dice.pick(&networks)];
    let device = stage.shop.devices.draw(Some(ClassKind::Desktop), 0, dice);
    let (agent, ja4) = stage.shop.devices.agent(&device);
    let mut client = stage.client(network, network.v4(dice.below(60_000)), agent, ja4);
    client.device = Some(device.id);
    client
}

fn new_admin(stage: &mut Stage<'_>, dice: &mut Dice, intruder: &Intruder, at: Timestamp) {
    stage.step(4);
    let account = Text::from(format!("{}.service@shop.example", dice.hex(5)));
    let created =
        Change { field: Some(Text::from("account")), old_hash: None, new_hash: Some(Text::from(dice.hex(16))) };
    stage.out.add(at, EventKind::AccountChange, |event| {
        event.source = Some(Text::from("admin"));
        event.outcome = Outcome::Success;
        event.actor = by_staff(&intruder.login, Some(&intruder.session));
        event.client = intruder.client.clone();
        event.object = object("staff", account.clone(), None);
        event.change = Some(Box::new(created));
        event.labels = labels([("role", Text::from("admin"))]);
    });
    stage.out.add(at + dice.range(20_000, 90_000), EventKind::StaffAction, |event| {
        event.source = Some(Text::from("admin"));
        event.outcome = Outcome::Success;
        event.actor = by_staff(&intruder.login, Some(&intruder.session));
        event.client = intruder.client.clone();
        event.name = Some(Text::from("token.create"));
        event.object = object("staff", account, None);
    });
}

fn export(stage: &mut Stage<'_>, dice: &mut Dice, intruder: &Intruder, begin: Timestamp) {
    stage.step(5);
    let n_pages = stage.count(24.0, 4);
    let rows = *dice.pick(&[500, 1_000, 2_000]);
    for page in 0..n_pages {
        let at = begin + page as i64 * dice.range(2_000, 9_000);
        let mut parts = http(
            "GET",
            &stage.shop.www,
            format!("/admin/export/customers?page={page}"),
            "/admin/export/customers",
            200,
        );
        parts.bytes_out = Some(rows * 230);
        stage.out.add(at, EventKind::DataAccess, |event| {
            event.source = Some(Text::from("admin"));
            event.outcome = Outcome::Success;
            event.actor = by_staff(&intruder.login, Some(&intruder.session));
            event.client = intruder.client.clone();
            event.http = Some(parts);
            event.object = object("customer", "export", None);
            event.records = Some(rows);
        });
    }
}

/// A company of a like name is breached; and the vendor's support person works from a holiday, with the second factor.
pub(super) fn twin(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let Some((company, login)) = victim(stage, &mut dice) else { return };
    let head = company.brand.get(..4).unwrap_or(&company.brand);
    let others: Vec<&str> = COMPANY_TAIL.iter().copied().filter(|tail| !company.brand.ends_with(tail)).collect();
    let namesake = format!("{head}{} {}", dice.pick(&others), dice.pick(HEADLINE_LEGAL));
    let domain = format!("{}-{}.example", namesake.split(' ').next().unwrap_or("x").to_lowercase(), dice.hex(3));
    incident(stage, &mut dice, namesake.trim(), Some(domain));
    let Some(partner) = stage.shop.partners.iter().find(|partner| partner.role == company.role) else { return };
    let usual = support_client(stage.shop, login, partner.network);
    let abroad = stranger(stage, &mut dice);
    // The same laptop in another network.
    let client = Client { ip: abroad.ip, asn: abroad.asn, country: abroad.country, ..usual };
    let at = stage.at + dice.range(240, 560) * MINUTE_MS;
    let login = Text::from(login);
    stage.step(3);
    sign_in(&mut stage.out, &mut dice, &login, &client, at);
    for _ in 0..dice.range(2, 5) {
        let (number, owner) = stage.shop.past_order(&mut dice);
        let when = at + dice.range(60_000, 900_000);
        let id = stage.shop.order_id(number);
        stage.out.add(when, EventKind::DataAccess, |event| {
            event.source = Some(Text::from("admin"));
            event.outcome = Outcome::Success;
            event.actor = by_staff(&login, None);
            event.client = client.clone();
            event.object = object("order", id, Some(owner));
            event.records = Some(1);
        });
    }
}
