//! What the operator's files say about a domain, matched with what was observed of it.
//!
//! Files of others (NVD, KEV, EPSS, scans, lists) are parsed here from bytes somebody else read, and [`Knowledge::enrich`]
//! writes what concerns a domain into its observations. The checks then need nothing else. Must *not* read files, ask
//! anything, or judge.

mod exposure;
mod incidents;
mod lists;
mod nvd;
mod products;
mod software;
mod version;
mod wappalyzer;

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::Text;
use riskgraph_domain::known::{
    Breach, CodeLeak, EndOfLife, Extortion, KNOWN_MAX, KnownFacts, Scorecard, Software, Vulnerability,
};
use riskgraph_domain::observation::DomainObservations;

pub use exposure::{AddressLists, Buckets, DeliveryNetworks, Routes, ScanIndex};
pub use incidents::{breaches, code_leaks, extortions};
pub use lists::{Cycle, EndOfLifeList, Ended, EpssList, KevList, scorecards};
pub use nvd::{Cve, NvdIndex};
pub use software::recognise;
pub use version::compare;
pub use wappalyzer::Technologies;

/// Everything the operator gave; what was not given is `None` and its checks do not apply.
#[derive(Debug, Default)]
pub struct Knowledge {
    pub technologies: Option<Technologies>,
    pub nvd: Option<NvdIndex>,
    pub kev: Option<KevList>,
    pub epss: Option<EpssList>,
    /// The list before the newest, to see jumps.
    pub epss_before: Option<EpssList>,
    pub end_of_life: Option<EndOfLifeList>,
    /// By domain of the vendor.
    pub scorecards: BTreeMap<String, Vec<Scorecard>>,
    pub scan: Option<ScanIndex>,
    pub buckets: Option<Buckets>,
    pub lists: Option<AddressLists>,
    pub routes: Option<Routes>,
    pub delivery: Option<DeliveryNetworks>,
    /// By domain, as the other two.
    pub breaches: Option<BTreeMap<String, Vec<Breach>>>,
    pub extortions: Option<BTreeMap<String, Vec<Extortion>>>,
    pub code_leaks: Option<BTreeMap<String, Vec<CodeLeak>>>,
}

impl Knowledge {
    /// The `vendor:product` names whose vulnerabilities are worth keeping.
    #[must_use]
    pub fn products(&self) -> BTreeSet<String> {
        let own = products::PRODUCTS.iter().flat_map(|product| product.cpes).map(|&cpe| cpe.to_owned());
        own.chain(self.technologies.iter().flat_map(Technologies::cpes)).collect()
    }

    /// Writes down what is known of the domain.
    pub fn enrich(&self, seen: &mut DomainObservations) {
        let software = recognise(seen, self.technologies.as_ref());
        let domain = seen.domain.as_str();
        let of_domain = |domain: &str| psl::domain_str(domain).unwrap_or(domain).to_owned();
        let registrable = of_domain(domain);
        let addresses = exposure::addresses(seen);
        let delivery = self.delivery.as_ref().map(|networks| networks.of(&addresses));
        let known = KnownFacts {
            vulnerabilities: self.nvd.as_ref().map(|nvd| self.vulnerabilities(nvd, &software)),
            kev_version: self.kev.as_ref().map(|list| list.version.clone()),
            has_epss: self.epss.is_some(),
            end_of_life: self.end_of_life.as_ref().map(|list| ends(list, &software)),
            scorecards: self.scorecards.get(&registrable).cloned(),
            scan: self.scan.as_ref().and_then(|scan| scan.of(domain, &addresses, delivery.as_deref().unwrap_or(&[]))),
            buckets: self.buckets.as_ref().map(|buckets| buckets.of(seen)),
            listed: self.lists.as_ref().map(|lists| lists.of(&addresses, delivery.as_deref().unwrap_or(&[]))),
            origins: self.routes.as_ref().map(|routes| routes.of(&addresses)),
            delivery,
            breaches: self.breaches.as_ref().map(|all| all.get(&registrable).cloned().unwrap_or_default()),
            extortions: self.extortions.as_ref().map(|all| all.get(&registrable).cloned().unwrap_or_default()),
            code_leaks: self.code_leaks.as_ref().map(|all| all.get(&registrable).cloned().unwrap_or_default()),
            software,
        };
        seen.known = Some(known);
    }

    fn vulnerabilities(&self, nvd: &NvdIndex, software: &[Software]) -> Vec<Vulnerability> {
        let mut all: Vec<Vulnerability> = Vec::new();
        for it in software {
            let Some(version) = &it.version else { continue };
            for cve in it.cpes.iter().flat_map(|product| nvd.of(product, version)) {
                let is_known = |known: &Vulnerability| known.cve == cve.id && known.product == it.name;
                if all.iter().any(is_known) {
                    continue;
                }
                all.push(Vulnerability {
                    cve: cve.id.clone(),
                    product: it.name.clone(),
                    version: version.clone(),
                    cvss: cve.cvss,
                    published: cve.published,
                    kev: self.kev.as_ref().and_then(|list| list.of(&cve.id)).cloned(),
                    epss: self.epss.as_ref().and_then(|list| list.of(&cve.id)),
                    epss_before: self.epss_before.as_ref().and_then(|list| list.of(&cve.id)),
                    n_signals: u32::try_from(it.n_signals()).unwrap_or(u32::MAX),
                    backported_by: it.backported_by.clone(),
                });
            }
        }
        // The worst first, so that a cut takes the least.
        let weight = |it: &Vulnerability| {
            let exploited = if it.kev.is_some() { 100.0 } else { 0.0 };
            exploited + it.epss.unwrap_or(0.0) * 10.0 + it.cvss.unwrap_or(0.0)
        };
        all.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| a.cve.cmp(&b.cve)));
        all.truncate(KNOWN_MAX);
        all
    }
}

/// Recognised versions whose line has a known end, past or to come.
fn ends(list: &EndOfLifeList, software: &[Software]) -> Vec<EndOfLife> {
    let ended = software.iter().filter_map(|it| {
        let version = it.version.as_ref()?;
        let cycle = list.of(&it.name, version)?;
        let ended = match cycle.ended {
            Ended::No => return None,
            Ended::Yes => None,
            Ended::On(day) => Some(day),
        };
        Some(EndOfLife {
            product: it.name.clone(),
            version: version.clone(),
            cycle: cycle.name.clone(),
            ended,
            backported_by: it.backported_by.clone(),
        })
    });
    ended.take(KNOWN_MAX).collect()
}

/// The registrable domain of a text from a file, lower case.
fn registrable_of(text: &str) -> Option<String> {
    let host = text.trim().trim_start_matches("https://").trim_start_matches("http://");
    let host = host.split(['/', ':']).next()?.trim_end_matches('.').to_ascii_lowercase();
    psl::domain_str(&host).map(str::to_owned)
}

/// A text cut to a length that goes into facts.
fn cut(text: &str) -> Text {
    Text::from(text.chars().take(200).collect::<String>())
}

#[cfg(test)]
mod tests;
