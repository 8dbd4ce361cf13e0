//! What browsers are told they may do: policies with holes, powers for strangers, cookies that reach too far, pages that
//! caches keep, and content that should not be there. Knows no payment rule.

use serde_json::json;

use super::check::{Case, Judged, Skip, Verdict, cut, unknown};
use super::cookies::{self, Purpose};
use super::csp::Policies;
use super::names::{host_of, registrable, same_site};

/// Powers that a page should keep to itself.
const POWERS: &[&str] = &[
    "payment",
    "camera",
    "microphone",
    "geolocation",
    "usb",
    "serial",
    "display-capture",
    "publickey-credentials-get",
];
const LISTED_MAX: usize = 20;

/// HTTP-13: no source of scripts serves JSONP or Angular, which run any code whatever the policy says.
pub(super) fn bypasses(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    if Policies::of(&page).enforced().next().is_none() {
        return Err(Skip::NotApplicable);
    }
    let policies = page.hop.headers_named("content-security-policy").flat_map(|value| value.split(','));
    // Only what every policy lets in gets in; one without the hole closes it.
    let holes: Vec<Vec<String>> = policies.map(riskgraph_pages::csp_evaluator::bypass_hosts).collect();
    let open = !holes.is_empty() && holes.iter().all(|hosts| !hosts.is_empty());
    let hosts: Vec<String> = holes.into_iter().flatten().take(LISTED_MAX).map(|host| cut(&host)).collect();
    Ok(if open { Verdict::warn(json!({ "hosts": hosts })) } else { Verdict::pass(json!({})) })
}

/// HTTP-19: camera, payment and other powers are not given to strangers.
pub(super) fn permissions(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let own = host_of(&page.hop.url).unwrap_or_default();
    let mut given = Vec::new();
    let values = page.hop.headers_named("permissions-policy");
    for (feature, list) in values.flat_map(|value| value.split(',')).filter_map(|part| part.split_once('=')) {
        let feature = feature.trim().to_ascii_lowercase();
        let list = list.split(';').next().unwrap_or("").trim().trim_start_matches('(').trim_end_matches(')');
        let foreign = |item: &str| {
            let item = item.trim_matches('"');
            item == "*" || host_of(item).is_some_and(|host| !same_site(&host, &own))
        };
        if POWERS.contains(&feature.as_str()) {
            given.extend(
                list.split_ascii_whitespace()
                    .filter(|item| foreign(item))
                    .map(|item| format!("{feature} to {}", cut(item))),
            );
        }
    }
    given.truncate(LISTED_MAX);
    Ok(if given.is_empty() { Verdict::pass(json!({})) } else { Verdict::warn(json!({ "given": given })) })
}

/// HTTP-20: session cookies stay on their host.
pub(super) fn cookie_scope(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let jar = cookies::jar(page.facts.hops.iter());
    let sessions: Vec<_> = jar.iter().filter(|cookie| cookie.purpose() == Purpose::Session).collect();
    if sessions.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let wide = sessions.iter().filter_map(|cookie| {
        let domain = cookie.domain.as_deref()?;
        Some(format!("{}: for every host below {}", cut(&cookie.name), cut(registrable(domain).unwrap_or(domain))))
    });
    let unbound = sessions.iter().filter(|cookie| cookie.domain.is_none() && !cookie.name.starts_with("__Host-"));
    let unbound = unbound.map(|cookie| format!("{}: without the prefix __Host-", cut(&cookie.name)));
    let weak: Vec<String> = wide.chain(unbound).take(LISTED_MAX).collect();
    Ok(if weak.is_empty() { Verdict::pass(json!({})) } else { Verdict::warn(json!({ "cookies": weak })) })
}

/// HTTP-21: pages with an account or a payment are kept by no shared cache.
pub(super) fn caching(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let html = page.html()?;
    let secret = html.is_some_and(|html| html.forms.iter().any(|form| form.has_card || form.has_password));
    if !(secret || case.profile.payment_path || case.profile.authentication) {
        return Err(Skip::NotApplicable);
    }
    let value = page.hop.headers_named("cache-control").collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let has = |wanted: &str| value.split(',').any(|part| part.trim().split('=').next() == Some(wanted));
    let closed = has("no-store") || has("private") || (has("no-cache") && !has("public"));
    let evidence = json!({ "cache_control": cut(&value) });
    Ok(if closed { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// HTTP-22: no repository, secrets or backups lie on the web server. Looked for on authorised assets only.
pub(super) fn exposed(case: &Case<'_>) -> Judged {
    let (mut looked, mut found, mut n_asked) = (0, Vec::new(), 0);
    for file in &case.seen.files {
        let path = path_of(&file.url);
        for (_, shows) in EXPOSED.iter().filter(|(known, _)| *known == path) {
            n_asked += 1;
            let Some(hop) = file.last().filter(|_| file.failure.is_none()) else { continue };
            looked += 1;
            let text = file.body.as_ref().and_then(|body| body.text.as_deref()).unwrap_or("");
            // A site that answers everything with its page has nothing there.
            let is_page = text.trim_start().starts_with('<');
            if hop.status == 200 && !is_page && shows(text) {
                found.push(json!({ "url": cut(&file.url), "begins": text.chars().take(12).collect::<String>() }));
            }
        }
    }
    if n_asked == 0 {
        return Err(Skip::NotApplicable);
    }
    if looked == 0 {
        return unknown("no answer to any of the requests");
    }
    Ok(if found.is_empty() {
        Verdict::pass(json!({ "asked": looked }))
    } else {
        Verdict::fail(json!({ "exposed": found }))
    })
}

/// Whether a file's text is what its name says.
type Tells = fn(&str) -> bool;

/// Paths that tell, and how what lies there is recognised.
const EXPOSED: &[(&str, Tells)] = &[
    ("/.git/HEAD", |text| text.starts_with("ref: refs/") || is_commit(text)),
    ("/.env", has_settings),
    ("/.svn/entries", |text| text.lines().next().is_some_and(|line| line.trim().parse::<u32>().is_ok())),
    ("/backup.sql", |text| text.contains("INSERT INTO") || text.contains("CREATE TABLE")),
    ("/wp-config.php.bak", |text| text.contains("DB_PASSWORD")),
];

fn is_commit(text: &str) -> bool {
    let line = text.trim();
    line.len() == 40 && line.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn has_settings(text: &str) -> bool {
    let setting = |line: &&str| {
        line.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        })
    };
    text.lines().take(200).filter(setting).count() >= 2
}

fn path_of(url: &str) -> String {
    url::Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default()
}

/// HTTP-23: the server lists no folder.
pub(super) fn listing(case: &Case<'_>) -> Judged {
    let page = case.page()?;
    let Some(html) = page.html()? else { return Err(Skip::NotApplicable) };
    let title = html.title.as_deref().unwrap_or("").trim();
    let lists = ["Index of /", "Directory listing for /", "Directory Listing For /", "Listing directory /"];
    let evidence = json!({ "title": cut(title) });
    Ok(if lists.iter().any(|start| title.starts_with(start)) {
        Verdict::fail(evidence)
    } else {
        Verdict::pass(evidence)
    })
}
