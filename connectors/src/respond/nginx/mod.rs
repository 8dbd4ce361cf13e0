//! `nginx`: refuses or slows down addresses by two files that nginx includes.
//!
//! A line of ours ends in `# riskgraph <key> until <time>`; every other line is the operator's and stays as it is. The
//! file is replaced at once, tested and put into effect by commands the operator listed; when the test fails it is put
//! back. It must *not* know playbooks, nor edit anything but the two files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use serde_json::json;
use tokio::sync::Mutex;

use self::list::{Kind, List, Stands};
use super::command::Argv;
use super::config::NginxConfig;
use super::fault::{bad_input, configuration, conflict};
use super::file;
use super::mark::{self, Mark};
use super::place;
use super::probe::Probe;
use super::spec;

mod list;

/// Lines of ours in one file: nginx reads the access list in order for every request, more belongs into a firewall's set.
const LINES_MAX: usize = 10_000;
/// How long the effect may take to be seen: nginx starts new workers on a reload.
const EFFECT_MAX: Duration = Duration::from_secs(5);

/// Writes what nginx includes.
pub(super) struct Nginx {
    name: Text,
    deny: Option<PathBuf>,
    throttle: Option<(PathBuf, String)>,
    test: Option<Argv>,
    reload: Option<Argv>,
    probe: Option<Probe>,
    /// One change of the files at a time.
    turn: Mutex<()>,
}

impl Nginx {
    pub(super) fn new(name: &str, config: &NginxConfig) -> Result<Self, Fault> {
        let some = |path: &Path| (!path.as_os_str().is_empty()).then(|| path.to_owned());
        let class = config.throttle_class.clone();
        if class.is_empty() || !class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(configuration(format!("connector {name}: throttle_class must be letters, digits and _")));
        }
        let deny = some(&config.deny_file);
        let throttle = some(&config.throttle_file).map(|path| (path, class));
        if deny.is_none() && throttle.is_none() {
            return Err(configuration(format!("connector {name}: name deny_file, throttle_file or both")));
        }
        Ok(Self {
            name: Text::from(name),
            deny,
            throttle,
            test: Argv::new(&format!("connector {name}: test"), &config.test)?,
            reload: Argv::new(&format!("connector {name}: reload"), &config.reload)?,
            probe: Probe::new(name, config)?,
            turn: Mutex::new(()),
        })
    }

    fn file(&self, request: &ActionRequest) -> Result<(PathBuf, Kind), Fault> {
        let missing = || bad_input(format!("connector {} has no file for {}", self.name, request.action));
        if request.action.starts_with("block_") {
            Ok((self.deny.clone().ok_or_else(missing)?, Kind::Deny))
        } else {
            let (path, class) = self.throttle.clone().ok_or_else(missing)?;
            Ok((path, Kind::Throttle(class)))
        }
    }

    /// Puts what is written into effect; what nginx would not take is put back.
    async fn apply(&self, path: &Path, before: &str, after: String) -> Result<(), Fault> {
        file::replace(path, before, after.clone()).await?;
        if let Some(test) = &self.test
            && let Err(fault) = test.run(b"").await
        {
            file::replace(path, &after, before.to_owned()).await?;
            return Err(fault);
        }
        self.reload().await
    }

    async fn reload(&self) -> Result<(), Fault> {
        match &self.reload {
            Some(reload) => reload.run(b"").await.map(drop),
            None => Ok(()),
        }
    }

    fn and_reloads(&self) -> String {
        self.reload.as_ref().map_or_else(String::new, |reload| format!(" and runs {}", reload.name()))
    }
}

#[async_trait]
impl Responder for Nginx {
    fn actions(&self) -> Vec<ActionSpec> {
        let mut specs = Vec::new();
        if self.deny.is_some() {
            specs.extend(spec::block(&self.name, "refused with 403 by nginx"));
        }
        if self.throttle.is_some() {
            specs.extend(spec::throttle(&self.name, "slowed down by nginx (429 above the rate of its class)"));
        }
        specs
    }

    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        let (key, net) = (mark::key(request)?, place::of(request)?);
        let (path, kind) = self.file(request)?;
        let text = file::read(&path).await?;
        let list = List::read(&kind, &text);
        let (entry, name, n) = (list.entry(&net), file::name(&path), list.n_listed());
        Ok(match list.stands(&net, key)? {
            Stands::Mine => PlannedEffect { text: format!("'{entry}' is in {name} already"), changes: false },
            Stands::Foreign { line } => PlannedEffect {
                text: format!("nothing: line {line} of {name} covers {} and is not ours", place::show(&net)),
                changes: false,
            },
            Stands::Ours { line } => PlannedEffect {
                text: format!("adds '{entry}' to {name}: line {line} covers it for another run, this run holds it too"),
                changes: true,
            },
            Stands::Open => PlannedEffect {
                text: format!("adds '{entry}' to {name} ({n} entries now){}", self.and_reloads()),
                changes: true,
            },
        })
    }

    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        let (key, net) = (mark::key(request)?, place::of(request)?);
        let (path, kind) = self.file(request)?;
        let _turn = self.turn.lock().await;
        let before = file::read(&path).await?;
        let list = List::read(&kind, &before);
        let (entry, name) = (list.entry(&net), file::name(&path));
        let receipt = json!({ "file": name, "entry": entry });
        match list.stands(&net, key)? {
            Stands::Foreign { line } => {
                let text = format!("line {line} of {name} covers {} already and is not ours", place::show(&net));
                return Ok(Effect { text, ours: false, receipt });
            }
            // The line may have been written just before a crash, and the reload be missing.
            Stands::Mine => self.reload().await?,
            Stands::Open | Stands::Ours { .. } => {
                if list.n_listed() >= LINES_MAX {
                    return Err(conflict(format!("{name} has {LINES_MAX} entries: use a firewall's set for more")));
                }
                let after = list.with(&net, &Mark::new(key, request.expires_at));
                self.apply(&path, &before, after).await?;
            }
        }
        Ok(Effect { text: format!("'{entry}' is in {name}"), ours: true, receipt })
    }

    async fn verify(&self, request: &ActionRequest, _effect: &Effect) -> Result<Verified, Fault> {
        let net = place::of(request)?;
        let (path, kind) = self.file(request)?;
        let text = file::read(&path).await?;
        let listed = List::read(&kind, &text).applies(&net);
        let name = file::name(&path);
        let words = if listed { "is" } else { "is not" };
        let seen = format!("{} {words} listed in {name}", place::show(&net));
        match (&self.probe, kind) {
            (Some(probe), Kind::Deny) => {
                let probed = probe.sees(first_of(&net), listed, EFFECT_MAX).await?;
                Ok(Verified { holds: listed && probed.refused, text: format!("{seen}; {}", probed.text) })
            }
            _ => Ok(Verified { holds: listed, text: seen }),
        }
    }

    async fn undo(&self, request: &ActionRequest, _effect: &Effect) -> Result<Effect, Fault> {
        let key = mark::key(request)?;
        let (path, kind) = self.file(request)?;
        let _turn = self.turn.lock().await;
        let before = file::read(&path).await?;
        let (after, n_removed) = List::read(&kind, &before).without(key);
        let name = file::name(&path);
        let text = if n_removed == 0 {
            // Removed before a crash, perhaps, and the reload is missing.
            self.reload().await?;
            format!("nothing of this run is in {name}")
        } else {
            self.apply(&path, &before, after).await?;
            format!("removed {n_removed} line of this run from {name}")
        };
        Ok(Effect { text, ours: n_removed > 0, receipt: serde_json::Value::Null })
    }
}

/// An address of the network to be probed with.
fn first_of(net: &IpNet) -> std::net::IpAddr {
    net.hosts().next().unwrap_or(net.addr())
}
