//! One scored result of a detector.

use serde::{Deserialize, Serialize};

use crate::graph::EntityKey;
use crate::id::SignalId;
use crate::text::Text;
use crate::time::Timestamp;

/// How bad, in the contract's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: &'static [Self] = &[Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The name in the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }

    /// The severity of this exact name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|severity| severity.as_str() == text)
    }

    /// The severity of a score in 0 ..= 1: below 0.2 INFO, 0.4 LOW, 0.6 MEDIUM, 0.8 HIGH, else CRITICAL.
    #[must_use]
    pub fn of_score(score: f64) -> Self {
        match score {
            s if s < 0.2 => Self::Info,
            s if s < 0.4 => Self::Low,
            s if s < 0.6 => Self::Medium,
            s if s < 0.8 => Self::High,
            _ => Self::Critical,
        }
    }
}

/// Why a detector said so: one observation against what was expected, and its share of the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub text: String,
    /// Share of the signal's score; the weights of a signal add up to its score.
    pub weight: f64,
    pub observed: Option<String>,
    pub expected: Option<String>,
}

/// An entity a signal touches, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Touched {
    pub entity: EntityKey,
    pub role: TouchRole,
}

/// What the signal says about an entity it touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TouchRole {
    /// The signal is about this entity: it gets the full own-risk contribution.
    Subject,
    /// It took part or was hit (an address, a victim): half the contribution, and it links alerts.
    Involved,
    /// Only named for the reader (a shared endpoint, a country's carrier): no risk, no link.
    Context,
}

/// One scored result of a detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    pub id: SignalId,
    /// Name of the detector, such as `credential_stuffing`.
    pub detector: Text,
    pub title: String,
    /// 0 ..= 1.
    pub score: f64,
    pub severity: Severity,
    /// Event time of the deciding event.
    pub occurred_at: Timestamp,
    /// When the deciding event was accepted, wall time; with `detected_at` it gives the delay.
    pub accepted_at: Timestamp,
    /// Wall time of the judgement.
    pub detected_at: Timestamp,
    pub entities: Vec<Touched>,
    pub reasons: Vec<Reason>,
    /// MITRE ATT&CK technique ids; [`technique`] names them.
    pub techniques: Vec<Text>,
    /// What to do, most urgent first.
    pub advice: Vec<String>,
    /// A JSON object: the deciding event's id, counts, samples.
    pub evidence: serde_json::Value,
    /// Signals of one alert with the same campaign always fold (`ja4:...`, `bin:411111`); empty: by entities only.
    pub campaign: Option<Text>,
}

/// A technique of MITRE ATT&CK (Enterprise v15.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique {
    pub id: &'static str,
    pub name: &'static str,
    pub tactic: &'static str,
}

macro_rules! techniques {
    ($($id:literal, $name:literal, $tactic:literal;)*) => {
        /// The techniques our detectors name.
        pub const TECHNIQUES: &[Technique] = &[$(Technique { id: $id, name: $name, tactic: $tactic }),*];
    };
}

techniques! {
    "T1020", "Automated Exfiltration", "Exfiltration";
    "T1078", "Valid Accounts", "Initial Access";
    "T1087", "Account Discovery", "Discovery";
    "T1090.002", "External Proxy", "Command and Control";
    "T1090.003", "Multi-hop Proxy", "Command and Control";
    "T1098", "Account Manipulation", "Persistence";
    "T1110.001", "Password Guessing", "Credential Access";
    "T1110.003", "Password Spraying", "Credential Access";
    "T1110.004", "Credential Stuffing", "Credential Access";
    "T1119", "Automated Collection", "Collection";
    "T1136", "Create Account", "Persistence";
    "T1190", "Exploit Public-Facing Application", "Initial Access";
    "T1195.002", "Compromise Software Supply Chain", "Initial Access";
    "T1199", "Trusted Relationship", "Initial Access";
    "T1213", "Data from Information Repositories", "Collection";
    "T1528", "Steal Application Access Token", "Credential Access";
    "T1550.001", "Application Access Token", "Defense Evasion";
    "T1552.001", "Credentials In Files", "Credential Access";
    "T1567", "Exfiltration Over Web Service", "Exfiltration";
    "T1583.005", "Botnet", "Resource Development";
    "T1589.001", "Credentials", "Reconnaissance";
    "T1594", "Search Victim-Owned Websites", "Reconnaissance";
    "T1595.002", "Vulnerability Scanning", "Reconnaissance";
    "T1595.003", "Wordlist Scanning", "Reconnaissance";
    "T1597.002", "Purchase Technical Data", "Reconnaissance";
    "T1621", "Multi-Factor Authentication Request Generation", "Credential Access";
    "T1657", "Financial Theft", "Impact";
}

/// The technique with this id, when our detectors name it.
#[must_use]
pub fn technique(id: &str) -> Option<&'static Technique> {
    TECHNIQUES.iter().find(|technique| technique.id == id)
}
