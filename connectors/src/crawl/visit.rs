//! A visit of a payment page with the scripts its tags name. It must *not* compare it with earlier ones.
//!
//! No script runs: what scripts load themselves is seen in recorded visits, not here.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use riskgraph_domain::Timestamp;
use riskgraph_domain::observation::{PageFacts, WebFacts};
use riskgraph_pages::snapshot::{Snapshot, Visit};
use riskgraph_pages::{churn, code, html};
use tokio::time::{Instant, timeout_at};

use super::HttpCrawler;
use super::fetch::What;
use super::site::Site;

/// Scripts fetched of one page: real checkouts have up to some sixty.
const SCRIPTS_MAX: usize = 100;

/// Where repositories, secrets and backups lie by accident.
const EXPOSED: [&str; 5] = ["/.git/HEAD", "/.env", "/.svn/entries", "/backup.sql", "/wp-config.php.bak"];
/// Of what lies there, characters kept of a line and lines kept.
const LINE_MAX_CHARS: usize = 22;
const LINES_MAX: usize = 50;

impl HttpCrawler {
    /// Looks at a page once. A page that could not be read, or that leads elsewhere, is unseen with the reason.
    pub async fn visit(&self, url: &str, now: Timestamp) -> Snapshot {
        // The semaphore is never closed.
        let _place = self.domains.acquire().await.ok();
        let site = Site::new(&self.tools, Instant::now() + self.tools.limits.deadline);
        let page = match self.source(&site, url).await {
            Ok(page) => page,
            Err(why) => return Snapshot::unseen(url, now, why),
        };
        let Some(last) = page.last() else { return Snapshot::unseen(url, now, "no answer") };
        if churn::page(&last.url) != churn::page(url) {
            return Snapshot::unseen(url, now, format!("the page leads to {}", churn::page(&last.url)));
        }
        let text = text_of(&page).unwrap_or_default();
        let bodies = self.scripts(&site, text, &last.url).await;
        let visit = Visit { url: &last.url, at: now, status: last.status, headers: &last.headers, html: text };
        let mut look = Snapshot::read(visit, |script| bodies.get(script).map(String::as_str));
        look.page = churn::page(url);
        look
    }

    /// The texts of a page's scripts, by address; one that cannot be had is left out.
    async fn scripts(&self, site: &Site<'_>, text: &str, url: &str) -> BTreeMap<String, String> {
        let facts = html::read(text, url).map(|page| page.facts).unwrap_or_default();
        self.texts(site, &facts, SCRIPTS_MAX).await
    }

    async fn texts(&self, site: &Site<'_>, facts: &PageFacts, max: usize) -> BTreeMap<String, String> {
        let urls: BTreeSet<&String> = facts.scripts.iter().filter_map(|script| script.url.as_ref()).collect();
        let urls: Vec<String> = urls.into_iter().filter(|url| url.starts_with("http")).take(max).cloned().collect();
        let fetches = urls.into_iter().map(|url| async move {
            let script = self.source(site, &url).await.ok()?;
            let good = script.last().is_some_and(|last| (200..300).contains(&last.status));
            Some((url, text_of(&script).filter(|_| good)?.to_owned()))
        });
        join_all(fetches).await.into_iter().flatten().collect()
    }

    /// Fetches the scripts of a page and notes what each can do and which libraries are in it.
    pub(super) async fn read_scripts(&self, site: &Site<'_>, web: &mut WebFacts) {
        let Some(page) = web.page.as_mut() else { return };
        let bodies = self.texts(site, page, self.scripts_max).await;
        let repository = self.repository.clone();
        let tags: Vec<String> = page.scripts.iter().filter_map(|script| script.url.clone()).collect();
        // Reading takes longer than an async task may block.
        let read = tokio::task::spawn_blocking(move || {
            let read = |url: &String| code::external(url, bodies.get(url).map(String::as_str), repository.as_deref());
            tags.iter().filter_map(read).collect::<Vec<_>>()
        });
        page.code.extend(read.await.unwrap_or_default());
        page.libraries_read = self.repository.is_some();
    }

    /// Asks for paths that show repositories, secrets and backups, where the operator says that we may.
    pub(super) async fn exposed(&self, site: &Site<'_>, domain: &str, host: &str) -> Vec<WebFacts> {
        let ours = |name: &str| self.authorised.iter().any(|known| known == name);
        if !(ours(domain) || ours(host)) {
            return Vec::new();
        }
        let fetches = EXPOSED.iter().map(|path| self.fetch(site, format!("https://{host}{path}"), What::FileHere));
        let mut all = join_all(fetches).await;
        for text in all.iter_mut().filter_map(|facts| facts.body.as_mut()?.text.as_mut()) {
            *text = blunt(text);
        }
        all
    }

    async fn source(&self, site: &Site<'_>, url: &str) -> Result<WebFacts, String> {
        let fetched = timeout_at(site.deadline, self.fetcher.fetch(site, url, What::Source, None)).await;
        let facts = fetched.map_err(|_| "timed out".to_owned())?;
        match &facts.failure {
            Some(failure) => Err(format!("{failure:?}")),
            None => Ok(facts),
        }
    }
}

/// The text without what is secret in it: enough of each line to tell what it is.
fn blunt(text: &str) -> String {
    let line = |line: &str| match line.split_once('=') {
        Some((name, _)) => format!("{}=", name.chars().take(LINE_MAX_CHARS).collect::<String>()),
        None => line.chars().take(LINE_MAX_CHARS).collect(),
    };
    text.lines().take(LINES_MAX).map(line).collect::<Vec<_>>().join("\n")
}

fn text_of(facts: &WebFacts) -> Option<&str> {
    facts.body.as_ref()?.text.as_deref()
}

#[cfg(test)]
mod tests {
    use super::blunt;

    #[test]
    fn keeps_no_secret() {
        let check = |text: &str, want: &str| assert_eq!(blunt(text), want, "{text}");
        check("ref: refs/heads/main\n", "ref: refs/heads/main");
        check("DB_PASSWORD=hunter2\nKEY=x", "DB_PASSWORD=\nKEY=");
        check("define('DB_PASSWORD', 'hunter2');", "define('DB_PASSWORD', ");
    }
}
