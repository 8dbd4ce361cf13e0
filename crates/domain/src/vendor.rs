//! Vendors and the integrations they run.

use serde::{Deserialize, Serialize};

use crate::alert::words;
use crate::error::{Fault, Reject};
use crate::graph::{EntityKey, EntityKind};
use crate::id::{IntegrationId, VendorId};
use crate::text::Text;
use crate::time::Timestamp;

words! {
    /// How much the shop depends on a vendor.
    VendorTier { Critical = "CRITICAL", High = "HIGH", Medium = "MEDIUM", Low = "LOW" }
}

/// A company the shop depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    pub id: VendorId,
    pub name: Text,
    /// Lower case, IDNA; the first is the main one.
    pub domains: Vec<Text>,
    pub tier: VendorTier,
    /// Who in the shop answers for it.
    pub owner: Option<Text>,
    /// Short names of the partner integrations it runs, as declared.
    pub integrations: Vec<Text>,
    pub added_at: Timestamp,
}

impl Vendor {
    /// The vendor's node in the graph: keyed by its first domain, or by its lower-case name when it has none.
    #[must_use]
    pub fn entity(&self) -> EntityKey {
        EntityKey::new(EntityKind::Vendor, vendor_key(&self.name, &self.domains))
    }
}

/// The natural key of a vendor.
#[must_use]
pub fn vendor_key(name: &str, domains: &[Text]) -> Text {
    domains.first().cloned().unwrap_or_else(|| Text::from(name.to_lowercase()))
}

/// What a person gives when adding or changing a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VendorInput {
    pub name: Text,
    pub domains: Vec<Text>,
    pub tier: Option<VendorTier>,
    pub owner: Option<Text>,
    pub integrations: Option<Vec<Text>>,
}

/// Rows of a table of vendors, with their lines, and what could not be used.
#[derive(Debug, Clone, Default)]
pub struct VendorRows {
    pub rows: Vec<(u64, VendorInput)>,
    pub rejected: Vec<Reject>,
}

/// Reads a table of vendors that a person made.
pub trait VendorTable: Send + Sync {
    /// Bad lines are rejects, good ones go on.
    ///
    /// # Errors
    /// When the text is no such table.
    fn read(&self, csv: &[u8]) -> Result<VendorRows, Fault>;
}

/// A partner's connection to our API, seen in traffic or declared by a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    pub id: IntegrationId,
    pub name: Text,
    pub vendor: Option<VendorId>,
}

impl VendorInput {
    /// The id a vendor added with this input gets.
    #[must_use]
    pub fn vendor_id(&self) -> VendorId {
        VendorId::of(&[&vendor_key(&self.name, &self.domains)])
    }
}

/// One step of an integration's traffic against its learned band.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrafficPoint {
    pub time: Timestamp,
    pub calls: f64,
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
    pub errors: f64,
    pub records: f64,
    /// 0 ..= 1.
    pub anomaly: f64,
}
