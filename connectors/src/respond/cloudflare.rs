//! `cloudflare`: IP access rules of a zone or an account.
//!
//! A rule of ours begins its notes with `riskgraph <keys> until <time>` (keys in short form); there is one rule an address,
//! so the runs that hold it share the notes. It must *not* touch other rules.
//!
//! <https://developers.cloudflare.com/api/resources/firewall/subresources/access_rules/>

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::Method;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::config::CloudflareConfig;
use super::fault::{bad_input, configuration, conflict, refused, upstream};
use super::http::{Answer, Call, Caller};
use super::mark::{self, Mark};
use super::place::{self, show};
use super::secret::SecretSource;
use super::spec;

/// Rules asked for at once, and pages followed: filters may match more than the very value.
const PAGE_RULES: usize = 100;
const PAGES_MAX: u64 = 20;
/// `firewallaccessrules.api.duplicate_of_existing`
const DUPLICATE: i64 = 10_009;
/// Characters of the reason kept in a rule's notes.
const REASON_CHARS: usize = 120;

/// Keeps access rules.
pub(super) struct Cloudflare {
    name: Text,
    caller: Caller,
    /// Up to and with `/firewall/access_rules/rules`.
    rules: Url,
    token: SecretSource,
    turn: Mutex<()>,
}

/// What a rule is about, as the API says it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    target: &'static str,
    value: String,
}

/// A rule as the API has it.
#[derive(Debug, Clone)]
struct Rule {
    id: String,
    mode: String,
    mark: Option<Mark>,
}

impl Subject {
    fn of(request: &ActionRequest) -> Result<Self, Fault> {
        let named = request.parameters.contains_key("network") || request.parameters.contains_key("address");
        if let Some(target) = request.target.as_ref().filter(|_| !named)
            && let Some(number) = target.key.strip_prefix("AS")
            && number.parse::<u32>().is_ok_and(|number| number > 0)
        {
            return Ok(Self { target: "asn", value: target.key.to_string() });
        }
        let net = place::of(request)?;
        let single = net.prefix_len() == net.max_prefix_len();
        let target = match (&net, single) {
            (IpNet::V4(_), true) => "ip",
            (IpNet::V6(_), true) => "ip6",
            (IpNet::V4(net), false) if matches!(net.prefix_len(), 16 | 24) => "ip_range",
            (IpNet::V6(net), false) if matches!(net.prefix_len(), 32 | 48 | 64) => "ip_range",
            _ => {
                return Err(bad_input(
                    "Cloudflare's access rules take networks of /16 and /24, in IPv6 /32, /48 and /64",
                ));
            }
        };
        Ok(Self { target, value: show(&net) })
    }
}

/// How a subject stands.
enum Stands {
    Open,
    Mine(Rule),
    Ours(Rule, Mark),
    Foreign(Rule),
}

impl Cloudflare {
    pub(super) fn new(name: &str, config: &CloudflareConfig) -> Result<Self, Fault> {
        let wrong = |what: String| configuration(format!("connector {name}: {what}"));
        let id = |id: &str| {
            (!id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| id.to_owned())
        };
        let scope = match (id(&config.zone_id), id(&config.account_id)) {
            (Some(zone), None) if config.account_id.is_empty() => format!("zones/{zone}"),
            (None, Some(account)) if config.zone_id.is_empty() => format!("accounts/{account}"),
            _ => return Err(wrong("name zone_id or account_id, one of them".into())),
        };
        let base = config.base_url.trim_end_matches('/');
        let rules = Url::parse(&format!("{base}/{scope}/firewall/access_rules/rules"));
        let token = SecretSource::new(&config.token_file, &config.token_env);
        token.required(name)?;
        Ok(Self {
            name: Text::from(name),
            caller: Caller::new(name, &config.net)?,
            rules: rules.map_err(|error| wrong(format!("base_url: {error}")))?,
            token,
            turn: Mutex::new(()),
        })
    }

    async fn ask(&self, method: Method, url: Url, body: Option<Value>) -> Result<Answer, Fault> {
        let bearer = format!("Bearer {}", self.token.required(&self.name)?.expose());
        let call = Call::new(method, url).header("authorization", &bearer)?;
        self.caller
            .call(match body {
                Some(body) => call.json(&body),
                None => call,
            })
            .await
    }

    fn rule_url(&self, rule: &Rule) -> Result<Url, Fault> {
        let mut url = self.rules.clone();
        let mut segments = url.path_segments_mut().map_err(|()| configuration("base_url cannot have paths"))?;
        segments.push(&rule.id);
        drop(segments);
        Ok(url)
    }

    /// The rule about this very subject.
    async fn find(&self, subject: &Subject) -> Result<Option<Rule>, Fault> {
        for page in 1..=PAGES_MAX {
            let mut url = self.rules.clone();
            url.query_pairs_mut()
                .append_pair("configuration.target", subject.target)
                .append_pair("configuration.value", &subject.value)
                .append_pair("match", "all")
                .append_pair("per_page", &PAGE_RULES.to_string())
                .append_pair("page", &page.to_string());
            let answer = self.ask(Method::GET, url, None).await?;
            let body = answer.json();
            let Some(found) = body["result"].as_array().filter(|_| answer.ok() && body["success"] == true) else {
                return Err(fault(&answer));
            };
            if let Some(rule) = found.iter().find(|rule| is_about(rule, subject)) {
                return read(rule).map(Some).ok_or_else(|| upstream("Cloudflare showed a rule without an id"));
            }
            let n_pages = body["result_info"]["total_pages"].as_u64().unwrap_or(1);
            if page >= n_pages || found.is_empty() {
                return Ok(None);
            }
        }
        Err(upstream(format!("Cloudflare has more than {PAGES_MAX} pages of rules like this one")))
    }

    async fn stands(&self, subject: &Subject, key: &str) -> Result<Stands, Fault> {
        let Some(rule) = self.find(subject).await? else { return Ok(Stands::Open) };
        Ok(match rule.mark.clone() {
            Some(mark) if mark.holds(key) => Stands::Mine(rule),
            Some(mark) => Stands::Ours(rule, mark),
            None => Stands::Foreign(rule),
        })
    }

    /// Makes the rule; `None` when somebody else made one at the same time.
    async fn create(&self, subject: &Subject, mode: &str, notes: &str) -> Result<Option<()>, Fault> {
        let configuration = json!({"target": subject.target, "value": subject.value});
        let body = json!({"mode": mode, "configuration": configuration, "notes": notes});
        let answer = self.ask(Method::POST, self.rules.clone(), Some(body)).await?;
        if answer.ok() && answer.json()["success"] == true {
            return Ok(Some(()));
        }
        if codes(&answer).contains(&DUPLICATE) {
            return Ok(None);
        }
        Err(fault(&answer))
    }

    async fn change(&self, method: Method, rule: &Rule, body: Option<Value>) -> Result<(), Fault> {
        let answer = self.ask(method, self.rule_url(rule)?, body).await?;
        if answer.ok() || answer.status == 404 { Ok(()) } else { Err(fault(&answer)) }
    }
}

fn is_about(rule: &Value, subject: &Subject) -> bool {
    let configuration = &rule["configuration"];
    let value = configuration["value"].as_str().unwrap_or_default();
    configuration["target"] == subject.target && (value == subject.value || same_place(value, &subject.value))
}

/// IPv6 has many spellings.
fn same_place(a: &str, b: &str) -> bool {
    matches!((place::parse(a), place::parse(b)), (Ok(a), Ok(b)) if a == b)
}

fn read(rule: &Value) -> Option<Rule> {
    Some(Rule {
        id: rule["id"].as_str().filter(|id| !id.is_empty() && id.len() <= 64)?.to_owned(),
        mode: rule["mode"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .filter(|c| c.is_ascii_lowercase() || *c == '_')
            .take(30)
            .collect(),
        mark: rule["notes"].as_str().and_then(Mark::parse),
    })
}

fn codes(answer: &Answer) -> Vec<i64> {
    answer.json()["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["code"].as_i64())
        .take(5)
        .collect()
}

/// The fault of a refusal; of its words only the numbers are shown.
fn fault(answer: &Answer) -> Fault {
    let codes: Vec<String> = codes(answer).iter().map(i64::to_string).collect();
    if codes.is_empty() || matches!(answer.status, 401 | 403 | 429 | 500..) {
        return answer.fault("Cloudflare");
    }
    refused(format!("Cloudflare answered {} with error {}", answer.status, codes.join(", ")))
}

fn mode(request: &ActionRequest) -> &'static str {
    if request.action.starts_with("block_") { "block" } else { "managed_challenge" }
}

fn notes(mark: &Mark, request: &ActionRequest) -> String {
    let reason: String = request.reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS).collect();
    format!("{mark} {reason}").trim_end().to_owned()
}

#[async_trait]
impl Responder for Cloudflare {
    fn actions(&self) -> Vec<ActionSpec> {
        let mut specs = spec::block(&self.name, "blocked by Cloudflare").to_vec();
        specs.extend(spec::throttle(&self.name, "held up by Cloudflare's managed challenge"));
        specs
    }

    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        let (key, subject) = (mark::short(mark::key(request)?), Subject::of(request)?);
        let value = &subject.value;
        Ok(match self.stands(&subject, &key).await? {
            Stands::Open => {
                let text = format!("makes an IP access rule: {} {value}", mode(request));
                PlannedEffect { text, changes: true }
            }
            Stands::Mine(_) => PlannedEffect { text: format!("made the rule for {value} already"), changes: false },
            Stands::Ours(rule, _) if rule.mode == mode(request) => {
                let text = format!("joins the runs that hold {value}; the rule stays until all let go");
                PlannedEffect { text, changes: true }
            }
            Stands::Foreign(rule) if rule.mode == mode(request) => {
                let text = format!("nothing: a rule that is not ours says {} {value} already", rule.mode);
                PlannedEffect { text, changes: false }
            }
            Stands::Ours(rule, _) | Stands::Foreign(rule) => return Err(contradicts(&rule, value)),
        })
    }

    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        let (key, subject) = (mark::short(mark::key(request)?), Subject::of(request)?);
        let value = &subject.value;
        let effect =
            |ours, text: &str| Effect { text: format!("{value} {text}"), ours, receipt: json!({ "rule": value }) };
        let _turn = self.turn.lock().await;
        // A second look when somebody made a rule between the first and ours.
        for _ in 0..2 {
            match self.stands(&subject, &key).await? {
                Stands::Mine(_) => return Ok(effect(true, "has a rule")),
                Stands::Ours(rule, mark) if rule.mode == mode(request) => {
                    let notes = notes(&mark.joined(&key, request.expires_at)?, request);
                    self.change(Method::PATCH, &rule, Some(json!({"mode": rule.mode, "notes": notes}))).await?;
                    return Ok(effect(true, "has a rule, held by several runs"));
                }
                Stands::Foreign(rule) if rule.mode == mode(request) => {
                    return Ok(effect(false, "has a rule that is not ours"));
                }
                Stands::Ours(rule, _) | Stands::Foreign(rule) => return Err(contradicts(&rule, value)),
                Stands::Open => {
                    let notes = notes(&Mark::new(&key, request.expires_at), request);
                    if self.create(&subject, mode(request), &notes).await?.is_some() {
                        return Ok(effect(true, "has a rule"));
                    }
                }
            }
        }
        Err(upstream("Cloudflare has a rule like this one and does not show it yet"))
    }

    async fn verify(&self, request: &ActionRequest, _effect: &Effect) -> Result<Verified, Fault> {
        let subject = Subject::of(request)?;
        let rule = self.find(&subject).await?;
        let holds = rule.as_ref().is_some_and(|rule| rule.mode == mode(request));
        let said = rule.map_or_else(|| "no rule".to_owned(), |rule| format!("the rule '{}'", rule.mode));
        Ok(Verified { holds, text: format!("Cloudflare has {said} for {}", subject.value) })
    }

    async fn undo(&self, request: &ActionRequest, _effect: &Effect) -> Result<Effect, Fault> {
        let (key, subject) = (mark::short(mark::key(request)?), Subject::of(request)?);
        let _turn = self.turn.lock().await;
        let Stands::Mine(rule) = self.stands(&subject, &key).await? else {
            let text = format!("no rule of this run for {}", subject.value);
            return Ok(Effect { text, ours: false, receipt: Value::Null });
        };
        let rest = rule.mark.as_ref().and_then(|mark| mark.without(&key));
        match &rest {
            Some(rest) => {
                let body = json!({"mode": rule.mode, "notes": notes(rest, request)});
                self.change(Method::PATCH, &rule, Some(body)).await?;
            }
            None => self.change(Method::DELETE, &rule, None).await?,
        }
        let words = if rest.is_some() { "let go of" } else { "removed" };
        Ok(Effect { text: format!("{words} the rule for {}", subject.value), ours: true, receipt: Value::Null })
    }
}

fn contradicts(rule: &Rule, value: &str) -> Fault {
    conflict(format!("there is a rule '{}' for {value} already: it is not overruled", rule.mode))
}
