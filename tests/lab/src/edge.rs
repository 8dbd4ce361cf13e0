//! The edge before the shop: refuses and slows down clients by the files an nginx would include, and sends the script policy.
//!
//! Read as nginx reads them: in the deny list the first match decides, in the throttle list the longest network. It must
//! *not* know who writes the files.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ipnet::IpNet;

/// Requests a slowed-down client may make at once, and how often one more.
const BURST: u32 = 5;
const ONE_MORE_EVERY: Duration = Duration::from_secs(2);
/// Clients whose rate is remembered.
const CLIENTS_MAX: usize = 50_000;

/// Where the edge's files are.
#[derive(Debug, Clone)]
pub struct EdgeFiles {
    /// `deny ADDRESS;` lines.
    pub deny: PathBuf,
    /// `ADDRESS CLASS;` lines; any class slows down.
    pub throttle: PathBuf,
    /// One allowed script source a line.
    pub scripts: PathBuf,
}

impl EdgeFiles {
    /// Files in this folder; those missing are made.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn make(folder: &Path, scripts: &[&str]) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let files = Self {
            deny: folder.join("deny.conf"),
            throttle: folder.join("throttle.conf"),
            scripts: folder.join("scripts.list"),
        };
        for (path, text) in [
            (&files.deny, "# addresses the edge refuses\n".to_owned()),
            (&files.throttle, "# addresses the edge slows down\n".to_owned()),
            (&files.scripts, format!("# sources of scripts on checkout\n{}\n", scripts.join("\n"))),
        ] {
            if !path.exists() {
                std::fs::write(path, text)?;
            }
        }
        Ok(files)
    }
}

/// What the files say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// In order; `None` is everybody.
    access: Vec<(Access, Option<IpNet>)>,
    slow: Vec<IpNet>,
    scripts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Allow,
    Deny,
}

impl Rules {
    /// Reads the files as they are now; one that is missing is empty.
    pub(crate) fn read(files: &EdgeFiles) -> Self {
        let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        let mut rules = Self::default();
        for words in statements(&text(&files.deny)) {
            let access = match words.0.as_str() {
                "allow" => Access::Allow,
                "deny" => Access::Deny,
                _ => continue,
            };
            match words.1.as_str() {
                "all" => rules.access.push((access, None)),
                place => rules.access.extend(net(place).map(|net| (access, Some(net)))),
            }
        }
        for words in statements(&text(&files.throttle)) {
            rules.slow.extend(net(&words.0));
        }
        let scripts = text(&files.scripts);
        let sources = scripts.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        rules.scripts = sources.map(str::to_owned).collect();
        rules
    }

    /// Whether the edge refuses this client.
    pub(crate) fn denies(&self, client: IpAddr) -> bool {
        let decides = self.access.iter().find(|(_, net)| net.is_none_or(|net| net.contains(&client)));
        decides.is_some_and(|(access, _)| *access == Access::Deny)
    }

    /// Whether the edge slows this client down.
    pub(crate) fn slows(&self, client: IpAddr) -> bool {
        self.slow.iter().any(|net| net.contains(&client))
    }

    /// Whether it does anything to anybody.
    pub(crate) fn is_idle(&self) -> bool {
        self.access.is_empty() && self.slow.is_empty()
    }

    /// The policy sent with pages.
    pub(crate) fn policy(&self) -> String {
        format!("default-src 'self'; script-src {}", self.scripts.join(" "))
    }
}

/// How many requests slowed-down clients have left.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    clients: BTreeMap<IpAddr, (u32, Instant)>,
}

impl Meter {
    /// Whether the client may make one more request now.
    pub(crate) fn take(&mut self, client: IpAddr, now: Instant) -> bool {
        if self.clients.len() >= CLIENTS_MAX {
            self.clients.clear();
        }
        let (left, since) = self.clients.entry(client).or_insert((BURST, now));
        while *left < BURST && now.duration_since(*since) >= ONE_MORE_EVERY {
            *left += 1;
            *since += ONE_MORE_EVERY;
        }
        if *left == BURST {
            *since = now;
        }
        let may = *left > 0;
        *left = left.saturating_sub(1);
        may
    }
}

/// The first two words of each statement.
fn statements(text: &str) -> Vec<(String, String)> {
    let code = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    code.flat_map(|code| code.split(';'))
        .filter_map(|statement| {
            let mut words = statement.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        })
        .collect()
}

fn net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
