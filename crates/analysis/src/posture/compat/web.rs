//! What csp-evaluator and retire.js say of the page. It must *not* judge itself.

use riskgraph_domain::observation::{DomainObservations, PageFacts, WebFacts};
use riskgraph_pages::csp_evaluator as evaluator;
use serde_json::{Value, json};

/// Policies judged of one page.
const POLICIES_MAX: usize = 20;

fn page(seen: &DomainObservations) -> Option<&WebFacts> {
    let good = |web: &&WebFacts| web.failure.is_none() && !web.hops.is_empty();
    seen.https.as_ref().filter(good).or_else(|| seen.http.as_ref().filter(good))
}

/// csp-evaluator 1.1.8 on every policy of the page; absent without one.
pub(super) fn csp_evaluator(seen: &DomainObservations) -> Option<Value> {
    let web = page(seen)?;
    let header = web.last()?.headers_named("content-security-policy").flat_map(|value| value.split(','));
    let metas = web.page.iter().flat_map(|page: &PageFacts| page.http_equivs.as_ref().unwrap_or(&page.metas));
    let meta = metas.filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-security-policy"));
    let all = header.chain(meta.map(|(_, value)| value.as_str())).map(str::trim).filter(|policy| !policy.is_empty());
    let policies: Vec<Value> = all
        .take(POLICIES_MAX)
        .map(|policy| match evaluator::findings(policy) {
            Some(findings) => json!({ "policy": policy, "findings": findings }),
            None => json!({ "policy": policy, "error": "a source is no URL" }),
        })
        .collect();
    (!policies.is_empty()).then(|| json!({ "version": "1.1.8", "policies": policies }))
}

/// Components as retire.js finds them; absent when no repository was at hand.
pub(super) fn retire(seen: &DomainObservations) -> Option<Value> {
    let page = page(seen)?.page.as_ref().filter(|page| page.libraries_read)?;
    let found = page.code.iter().flat_map(|code| code.libraries.iter().map(move |library| (code, library)));
    let components: Vec<Value> = found
        .map(|(code, library)| {
            json!({
                "component": library.component, "version": library.version, "detection": library.detections,
                "url": code.url, "vulnerabilities": library.vulnerabilities,
            })
        })
        .collect();
    Some(json!({ "components": components }))
}
