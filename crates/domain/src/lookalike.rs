//! Names that look like a domain, and what stands behind those that exist. Facts only, as [`crate::observation`].

use serde::{Deserialize, Serialize};

use crate::text::Text;
use crate::time::Timestamp;

/// Lookalikes kept of one domain; a well-known brand has some hundred registered ones.
pub const LOOKALIKES_MAX: usize = 500;

/// What DNS and the web said about the names that look like one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LookalikeFacts {
    /// Whose name it is that others look like.
    pub of: Brand,
    /// Names that were asked for.
    pub n_asked: u32,
    /// Names for which no server had an answer.
    pub n_unanswered: u32,
    /// Those with any record, at most [`LOOKALIKES_MAX`].
    pub found: Vec<Lookalike>,
    /// Whether certificates of the names were looked for.
    pub certificates: CertificateSource,
}

/// Whose name it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brand {
    /// The shop's own.
    Own,
    #[default]
    Vendor,
}

/// Whether the operator gave a list of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateSource {
    #[default]
    None,
    File,
}

/// One name that looks like another.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lookalike {
    /// How it is made from the name.
    pub fuzzer: Text,
    /// ASCII (IDNA) form.
    pub domain: Text,
    #[serde(default)]
    pub dns: LookalikeDns,
    /// `None`: no server said so or otherwise.
    pub registered: Option<bool>,
    /// Why it is not held against anybody; `None` when it counts.
    #[serde(default)]
    pub suppressed: Option<Suppressed>,
    /// How its page is like the domain's.
    #[serde(default)]
    pub page: Option<PageLikeness>,
    /// The newest certificate for it that the operator's list has.
    #[serde(default)]
    pub certificate: Option<LookalikeCertificate>,
}

/// Its records, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LookalikeDns {
    pub a: Vec<Text>,
    pub aaaa: Vec<Text>,
    pub ns: Vec<Text>,
    pub mx: Vec<Text>,
}

impl LookalikeDns {
    /// Whether there is no record at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.a.is_empty() && self.aaaa.is_empty() && self.ns.is_empty() && self.mx.is_empty()
    }

    /// Whether it can receive mail: an exchanger that is not the null MX (RFC 7505).
    #[must_use]
    pub fn takes_mail(&self) -> bool {
        self.mx.iter().any(|host| !host.is_empty() && host.as_str() != ".")
    }
}

/// Why a lookalike is no finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    /// Every name of its zone has these records.
    Wildcard,
    /// It stands for sale with a parking service and takes no mail of its own.
    Parking,
    /// It leads to the domain itself: registered in defence.
    Own,
}

/// How one page is like another.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PageLikeness {
    /// Share of the text that both have, 0 ..= 1, estimated.
    pub text: f64,
    /// Both have the same title, and it is not a common word.
    pub same_title: bool,
    /// Files of the domain's own hosts that the page loads.
    pub n_borrowed: u32,
    pub asks_password: bool,
    pub asks_card: bool,
    /// Where it ended after redirects.
    pub url: String,
}

/// A certificate issued for a lookalike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookalikeCertificate {
    pub not_before: Timestamp,
    pub issuer: Text,
}
