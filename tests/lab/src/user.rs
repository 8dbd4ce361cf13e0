//! Customers and their habits: where they live, what they hold in their hands, when they shop, how they type.

use riskgraph_domain::event::Client;
use riskgraph_domain::{Text, Timestamp};

use crate::cards::{Banks, CardOnFile};
use crate::device::{ClassKind, Device, Devices, kind_of};
use crate::dice::Dice;
use crate::names::{FIRST, LAST, MAIL_DOMAINS};
use crate::world::{NetworkKind, World};

/// Orders a customer's account page shows; older ones are forgotten.
const ORDERS_KEPT: usize = 12;
/// Share of customers whose provider gives them IPv6.
const IPV6_SHARE: f64 = 0.15;
const DAY_MS: i64 = 86_400_000;

/// When a person shops: relative weight of each local hour.
const RHYTHMS: &[(f64, [u8; 24])] = &[
    // evenings
    (0.45, [2, 1, 0, 0, 0, 0, 1, 3, 4, 4, 4, 5, 6, 5, 4, 4, 5, 7, 9, 12, 14, 13, 9, 5]),
    // lunch and office hours
    (0.25, [0, 0, 0, 0, 0, 1, 3, 6, 9, 9, 8, 9, 13, 11, 8, 8, 7, 5, 4, 4, 4, 3, 1, 0]),
    // early birds
    (0.15, [0, 0, 0, 0, 1, 6, 12, 12, 9, 8, 7, 6, 6, 5, 5, 5, 5, 5, 4, 3, 2, 1, 0, 0]),
    // night owls
    (0.15, [9, 7, 4, 2, 1, 0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 5, 5, 6, 6, 7, 8, 10, 12, 11]),
];

/// How login names look in this shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameStyle {
    /// `mia.holm7`
    Handle,
    /// `mia.holm@mail.example`
    Mail,
    /// `c104711`
    Number,
}

/// A customer.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub name: Text,
    pub mail_domain: &'static str,
    pub country: usize,
    pub home: usize,
    pub home_host: u64,
    pub lease_days: i64,
    pub ipv6: bool,
    pub carrier: usize,
    pub office: Option<usize>,
    pub vpn: Option<usize>,
    pub devices: Vec<Device>,
    pub rhythm: usize,
    /// How likely this person mistypes a password.
    pub typo: f64,
    pub mfa: bool,
    pub cards: Vec<CardOnFile>,
    /// Usual spending per order, minor units.
    pub budget_minor: f64,
    /// Away from home: first day, last day, country.
    pub trip: Option<(u32, u32, usize)>,
    /// Numbers of the latest orders.
    pub orders: Vec<u64>,
}

impl User {
    /// Remembers an order, and forgets the oldest beyond what the account page shows.
    pub(crate) fn remember(&mut self, order: u64) {
        if self.orders.len() >= ORDERS_KEPT {
            self.orders.remove(0);
        }
        self.orders.push(order);
    }

    /// How likely this person shops in this hour (UTC), 0..=1.
    pub(crate) fn wakefulness(&self, world: &World, hour_utc: i64) -> f64 {
        let local = (hour_utc + world.countries[self.country].utc_h).rem_euclid(24) as usize;
        f64::from(RHYTHMS[self.rhythm].1[local]) / 14.0
    }

    /// Whether the person is on a trip that day.
    pub(crate) fn away(&self, day: u32) -> Option<usize> {
        self.trip.filter(|&(from, to, _)| (from..=to).contains(&day)).map(|(_, _, country)| country)
    }

    /// Whether the person spends that day travelling, and does not shop.
    pub(crate) fn in_transit(&self, day: u32) -> bool {
        self.trip.is_some_and(|(from, to, _)| day + 1 == from || day == to + 1)
    }

    /// Moves in with somebody: the same line at home, in the same country.
    pub(crate) fn move_in(&mut self, other: &Self) {
        if self.country == other.country {
            (self.home, self.home_host) = (other.home, other.home_host);
            (self.lease_days, self.ipv6) = (other.lease_days, other.ipv6);
        }
    }
}

/// Everything a customer is made from.
pub(crate) struct Mint<'a> {
    pub world: &'a World,
    pub devices: &'a Devices,
    pub banks: &'a Banks,
    pub style: NameStyle,
    pub app_release: u8,
}

impl Mint<'_> {
    /// A new customer; `number` makes the name unique.
    pub(crate) fn user(&self, number: u64, dice: &mut Dice) -> User {
        let world = self.world;
        let country = dice.weighted(&world.markets);
        let homes = world.of_kind(NetworkKind::Home, Some(country));
        let carriers = world.of_kind(NetworkKind::Carrier, Some(country));
        let offices = world.of_kind(NetworkKind::Office, Some(country));
        let mail_domain = *dice.pick(MAIL_DOMAINS);
        let n_devices = 1 + dice.weighted(&[0.45, 0.4, 0.15]);
        let devices = (0..n_devices)
            .map(|at| {
                let kind = match at {
                    1 => Some(ClassKind::Desktop),
                    2 => Some(ClassKind::App),
                    _ => None,
                };
                self.devices.draw(kind, self.app_release, dice)
            })
            .collect();
        let rhythm_weights: Vec<f64> = RHYTHMS.iter().map(|(weight, _)| *weight).collect();
        let office = (!offices.is_empty() && dice.chance(0.18)).then(|| *dice.pick(&offices));
        let vpns = world.of_kind(NetworkKind::Vpn, None);
        User {
            name: self.name(number, mail_domain, dice),
            mail_domain,
            country,
            home: homes[dice.weighted(&[0.5, 0.3, 0.2]).min(homes.len() - 1)],
            home_host: dice.below(60_000),
            lease_days: dice.range(5, 90),
            ipv6: dice.chance(IPV6_SHARE),
            carrier: *dice.pick(&carriers),
            office,
            vpn: dice.chance(0.03).then(|| *dice.pick(&vpns)),
            devices,
            rhythm: dice.weighted(&rhythm_weights),
            typo: dice.log_normal(0.03, 0.7).min(0.3),
            mfa: dice.chance(0.12),
            cards: (0..=dice.weighted(&[0.75, 0.22, 0.03])).map(|_| self.banks.draw(dice)).collect(),
            budget_minor: dice.log_normal(4_200.0, 0.6),
            trip: dice.chance(0.25).then(|| {
                let from = dice.below(40) as u32;
                (from, from + dice.range(2, 14) as u32, dice.index(world.countries.len()))
            }),
            orders: Vec::new(),
        }
    }

    /// A login name nobody else has.
    pub(crate) fn name(&self, number: u64, mail_domain: &str, dice: &mut Dice) -> Text {
        let (first, last) = (*dice.pick(FIRST), *dice.pick(LAST));
        Text::from(match self.style {
            NameStyle::Handle => format!("{first}.{last}{number}"),
            NameStyle::Mail => format!("{first}.{last}{number}@{mail_domain}"),
            NameStyle::Number => format!("c{}", 100_000 + number),
        })
    }
}

/// A visit's device and network.
pub(crate) struct Presence {
    pub client: Client,
    /// Index of the device.
    pub device: usize,
}

/// Chooses the device in use and the network it is on.
pub(crate) fn presence(
    world: &World,
    devices: &Devices,
    user: &User,
    at: Timestamp,
    day: u32,
    dice: &mut Dice,
) -> Presence {
    let device = if user.devices.len() > 1 && dice.chance(0.4) { 1 + dice.index(user.devices.len() - 1) } else { 0 };
    let held = &user.devices[device];
    let hour = at.0.div_euclid(3_600_000) + world.countries[user.country].utc_h;
    let (local, weekday) = (hour.rem_euclid(24), (hour.div_euclid(24) + 3).rem_euclid(7));
    let at_work = weekday < 5 && (8..17).contains(&local);
    let (network, mobile) = match (user.away(day), user.vpn, user.office) {
        (Some(country), _, _) => {
            let kind = if dice.chance(0.5) { NetworkKind::Carrier } else { NetworkKind::Home };
            (*dice.pick(&world.of_kind(kind, Some(country))), kind == NetworkKind::Carrier)
        }
        (_, Some(vpn), _) if dice.chance(0.6) => (vpn, false),
        (_, _, Some(office)) if at_work && kind_of(held) == ClassKind::Desktop => (office, false),
        _ if kind_of(held) != ClassKind::Desktop && dice.chance(0.4) => (user.carrier, true),
        _ => (user.home, false),
    };
    let place = &world.networks[network];
    let lease = day as i64 / user.lease_days + at.0.div_euclid(DAY_MS * 365);
    let host = user.home_host.wrapping_add((lease as u64).wrapping_mul(977));
    let ip = match place.kind {
        NetworkKind::Carrier if mobile => place.nat(dice),
        NetworkKind::Office => place.v4(1),
        NetworkKind::Vpn => place.v4(dice.below(40)),
        _ if user.away(day).is_some() => place.v4(user.home_host.wrapping_mul(31) % 50_000),
        // Privacy addresses change daily inside the household's /64.
        _ if user.ipv6 => place.v6(host, user.home_host.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(day)),
        _ => place.v4(host),
    };
    let (agent, ja4) = devices.agent(held);
    let client = Client {
        ip: Some(ip),
        forwarded: None,
        user_agent: Some(agent.clone()),
        device: Some(held.id.clone()),
        ja4: Some(ja4.clone()),
        asn: Some(place.asn),
        country: Some(Text::from(world.country_code(place))),
    };
    Presence { client, device }
}

/// Demand of the whole population at this local hour; 1 on average over a day.
pub(crate) fn demand(local_hour: i64) -> f64 {
    let hour = local_hour.rem_euclid(24) as usize;
    let at = |hour: usize| RHYTHMS.iter().map(|(weight, hours)| weight * f64::from(hours[hour])).sum::<f64>();
    at(hour) * 24.0 / (0..24).map(at).sum::<f64>()
}
