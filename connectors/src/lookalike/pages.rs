//! How like two pages are: their text, their titles, and whose files they load. Knows no socket.

use riskgraph_domain::lookalike::PageLikeness;
use riskgraph_domain::observation::{PageFacts, WebFacts};
use url::Url;

/// Pages looked at behind the lookalikes of one domain: those with addresses, best permutations first.
pub const PAGES_MAX: usize = 40;
/// Titles that many sites have.
const COMMON_TITLES: &[&str] =
    &["home", "index", "welcome", "login", "sign in", "shop", "default", "untitled", "domain"];

/// How the page found behind a lookalike is like the domain's own; `None` when it showed no page.
#[must_use]
pub fn likeness(domain: &str, own: Option<&PageFacts>, other: &WebFacts) -> Option<PageLikeness> {
    let last = other.last().filter(|hop| hop.status < 400)?;
    let page = other.page.as_ref()?;
    let text = own.map_or(0.0, |own| shared(&own.sketch, &page.sketch));
    let title = |page: &PageFacts| page.title.as_deref().map(|title| title.trim().to_lowercase());
    let same_title = own.and_then(title).is_some_and(|own| {
        own.chars().count() >= 4 && !COMMON_TITLES.contains(&own.as_str()) && title(page).as_deref() == Some(&own)
    });
    let scripts = page.scripts.iter().filter_map(|script| script.url.as_deref());
    let loaded = scripts.chain(page.resources.iter().map(String::as_str)).chain(page.frames.iter().map(String::as_str));
    let n_borrowed = loaded.filter(|url| is_of(url, domain)).count();
    Some(PageLikeness {
        text,
        same_title,
        n_borrowed: u32::try_from(n_borrowed).unwrap_or(u32::MAX),
        asks_password: page.forms.iter().any(|form| form.has_password),
        asks_card: page.forms.iter().any(|form| form.has_card),
        url: last.url.chars().take(500).collect(),
    })
}

/// Whether a URL is of the domain itself or below it.
#[must_use]
pub fn is_of(url: &str, domain: &str) -> bool {
    let host = Url::parse(url).ok().and_then(|url| url.domain().map(str::to_ascii_lowercase));
    host.is_some_and(|host| match host.strip_suffix(domain) {
        Some(before) => before.is_empty() || before.ends_with('.'),
        None => false,
    })
}

fn shared(a: &[u32], b: &[u32]) -> f64 {
    if a.is_empty() || a.len() != b.len() {
        return 0.0;
    }
    a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::observation::{FormTag, Hop, Peer};

    use super::*;

    fn page(title: &str, sketch: &[u32]) -> PageFacts {
        PageFacts { title: Some(title.to_owned()), sketch: sketch.to_vec(), ..PageFacts::default() }
    }

    fn fetched(url: &str, status: u16, page: PageFacts) -> WebFacts {
        WebFacts {
            url: url.to_owned(),
            peer: Peer::Verified,
            hops: vec![Hop { url: url.to_owned(), status, headers: Vec::new() }],
            failure: None,
            body: None,
            page: Some(page),
        }
    }

    #[test]
    fn pages_are_compared() {
        let own = page("The Example Shop", &[1, 2, 3, 4]);
        let check = |other: PageFacts, want: (f64, bool, u32)| {
            let got =
                likeness("example.com", Some(&own), &fetched("https://examp1e.com/", 200, other)).expect("a page");
            assert_eq!((got.text, got.same_title, got.n_borrowed), want, "{got:?}");
        };
        check(own.clone(), (1.0, true, 0));
        check(page("Something else", &[1, 2, 9, 9]), (0.5, false, 0));
        let mut borrowing = page(" the example SHOP ", &[]);
        borrowing.resources =
            ["https://cdn.example.com/logo.png", "https://example.com/s.css", "https://notexample.com/x.png"]
                .map(str::to_owned)
                .to_vec();
        check(borrowing, (0.0, true, 2));
        let mut asking = page("Login", &[]);
        asking.forms.push(FormTag {
            action: String::new(),
            method: "post".into(),
            has_password: true,
            has_card: false,
        });
        let got = likeness("example.com", None, &fetched("https://x.com/", 200, asking)).expect("a page");
        assert!(got.asks_password && !got.asks_card && !got.same_title);
        assert_eq!(likeness("example.com", Some(&own), &fetched("https://x.com/", 404, own.clone())), None);
    }
}
