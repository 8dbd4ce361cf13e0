//! Where clients come from: countries, access providers, carriers behind shared addresses, hosters, offices.
//!
//! Addresses are drawn from blocks that look public but carry no public clients, IPv6 from the documentation prefix
//! (RFC 3849), AS numbers from the private range (RFC 6996): nothing here names a real network.

use std::net::{Ipv4Addr, Ipv6Addr};

use riskgraph_domain::Text;

use crate::dice::Dice;

/// First octets of the blocks addresses are drawn from.
const FIRST_OCTETS: &[u8] = &[11, 21, 22, 26, 28, 29, 30, 33, 55, 214, 215];
/// First AS number of the private range.
const ASN_FIRST: u32 = 64_512;
/// Shared addresses of one mobile carrier: few, so that hundreds of customers meet behind each.
const CARRIER_NAT_MAX: u64 = 6;
const HOME_NETWORKS_A_COUNTRY: usize = 3;
const CARRIERS_A_COUNTRY: usize = 2;
const N_HOSTING: usize = 72;
const N_VPN: usize = 5;
const N_OFFICES: usize = 24;

/// A country: code, hours from UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Country {
    pub code: &'static str,
    pub utc_h: i64,
}

/// Countries the lab knows; a shop serves the first few of a seeded order.
const COUNTRIES: &[(&str, i64)] = &[
    ("DE", 1),
    ("SE", 1),
    ("NL", 1),
    ("FR", 1),
    ("GB", 0),
    ("PL", 1),
    ("IT", 1),
    ("ES", 1),
    ("AT", 1),
    ("FI", 2),
    ("DK", 1),
    ("NO", 1),
    ("PT", 0),
    ("CZ", 1),
    ("IE", 0),
    ("US", -6),
    ("CA", -5),
    ("BR", -3),
    ("TR", 3),
    ("IN", 5),
    ("VN", 7),
    ("ID", 7),
    ("RU", 3),
    ("CN", 8),
    ("UA", 2),
    ("NG", 1),
    ("AR", -3),
    ("MX", -6),
    ("RO", 2),
    ("HK", 8),
];
/// The first of these many countries are markets a shop may have.
const N_MARKETS: usize = 15;

/// What kind of network this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkKind {
    Home,
    Carrier,
    Hosting,
    Vpn,
    Office,
}

/// One network: an AS with a block of addresses.
#[derive(Debug, Clone)]
pub(crate) struct Network {
    pub kind: NetworkKind,
    pub asn: u32,
    pub country: usize,
    /// First two octets of the block.
    block: u32,
    /// Third group of the IPv6 prefix.
    site: u16,
}

impl Network {
    /// The IPv4 address of this host number.
    pub(crate) fn v4(&self, host: u64) -> Text {
        // .0 and .255 are legal for hosts in a /16 but look wrong in a log.
        let (third, last) = ((host / 254) % 256, host % 254 + 1);
        Text::from(Ipv4Addr::from(self.block | (third as u32) << 8 | last as u32).to_string())
    }

    /// An IPv6 address in the /64 of this host number.
    pub(crate) fn v6(&self, host: u64, interface: u64) -> Text {
        let [a, b, c, d] = [48, 32, 16, 0].map(|shift| (interface >> shift) as u16);
        Text::from(Ipv6Addr::new(0x2001, 0xdb8, self.site, host as u16, a, b, c, d).to_string())
    }

    /// One of the few addresses a carrier's customers share.
    pub(crate) fn nat(&self, dice: &mut Dice) -> Text {
        self.v4(9_000 + dice.below(CARRIER_NAT_MAX))
    }
}

/// All networks of one seed.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub countries: Vec<Country>,
    /// Countries the shop sells to: an index each and how much of the custom it has.
    pub markets: Vec<f64>,
    pub networks: Vec<Network>,
}

impl World {
    /// The world of this seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, &["world"]);
        let mut order: Vec<usize> = (0..N_MARKETS).collect();
        dice.shuffle(&mut order);
        order.extend(N_MARKETS..COUNTRIES.len());
        let countries: Vec<Country> =
            order.iter().map(|&at| Country { code: COUNTRIES[at].0, utc_h: COUNTRIES[at].1 }).collect();
        let markets = vec![0.58, 0.16, 0.1, 0.06, 0.04, 0.03, 0.02, 0.01];
        let mut maker = Maker::new(&mut dice);
        for country in 0..countries.len() {
            maker.add(NetworkKind::Home, country, HOME_NETWORKS_A_COUNTRY);
            maker.add(NetworkKind::Carrier, country, CARRIERS_A_COUNTRY);
        }
        for _ in 0..N_HOSTING {
            let country = maker.dice.index(countries.len());
            maker.add(NetworkKind::Hosting, country, 1);
        }
        for _ in 0..N_VPN {
            let country = maker.dice.index(N_MARKETS);
            maker.add(NetworkKind::Vpn, country, 1);
        }
        for _ in 0..N_OFFICES {
            let country = maker.dice.weighted(&markets);
            maker.add(NetworkKind::Office, country, 1);
        }
        let networks = maker.networks;
        Self { countries, markets, networks }
    }

    /// Networks of a kind, in this country when one is given.
    pub(crate) fn of_kind(&self, kind: NetworkKind, country: Option<usize>) -> Vec<usize> {
        (0..self.networks.len())
            .filter(|&at| {
                let network = &self.networks[at];
                network.kind == kind && country.is_none_or(|wanted| network.country == wanted)
            })
            .collect()
    }

    /// The country code of a network.
    pub(crate) fn country_code(&self, network: &Network) -> &'static str {
        self.countries[network.country].code
    }

    /// A country that is none of the shop's usual ones.
    pub(crate) fn far_country(&self, dice: &mut Dice) -> usize {
        dice.range(N_MARKETS as i64, self.countries.len() as i64 - 1) as usize
    }
}

struct Maker<'a> {
    dice: &'a mut Dice,
    blocks: Vec<u32>,
    networks: Vec<Network>,
}

impl<'a> Maker<'a> {
    fn new(dice: &'a mut Dice) -> Self {
        let mut blocks: Vec<u32> = FIRST_OCTETS
            .iter()
            .flat_map(|&first| (0..=255_u32).map(move |second| u32::from(first) << 24 | second << 16))
            .collect();
        dice.shuffle(&mut blocks);
        Self { dice, blocks, networks: Vec::new() }
    }

    fn add(&mut self, kind: NetworkKind, country: usize, n: usize) {
        for _ in 0..n {
            let at = self.networks.len();
            self.networks.push(Network {
                kind,
                asn: ASN_FIRST + at as u32,
                country,
                block: self.blocks[at % self.blocks.len()],
                site: 0x100 + at as u16,
            });
        }
    }
}
