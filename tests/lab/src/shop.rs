//! The shop: its customers, partners and staff, and the days it lives through.
//!
//! Pure: no I/O and no clock. The same options give the same events, byte for byte.

use riskgraph_domain::{Text, Timestamp};

use crate::cards::Banks;
use crate::device::Devices;
use crate::dice::Dice;
use crate::emit::Detail;
use crate::label::Labelled;
use crate::partner::{self, Partner};
use crate::roster::{Company, VendorRole, roster};
use crate::staff::{self, StaffMember};
use crate::user::{Mint, NameStyle, User};
use crate::world::World;

/// 2026-03-02T00:00:00Z, a Monday.
const START: Timestamp = Timestamp(1_772_409_600_000);
/// Customers a shop may grow to, in multiples of those it began with: bounds the memory of long runs.
const GROWTH_MAX: usize = 6;
/// Number of the first order.
const FIRST_ORDER: u64 = 400_000;
/// Orders whose owner is remembered, for support desks and thieves to look up.
const ORDERS_MAX: usize = 2_000_000;
/// Gift cards not yet spent.
const GIFTCARDS_MAX: usize = 5_000;
/// Share of customers who live with the one before them, behind one line.
const HOUSEHOLD_SHARE: f64 = 0.15;
const DAY_MS: i64 = 86_400_000;

/// How to make a shop.
#[derive(Debug, Clone)]
pub struct ShopOptions {
    pub seed: u64,
    /// Midnight UTC of day 0.
    pub start: Timestamp,
    pub n_users: usize,
    /// About how many events a normal weekday has.
    pub events_per_day: u64,
    /// Partner integrations, 1 to [`VendorRole::PARTNERS_MAX`].
    pub n_partners: usize,
    pub n_products: u64,
    /// How much the sender knows of clients.
    pub detail: Detail,
}

impl Default for ShopOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            start: START,
            n_users: 4_000,
            events_per_day: 60_000,
            n_partners: 8,
            n_products: 6_000,
            detail: Detail::Full,
        }
    }
}

impl ShopOptions {
    /// A shop of which everything follows the seed: size, partners, weekday, and how much its sender knows.
    #[must_use]
    pub fn varied(seed: u64) -> Self {
        let mut dice = Dice::of(seed, &["options"]);
        let detail = [Detail::Full, Detail::NoFingerprint, Detail::NoNetwork, Detail::Bare];
        Self {
            seed,
            start: START + dice.range(0, 120) * DAY_MS,
            n_users: dice.range(2_000, 6_000) as usize,
            events_per_day: dice.range(30_000, 90_000) as u64,
            n_partners: dice.range(6, VendorRole::PARTNERS_MAX as i64) as usize,
            n_products: dice.range(2_000, 9_000) as u64,
            detail: detail[dice.weighted(&[0.6, 0.15, 0.15, 0.1])],
        }
    }
}

/// What a day is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DayFlavour {
    Normal,
    /// A sale begins in the morning: twelve times the traffic, new and returning customers.
    SaleDay,
    /// A partner is down for some hours, as announced, and catches up.
    VendorMaintenance,
    /// A large bank declines nearly everything for an hour or two.
    BankOutage,
    /// The shop's app gets a release, whose TLS fingerprint is new.
    AppRelease,
}

impl DayFlavour {
    /// Every flavour.
    pub const ALL: &'static [Self] =
        &[Self::Normal, Self::SaleDay, Self::VendorMaintenance, Self::BankOutage, Self::AppRelease];
}

/// A gift card that still has value.
#[derive(Debug, Clone)]
pub(crate) struct GiftCard {
    pub id: Text,
    pub owner: Text,
    pub amount_minor: i64,
}

/// The shop.
#[derive(Debug, Clone)]
pub struct Shop {
    pub(crate) options: ShopOptions,
    pub(crate) world: World,
    pub(crate) devices: Devices,
    pub(crate) banks: Banks,
    pub(crate) companies: Vec<Company>,
    pub(crate) partners: Vec<Partner>,
    pub(crate) staff: Vec<StaffMember>,
    pub(crate) style: NameStyle,
    pub(crate) www: Text,
    pub(crate) api: Text,
    pub(crate) currency: Text,
    pub(crate) users: Vec<User>,
    /// Owner of each order since the first.
    pub(crate) order_owners: Vec<u32>,
    pub(crate) giftcards: Vec<GiftCard>,
    pub(crate) app_release: u8,
    /// What visits begun before midnight do after it.
    pub(crate) carry: Vec<Labelled>,
    pub(crate) carry_day: u32,
}

impl Shop {
    /// A shop with its customers, partners, staff and past orders.
    #[must_use]
    pub fn new(options: ShopOptions) -> Self {
        let seed = options.seed;
        let mut dice = Dice::of(seed, &["shop"]);
        let world = World::of(seed);
        let companies = roster(seed);
        let n_partners = options.n_partners.clamp(1, VendorRole::PARTNERS_MAX);
        let partners = partner::partners(seed, &world, &companies[..n_partners]);
        let staff = staff::members(seed, &world);
        let style = *dice.pick(&[NameStyle::Handle, NameStyle::Handle, NameStyle::Mail, NameStyle::Number]);
        let currency = Text::from(*dice.pick(&["EUR", "EUR", "SEK", "GBP", "USD"]));
        let mut shop = Self {
            devices: Devices::of(seed),
            banks: Banks::of(seed),
            world,
            companies,
            partners,
            staff,
            style,
            www: Text::from("www.shop.example"),
            api: Text::from("api.shop.example"),
            currency,
            users: Vec::new(),
            order_owners: Vec::new(),
            giftcards: Vec::new(),
            app_release: 0,
            carry: Vec::new(),
            carry_day: 0,
            options,
        };
        for _ in 0..shop.options.n_users {
            shop.join(&mut dice);
        }
        for _ in 0..shop.options.n_users * 3 {
            let user = shop.somebody(&mut dice);
            shop.order(user);
        }
        shop
    }

    /// The options it was made with.
    #[must_use]
    pub fn options(&self) -> &ShopOptions {
        &self.options
    }

    /// The companies the shop depends on; the first [`ShopOptions::n_partners`] call its API.
    #[must_use]
    pub fn companies(&self) -> &[Company] {
        &self.companies
    }

    /// Midnight UTC at the beginning of this day.
    #[must_use]
    pub fn midnight(&self, day: u32) -> Timestamp {
        self.options.start + i64::from(day) * DAY_MS
    }

    /// A customer, the frequent ones more often; only those who have been here from the start.
    pub(crate) fn somebody(&self, dice: &mut Dice) -> usize {
        let n = self.users.len();
        ((n as f64 * dice.unit().powf(1.6)) as usize).min(n.saturating_sub(1))
    }

    /// Adds a customer; once the shop is full it gives an existing one.
    pub(crate) fn join(&mut self, dice: &mut Dice) -> usize {
        if self.users.len() >= self.options.n_users.max(1) * GROWTH_MAX {
            return dice.index(self.users.len());
        }
        let number = self.users.len() as u64;
        let mut user = self.mint().user(number, dice);
        if let Some(last) = self.users.last().filter(|_| dice.chance(HOUSEHOLD_SHARE)) {
            user.move_in(last);
        }
        self.users.push(user);
        self.users.len() - 1
    }

    /// What new customers are made from.
    pub(crate) fn mint(&self) -> Mint<'_> {
        Mint {
            world: &self.world,
            devices: &self.devices,
            banks: &self.banks,
            style: self.style,
            app_release: self.app_release,
        }
    }

    /// Books an order and gives its number.
    pub(crate) fn order(&mut self, user: usize) -> u64 {
        let number = FIRST_ORDER + self.order_owners.len() as u64;
        if self.order_owners.len() < ORDERS_MAX {
            self.order_owners.push(user as u32);
        }
        self.users[user].remember(number);
        number
    }

    /// A past order and its owner's name.
    pub(crate) fn past_order(&self, dice: &mut Dice) -> (u64, Text) {
        let at = dice.index(self.order_owners.len());
        (FIRST_ORDER + at as u64, self.owner_of(at))
    }

    /// The name of who placed the order with this offset from the first.
    pub(crate) fn owner_of(&self, at: usize) -> Text {
        self.users[self.owner_index(at)].name.clone()
    }

    /// The customer who placed the order with this offset from the first.
    pub(crate) fn owner_index(&self, at: usize) -> usize {
        (self.order_owners.get(at).copied().unwrap_or(0) as usize).min(self.users.len() - 1)
    }

    /// A past order with its owner's main card.
    pub(crate) fn paid_order(&self, dice: &mut Dice) -> (u64, &User) {
        let at = dice.index(self.order_owners.len());
        (FIRST_ORDER + at as u64, &self.users[self.owner_index(at)])
    }

    pub(crate) fn keep_giftcard(&mut self, card: GiftCard) {
        if self.giftcards.len() < GIFTCARDS_MAX {
            self.giftcards.push(card);
        }
    }

    /// The printed form of an order number.
    pub(crate) fn order_id(&self, number: u64) -> Text {
        Text::from(format!("{number}"))
    }
}
