//! What the generator knows about each event it makes: the truth a detector is measured against.

use std::fmt;

use riskgraph_domain::Event;
use serde::{Deserialize, Serialize};

/// An attack story the lab can play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ScenarioId {
    /// Credential stuffing, account takeover, gift-card cash-out.
    S1,
    /// Card testing on few BINs.
    S2,
    /// A partner's API key leaks and is used for a mass order export.
    S4,
    /// A vendor is breached and its support login is used against the shop.
    S5,
    /// Distributed scraping of the catalogue.
    S7,
    /// One token reads objects that are not its own.
    S11,
}

impl ScenarioId {
    /// Every scenario, in order.
    pub const ALL: &'static [Self] = &[Self::S1, Self::S2, Self::S4, Self::S5, Self::S7, Self::S11];

    /// The short name, such as `S4`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S4 => "S4",
            Self::S5 => "S5",
            Self::S7 => "S7",
            Self::S11 => "S11",
        }
    }

    /// One line for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::S1 => "credential stuffing to gift-card cash-out",
            Self::S2 => "card testing",
            Self::S4 => "partner key theft and mass export",
            Self::S5 => "vendor breach to login",
            Self::S7 => "catalogue scraping",
            Self::S11 => "object enumeration",
        }
    }

    /// One line for people on the benign twin.
    #[must_use]
    pub const fn twin_title(self) -> &'static str {
        match self {
            Self::S1 => "mail campaign with an app release",
            Self::S2 => "bank outage",
            Self::S4 => "announced full resync from the usual network",
            Self::S5 => "namesake breached, vendor staff on holiday with MFA",
            Self::S7 => "search bot, price comparison and a product launch",
            Self::S11 => "household, merged account and support desk",
        }
    }
}

impl fmt::Display for ScenarioId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an event belongs to an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Part of an attack.
    Attack,
    /// Part of a benign happening that looks like an attack.
    Twin,
    /// Everyday traffic.
    #[default]
    Normal,
}

/// The truth about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Label {
    pub scenario: Option<ScenarioId>,
    pub role: Role,
    /// Step of the scenario, from 1; 0 for everyday traffic.
    pub step: u8,
}

/// An event with the truth about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    pub event: Event,
    pub label: Label,
}
