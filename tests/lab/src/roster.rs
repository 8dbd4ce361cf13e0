//! The companies the shop depends on: one list for the traffic and for the lab's internet, so that both name the same.

use riskgraph_domain::vendor::VendorTier;

use crate::dice::Dice;
use crate::names::{COMPANY_HEAD, COMPANY_TAIL, LEGAL};

/// What a vendor does for the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VendorRole {
    Fulfilment,
    Payments,
    Erp,
    Marketplace,
    Helpdesk,
    Crm,
    PriceComparison,
    Returns,
    Reviews,
    Reporting,
    Analytics,
    TagManager,
}

impl VendorRole {
    /// Every role; those with an integration come first, in the order partners are added to a shop.
    pub const ALL: &'static [Self] = &[
        Self::Fulfilment,
        Self::Payments,
        Self::Erp,
        Self::Marketplace,
        Self::Helpdesk,
        Self::PriceComparison,
        Self::Crm,
        Self::Returns,
        Self::Reviews,
        Self::Reporting,
        Self::Analytics,
        Self::TagManager,
    ];
    /// The first of [`Self::ALL`] that call the shop's API.
    pub const PARTNERS_MAX: usize = 10;

    /// The second half of the integration's short name; `None` for a vendor that only serves scripts.
    #[must_use]
    pub const fn integration(self) -> Option<&'static str> {
        match self {
            Self::Fulfilment => Some("fulfilment"),
            Self::Payments => Some("payments"),
            Self::Erp => Some("erp"),
            Self::Marketplace => Some("listings"),
            Self::Helpdesk => Some("helpdesk"),
            Self::Crm => Some("crm"),
            Self::PriceComparison => Some("pricefeed"),
            Self::Returns => Some("returns"),
            Self::Reviews => Some("reviews"),
            Self::Reporting => Some("reports"),
            Self::Analytics | Self::TagManager => None,
        }
    }

    const fn tier(self) -> VendorTier {
        match self {
            Self::Fulfilment | Self::Payments => VendorTier::Critical,
            Self::Erp | Self::Helpdesk | Self::TagManager => VendorTier::High,
            Self::Marketplace | Self::Crm | Self::Returns | Self::Analytics => VendorTier::Medium,
            Self::PriceComparison | Self::Reviews | Self::Reporting => VendorTier::Low,
        }
    }
}

/// A company of the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Company {
    pub role: VendorRole,
    /// As in the trade register.
    pub name: String,
    /// The first word of the name.
    pub brand: String,
    /// Its registrable domain, under the reserved `example`.
    pub domain: String,
    pub tier: VendorTier,
    /// Short names of the integrations it operates.
    pub integrations: Vec<String>,
    /// The login of its support staff at the shop's admin, when it has one.
    pub support_login: Option<String>,
}

/// Everybody the shop depends on, for this seed.
#[must_use]
pub fn roster(seed: u64) -> Vec<Company> {
    let mut dice = Dice::of(seed, &["roster"]);
    let (mut heads, mut tails) = (COMPANY_HEAD.to_vec(), COMPANY_TAIL.to_vec());
    dice.shuffle(&mut heads);
    dice.shuffle(&mut tails);
    VendorRole::ALL
        .iter()
        .zip(heads.iter().zip(tails.iter().cycle()))
        .map(|(&role, (head, tail))| {
            let brand = format!("{head}{tail}");
            let slug = brand.to_lowercase();
            let domain = format!("{slug}.example");
            let support = matches!(role, VendorRole::Fulfilment | VendorRole::Erp | VendorRole::Helpdesk);
            Company {
                role,
                name: format!("{brand} {}", dice.pick(LEGAL)),
                tier: role.tier(),
                integrations: role.integration().map(|part| format!("{slug}-{part}")).into_iter().collect(),
                support_login: support.then(|| format!("support@{domain}")),
                brand,
                domain,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companies_are_distinct_and_seeded() {
        let companies = roster(5);
        let mut domains: Vec<_> = companies.iter().map(|company| company.domain.clone()).collect();
        domains.sort();
        domains.dedup();
        assert_eq!(domains.len(), VendorRole::ALL.len());
        assert_eq!(companies, roster(5));
        assert_ne!(companies, roster(6));
    }
}
