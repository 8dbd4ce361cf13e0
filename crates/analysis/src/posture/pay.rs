//! Payment pages and foreign code (PCI DSS 4.0.1, 6.4.3 and 11.6.1). Knows what was seen and what the ledger says, not how
//! either came about.

use riskgraph_domain::Severity;
use riskgraph_domain::observation::{DnsAnswer, PageFacts, PageStanding};
use riskgraph_pages::ledger::is_provider;
use riskgraph_pages::script::is_borrowed;
use serde_json::json;

use super::check::{Case, Judged, PageView, Skip, Verdict, cut, unknown};
use super::csp::{self, Policies};
use super::names::{host_of, same_site};
use super::scripts;

/// Names shown of one list.
const LISTED_MAX: usize = 20;

type Page<'a> = (PageView<'a>, &'a PageFacts);

/// The page and its HTML; does not apply to pages that are none.
fn html<'a>(case: &Case<'a>) -> Result<Page<'a>, Skip> {
    let page = case.page()?;
    match page.html()? {
        Some(html) => Ok((page, html)),
        None => Err(Skip::NotApplicable),
    }
}

/// A page where people pay: declared, with a field for cards, or with a provider's frame.
fn payment<'a>(case: &Case<'a>) -> Result<Page<'a>, Skip> {
    let (page, html) = html(case)?;
    let frames = html.frames.iter().filter_map(|frame| host_of(frame)).any(|host| is_provider(&host));
    let pays = case.profile.payment_path || html.forms.iter().any(|form| form.has_card) || frames;
    if pays { Ok((page, html)) } else { Err(Skip::NotApplicable) }
}

/// What the ledger says; does not apply to pages that nobody declared.
fn standing<'a>(case: &Case<'a>) -> Result<&'a PageStanding, Skip> {
    html(case)?.1.standing.as_ref().ok_or(Skip::NotApplicable)
}

fn listed<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    all.take(LISTED_MAX).map(cut).collect()
}

/// Passes an empty list; else the worse verdict with it as evidence.
fn none_of(what: &str, all: Vec<String>, worse: fn(serde_json::Value) -> Verdict) -> Verdict {
    if all.is_empty() { Verdict::pass(json!({})) } else { worse(json!({ what: all })) }
}

/// PAY-01: every script is in the inventory.
pub(super) fn inventory(case: &Case<'_>) -> Judged {
    let standing = standing(case)?;
    Ok(none_of("unlisted", listed(standing.unlisted.iter().map(String::as_str)), Verdict::fail))
}

/// PAY-02: every script is authorised with a reason.
pub(super) fn authorised(case: &Case<'_>) -> Judged {
    let standing = standing(case)?;
    Ok(none_of("without_authorisation", listed(standing.unauthorised.iter().map(String::as_str)), Verdict::warn))
}

/// PAY-03: every script is held to its content: by SRI, by a hash or by a nonce of the policy.
pub(super) fn integrity(case: &Case<'_>) -> Judged {
    let (page, html) = payment(case)?;
    let policies = Policies::of(&page);
    let values: Vec<&str> = page.hop.headers_named("content-security-policy").collect();
    let held = |kind: &str| policies.enforced().next().is_some() && values.iter().any(|value| value.contains(kind));
    let (nonce, hash) = (held("'nonce-"), held("'sha"));
    let loose = html.scripts.iter().filter(|script| {
        let pinned = script.integrity.as_deref().is_some_and(|value| value.contains("sha"));
        !(pinned || nonce || (hash && script.src.is_none()))
    });
    let names = loose.map(|script| script.url.as_deref().unwrap_or("inline"));
    Ok(none_of("without_integrity", listed(names), Verdict::warn))
}

/// PAY-04, PAY-05, PAY-07: nothing changed that nobody has looked at.
fn changes(case: &Case<'_>, check: &str) -> Judged {
    let standing = standing(case)?;
    let found = standing.changes.iter().filter(|(of, _, _)| of.as_str() == check);
    let shown: Vec<String> = found.take(LISTED_MAX).map(|(_, what, why)| cut(&format!("{what}: {why}"))).collect();
    Ok(none_of("changes", shown, Verdict::fail))
}

/// PAY-04: scripts have the content they had.
pub(super) fn content(case: &Case<'_>) -> Judged {
    changes(case, "PAY-04")
}

/// PAY-05: the headers that protect the page are what they were.
pub(super) fn headers(case: &Case<'_>) -> Judged {
    changes(case, "PAY-05")
}

/// PAY-07: the page speaks to no host that is new.
pub(super) fn hosts(case: &Case<'_>) -> Judged {
    changes(case, "PAY-07")
}

/// PAY-06: the page is looked at every seven days.
pub(super) fn weekly(case: &Case<'_>) -> Judged {
    Ok(match standing(case)?.overdue_days {
        Some(days) => Verdict::fail(json!({ "days_since_last_look": days })),
        None => Verdict::pass(json!({})),
    })
}

/// PAY-09: frames on a payment page are the provider's.
pub(super) fn frames(case: &Case<'_>) -> Judged {
    let (page, html) = payment(case)?;
    let own = host_of(&page.hop.url).unwrap_or_default();
    let hosts: Vec<String> = html.frames.iter().filter_map(|frame| host_of(frame)).collect();
    let foreign: Vec<&String> = hosts.iter().filter(|host| !same_site(host, &own)).collect();
    let wrong: Vec<&str> = foreign.iter().filter(|host| is_borrowed(host)).map(|host| host.as_str()).collect();
    let plain = html.frames.iter().any(|frame| frame.starts_with("http://"));
    let unknown_hosts: Vec<&str> = foreign.iter().filter(|host| !is_provider(host)).map(|host| host.as_str()).collect();
    let evidence = json!({ "frames": listed(hosts.iter().map(String::as_str)), "not_of_a_known_provider": listed(unknown_hosts.iter().copied()) });
    Ok(if !wrong.is_empty() || plain {
        Verdict::fail(evidence)
    } else if !unknown_hosts.is_empty() {
        Verdict::warn(evidence).severity(Severity::Medium).confidence(0.6)
    } else {
        Verdict::pass(evidence)
    })
}

/// PAY-10: no script looks like a card skimmer.
pub(super) fn skimmer(case: &Case<'_>) -> Judged {
    let (_, html) = html(case)?;
    if html.code.iter().all(|code| code.size_bytes == 0) {
        return if html.scripts.is_empty() {
            Err(Skip::NotApplicable)
        } else {
            unknown("the text of no script was read")
        };
    }
    let of_provider = |url: &Option<String>| url.as_deref().and_then(host_of).is_some_and(|host| is_provider(&host));
    let suspects: Vec<_> = html
        .code
        .iter()
        .filter(|code| code.behaviour.skimmer_score >= case.config.pay.skimmer_score && !of_provider(&code.url))
        .take(LISTED_MAX)
        .map(|code| {
            json!({
                "script": code.url.as_deref().map_or_else(|| "inline".to_owned(), cut), "sha256": code.sha256,
                "score": code.behaviour.skimmer_score, "signs": code.behaviour.indicators, "hosts": code.behaviour.hosts,
            })
        })
        .collect();
    let score = html.code.iter().map(|code| code.behaviour.skimmer_score).fold(0.0, f64::max);
    Ok(if suspects.is_empty() {
        Verdict::pass(json!({ "highest_score": score }))
    } else {
        Verdict::fail(json!({ "suspects": suspects })).confidence(score)
    })
}

/// Hosts of foreign scripts, each once.
fn foreign_hosts(page: &PageView<'_>, html: &PageFacts) -> Vec<String> {
    let own = host_of(&page.hop.url).unwrap_or_default();
    let mut hosts: Vec<String> = scripts::sources(&page.hop.url, html).iter().map(scripts::Source::host).collect();
    hosts.retain(|host| !same_site(host, &own));
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// PAY-11: no script comes from a host that borrows a known name.
pub(super) fn borrowed(case: &Case<'_>) -> Judged {
    let (page, html) = html(case)?;
    let hosts = foreign_hosts(&page, html);
    if hosts.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let wrong = hosts.iter().filter(|host| is_borrowed(host)).map(String::as_str);
    Ok(none_of("borrowed_names", listed(wrong), Verdict::fail).confidence(0.85))
}

/// PAY-12: every script host exists.
pub(super) fn dangling(case: &Case<'_>) -> Judged {
    let (page, html) = html(case)?;
    let hosts = foreign_hosts(&page, html);
    let asked = hosts.iter().filter_map(|host| Some((host, case.seen.dns.answer(host, "A")?)));
    let known: Vec<_> = asked.filter(|(_, answer)| !matches!(answer, DnsAnswer::Failed(_))).collect();
    if hosts.is_empty() {
        return Err(Skip::NotApplicable);
    }
    if known.is_empty() {
        return unknown("the names of script hosts were not resolved");
    }
    let gone = known.iter().filter(|(_, answer)| matches!(answer, DnsAnswer::NxDomain)).map(|(host, _)| host.as_str());
    Ok(none_of("do_not_exist", listed(gone), Verdict::fail))
}

/// PAY-13: the policy of a payment page is strict and reports.
pub(super) fn strict_policy(case: &Case<'_>) -> Judged {
    let (page, _) = payment(case)?;
    let policies = Policies::of(&page);
    let verdict = csp::policy(case)?;
    let reports = policies.has("report-uri") || policies.has("report-to");
    let evidence = json!({ "policy": verdict.evidence, "reports": reports });
    Ok(match verdict.result {
        riskgraph_domain::posture::CheckResult::Fail => Verdict::fail(evidence),
        riskgraph_domain::posture::CheckResult::Warn => Verdict::warn(evidence),
        _ if !reports => Verdict::warn(evidence),
        _ => Verdict::pass(evidence),
    })
}

/// PAY-14: no tag manager on a payment page: whoever holds its account changes the page.
pub(super) fn tag_manager(case: &Case<'_>) -> Judged {
    const MANAGERS: &[&str] = &[
        "googletagmanager.com",
        "tagcommander.com",
        "tealiumiq.com",
        "adobedtm.com",
        "ensighten.com",
        "tagmanager.cz",
        "commander1.com",
        "segment.com",
        "segment.io",
        "tiqcdn.com",
    ];
    let (page, html) = payment(case)?;
    let hosts = foreign_hosts(&page, html);
    let is_manager = |host: &&String| super::names::registrable(host).is_some_and(|domain| MANAGERS.contains(&domain));
    Ok(none_of("tag_managers", listed(hosts.iter().filter(is_manager).map(String::as_str)), Verdict::warn))
}

/// PAY-15: no library with known vulnerabilities.
pub(super) fn libraries(case: &Case<'_>) -> Judged {
    let (_, html) = html(case)?;
    if !html.libraries_read {
        return if html.scripts.is_empty() {
            Err(Skip::NotApplicable)
        } else {
            unknown("no repository of libraries was at hand")
        };
    }
    let all = || html.code.iter().flat_map(|code| &code.libraries);
    let bad = |severities: &[&str]| -> Vec<String> {
        let flawed = all()
            .filter(|library| library.vulnerabilities.iter().any(|flaw| severities.contains(&flaw.severity.as_str())));
        let shown = flawed.map(|library| {
            let ids: Vec<&str> =
                library.vulnerabilities.iter().flat_map(|flaw| flaw.ids.first()).map(String::as_str).collect();
            format!("{} {}: {}", library.component, library.version, ids.join(", "))
        });
        shown.map(|text| cut(&text)).take(LISTED_MAX).collect()
    };
    let (high, other) = (bad(&["high", "critical"]), bad(&["low", "medium", "none"]));
    // One extractor alone may be wrong about the version: a name or address is what somebody wrote.
    let sure = all().any(|library| {
        !library.vulnerabilities.is_empty() && library.detections.iter().any(|how| how != "uri" && how != "filename")
    });
    let confidence = if sure { 0.95 } else { 0.7 };
    Ok(if !high.is_empty() {
        Verdict::fail(json!({ "libraries": high })).confidence(confidence)
    } else if !other.is_empty() {
        Verdict::warn(json!({ "libraries": other })).severity(Severity::Medium).confidence(confidence)
    } else {
        Verdict::pass(json!({ "libraries": all().count() }))
    })
}

/// PAY-16: no script from a host whose owner has changed into an attacker.
pub(super) fn hijacked(case: &Case<'_>) -> Judged {
    let (page, html) = html(case)?;
    let hosts = foreign_hosts(&page, html);
    if hosts.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let known = &case.config.pay.hijacked_hosts;
    let is_known = |host: &&String| {
        known.iter().any(|bad| *host == bad || host.strip_suffix(bad.as_str()).is_some_and(|rest| rest.ends_with('.')))
    };
    Ok(none_of("hijacked", listed(hosts.iter().filter(is_known).map(String::as_str)), Verdict::fail))
}
