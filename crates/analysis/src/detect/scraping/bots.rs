//! Who a crawler says it is, and whether its reverse DNS agrees.

use riskgraph_domain::Timestamp;

use super::super::keys::mix;
use super::config::ScrapingConfig;
use crate::baseline::quick_key;
use crate::keyed::Keyed;

/// What is known of a client's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// Nothing claimed.
    None,
    /// Names itself a crawler; nothing proves it.
    Claimed,
    /// Its reverse DNS belongs to a known engine, or to the site its user agent names.
    Confirmed,
}

/// Wide networks from which a crawler that only claims its name may come and still be polite.
const CLAIMED_NETWORKS_MAX: u64 = 8;
/// Highest score of a client that claims to be a crawler and is polite: LOW.
const CLAIMED_SCORE_MAX: f64 = 0.35;

impl Identity {
    /// Reads the identity from user agent and reverse DNS. The sender resolves forward again before it sets `rdns`.
    pub(super) fn of(
        agent: &str,
        rdns: Option<&str>,
        claims: &mut Keyed<Option<bool>>,
        time: Timestamp,
        config: &ScrapingConfig,
    ) -> Self {
        if let Some(name) = rdns.map(|name| name.trim_end_matches('.')).filter(|name| name.contains('.')) {
            let known = config.engines.iter().any(|engine| under(name, engine));
            if known || same_site(name, agent) {
                return Self::Confirmed;
            }
        }
        // The search for words costs microseconds, and the same agents come again and again.
        let known = claims.touch(mix(quick_key(agent)), time);
        let claims = *known.get_or_insert_with(|| config.crawler_words.iter().any(|word| contains(agent, word)));
        if claims { Self::Claimed } else { Self::None }
    }

    /// The score that a client of this identity may have at most.
    pub(super) fn limit(self, score: f64, n_networks: u64) -> f64 {
        let polite = self == Self::Claimed && n_networks <= CLAIMED_NETWORKS_MAX;
        if polite { score.min(CLAIMED_SCORE_MAX) } else { score }
    }
}

/// Whether a host name is this domain or below it.
fn under(name: &str, domain: &str) -> bool {
    let Some(start) = name.len().checked_sub(domain.len()) else { return false };
    name.is_char_boundary(start)
        && name[start..].eq_ignore_ascii_case(domain)
        && (start == 0 || name.as_bytes()[start - 1] == b'.')
}

/// Whether the user agent names the same registrable domain as the reverse DNS: the crawler's own page about itself.
fn same_site(name: &str, agent: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(domain) = psl::domain_str(&name) else { return false };
    let Some(start) = agent.find("://") else { return false };
    let host = agent[start + 3..].split(['/', ' ', ';', ')', ':']).next().unwrap_or_default();
    under(host, domain)
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len().max(1)).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::config::DetectConfig;

    #[test]
    fn believes_names_that_dns_confirms() {
        let config = DetectConfig::shipped().expect("shipped configuration").scraping;
        let check = |agent: &str, rdns: Option<&str>, expected: Identity| {
            let found = Identity::of(agent, rdns, &mut Keyed::new(9), Timestamp(0), &config);
            assert_eq!(found, expected, "{agent} {rdns:?}");
        };
        let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        check(google, Some("crawl-66-249-66-1.googlebot.com"), Identity::Confirmed);
        check(google, Some("crawl.googlebot.com.evil.example"), Identity::Claimed);
        check(google, Some("evilgooglebot.com"), Identity::Claimed);
        check(google, None, Identity::Claimed);
        check("Finder/1.0 (+https://find.example/bot)", Some("a1.crawl.find.example."), Identity::Confirmed);
        check("Mozilla/5.0 (X11) Firefox/124.0", Some("a1.isp.example"), Identity::None);
        check("Mozilla/5.0 (X11) Firefox/124.0", None, Identity::None);
    }
}
