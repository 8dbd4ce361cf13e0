//! What people write as a channel's target, checked and in a form that may be shown.

use riskgraph_domain::delivery::ChannelKind;
use url::Url;

use crate::net::Outside;

/// Longest URL taken.
const URL_MAX_BYTES: usize = 2_048;
/// Where PagerDuty takes events when nothing else is said.
pub(super) const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// Where Splunk's collector takes events when the URL has no path.
const SPLUNK_PATH: &str = "/services/collector/event";

/// The URL of a channel's target.
pub(super) fn url_of(kind: ChannelKind, target: &str) -> Result<Url, String> {
    let target = target.trim();
    if target.len() > URL_MAX_BYTES {
        return Err(format!("a URL has at most {URL_MAX_BYTES} bytes"));
    }
    let target = if target.is_empty() && kind == ChannelKind::Pagerduty { PAGERDUTY_URL } else { target };
    let mut url = Url::parse(target).map_err(|error| format!("no URL ({error}); write it like https://host/path"))?;
    url.set_fragment(None);
    if kind == ChannelKind::Splunk && matches!(url.path(), "" | "/") {
        url.set_path(SPLUNK_PATH);
    }
    Ok(url)
}

/// Checks a URL and gives what may be shown of it: never its user, password or query, and no path where that is the secret.
pub(super) fn check_url(outside: &Outside, kind: ChannelKind, target: &str) -> Result<String, String> {
    let url = url_of(kind, target)?;
    outside.check(&url).map_err(|problem| problem.to_string())?;
    Ok(shown(kind, &url))
}

fn shown(kind: ChannelKind, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = match kind {
        ChannelKind::Slack | ChannelKind::Teams => "/…",
        _ => url.path(),
    };
    let query = if url.query().is_some() { "?…" } else { "" };
    format!("{}://{host}{port}{path}{query}", url.scheme())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_no_secret_of_a_url() {
        let check = |kind, given: &str, want: &str| {
            assert_eq!(url_of(kind, given).map(|url| shown(kind, &url)).as_deref(), Ok(want), "{given}");
        };
        check(ChannelKind::Webhook, "https://user:pw@hook.example:8443/in?key=abc#f", "https://hook.example:8443/in?…");
        check(ChannelKind::Slack, "https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/…");
        check(ChannelKind::Teams, "https://prod.logic.azure.com/workflows/1?sig=s", "https://prod.logic.azure.com/…?…");
        check(ChannelKind::Pagerduty, "", PAGERDUTY_URL);
        check(ChannelKind::Splunk, "https://hec.example:8088", "https://hec.example:8088/services/collector/event");
        check(ChannelKind::Splunk, "https://hec.example/services/collector", "https://hec.example/services/collector");
        assert!(url_of(ChannelKind::Webhook, "").is_err() && url_of(ChannelKind::Slack, "hooks.slack.com").is_err());
    }
}
