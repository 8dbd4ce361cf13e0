//! Permutations a second, of short names and of a long one.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on should panic")]

use divan::counter::ItemsCount;
use riskgraph_analysis::lookalike::{Name, Words, permutations};

const NAMES: &[&str] = &[
    "example.com",
    "shopify.com",
    "adyen.com",
    "my-shop.co.uk",
    "www.amazon.de",
    "müller.info",
    "internationalbusinessmachines.com",
];

fn main() {
    divan::main();
}

#[divan::bench(args = NAMES)]
fn permute(bencher: divan::Bencher<'_, '_>, name: &str) {
    let name = Name::parse(name).unwrap();
    let words = Words::default();
    let count = permutations(&name, &words).len();
    bencher.counter(ItemsCount::new(count)).bench(|| permutations(&name, &words));
}
