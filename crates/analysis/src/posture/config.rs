//! The weights, caps and thresholds of posture, from `config/posture.toml`. Knows no check and no observation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dns::takeover::TakeoverConfig;

/// The file compiled in.
const BUILT_IN: &str = include_str!("../../config/posture.toml");

/// All numbers of the posture stage; the file says why each is what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostureConfig {
    pub score: ScoreConfig,
    pub dns: DnsConfig,
    pub mail: MailConfig,
    pub tls: TlsConfig,
    pub page: PageConfig,
    pub headers: HeadersConfig,
    pub transparency: TransparencyConfig,
    pub brand: BrandConfig,
    pub vuln: VulnConfig,
    pub net: NetConfig,
    pub leaks: LeaksConfig,
    /// Services that can be taken over: `config/takeover.toml`, or a list of the operator's.
    #[serde(skip)]
    pub takeover: TakeoverConfig,
    pub pay: PayConfig,
}

impl PostureConfig {
    /// Reads a configuration; errors name the key.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The configuration compiled in. A test reads it, so it cannot be broken in a build that passed.
    pub fn built_in() -> Result<Self, toml::de::Error> {
        Self::parse(BUILT_IN)
    }
}

/// The scoring model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreConfig {
    pub model: String,
    pub coverage_min: f64,
    pub tail_share: f64,
    pub tail_quantile: f64,
    pub severity: SeverityWeights,
    pub result: ResultPoints,
    pub importance: ImportanceWeights,
    pub factors: FactorWeights,
    pub caps: Caps,
    pub incident: IncidentConfig,
    pub freshness: FreshnessConfig,
}

/// Weight of a check by its severity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeverityWeights {
    pub critical: f64,
    pub high: f64,
    pub medium: f64,
    pub low: f64,
    pub info: f64,
}

/// Share of its weight a check loses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultPoints {
    pub warn: f64,
    pub fail: f64,
}

/// Weight of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportanceWeights {
    pub payment_path: f64,
    pub sensitive: f64,
    pub other: f64,
}

/// Weight of each factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FactorWeights {
    pub scripts: f64,
    pub tls: f64,
    pub patching: f64,
    pub mail: f64,
    pub headers: f64,
    pub exposure: f64,
    pub dns: f64,
    pub brand: f64,
    pub leaks: f64,
    pub transparency: f64,
}

/// Upper limits some findings set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    pub confirmed_confidence: f64,
    pub critical_factor: f64,
    pub expired_payment_tls: f64,
    pub refused_certificate: f64,
    pub kev_overdue: f64,
    pub live_skimmer: f64,
    pub ransomware: f64,
    pub ransomware_days: f64,
}

/// What a past breach costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncidentConfig {
    pub loss: f64,
    pub days: f64,
    pub floor: f64,
}

/// How long an observation counts that could not be repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FreshnessConfig {
    pub configuration_days: f64,
    pub exposure_days: f64,
    pub leak_days: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsConfig {
    pub name_servers_min: usize,
    pub soa_refresh_min_s: u32,
    pub soa_refresh_max_s: u32,
    pub soa_retry_min_s: u32,
    pub soa_expire_min_s: u32,
    pub soa_minimum_max_s: u32,
    pub rsa_bits_fail: u32,
    pub rsa_bits_warn: u32,
    pub signature_days_warn: f64,
    pub signature_days_max: f64,
    pub registration_days_fail: f64,
    pub registration_days_warn: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    pub spf_lookups_max: usize,
    pub spf_lookups_warn: usize,
    pub spf_voids_max: usize,
    pub spf_addresses_warn: u64,
    pub spf_prefix_fail: u8,
    pub spf_record_bytes: usize,
    pub mta_sts_max_age_min_s: u64,
    pub dkim_bits_fail: u32,
    pub dkim_bits_warn: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    pub expiry_warn_days: f64,
    pub expiry_warn_share: f64,
    pub lifetime_max_days: f64,
    pub rsa_bits_fail: u32,
    pub rsa_bits_good: u32,
    pub ec_bits_fail: u32,
    pub dh_bits_fail: u32,
    pub dh_bits_warn: u32,
    pub foreign_names_warn: usize,
    pub short_lived_days: f64,
}

/// How a page is believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageConfig {
    pub unverified_confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadersConfig {
    pub hsts_min_s: u64,
    pub hsts_good_s: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransparencyConfig {
    pub security_txt_max_days: f64,
}

/// When a page is another's copy, and a certificate new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BrandConfig {
    pub text_same: f64,
    pub text_some: f64,
    pub borrowed_min: u32,
    pub fresh_days: f64,
    pub unanswered_max: f64,
}

/// When a vulnerability counts, and how long it may stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VulnConfig {
    pub cvss_fail: f64,
    pub cvss_warn: f64,
    pub epss_fail: f64,
    pub epss_warn: f64,
    pub epss_jump: f64,
    pub one_signal_confidence: f64,
    pub fix_critical_days: f64,
    pub fix_high_days: f64,
    pub fix_other_days: f64,
    pub scorecard_fail: f64,
    pub scorecard_warn: f64,
}

/// How old an imported scan may be, and how many lists make an address bad.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetConfig {
    pub scan_days: f64,
    pub lists_fail: u32,
    pub lists_warn: u32,
    pub stale_certificate_days: f64,
}

/// How long leaks count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaksConfig {
    pub credential_days: f64,
    pub breach_days: f64,
    pub extortion_days: f64,
    pub susceptibility: SusceptibilityConfig,
}

/// What makes extortion easy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SusceptibilityConfig {
    pub remote_access: f64,
    pub exploited: f64,
    pub mail: f64,
    pub credentials: f64,
    pub fail: f64,
    pub warn: f64,
}

/// Payment pages and foreign code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayConfig {
    pub skimmer_score: f64,
    pub hijacked_hosts: Vec<String>,
}
