//! Vendors as GraphQL shows them. Must not know how they are assessed.

use async_graphql::{Context, ID, InputObject, Object};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::FindingFilter;
use riskgraph_domain::text::Text;
use riskgraph_domain::vendor as model;

use super::entity::{Entity, Relation};
use super::integration::Integration;
use super::node::parse_id;
use super::page::connection;
use super::posture::{Finding, FindingConnection, Posture};
use super::risk::Risk;
use super::score::{ScoreDiff, ScoreFix};
use super::words::{DateTime, FindingStatus, Severity, VendorTier, words};
use crate::access::{Reader, grant};

/// Characters of a name (vendor, owner, integration), at most.
const NAME_LENGTH_MAX: usize = 200;
/// Domains and integrations of one vendor, at most.
const DOMAINS_MAX: usize = 50;
const INTEGRATIONS_MAX: usize = 50;

/// Findings in one what-if, and repairs in one list, at most.
const FIXED_MAX: usize = 500;
const FIXES_MAX: usize = 20;

/// A company the shop depends on.
pub(crate) struct Vendor(pub(crate) model::Vendor);

connection!(VendorConnection, VendorEdge, Vendor, model::Vendor);

#[Object]
impl Vendor {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its node in the risk graph.
    async fn entity(&self, ctx: &Context<'_>) -> Result<Entity, Fault> {
        grant::<Reader>(ctx)?.entity_of_vendor(&self.0).map(Entity)
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Lower case; the first is the main one.
    async fn domains(&self) -> Vec<&str> {
        self.0.domains.iter().map(Text::as_str).collect()
    }

    async fn tier(&self) -> VendorTier {
        self.0.tier.into()
    }

    /// Who in the shop answers for it.
    async fn owner(&self) -> Option<&str> {
        self.0.owner.as_deref()
    }

    /// The current posture; null until first assessed.
    async fn posture(&self, ctx: &Context<'_>) -> Result<Option<Posture>, Fault> {
        let current = grant::<Reader>(ctx)?.posture(self.0.id).await?;
        Ok(current.map(|model| Posture { vendor: self.0.id, model }))
    }

    /// Newest first.
    async fn posture_history(&self, ctx: &Context<'_>, since: Option<DateTime>) -> Result<Vec<Posture>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let rows = reader.records().postures(self.0.id, since.map(|since| since.0)).await?;
        let rows = reader.spend_list(rows)?;
        Ok(rows.into_iter().map(|model| Posture { vendor: self.0.id, model }).collect())
    }

    /// The posture when these findings (ids) passed.
    async fn what_if(&self, ctx: &Context<'_>, fixed: Vec<ID>) -> Result<Option<Posture>, Fault> {
        if fixed.len() > FIXED_MAX {
            return Err(Fault::new(FaultCode::BadInput, format!("fixed: give at most {FIXED_MAX} findings")));
        }
        let ids = fixed.iter().map(parse_id).collect::<Result<Vec<_>, _>>()?;
        let then = grant::<Reader>(ctx)?.postures().what_if(self.0.id, &ids).await?;
        Ok(then.map(|model| Posture { vendor: self.0.id, model }))
    }

    /// The posture when what is disputed did not count: shown beside the other until the dispute is settled.
    async fn posture_without_disputed(&self, ctx: &Context<'_>) -> Result<Option<Posture>, Fault> {
        let then = grant::<Reader>(ctx)?.postures().without_disputed(self.0.id).await?;
        Ok(then.map(|model| Posture { vendor: self.0.id, model }))
    }

    /// The repairs that lift the score most, best first, each on top of those before it (5 when not given, at most 20).
    async fn fixes(&self, ctx: &Context<'_>, first: Option<i32>) -> Result<Vec<ScoreFix>, Fault> {
        let max = usize::try_from(first.unwrap_or(5)).ok().filter(|max| (1..=FIXES_MAX).contains(max));
        let max = max.ok_or_else(|| Fault::new(FaultCode::BadInput, format!("first: give 1 to {FIXES_MAX}")))?;
        let reader = grant::<Reader>(ctx)?;
        let fixes = reader.spend_list(reader.postures().fixes(self.0.id, max).await?)?;
        Ok(fixes.into_iter().map(ScoreFix::from).collect())
    }

    /// Why the score is another than it was at an instant; null before the first assessment.
    async fn score_diff(
        &self,
        ctx: &Context<'_>,
        since: DateTime,
        until: Option<DateTime>,
    ) -> Result<Option<ScoreDiff>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let found = reader.postures().difference(self.0.id, since.0, until.map(|until| until.0)).await?;
        let Some(mut model) = found else { return Ok(None) };
        model.steps = reader.spend_list(model.steps)?;
        Ok(Some(ScoreDiff { vendor: self.0.id, model }))
    }

    async fn findings(
        &self,
        ctx: &Context<'_>,
        status: Option<Vec<FindingStatus>>,
        min_severity: Option<Severity>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<FindingConnection, Fault> {
        let filter = FindingFilter {
            vendor: Some(self.0.id),
            check: None,
            status: words(status),
            min_severity: min_severity.map(Into::into),
        };
        Finding::page(ctx, filter, first, after).await
    }

    /// The partner connections it runs; the first 100.
    async fn integrations(&self, ctx: &Context<'_>) -> Result<Vec<Integration>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let page = reader.records().integrations(Some(self.0.id), PageRequest::first(PAGE_MAX)).await?;
        let rows = reader.spend(page)?.items;
        Ok(rows.into_iter().map(|(_, integration)| Integration(integration)).collect())
    }

    /// Who this vendor itself depends on.
    async fn fourth_parties(&self, ctx: &Context<'_>) -> Result<Vec<Relation>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let rows = reader.spend_list(reader.graph().fourth_parties(&self.0.entity()))?;
        Ok(rows.into_iter().map(Relation).collect())
    }

    async fn risk(&self, ctx: &Context<'_>) -> Result<Risk, Fault> {
        Ok(Risk::of(grant::<Reader>(ctx)?.graph().risk(self.0.entity().id())))
    }
}

/// What a person gives when adding or changing a vendor.
#[derive(InputObject)]
pub(crate) struct VendorInput {
    name: String,
    /// Registrable or host names; the first is the main one.
    domains: Vec<String>,
    /// How much the shop depends on it; MEDIUM when not given.
    tier: Option<VendorTier>,
    owner: Option<String>,
    /// Short names of the partner connections this vendor runs; what is not declared is resolved by name and domain,
    /// with a confidence on the relation.
    integrations: Option<Vec<String>>,
}

impl VendorInput {
    /// Checks and normalises: names trimmed, domains lower case in IDNA form and without repeats.
    pub(crate) fn checked(self) -> Result<model::VendorInput, Fault> {
        let mut domains: Vec<Text> = Vec::new();
        bounded(self.domains.len(), DOMAINS_MAX, "domains")?;
        for domain in &self.domains {
            let domain = domain_name(domain)?;
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        let integrations = match self.integrations {
            Some(names) => {
                bounded(names.len(), INTEGRATIONS_MAX, "integrations")?;
                Some(names.iter().map(|name| label("integration", name)).collect::<Result<_, Fault>>()?)
            }
            None => None,
        };
        Ok(model::VendorInput {
            name: label("name", &self.name)?,
            domains,
            tier: self.tier.map(Into::into),
            owner: self.owner.map(|owner| label("owner", &owner)).transpose()?,
            integrations,
        })
    }
}

fn bounded(given: usize, max: usize, what: &str) -> Result<(), Fault> {
    if given <= max {
        return Ok(());
    }
    Err(Fault::new(FaultCode::BadInput, format!("a vendor has at most {max} {what}; {given} were given")))
}

/// An input that came another way, checked as one of ours.
pub(crate) fn rechecked(given: model::VendorInput) -> Result<model::VendorInput, Fault> {
    let texts = |list: Vec<Text>| list.into_iter().map(String::from).collect();
    let input = VendorInput {
        name: given.name.into(),
        domains: texts(given.domains),
        tier: given.tier.map(Into::into),
        owner: given.owner.map(Into::into),
        integrations: given.integrations.map(texts),
    };
    input.checked()
}

/// A short text of one line that is not empty.
pub(crate) fn label(what: &str, given: &str) -> Result<Text, Fault> {
    let text = given.trim();
    let n_chars = text.chars().count();
    if n_chars == 0 || n_chars > NAME_LENGTH_MAX || text.chars().any(char::is_control) {
        let message = format!("{what}: give 1 to {NAME_LENGTH_MAX} characters on one line");
        return Err(Fault::new(FaultCode::BadInput, message));
    }
    Ok(Text::from(text))
}

/// A domain name in lower-case ASCII (IDNA 2008 by UTS 46), with at least two labels, not an address.
fn domain_name(given: &str) -> Result<Text, Fault> {
    let trimmed = given.trim().trim_end_matches('.');
    let ascii = idna::domain_to_ascii_strict(trimmed).unwrap_or_default().to_lowercase();
    let is_name = ascii.contains('.') && ascii.len() <= 253 && ascii.parse::<std::net::IpAddr>().is_err();
    if !is_name {
        let shown: String = given.chars().filter(|c| !c.is_control()).take(60).collect();
        let message =
            format!("domains: '{shown}' is no domain name; write it like example.com, without scheme or path");
        return Err(Fault::new(FaultCode::BadInput, message));
    }
    Ok(Text::from(ascii))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_domains_and_refuses_what_is_none() {
        let check = |given: &str, expected: Option<&str>| {
            assert_eq!(domain_name(given).ok().as_deref(), expected, "{given}");
        };
        check("Example.COM.", Some("example.com"));
        check(" pay.example.co.uk ", Some("pay.example.co.uk"));
        check("bücher.example", Some("xn--bcher-kva.example"));
        for bad in ["", "com", "https://example.com", "example.com/x", "a b.example", "192.0.2.1", "..", "-a.example"] {
            check(bad, None);
        }
    }
}
