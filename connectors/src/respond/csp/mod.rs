//! `csp`: switches off one vendor's script on checkout by the content security policy the edge sends.
//!
//! The policy's script sources stand in a file, one a line; a line of ours that is off reads
//! `# riskgraph <keys> until <time> | <the line as it was>`, in its old place, so that undo restores it exactly. It must
//! *not* know pages, nor change any other line.

use std::path::PathBuf;

use async_trait::async_trait;
use reqwest::Method;
use riskgraph_domain::EntityKind;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use self::sources::{Match, Wanted};
use super::command::Argv;
use super::config::CspConfig;
use super::fault::{configuration, conflict};
use super::file;
use super::http::{Call, Caller};
use super::mark::{self, Mark};
use super::spec;

mod sources;

/// Between the mark and the line that is off.
const BAR: &str = " | ";

/// Rewrites the list of script sources.
pub(super) struct Csp {
    name: Text,
    file: PathBuf,
    reload: Option<Argv>,
    /// A page whose policy shows the effect.
    probe: Option<(Caller, Url)>,
    turn: Mutex<()>,
}

/// How a script stands in the list.
struct Stands {
    /// Expressions that let it through now.
    on: Vec<String>,
    /// Whether this key switched some off.
    mine: bool,
    /// Whether other runs did.
    others: bool,
    n_sources: usize,
}

impl Csp {
    pub(super) fn new(name: &str, config: &CspConfig) -> Result<Self, Fault> {
        let wrong = |what: String| configuration(format!("connector {name}: {what}"));
        if config.file.as_os_str().is_empty() {
            return Err(wrong("file is empty".into()));
        }
        let probe = if config.probe_url.is_empty() {
            None
        } else {
            let url = Url::parse(&config.probe_url).map_err(|error| wrong(format!("probe_url: {error}")))?;
            Some((Caller::new(name, &config.net)?, url))
        };
        let reload = Argv::new(&format!("connector {name}: reload"), &config.reload)?;
        Ok(Self { name: Text::from(name), file: config.file.clone(), reload, probe, turn: Mutex::new(()) })
    }

    async fn write(&self, before: &str, after: String) -> Result<(), Fault> {
        file::replace(&self.file, before, after).await?;
        self.reload().await
    }

    async fn reload(&self) -> Result<(), Fault> {
        match &self.reload {
            Some(reload) => reload.run(b"").await.map(drop),
            None => Ok(()),
        }
    }

    /// What the page's own policy says; `None` without a probe.
    async fn probe(&self, wanted: &Wanted) -> Result<Option<(bool, String)>, Fault> {
        let Some((caller, url)) = &self.probe else { return Ok(None) };
        let answer = caller.call(Call::new(Method::GET, url.clone())).await?;
        let policies: Vec<&str> =
            answer.headers.get_all("content-security-policy").iter().filter_map(|value| value.to_str().ok()).collect();
        if policies.is_empty() {
            return Ok(Some((false, format!("{} sends no policy", url.path()))));
        }
        // A script must pass every policy, so one that keeps it out is enough.
        let kept_out = policies.iter().any(|policy| !lets_through(policy, wanted));
        let words = if kept_out { "keeps it out" } else { "lets it through" };
        Ok(Some((kept_out, format!("the policy of {} {words}", url.path()))))
    }
}

/// Whether the directive for scripts lets it through.
fn lets_through(policy: &str, wanted: &Wanted) -> bool {
    let directive = |name: &str| {
        policy.split(';').map(str::trim).find_map(|directive| {
            let (first, rest) = directive.split_once(char::is_whitespace).unwrap_or((directive, ""));
            first.eq_ignore_ascii_case(name).then_some(rest)
        })
    };
    let sources = directive("script-src-elem").or_else(|| directive("script-src")).or_else(|| directive("default-src"));
    sources.is_none_or(|sources| sources.split_whitespace().any(|source| wanted.matched_by(source) != Match::No))
}

/// The mark of a line that is off, and the line as it was.
fn off(line: &str) -> Option<(Mark, &str)> {
    let (mark, original) = line.strip_prefix("# ")?.split_once(BAR)?;
    Some((Mark::parse(mark)?, original))
}

fn stands(text: &str, wanted: &Wanted, key: &str) -> Result<Stands, Fault> {
    let mut stands = Stands { on: Vec::new(), mine: false, others: false, n_sources: 0 };
    for (number, line) in text.lines().enumerate() {
        if let Some((mark, original)) = off(line) {
            let matched = wanted.matched_by(original) == Match::Yes;
            stands.mine |= matched && mark.holds(key);
            stands.others |= matched && !mark.holds(key);
            continue;
        }
        let source = line.trim();
        if source.is_empty() || source.starts_with('#') {
            continue;
        }
        stands.n_sources += 1;
        match wanted.matched_by(source) {
            Match::No => {}
            Match::Yes => stands.on.push(source.to_owned()),
            Match::Everything => {
                let message = format!(
                    "line {} lets every host through ({source}): one script cannot be switched off",
                    number + 1
                );
                return Err(conflict(message));
            }
        }
    }
    Ok(stands)
}

/// The list with every line that lets it through switched off, and those that are off already held by this run too.
fn switched_off(text: &str, wanted: &Wanted, request: &ActionRequest, key: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len() + 128);
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        let ending = &whole[line.len()..];
        let (mark, original) = match off(line) {
            Some((mark, original)) if wanted.matched_by(original) == Match::Yes => {
                (mark.joined(key, request.expires_at)?, original)
            }
            Some(_) => {
                out.push_str(whole);
                continue;
            }
            None if !line.trim().starts_with('#') && wanted.matched_by(line) == Match::Yes => {
                (Mark::new(key, request.expires_at), line)
            }
            None => {
                out.push_str(whole);
                continue;
            }
        };
        out.push_str(&format!("# {mark}{BAR}{original}{ending}"));
    }
    Ok(out)
}

/// The list without this run's holds, and how many there were.
fn switched_on(text: &str, key: &str) -> (String, usize) {
    let mut out = String::with_capacity(text.len());
    let mut n = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        let ending = &whole[line.len()..];
        match off(line).filter(|(mark, _)| mark.holds(key)) {
            Some((mark, original)) => {
                n += 1;
                match mark.without(key) {
                    Some(rest) => out.push_str(&format!("# {rest}{BAR}{original}{ending}")),
                    None => out.push_str(&format!("{original}{ending}")),
                }
            }
            None => out.push_str(whole),
        }
    }
    (out, n)
}

#[async_trait]
impl Responder for Csp {
    fn actions(&self) -> Vec<ActionSpec> {
        vec![ActionSpec {
            action: Text::from("disable_script"),
            connector: self.name.clone(),
            description: "Browsers refuse to load the script on pages with the policy; everything else stays."
                .to_owned(),
            targets: vec![EntityKind::Script, EntityKind::Host, EntityKind::Domain],
            reversible: true,
            parameters: vec![spec::parameter(
                "source",
                "Instead of the target: the exact expression, such as 'sha256-...'.",
            )],
        }]
    }

    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        let (key, wanted) = (mark::key(request)?, Wanted::of(request)?);
        let text = file::read(&self.file).await?;
        let (stands, name) = (stands(&text, &wanted, key)?, file::name(&self.file));
        let removed = stands.on.join(", ");
        Ok(if !stands.on.is_empty() {
            let text =
                format!("removes {removed} from {name} ({} sources now): browsers refuse {wanted}", stands.n_sources);
            PlannedEffect { text, changes: true }
        } else if stands.mine {
            PlannedEffect { text: format!("{wanted} is off by this run already"), changes: false }
        } else if stands.others {
            PlannedEffect { text: format!("joins the runs that switched {wanted} off"), changes: true }
        } else {
            PlannedEffect { text: format!("nothing: {name} does not let {wanted} through"), changes: false }
        })
    }

    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        let (key, wanted) = (mark::key(request)?, Wanted::of(request)?);
        let _turn = self.turn.lock().await;
        let before = file::read(&self.file).await?;
        let (stands, name) = (stands(&before, &wanted, key)?, file::name(&self.file));
        let receipt = json!({ "file": name, "removed": stands.on });
        if !stands.on.is_empty() || (stands.others && !stands.mine) {
            self.write(&before, switched_off(&before, &wanted, request, key)?).await?;
        } else if stands.mine {
            // Written before a crash, perhaps, and the reload is missing.
            self.reload().await?;
        } else {
            let text = format!("{name} does not let {wanted} through");
            return Ok(Effect { text, ours: false, receipt });
        }
        Ok(Effect { text: format!("{wanted} is off in {name}"), ours: true, receipt })
    }

    async fn verify(&self, request: &ActionRequest, _effect: &Effect) -> Result<Verified, Fault> {
        let (key, wanted) = (mark::key(request)?, Wanted::of(request)?);
        let listed = stands(&file::read(&self.file).await?, &wanted, key).map_or(true, |stands| !stands.on.is_empty());
        let words = if listed { "lets it through" } else { "does not let it through" };
        let seen = format!("{} {words}", file::name(&self.file));
        Ok(match self.probe(&wanted).await? {
            Some((kept_out, text)) => Verified { holds: !listed && kept_out, text: format!("{seen}; {text}") },
            None => Verified { holds: !listed, text: seen },
        })
    }

    async fn undo(&self, request: &ActionRequest, _effect: &Effect) -> Result<Effect, Fault> {
        let key = mark::key(request)?;
        let _turn = self.turn.lock().await;
        let before = file::read(&self.file).await?;
        let (after, n) = switched_on(&before, key);
        let name = file::name(&self.file);
        if n == 0 {
            self.reload().await?;
            let text = format!("nothing of this run is in {name}");
            return Ok(Effect { text, ours: false, receipt: Value::Null });
        }
        self.write(&before, after).await?;
        Ok(Effect { text: format!("put {n} line of this run back in {name}"), ours: true, receipt: Value::Null })
    }
}
