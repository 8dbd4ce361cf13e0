//! `nftables`: members of a set that a rule of the operator's drops, through `nft -j -f -`.
//!
//! A member of ours has the comment `riskgraph <keys> until <time>` and, where the set takes timeouts, ends by itself. The
//! kernel keeps one member an address, so the runs that hold it share the comment; keys stand there in short form, because
//! a comment has 128 bytes. It must *not* make tables, sets or rules.
//!
//! JSON: <https://manpages.debian.org/bookworm/libnftables1/libnftables-json.5.en.html>, tried with nftables 1.0.6.

use std::net::IpAddr;

use async_trait::async_trait;
use ipnet::IpNet;
use riskgraph_domain::Timestamp;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::build::Tools;
use super::command::Argv;
use super::config::NftablesConfig;
use super::fault::{configuration, conflict, refused};
use super::mark::{self, Mark};
use super::place::{self, show};
use super::spec;

/// Longest time a member lasts, seconds: more is for ever.
const TIMEOUT_MAX_S: i64 = 400 * 86_400;

/// Adds members to sets.
pub(super) struct Nftables {
    name: Text,
    argv: Argv,
    family: String,
    table: String,
    sets: [String; 2],
    clock: std::sync::Arc<dyn riskgraph_domain::time::Clock>,
    /// One change at a time: a change reads the set first.
    turn: Mutex<()>,
}

/// A member of a set: one address or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    first: IpAddr,
    last: IpAddr,
    mark: Option<Mark>,
}

impl Member {
    fn covers(&self, net: &IpNet) -> bool {
        self.first <= net.network() && net.broadcast() <= self.last
    }
    fn touches(&self, net: &IpNet) -> bool {
        self.first <= net.broadcast() && net.network() <= self.last
    }
    fn is(&self, net: &IpNet) -> bool {
        self.first == net.network() && self.last == net.broadcast()
    }
}

/// A set as the kernel has it.
struct Set {
    name: String,
    takes_timeouts: bool,
    members: Vec<Member>,
}

/// How a network stands in the set.
enum Stands {
    Open,
    Mine,
    /// Ours, for other runs.
    Ours(Mark),
    /// Covered by a member that is not this one: its words.
    Covered(String),
}

impl Set {
    fn stands(&self, net: &IpNet, key: &str) -> Result<Stands, Fault> {
        if let Some(exact) = self.members.iter().find(|member| member.is(net)) {
            return Ok(match &exact.mark {
                Some(mark) if mark.holds(key) => Stands::Mine,
                Some(mark) => Stands::Ours(mark.clone()),
                None => Stands::Covered(format!("{} is in {} already and is not ours", show(net), self.name)),
            });
        }
        if let Some(wider) = self.members.iter().find(|member| member.covers(net)) {
            let whose = if wider.mark.is_some() { "another run's" } else { "not ours" };
            let text = format!("{}-{} in {} covers it and is {whose}", wider.first, wider.last, self.name);
            return Ok(Stands::Covered(text));
        }
        if let Some(part) = self.members.iter().find(|member| member.touches(net)) {
            let message = format!(
                "{} has {} already, a part of it: nftables takes no overlapping members",
                self.name, part.first
            );
            return Err(conflict(message));
        }
        Ok(Stands::Open)
    }
}

impl Nftables {
    pub(super) fn new(name: &str, config: &NftablesConfig, tools: &Tools) -> Result<Self, Fault> {
        let word = |word: &String| {
            !word.is_empty()
                && word.len() <= 64
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'))
        };
        let words = [&config.family, &config.table, &config.set_v4, &config.set_v6];
        if !words.into_iter().all(word) {
            return Err(configuration(format!("connector {name}: family, table and sets are names of nftables")));
        }
        let argv = Argv::new(&format!("connector {name}: argv"), &config.argv)?
            .ok_or_else(|| configuration(format!("connector {name}: argv is empty")))?;
        Ok(Self {
            name: Text::from(name),
            argv,
            family: config.family.clone(),
            table: config.table.clone(),
            sets: [config.set_v4.clone(), config.set_v6.clone()],
            clock: tools.clock.clone(),
            turn: Mutex::new(()),
        })
    }

    fn set_of(&self, net: &IpNet) -> &str {
        if net.addr().is_ipv4() { &self.sets[0] } else { &self.sets[1] }
    }

    async fn read(&self, net: &IpNet) -> Result<Set, Fault> {
        let name = self.set_of(net);
        let list = json!({"list": {"set": {"family": self.family, "table": self.table, "name": name}}});
        let answer = self.run(vec![list]).await?;
        let found = answer["nftables"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|object| object.get("set"))
            .find(|set| set["name"] == name);
        let set = found.ok_or_else(|| refused(format!("nft shows no set {name}")))?;
        let has = |flag: &str| set["flags"].as_array().into_iter().flatten().any(|found| found == flag);
        let members = set["elem"].as_array().into_iter().flatten().filter_map(member).collect();
        Ok(Set { name: name.to_owned(), takes_timeouts: has("timeout"), members })
    }

    async fn run(&self, commands: Vec<Value>) -> Result<Value, Fault> {
        let input = json!({ "nftables": commands }).to_string();
        let out = self.argv.run(input.as_bytes()).await?;
        if out.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&out).map_err(|_| refused("nft answered no JSON: is -j among its arguments?"))
    }

    fn element(&self, verb: &str, net: &IpNet, elem: Value) -> Value {
        let place = json!({"family": self.family, "table": self.table, "name": self.set_of(net), "elem": [elem]});
        json!({ verb: { "element": place } })
    }

    fn add(&self, set: &Set, net: &IpNet, mark: &Mark) -> Result<Value, Fault> {
        let mut elem = json!({"val": value(net), "comment": mark.to_string()});
        if set.takes_timeouts
            && let Some(until) = mark.until
        {
            elem["timeout"] = seconds_left(until, self.clock.now())?.into();
        }
        Ok(self.element("add", net, json!({ "elem": elem })))
    }
}

/// Whole seconds until then.
fn seconds_left(until: Timestamp, now: Timestamp) -> Result<i64, Fault> {
    let ms = until - now;
    if ms <= 0 {
        return Err(conflict("the time the action was to last is over"));
    }
    Ok(((ms + 999) / 1_000).min(TIMEOUT_MAX_S))
}

fn value(net: &IpNet) -> Value {
    if net.prefix_len() == net.max_prefix_len() {
        json!(net.addr().to_string())
    } else {
        json!({"prefix": {"addr": net.network().to_string(), "len": net.prefix_len()}})
    }
}

/// Reads one member; what is no address is none of ours.
fn member(elem: &Value) -> Option<Member> {
    let (value, mark) = match elem.get("elem") {
        Some(inner) => (inner.get("val")?, inner["comment"].as_str().and_then(Mark::parse)),
        None => (elem, None),
    };
    let ip = |value: &Value| value.as_str()?.parse::<IpAddr>().ok();
    let (first, last) = if let Some(prefix) = value.get("prefix") {
        let net = IpNet::new(ip(&prefix["addr"])?, u8::try_from(prefix["len"].as_u64()?).ok()?).ok()?;
        (net.network(), net.broadcast())
    } else if let Some(range) = value.get("range") {
        (ip(&range[0])?, ip(&range[1])?)
    } else {
        (ip(value)?, ip(value)?)
    };
    Some(Member { first, last, mark })
}

#[async_trait]
impl Responder for Nftables {
    fn actions(&self) -> Vec<ActionSpec> {
        spec::block(&self.name, "dropped by the firewall's set").to_vec()
    }

    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        let (key, net) = (mark::short(mark::key(request)?), place::of(request)?);
        let set = self.read(&net).await?;
        let what = format!("{} to set {} {} {}", show(&net), self.family, self.table, set.name);
        Ok(match set.stands(&net, &key)? {
            Stands::Open => {
                PlannedEffect { text: format!("adds {what} ({} members now)", set.members.len()), changes: true }
            }
            Stands::Mine => PlannedEffect { text: format!("added {what} already"), changes: false },
            Stands::Ours(_) => PlannedEffect {
                text: format!("joins the runs that added {what}; it stays until all let go"),
                changes: true,
            },
            Stands::Covered(text) => PlannedEffect { text: format!("nothing: {text}"), changes: false },
        })
    }

    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        let (key, net) = (mark::short(mark::key(request)?), place::of(request)?);
        let _turn = self.turn.lock().await;
        let set = self.read(&net).await?;
        let receipt = json!({ "set": set.name, "member": show(&net) });
        match set.stands(&net, &key)? {
            Stands::Covered(text) => return Ok(Effect { text, ours: false, receipt }),
            Stands::Mine => {}
            Stands::Open => {
                let add = self.add(&set, &net, &Mark::new(&key, request.expires_at))?;
                self.run(vec![add]).await?;
            }
            Stands::Ours(mark) => {
                // One transaction: the kernel changes neither comment nor timeout of a member that is there.
                let add = self.add(&set, &net, &mark.joined(&key, request.expires_at)?)?;
                self.run(vec![self.element("delete", &net, value(&net)), add]).await?;
            }
        }
        Ok(Effect { text: format!("{} is in set {}", show(&net), set.name), ours: true, receipt })
    }

    async fn verify(&self, request: &ActionRequest, _effect: &Effect) -> Result<Verified, Fault> {
        let net = place::of(request)?;
        let set = self.read(&net).await?;
        let holds = set.members.iter().any(|member| member.covers(&net));
        let words = if holds { "has" } else { "does not have" };
        Ok(Verified { holds, text: format!("the kernel's set {} {words} {}", set.name, show(&net)) })
    }

    async fn undo(&self, request: &ActionRequest, _effect: &Effect) -> Result<Effect, Fault> {
        let (key, net) = (mark::short(mark::key(request)?), place::of(request)?);
        let _turn = self.turn.lock().await;
        let set = self.read(&net).await?;
        let held = set.members.iter().find(|member| member.is(&net)).and_then(|member| member.mark.clone());
        let Some(mark) = held.filter(|mark| mark.holds(&key)) else {
            let text = format!("nothing of this run is in set {}: it ended by itself or was not ours", set.name);
            return Ok(Effect { text, ours: false, receipt: Value::Null });
        };
        let mut commands = vec![self.element("delete", &net, value(&net))];
        if let Some(rest) = mark.without(&key) {
            commands.push(self.add(&set, &net, &rest)?);
        }
        self.run(commands).await?;
        let text = format!("removed this run's hold on {} from set {}", show(&net), set.name);
        Ok(Effect { text, ours: true, receipt: Value::Null })
    }
}
