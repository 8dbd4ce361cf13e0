//! S1: credential stuffing, account takeover, gift-card cash-out. Twin: a mail campaign with an app release.

use riskgraph_domain::event::{Client, Labels};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use super::Stage;
use crate::cards::CardOnFile;
use crate::day::session_id;
use crate::dice::Dice;
use crate::emit::{Login, by_user, change, labels, money, object};
use crate::names::{FIRST, LAST};
use crate::session::{Attempt, Visit, log_in};
use crate::user::presence;
use crate::world::{Network, NetworkKind};

/// Browser names a stuffing tool pretends to be.
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
];

/// How this run's tool works.
struct Tool {
    networks: Vec<Network>,
    n_addresses: usize,
    fingerprints: Vec<Text>,
    agents: Vec<Text>,
    minutes: f64,
    /// Share of the list that has no account here.
    strangers: f64,
    hits: f64,
}

impl Tool {
    fn draw(stage: &mut Stage<'_>, n_tries: usize) -> Self {
        let residential = stage.dice.chance(0.3);
        let kind = if residential { NetworkKind::Home } else { NetworkKind::Hosting };
        let n_networks = stage.dice.range(18, 60) as usize;
        let n_prints = if stage.dice.chance(0.75) { 1 } else { 3 };
        let n_agents = stage.dice.range(1, AGENTS.len() as i64) as usize;
        let slow = stage.dice.chance(0.3);
        Self {
            networks: stage.networks(kind, n_networks),
            n_addresses: ((n_tries as f64 * stage.dice.uniform(0.2, 0.45)) as usize).max(20),
            fingerprints: (0..n_prints).map(|_| stage.tool()).collect(),
            agents: AGENTS[..n_agents].iter().map(|agent| Text::from(*agent)).collect(),
            minutes: if slow { stage.dice.uniform(40.0, 90.0) } else { stage.dice.uniform(8.0, 20.0) },
            strangers: stage.dice.uniform(0.3, 0.7),
            hits: stage.dice.uniform(0.004, 0.01),
        }
    }

    /// The client of a try: one of the addresses, one of the faces.
    fn client(&self, stage: &Stage<'_>, dice: &mut Dice) -> Client {
        let at = dice.index(self.n_addresses);
        let network = &self.networks[at % self.networks.len()];
        let ip = network.v4((at as u64).wrapping_mul(7_919) % 60_000);
        stage.client(network, ip, &self.agents[at % self.agents.len()], dice.pick(&self.fingerprints))
    }
}

/// An account the attackers got into.
struct Taken {
    user: usize,
    at: Timestamp,
    client: Client,
}

pub(super) fn attack(stage: &mut Stage<'_>) {
    let n_tries = stage.count(12_000.0, 200);
    let tool = Tool::draw(stage, n_tries);
    let mut dice = stage.dice.clone();
    let mut taken = stuff(stage, &mut dice, &tool, n_tries);
    taken.sort_by_key(|account| account.at);
    let done = stage.at + (tool.minutes * 60_000.0) as i64;
    let n_changed = (taken.len() / 4).clamp(3, 18).min(taken.len());
    stage.step(3);
    for account in &taken[..n_changed] {
        let at = done + dice.range(60_000, 420_000);
        let field = *dice.pick(&["email", "email", "phone"]);
        let changed = change(field, &mut dice);
        let name = &stage.shop.users[account.user].name;
        stage.out.add(at, EventKind::AccountChange, |event| {
            event.source = Some(Text::from("accounts"));
            event.outcome = Outcome::Success;
            event.actor = by_user(name, None);
            event.client = account.client.clone();
            event.change = changed;
        });
    }
    cash_out(stage, &mut dice, &taken[..n_changed.div_ceil(2)], done);
}

/// Tries the list; gives the accounts that opened.
fn stuff(stage: &mut Stage<'_>, dice: &mut Dice, tool: &Tool, n_tries: usize) -> Vec<Taken> {
    let mut taken = Vec::new();
    let n_hits = ((n_tries as f64 * tool.hits) as usize).max(4);
    let length_ms = (tool.minutes * 60_000.0) as i64;
    stage.step(1);
    for at in 0..n_tries {
        let when = stage.at + if at == 0 { 0 } else { dice.range(0, length_ms) };
        let client = tool.client(stage, dice);
        let stranger = dice.chance(tool.strangers);
        let name = if stranger {
            Text::from(format!("{}.{}{}", dice.pick(FIRST), dice.pick(LAST), 30_000 + dice.below(900_000)))
        } else {
            stage.shop.users[dice.index(stage.shop.users.len())].name.clone()
        };
        let reason = Some(if stranger { "unknown_user" } else { "bad_password" });
        let attempt = Login {
            actor: by_user(&name, None),
            client: &client,
            outcome: Outcome::Failure,
            reason,
            labels: Labels::default(),
        };
        stage.out.login(when, attempt);
    }
    stage.step(2);
    for _ in 0..n_hits {
        let user = dice.index(stage.shop.users.len());
        let at = stage.at + dice.range(length_ms / 8, length_ms);
        let client = Client { device: Some(Text::from(format!("d-{}", dice.hex(10)))), ..tool.client(stage, dice) };
        let extra = if dice.chance(0.5) {
            labels([("leaked", Text::from("username_and_password_leaked"))])
        } else {
            Labels::default()
        };
        let actor = by_user(&stage.shop.users[user].name, None);
        stage.out.login(at, Login { actor, client: &client, outcome: Outcome::Success, reason: None, labels: extra });
        taken.push(Taken { user, at, client });
    }
    taken
}

/// Buys gift cards on the accounts' stored cards and spends them on a third account.
fn cash_out(stage: &mut Stage<'_>, dice: &mut Dice, accounts: &[Taken], done: Timestamp) {
    let mule = {
        let number = 700_000 + dice.below(90_000);
        stage.shop.mint().name(number, "mail.example", dice)
    };
    let amount_minor = *dice.pick(&[10_000, 15_000, 20_000, 25_000]);
    let spend = done + dice.range(90, 130) * 60_000;
    let currency = stage.shop.currency.clone();
    for account in accounts {
        let owner = stage.shop.users[account.user].name.clone();
        let card = stage.shop.banks.event_card(stored_card(stage, account.user));
        let id = Text::from(format!("gc-{}", dice.hex(8)));
        let bought = done + dice.range(440_000, 900_000);
        stage.step(4);
        stage.out.add(bought - 2_000, EventKind::PaymentAttempt, |event| {
            event.source = Some(Text::from("payments"));
            event.outcome = Outcome::Success;
            event.actor = by_user(&owner, None);
            event.client = account.client.clone();
            event.card = Some(Box::new(card.clone()));
            event.money = money(amount_minor, &currency);
            event.object = object("giftcard", id.clone(), None);
        });
        stage.out.add(bought, EventKind::GiftcardPurchase, |event| {
            event.source = Some(Text::from("giftcards"));
            event.outcome = Outcome::Success;
            event.actor = by_user(&owner, None);
            event.client = account.client.clone();
            event.card = Some(Box::new(card));
            event.money = money(amount_minor, &currency);
            event.object = object("giftcard", id.clone(), Some(owner.clone()));
        });
        stage.step(5);
        stage.out.add(spend + dice.range(0, 600_000), EventKind::GiftcardRedeem, |event| {
            event.source = Some(Text::from("giftcards"));
            event.outcome = Outcome::Success;
            event.actor = by_user(&mule, None);
            event.client = accounts[0].client.clone();
            event.money = money(amount_minor, &currency);
            event.object = object("giftcard", id, Some(owner));
        });
    }
}

fn stored_card<'a>(stage: &Stage<'a>, user: usize) -> &'a CardOnFile {
    &stage.shop.users[user].cards[0]
}

/// A mailing sends thousands to the login form within the hour; the app has a release, so its fingerprint is new.
pub(super) fn twin(stage: &mut Stage<'_>) {
    let n = stage.count(10_000.0, 200);
    let mut dice = stage.dice.clone();
    let home = stage.shop.world.of_kind(NetworkKind::Carrier, Some(0));
    let new_print = stage.tool();
    let minutes = dice.uniform(50.0, 120.0);
    let mut number = 200_000;
    for _ in 0..n {
        // Most open a mailing soon after it comes.
        let at = stage.at + (dice.unit().powf(1.8) * minutes * 60_000.0) as i64;
        let who = dice.index(stage.shop.users.len());
        let user = &stage.shop.users[who];
        let mut seen = presence(&stage.shop.world, &stage.shop.devices, user, at, stage.day(), &mut dice);
        let shared = dice.chance(0.4);
        if shared {
            let carrier = &stage.shop.world.networks[*dice.pick(&home)];
            seen.client.ip = Some(carrier.nat(&mut dice));
            (seen.client.asn, seen.client.country) = (Some(carrier.asn), Some(country(stage, carrier)));
        }
        if dice.chance(0.35) {
            seen.client.ja4 = Some(new_print.clone());
            seen.client.user_agent = Some(Text::from("ShopApp/5.9.0 (iPhone; iOS 18.2)"));
        }
        // A third have not been here for a year.
        let name = if dice.chance(0.3) {
            number += 1;
            seen.client.device = Some(Text::from(format!("d-{}", dice.hex(10))));
            stage.shop.mint().name(number, user.mail_domain, &mut dice)
        } else {
            user.name.clone()
        };
        let mut visit = Visit::at_login(who, session_id(&mut dice), seen.client, at);
        log_in(&mut stage.out, &mut dice, &mut visit, &Attempt { name, typo: 0.04, mfa: user.mfa });
    }
}

fn country(stage: &Stage<'_>, network: &Network) -> Text {
    Text::from(stage.shop.world.country_code(network))
}
