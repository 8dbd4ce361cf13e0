//! `aws_waf`: members of an AWS WAF IP set that a rule of the operator's blocks.
//!
//! A set is replaced as a whole under a lock token: what somebody else changed meanwhile makes ours fail, and it is read and
//! tried again. Members carry no notes, so a ledger remembers which are ours. It must *not* make sets or rules.
//!
//! <https://docs.aws.amazon.com/waf/latest/APIReference/API_UpdateIPSet.html>

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use reqwest::Method;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::secret::Secret;
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Clock;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use self::sign::{Request, Signer, amz_date};
use super::build::Tools;
use super::config::{AwsWafConfig, IpSetConfig};
use super::fault::{configuration, conflict, refused, upstream};
use super::http::{Answer, Call, Caller};
use super::ledger::{Entry, Ledger, Stage};
use super::mark;
use super::place::{self, show};
use super::secret::SecretSource;
use super::spec;

mod sign;

/// Version of the API, as its targets name it.
const TARGET: &str = "AWSWAF_20190729";
/// Members of one set: AWS's own limit.
const MEMBERS_MAX: usize = 10_000;
/// Tries against somebody who changes the set at the same time, and the first wait between them.
const TRIES: u32 = 6;
const WAIT: Duration = Duration::from_millis(50);

/// Changes IP sets.
pub(super) struct AwsWaf {
    name: Text,
    caller: Caller,
    endpoint: Url,
    access_key: String,
    secret: SecretSource,
    session_token: SecretSource,
    region: String,
    scope: &'static str,
    sets: [IpSetConfig; 2],
    ledger: Ledger,
    clock: Arc<dyn Clock>,
    turn: Mutex<()>,
}

/// A set as read.
struct Set {
    addresses: Vec<String>,
    description: Option<String>,
    lock_token: String,
}

/// How an update went.
enum Updated {
    Done,
    /// Somebody else was faster; nothing changed.
    Stale,
}

impl Set {
    fn has(&self, net: &IpNet) -> bool {
        self.nets().any(|own| own == *net)
    }
    fn covers(&self, net: &IpNet) -> bool {
        self.nets().any(|own| own.contains(net))
    }
    fn nets(&self) -> impl Iterator<Item = IpNet> {
        self.addresses.iter().filter_map(|text| text.parse::<IpNet>().ok()).map(|net| net.trunc())
    }
}

impl AwsWaf {
    pub(super) fn new(name: &str, config: &AwsWafConfig, tools: &Tools) -> Result<Self, Fault> {
        let wrong = |what: &str| configuration(format!("connector {name}: {what}"));
        let region = config.region.clone();
        if region.is_empty() || !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(wrong("region must be one such as eu-central-1"));
        }
        if config.ipv4.id.is_empty() && config.ipv6.id.is_empty() {
            return Err(wrong("name an IP set: ipv4, ipv6 or both"));
        }
        let endpoint = match config.endpoint.as_str() {
            "" => format!("https://wafv2.{region}.amazonaws.com/"),
            endpoint => endpoint.to_owned(),
        };
        let endpoint = Url::parse(&endpoint).map_err(|_| wrong("endpoint is no URL"))?;
        if endpoint.path() != "/" || endpoint.query().is_some() {
            return Err(wrong("endpoint must have no path"));
        }
        Ok(Self {
            name: Text::from(name),
            caller: Caller::new(name, &config.net)?,
            endpoint,
            access_key: config.access_key_id.clone(),
            secret: SecretSource::new(&config.secret_key_file, &config.secret_key_env),
            session_token: SecretSource::new(&config.session_token_file, ""),
            region,
            scope: config.scope.as_str(),
            sets: [config.ipv4.clone(), config.ipv6.clone()],
            ledger: Ledger::open(&tools.state_dir, name, tools.clock.now())?,
            clock: tools.clock.clone(),
            turn: Mutex::new(()),
        })
    }

    fn set_of(&self, net: &IpNet) -> Result<&IpSetConfig, Fault> {
        let set = if net.addr().is_ipv4() { &self.sets[0] } else { &self.sets[1] };
        if set.id.is_empty() {
            return Err(configuration(format!("connector {} has no IP set for {}", self.name, show(net))));
        }
        Ok(set)
    }

    async fn get(&self, net: &IpNet) -> Result<Set, Fault> {
        let set = self.set_of(net)?;
        let answer = self.ask("GetIPSet", json!({"Name": set.name, "Scope": self.scope, "Id": set.id})).await?;
        if !answer.ok() {
            return Err(self.fault(&answer));
        }
        let body = answer.json();
        let list = body["IPSet"]["Addresses"].as_array().filter(|list| list.len() <= MEMBERS_MAX * 2);
        let addresses = list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        match (addresses, body["LockToken"].as_str()) {
            (Some(addresses), Some(token)) => Ok(Set {
                addresses,
                description: body["IPSet"]["Description"].as_str().map(str::to_owned),
                lock_token: token.to_owned(),
            }),
            _ => Err(upstream("AWS WAF answered no IP set")),
        }
    }

    async fn update(&self, net: &IpNet, set: &Set, addresses: Vec<String>) -> Result<Updated, Fault> {
        let named = self.set_of(net)?;
        let mut body = json!({
            "Name": named.name, "Scope": self.scope, "Id": named.id,
            "Addresses": addresses, "LockToken": set.lock_token,
        });
        // An update replaces the description too.
        if let Some(description) = set.description.as_ref().filter(|text| !text.is_empty()) {
            body["Description"] = json!(description);
        }
        let answer = self.ask("UpdateIPSet", body).await?;
        if answer.ok() {
            return Ok(Updated::Done);
        }
        if error_type(&answer) == "WAFOptimisticLockException" {
            return Ok(Updated::Stale);
        }
        Err(self.fault(&answer))
    }

    async fn ask(&self, action: &str, body: Value) -> Result<Answer, Fault> {
        let secret: Secret = self.secret.required(&self.name)?;
        let session = self.session_token.read()?;
        let body = body.to_string();
        let date = amz_date(self.clock.now());
        let target = format!("{TARGET}.{action}");
        let host = match (self.endpoint.host_str(), self.endpoint.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1"),
            ("host", host.as_str()),
            ("x-amz-date", date.as_str()),
            ("x-amz-target", target.as_str()),
        ];
        if let Some(session) = &session {
            headers.push(("x-amz-security-token", session.expose()));
        }
        let signer = Signer { access_key: &self.access_key, secret: &secret, region: &self.region, service: "wafv2" };
        let signed = Request { method: "POST", path: "/", query: &[], headers: &headers, body: body.as_bytes() };
        let authorization = signer.authorization(&signed, &date)?;
        let mut call = Call::new(Method::POST, self.endpoint.clone()).header("authorization", &authorization)?;
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            call = call.header(name, value)?;
        }
        call.body = body.into_bytes();
        self.caller.call(call).await
    }

    fn fault(&self, answer: &Answer) -> Fault {
        let kind = error_type(answer);
        match kind.as_str() {
            "ThrottlingException" | "WAFInternalErrorException" | "WAFUnavailableEntityException" => {
                let mut fault = upstream(format!("AWS WAF answered {kind}"));
                fault.retry_after_s = answer.retry_after_s;
                fault
            }
            "" => answer.fault("AWS WAF"),
            _ => refused(format!("AWS WAF answered {kind}")),
        }
    }

    /// Whether another run of ours holds this member.
    async fn held_by_others(&self, key: &str, member: &str) -> Result<bool, Fault> {
        let entries = self.ledger.all().await?;
        Ok(entries.iter().any(|(other, entry)| {
            other != key && entry.ours && entry.stage == Stage::Done && entry.receipt["member"] == member
        }))
    }

    fn entry(&self, request: &ActionRequest, net: &IpNet, stage: Stage, ours: Whose) -> Entry {
        Entry {
            action: request.action.to_string(),
            target: show(net),
            stage,
            ours: ours == Whose::Ours,
            receipt: json!({ "member": show(net) }),
            at: self.clock.now(),
        }
    }

    async fn settle(&self, key: &str, request: &ActionRequest, net: &IpNet, whose: Whose) -> Result<Effect, Fault> {
        let entry = self.entry(request, net, Stage::Done, whose);
        self.ledger.put(key, &entry).await?;
        let words = if entry.ours { "is in the IP set" } else { "was in the IP set before this run" };
        Ok(Effect { text: format!("{} {words}", show(net)), ours: entry.ours, receipt: entry.receipt })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Foreign,
}

/// The kind of error, from the body or the header; letters only, for what else is there is not ours to show.
fn error_type(answer: &Answer) -> String {
    let body = answer.json();
    let header = || answer.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok().map(str::to_owned));
    let text = body["__type"].as_str().map(str::to_owned).or_else(header).unwrap_or_default();
    let kind = text.rsplit('#').next().unwrap_or_default();
    kind.chars().take_while(char::is_ascii_alphanumeric).take(80).collect()
}

#[async_trait]
impl Responder for AwsWaf {
    fn actions(&self) -> Vec<ActionSpec> {
        spec::block(&self.name, "blocked by AWS WAF").to_vec()
    }

    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        let (key, net) = (mark::key(request)?, place::of(request)?);
        let set = self.get(&net).await?;
        let known = self.ledger.get(key, &request.action, &show(&net)).await?;
        let name = &self.set_of(&net)?.name;
        if known.is_some_and(|entry| entry.stage == Stage::Done) {
            return Ok(PlannedEffect { text: format!("added {} to {name} already", show(&net)), changes: false });
        }
        if set.covers(&net) && !self.held_by_others(key, &show(&net)).await? {
            let text = format!("nothing: {name} has {} already and it is not ours", show(&net));
            return Ok(PlannedEffect { text, changes: false });
        }
        let n = set.addresses.len();
        Ok(PlannedEffect { text: format!("adds {net} to IP set {name} ({n} members now)"), changes: true })
    }

    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        let (key, net) = (mark::key(request)?, place::of(request)?);
        let _turn = self.turn.lock().await;
        let known = self.ledger.get(key, &request.action, &show(&net)).await?;
        let started = match known.map(|entry| (entry.stage, entry.ours)) {
            Some((Stage::Undone, _)) => {
                return Err(conflict("this key was executed and undone: a new effect needs a new key"));
            }
            Some((Stage::Done, true)) => return self.settle(key, request, &net, Whose::Ours).await,
            Some((Stage::Done, false)) => return self.settle(key, request, &net, Whose::Foreign).await,
            Some((Stage::Started, _)) => true,
            None => false,
        };
        for tried in 0..TRIES {
            let set = self.get(&net).await?;
            if set.has(&net) {
                let ours = started || self.held_by_others(key, &show(&net)).await?;
                return self.settle(key, request, &net, if ours { Whose::Ours } else { Whose::Foreign }).await;
            }
            if set.covers(&net) {
                return self.settle(key, request, &net, Whose::Foreign).await;
            }
            if set.addresses.len() >= MEMBERS_MAX {
                return Err(conflict(format!("the IP set has {MEMBERS_MAX} members, as many as AWS takes")));
            }
            self.ledger.put(key, &self.entry(request, &net, Stage::Started, Whose::Ours)).await?;
            let mut addresses = set.addresses.clone();
            addresses.push(net.to_string());
            match self.update(&net, &set, addresses).await {
                Ok(Updated::Done) => return self.settle(key, request, &net, Whose::Ours).await,
                Ok(Updated::Stale) => {
                    // Not heard: what is there at the next look is somebody else's, unless an earlier call was heard.
                    if !started {
                        self.ledger.forget(key).await;
                    }
                }
                Err(fault) => {
                    if !fault.code.retry() && !started {
                        self.ledger.forget(key).await;
                    }
                    return Err(fault);
                }
            }
            tokio::time::sleep(WAIT * 2_u32.pow(tried)).await;
        }
        Err(upstream(format!("somebody else changes the IP set all the time: gave up after {TRIES} tries")))
    }

    async fn verify(&self, request: &ActionRequest, _effect: &Effect) -> Result<Verified, Fault> {
        let net = place::of(request)?;
        let holds = self.get(&net).await?.covers(&net);
        let words = if holds { "has" } else { "does not have" };
        Ok(Verified { holds, text: format!("IP set {} {words} {}", self.set_of(&net)?.name, show(&net)) })
    }

    async fn undo(&self, request: &ActionRequest, effect: &Effect) -> Result<Effect, Fault> {
        let nothing = |text: &str| Effect { text: text.to_owned(), ours: false, receipt: Value::Null };
        let (key, net) = (mark::key(request)?, place::of(request)?);
        let _turn = self.turn.lock().await;
        let known = self.ledger.get(key, &request.action, &show(&net)).await?;
        match &known {
            Some(entry) if entry.stage == Stage::Undone => return Ok(nothing("taken back already")),
            Some(entry) if !entry.ours => return Ok(nothing("it was blocked before this run and stays")),
            None if !effect.ours => return Ok(nothing("it was blocked before this run and stays")),
            _ => {}
        }
        let undone = self.entry(request, &net, Stage::Undone, Whose::Ours);
        if self.held_by_others(key, &show(&net)).await? {
            self.ledger.put(key, &undone).await?;
            return Ok(nothing("another run holds it still"));
        }
        for tried in 0..TRIES {
            let set = self.get(&net).await?;
            if !set.has(&net) {
                self.ledger.put(key, &undone).await?;
                return Ok(nothing("it is not in the IP set any more"));
            }
            let is_other = |text: &&String| text.parse::<IpNet>().map(|own| own.trunc()) != Ok(net);
            let rest = set.addresses.iter().filter(is_other).cloned().collect();
            if matches!(self.update(&net, &set, rest).await?, Updated::Done) {
                self.ledger.put(key, &undone).await?;
                let text = format!("removed {} from the IP set", show(&net));
                return Ok(Effect { text, ours: true, receipt: Value::Null });
            }
            tokio::time::sleep(WAIT * 2_u32.pow(tried)).await;
        }
        Err(upstream(format!("somebody else changes the IP set all the time: gave up after {TRIES} tries")))
    }
}
