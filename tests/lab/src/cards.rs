//! Payment cards as far as a shop may know them, banks behind BINs, and why banks decline.

use riskgraph_domain::Text;
use riskgraph_domain::event::Card;

use crate::dice::Dice;

/// Issuers in the shop's markets; the first few have most customers.
const N_BINS: usize = 60;
/// How many BINs one large bank has.
const BINS_A_BANK: usize = 3;

/// Why customers' cards are declined, and how often each.
const DECLINES: &[(&str, f64)] = &[
    ("insufficient_funds", 0.42),
    ("do_not_honor", 0.17),
    ("authentication_failed", 0.12),
    ("invalid_cvc", 0.1),
    ("expired_card", 0.08),
    ("incorrect_number", 0.06),
    ("issuer_unavailable", 0.05),
];

/// A card somebody keeps or types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardOnFile {
    pub bin: u16,
    pub last4: u16,
    pub fingerprint: Text,
}

/// The issuers of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Banks {
    bins: Vec<Text>,
    /// Rises to 1: the share of custom up to and including each BIN.
    cumulative: Vec<f64>,
}

impl Banks {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::of(seed, &["banks"]);
        let bins: Vec<Text> = (0..N_BINS)
            .map(|_| {
                let first = if dice.chance(0.55) { 4 } else { 5 };
                Text::from(format!("{first}{:05}", dice.below(100_000)))
            })
            .collect();
        // Popularity falls with rank, as of banks in one country.
        let weights: Vec<f64> = (0..N_BINS).map(|rank| 1.0 / (rank as f64 + 1.5)).collect();
        let total: f64 = weights.iter().sum();
        let mut sum = 0.0;
        let cumulative = weights.iter().map(|weight| {
            sum += weight / total;
            sum
        });
        let cumulative = cumulative.collect();
        Self { bins, cumulative }
    }

    /// A customer's card.
    pub(crate) fn draw(&self, dice: &mut Dice) -> CardOnFile {
        let at = dice.unit();
        let bin = self.cumulative.partition_point(|&sum| sum < at).min(self.bins.len() - 1) as u16;
        self.of_bin(bin, dice)
    }

    /// A card of this BIN.
    pub(crate) fn of_bin(&self, bin: u16, dice: &mut Dice) -> CardOnFile {
        let fingerprint = Text::from(format!("card-{}", dice.hex(14)));
        CardOnFile { bin, last4: dice.below(10_000) as u16, fingerprint }
    }

    /// A BIN few customers have: what card testers buy in bulk is seldom the local favourite.
    pub(crate) fn rare_bin(&self, dice: &mut Dice) -> u16 {
        dice.range(3, self.bins.len() as i64 - 1) as u16
    }

    /// The BINs of one large bank.
    pub(crate) fn large_bank(&self, dice: &mut Dice) -> Vec<u16> {
        let first = dice.below(3) as u16;
        (0..BINS_A_BANK as u16).map(|at| first + at * 7).collect()
    }

    /// The card as it stands in an event.
    pub(crate) fn event_card(&self, card: &CardOnFile) -> Card {
        Card {
            fingerprint: Some(card.fingerprint.clone()),
            bin: Some(self.bins[usize::from(card.bin)].clone()),
            last4: Some(Text::from(format!("{:04}", card.last4))),
        }
    }
}

/// Why a customer's payment is declined.
pub(crate) fn decline_reason(dice: &mut Dice) -> &'static str {
    let weights: Vec<f64> = DECLINES.iter().map(|(_, weight)| *weight).collect();
    DECLINES[dice.weighted(&weights)].0
}
