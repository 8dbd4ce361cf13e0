//! Buying: carts, payments with their declines, orders, gift cards.

use riskgraph_domain::event::Card;
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use crate::cards::{CardOnFile, decline_reason};
use crate::dice::Dice;
use crate::emit::{Emitter, labels, money, object};
use crate::session::{Visit, page};
use crate::shop::{GiftCard, Shop};

/// Share of payments a bank declines on a normal day.
const DECLINE_SHARE: f64 = 0.06;
/// Tries a customer makes with cards that are declined.
const TRIES_MAX: usize = 4;

/// A bank that declines nearly everything for a while.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub from: Timestamp,
    pub to: Timestamp,
    pub bins: Vec<u16>,
}

impl Outage {
    fn hits(&self, card: &CardOnFile, at: Timestamp) -> bool {
        self.bins.contains(&card.bin) && (self.from..self.to).contains(&at)
    }
}

/// What somebody came to buy.
pub(crate) struct Errand<'a> {
    pub product: u64,
    pub outage: Option<&'a Outage>,
}

/// Fills the cart and mostly goes on to pay.
pub(crate) fn shop_for(shop: &mut Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit, errand: &Errand<'_>) {
    let n_items = 1 + dice.weighted(&[0.62, 0.22, 0.1, 0.06]);
    for at in 0..n_items {
        let product = if at == 0 { errand.product } else { crate::session::popular(shop, dice) };
        visit.wait(6.0, dice);
        hold(out, visit, product, dice);
    }
    visit.wait(10.0, dice);
    page(shop, out, dice, visit, "/cart", "/cart");
    if !dice.chance(0.72) {
        return;
    }
    visit.wait(35.0, dice);
    page(shop, out, dice, visit, "/checkout", "/checkout");
    visit.wait(40.0, dice);
    if visit.name.is_some() && dice.chance(0.04) {
        buy_giftcard(shop, out, dice, visit, errand.outage);
        return;
    }
    let budget = shop.users[visit.user].budget_minor;
    let amount = (dice.log_normal(budget, 0.5) * (0.6 + 0.4 * n_items as f64)).clamp(300.0, 400_000.0) as i64;
    let number = shop.order(visit.user);
    let bill = Bill { amount_minor: amount, object: ("order", shop.order_id(number)), outage: errand.outage };
    let Some(_paid_with) = pay(shop, out, dice, visit, &bill) else { return };
    let (currency, id) = (shop.currency.clone(), shop.order_id(number));
    out.add(visit.now + dice.range(200, 900), EventKind::OrderCreated, |event| {
        event.source = Some(Text::from("orders"));
        event.outcome = Outcome::Success;
        event.actor = visit.actor();
        event.client = visit.client.clone();
        event.object = object("order", id, visit.name.clone());
        event.money = money(amount, &currency);
        event.labels = labels([("payment", Text::from("card"))]);
    });
}

fn hold(out: &mut Emitter, visit: &Visit, product: u64, dice: &mut Dice) {
    let quantity = 1 + dice.weighted(&[0.85, 0.1, 0.05]);
    out.add(visit.now, EventKind::CartHold, |event| {
        event.source = Some(Text::from("cart"));
        event.outcome = Outcome::Success;
        event.actor = visit.actor();
        event.client = visit.client.clone();
        event.object = object("product", product.to_string(), None);
        event.value = Some(quantity as f64);
        event.labels = labels([("expires_s", Text::from("1800"))]);
    });
}

/// What is to be paid.
struct Bill<'a> {
    amount_minor: i64,
    object: (&'static str, Text),
    outage: Option<&'a Outage>,
}

/// Tries the customer's cards; gives the one that paid.
fn pay(shop: &mut Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit, bill: &Bill<'_>) -> Option<Card> {
    let guest = visit.name.is_none();
    let mut wallet = shop.users[visit.user].cards.clone();
    if dice.chance(if guest { 0.15 } else { 0.03 }) {
        let fresh = shop.banks.draw(dice);
        wallet.insert(0, fresh.clone());
        if !guest {
            shop.users[visit.user].cards[0] = fresh;
        }
    }
    let mut at = 0;
    for _ in 0..TRIES_MAX {
        let card = &wallet[at];
        let reason = if bill.outage.is_some_and(|outage| outage.hits(card, visit.now)) && dice.chance(0.9) {
            Some("issuer_unavailable")
        } else {
            dice.chance(DECLINE_SHARE).then(|| decline_reason(dice))
        };
        let shown = shop.banks.event_card(card);
        let currency = shop.currency.clone();
        out.add(visit.now, EventKind::PaymentAttempt, |event| {
            event.source = Some(Text::from("payments"));
            event.outcome = if reason.is_some() { Outcome::Failure } else { Outcome::Success };
            event.reason = reason.map(Text::from);
            event.actor = visit.actor();
            event.client = visit.client.clone();
            event.card = Some(Box::new(shown.clone()));
            event.money = money(bill.amount_minor, &currency);
            event.object = object(bill.object.0, bill.object.1.clone(), None);
        });
        if reason.is_none() {
            return Some(shown);
        }
        if dice.chance(0.35) {
            return None;
        }
        if wallet.len() > 1 && dice.chance(0.5) {
            at = (at + 1) % wallet.len();
        }
        visit.wait(30.0, dice);
    }
    None
}

/// Buys a gift card as a present.
fn buy_giftcard(shop: &mut Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit, outage: Option<&Outage>) {
    let amount_minor = *dice.pick(&[2_500, 5_000, 5_000, 10_000, 20_000]);
    let id = Text::from(format!("gc-{}", dice.hex(8)));
    let bill =
        Bill { amount_minor, object: ("order", shop.order_id(shop.order_owners.len() as u64 + 900_000)), outage };
    let Some(card) = pay(shop, out, dice, visit, &bill) else { return };
    let (owner, currency) = (visit.name.clone().unwrap_or_default(), shop.currency.clone());
    shop.keep_giftcard(GiftCard { id: id.clone(), owner: owner.clone(), amount_minor });
    out.add(visit.now + 600, EventKind::GiftcardPurchase, |event| {
        event.source = Some(Text::from("giftcards"));
        event.outcome = Outcome::Success;
        event.actor = visit.actor();
        event.client = visit.client.clone();
        event.object = object("giftcard", id, Some(owner));
        event.money = money(amount_minor, &currency);
        event.card = Some(Box::new(card));
    });
}

/// Spends a gift card somebody gave.
pub(crate) fn redeem(shop: &mut Shop, out: &mut Emitter, dice: &mut Dice, visit: &mut Visit) {
    if shop.giftcards.is_empty() {
        return;
    }
    let at = dice.index(shop.giftcards.len());
    let card = shop.giftcards.swap_remove(at);
    visit.wait(25.0, dice);
    let currency = shop.currency.clone();
    out.add(visit.now, EventKind::GiftcardRedeem, |event| {
        event.source = Some(Text::from("giftcards"));
        event.outcome = Outcome::Success;
        event.actor = visit.actor();
        event.client = visit.client.clone();
        event.object = object("giftcard", card.id, Some(card.owner));
        event.money = money(card.amount_minor, &currency);
    });
}
