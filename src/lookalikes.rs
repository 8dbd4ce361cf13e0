//! Looks for the lookalikes of a domain: names from analysis, answers and pages from the connectors.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use riskgraph_analysis::lookalike::{CertificateIndex, Name, Words, additions, permutations, suppress};
use riskgraph_connectors::crawl::HttpCrawler;
use riskgraph_connectors::lookalike::{Bulk, BulkOptions, PAGES_MAX, likeness};
use riskgraph_domain::lookalike::{Brand, CertificateSource, LOOKALIKES_MAX, Lookalike, LookalikeFacts};
use riskgraph_domain::observation::{DomainObservations, WebFacts};
use riskgraph_domain::{Fault, FaultCode, Text};
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::Config;
use crate::knowledge::read_file;

/// Permutations asked of one domain: the longest names make hundreds of thousands, nearly all of them double homoglyphs.
const NAMES_MAX: usize = 20_000;
/// Pages looked at in one moment.
const PARALLEL_PAGES: usize = 4;
/// Time for all questions, and for all pages: an assessment of a vendor has some minutes for all of its domains.
const QUESTIONS_TIME: Duration = Duration::from_secs(60);
const PAGES_TIME: Duration = Duration::from_secs(30);

/// Watches over names that look like those of vendors and of the shop.
pub struct Watch {
    crawler: Arc<HttpCrawler>,
    bulk: Bulk,
    own: BTreeSet<String>,
    /// Vendors' domains are looked at too.
    vendors: bool,
    certificates: Option<CertificateIndex>,
}

impl Watch {
    /// The watch as configured; `None` when it is to look at nothing.
    ///
    /// # Errors
    /// When a name, the resolver or the list of certificates cannot be used.
    pub fn new(config: &Config, crawler: Arc<HttpCrawler>) -> Result<Option<Self>, Fault> {
        let settings = &config.lookalikes;
        if settings.own.is_empty() && !settings.vendors {
            return Ok(None);
        }
        let own: Result<BTreeSet<String>, Fault> = settings.own.iter().map(|domain| ascii(domain)).collect();
        let certificates = match settings.certificates_file.as_os_str().is_empty() {
            true => None,
            false => Some(certificates(&settings.certificates_file)?),
        };
        let bulk = Bulk::new(resolver(&config.crawler.resolver)?);
        Ok(Some(Self { crawler, bulk, own: own?, vendors: settings.vendors, certificates }))
    }

    /// Looks for the lookalikes of what was observed and writes them down.
    pub async fn look(&self, seen: &mut DomainObservations) {
        let domain = seen.domain.as_str();
        let of = if self.own.contains(domain) { Brand::Own } else { Brand::Vendor };
        let Some(name) = Name::parse(domain).ok().filter(|_| of == Brand::Own || self.vendors) else { return };
        let words = Words::default();
        let mut names: Vec<(Text, Text)> = Vec::new();
        for made in permutations(&name, &words).into_iter().chain(additions(&name, &words)).skip(1).take(NAMES_MAX) {
            names.push((Text::from(made.fuzzer.as_str()), made.domain));
        }
        let n_asked = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let Ok(Ok(mut found)) = timeout(QUESTIONS_TIME, self.bulk.look(names)).await else {
            tracing::warn!(domain, "the resolver did not answer in time about lookalikes; they stay unknown");
            seen.lookalikes = Some(LookalikeFacts { of, n_asked, n_unanswered: n_asked, ..LookalikeFacts::default() });
            return;
        };
        let n_unanswered = found.iter().filter(|lookalike| lookalike.registered.is_none()).count();
        for lookalike in &mut found {
            let index = self.certificates.as_ref();
            lookalike.certificate = index.and_then(|index| index.newest(&lookalike.domain)).cloned();
        }
        found.retain(|lookalike| !lookalike.dns.is_empty() || lookalike.certificate.is_some());
        self.look_at_pages(name.ascii(), seen.https.as_ref(), &mut found).await;
        found.iter_mut().for_each(|lookalike| suppress(lookalike, name.ascii()));
        // What counts comes first, so that a cut takes noise.
        found.sort_by_key(|lookalike| lookalike.suppressed.is_some());
        found.truncate(LOOKALIKES_MAX);
        let certificates = match self.certificates {
            Some(_) => CertificateSource::File,
            None => CertificateSource::None,
        };
        let n_unanswered = u32::try_from(n_unanswered).unwrap_or(u32::MAX);
        seen.lookalikes = Some(LookalikeFacts { of, n_asked, n_unanswered, found, certificates });
    }

    async fn look_at_pages(&self, domain: &str, own: Option<&WebFacts>, found: &mut [Lookalike]) {
        let own = own.and_then(|web| web.page.as_ref());
        let mut worth: Vec<usize> = (0..found.len())
            .filter(|&at| {
                let lookalike = &found[at];
                let mut judged = lookalike.clone();
                suppress(&mut judged, domain);
                judged.suppressed.is_none() && !(lookalike.dns.a.is_empty() && lookalike.dns.aaaa.is_empty())
            })
            .collect();
        worth.truncate(PAGES_MAX);
        let hosts: Vec<(usize, String)> = worth.into_iter().map(|at| (at, found[at].domain.to_string())).collect();
        let crawler = &self.crawler;
        let mut pages = futures::stream::iter(hosts)
            .map(|(at, host)| async move { (at, likeness(domain, own, &crawler.page_of(&host).await)) })
            .buffer_unordered(PARALLEL_PAGES);
        let end = Instant::now() + PAGES_TIME;
        while let Ok(Some((at, page))) = timeout_at(end, pages.next()).await {
            found[at].page = page;
        }
    }
}

fn ascii(domain: &str) -> Result<String, Fault> {
    let name = Name::parse(domain)
        .map_err(|problem| Fault::new(FaultCode::Configuration, format!("lookalikes.own: {problem}")))?;
    Ok(name.ascii().to_owned())
}

/// How DNS is asked in bulk: through this resolver, or the system's.
///
/// # Errors
/// When the address is wrong or the system names no resolver.
pub fn resolver(address: &str) -> Result<BulkOptions, Fault> {
    let wrong = |message: String| Fault::new(FaultCode::Configuration, message);
    if address.is_empty() {
        return BulkOptions::system()
            .ok_or_else(|| wrong("/etc/resolv.conf names no resolver; name one, ADDRESS:PORT".to_owned()));
    }
    let with_port = address.parse().or_else(|_| address.parse().map(|ip| std::net::SocketAddr::new(ip, 53)));
    with_port
        .map(BulkOptions::of)
        .map_err(|_| wrong(format!("the resolver '{address}' is not ADDRESS:PORT such as 192.0.2.53:53")))
}

fn certificates(file: &std::path::Path) -> Result<CertificateIndex, Fault> {
    let bytes = read_file("lookalikes.certificates_file", file)?;
    let (index, n_bad) = CertificateIndex::parse(&String::from_utf8_lossy(&bytes));
    if n_bad > 0 {
        tracing::warn!(n_bad, file = %file.display(), "entries of the list of certificates could not be read");
    }
    Ok(index)
}
