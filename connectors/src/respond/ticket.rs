//! `ticket`: opens a ticket in GitHub Issues or Jira, once a key: the ticket carries a label made of the key, which is looked
//! for first. Other trackers are a template of the `http` connector. It must *not* know what the ticket is about.
//!
//! <https://docs.github.com/en/rest/issues/issues>, <https://developer.atlassian.com/server/jira/platform/rest/v10000/>.

use std::collections::BTreeMap;

use riskgraph_domain::error::Fault;
use riskgraph_domain::text::Text;
use serde_json::json;
use url::Url;

use super::build::Tools;
use super::config::{TicketConfig, Tracker};
use super::fault::configuration;
use super::http::{ActionTemplate, Backing, CallTemplate, Caller, Expectation, ParameterTemplate, Templated};
use super::ledger::Ledger;
use super::secret::SecretSource;

/// The connector for a tracker.
///
/// # Errors
/// `Configuration` when a setting cannot be used.
pub(super) fn build(name: &str, config: &TicketConfig, tools: &Tools) -> Result<Templated, Fault> {
    let wrong = |what: String| configuration(format!("connector {name}: {what}"));
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.');
    if config.project.is_empty() || !config.project.bytes().all(good) || config.project.contains("..") {
        return Err(wrong("project must be owner/repository (GitHub) or a project's key (Jira)".into()));
    }
    let base = Url::parse(&config.base_url).map_err(|error| wrong(format!("base_url: {error}")))?;
    let ledger = Ledger::open(&tools.state_dir, name, tools.clock.now())?;
    let mut backing = Backing::new(Caller::new(name, &config.net)?, ledger, tools.clock.clone());
    backing.base = Some(base);
    backing.secret = SecretSource::new(&config.token_file, &config.token_env);
    backing.secret.basic_user.clone_from(&config.user);
    backing.secret.required(name)?;
    let scheme = if config.user.is_empty() { "Bearer" } else { "Basic" };
    backing.headers.insert("authorization".to_owned(), format!("{scheme} {{{{secret}}}}"));
    let template = match config.tracker {
        Tracker::Github => {
            backing.headers.insert("accept".to_owned(), "application/vnd.github+json".to_owned());
            backing.headers.insert("x-github-api-version".to_owned(), "2022-11-28".to_owned());
            github(config)
        }
        Tracker::Jira => jira(config),
    };
    Ok(Templated { name: Text::from(name), backing, actions: BTreeMap::from([("open_ticket".to_owned(), template)]) })
}

fn github(config: &TicketConfig) -> ActionTemplate {
    let issues = format!("/repos/{}/issues", config.project);
    let mut labels = vec![json!("riskgraph-{{short_key}}")];
    labels.extend(config.labels.iter().map(|label| json!(label)));
    let mut execute = CallTemplate::new("POST", &issues);
    execute.body = Some(json!({"title": "{{param.title}}", "body": "{{param.text}}\n\n{{reason}}", "labels": labels}));
    execute.expect = vec![201];
    execute.capture = captures([("number", "/number"), ("url", "/html_url")]);
    let mut look =
        CallTemplate::new("GET", &format!("{issues}?labels=riskgraph-{{{{short_key}}}}&state=all&per_page=1"));
    look.holds = vec![Expectation { at: "/0/number".to_owned(), is: None, has: None, exists: Some(true) }];
    look.mine = look.holds.clone();
    look.capture = captures([("number", "/0/number"), ("url", "/0/html_url")]);
    let mut undo = CallTemplate::new("PATCH", &format!("{issues}/{{{{seen.number}}}}"));
    undo.body = Some(json!({"state": "closed", "state_reason": "not_planned"}));
    template(execute, look, Some(undo))
}

fn jira(config: &TicketConfig) -> ActionTemplate {
    let mut labels = vec![json!("riskgraph-{{short_key}}")];
    labels.extend(config.labels.iter().map(|label| json!(label)));
    let mut execute = CallTemplate::new("POST", "/rest/api/2/issue");
    execute.body = Some(json!({"fields": {
        "project": {"key": config.project},
        "issuetype": {"name": config.issue_type},
        "summary": "{{param.title}}",
        "description": "{{param.text}}\n\n{{reason}}",
        "labels": labels,
    }}));
    execute.expect = vec![201];
    execute.capture = captures([("key", "/key")]);
    let query = "jql=labels%3D%22riskgraph-{{short_key}}%22&fields=status&maxResults=1";
    let mut look = CallTemplate::new("GET", &format!("{}?{query}", config.search_path));
    look.holds = vec![Expectation { at: "/issues/0/key".to_owned(), is: None, has: None, exists: Some(true) }];
    look.mine = look.holds.clone();
    look.capture = captures([("key", "/issues/0/key")]);
    // How a ticket is closed is a workflow of the project's own.
    template(execute, look, None)
}

fn template(execute: CallTemplate, look: CallTemplate, undo: Option<CallTemplate>) -> ActionTemplate {
    let parameter = |name: &str, description: &str, required| ParameterTemplate {
        name: name.to_owned(),
        description: description.to_owned(),
        required,
    };
    ActionTemplate {
        description: "Opens a ticket; undone, it is closed where the tracker has one way to close.".to_owned(),
        targets: Vec::new(),
        parameters: vec![
            parameter("title", "Its first line.", true),
            parameter("text", "What to do; the alert is named below it.", false),
        ],
        execute,
        verify: Some(look),
        undo,
        repeatable: false,
    }
}

fn captures<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(name, at)| (name.to_owned(), at.to_owned())).collect()
}
