//! The lab: a shop that emits seeded, labelled traffic, and a small internet on loopback for it to depend on.
//!
//! The demo, the tests and the benches play with it. It must *not* know how anything is judged or stored: it depends on
//! the domain's words alone, so that what it emits is what any shop could send.

mod cards;
mod checkout;
mod day;
mod device;
mod dice;
mod edge;
mod emit;
mod gate;
mod internet;
mod label;
mod locks;
mod mix;
mod names;
mod noise;
mod partner;
mod roster;
mod scenario;
mod server;
mod session;
mod shop;
mod staff;
mod truth;
mod user;
mod world;

pub use day::Day;
pub use dice::Dice;
pub use edge::EdgeFiles;
pub use emit::Detail;
pub use gate::Gate;
pub use internet::{Internet, InternetOptions, LabVendor, Profile};
pub use label::{Label, Labelled, Role, ScenarioId};
pub use locks::{Lever, Locks};
pub use mix::{duplicate, late, merge, shuffle_within, write_labels, write_ndjson};
pub use roster::{Company, VendorRole, roster};
pub use scenario::Act;
pub use server::{ADMIN_TOKEN, ShopServer};
pub use shop::{DayFlavour, Shop, ShopOptions};
pub use truth::{Happening, Sheet, Truth, Verdict};
