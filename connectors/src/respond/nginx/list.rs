//! The two lists nginx includes: addresses it refuses and addresses it slows down. Pure text in, text out; every line that
//! is not ours stays byte for byte. It must *not* know files, commands or requests.
//!
//! The deny list is read by `ngx_http_access_module`: the first `allow` or `deny` that matches decides. The throttle list is
//! the inside of a `geo` block, whose value picks a rate limit; there the longest network decides.
//! <https://nginx.org/en/docs/http/ngx_http_access_module.html>, <https://nginx.org/en/docs/http/ngx_http_geo_module.html>

use ipnet::IpNet;
use riskgraph_domain::error::Fault;

use crate::respond::fault::conflict;
use crate::respond::mark::Mark;
use crate::respond::place::show;

/// Which list, and how its lines read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Deny,
    /// With the value our lines give.
    Throttle(String),
}

/// What a statement of the list does to its networks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Does {
    Allow,
    Deny,
    /// A value of a `geo` block.
    Value(String),
}

/// One statement about one network.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    /// Line, from 0.
    line: usize,
    does: Does,
    /// `None`: everybody.
    net: Option<IpNet>,
    mark: Option<Mark>,
}

impl Statement {
    fn covers(&self, net: &IpNet) -> bool {
        self.net.is_none_or(|own| own.contains(net))
    }
}

/// What the list says about a network now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stands {
    /// Nothing yet.
    Open,
    /// It is listed, by this line (from 1), which is not ours.
    Foreign { line: usize },
    /// It is listed by us for another run.
    Ours { line: usize },
    /// It is listed by us for this very key.
    Mine,
}

/// The list as read.
pub(super) struct List<'a> {
    kind: &'a Kind,
    text: &'a str,
    statements: Vec<Statement>,
}

impl<'a> List<'a> {
    pub(super) fn read(kind: &'a Kind, text: &'a str) -> Self {
        let mut statements = Vec::new();
        for (line, whole) in text.lines().enumerate() {
            let (code, comment) = whole.split_once('#').unwrap_or((whole, ""));
            let mark = Mark::parse(comment);
            statements.extend(code.split(';').filter_map(|words| statement(kind, line, words, mark.clone())));
        }
        Self { kind, text, statements }
    }

    /// Networks listed.
    pub(super) fn n_listed(&self) -> usize {
        self.statements.iter().filter(|statement| self.lists(statement)).count()
    }

    /// What it says about this network, seen by this key.
    ///
    /// # Errors
    /// `Conflict` when a line of the operator's says otherwise: it is not overruled.
    pub(super) fn stands(&self, net: &IpNet, key: &str) -> Result<Stands, Fault> {
        let mine = |statement: &&Statement| statement.mark.as_ref().is_some_and(|mark| mark.holds(key));
        if self.statements.iter().filter(mine).any(|statement| statement.net.as_ref() == Some(net)) {
            return Ok(Stands::Mine);
        }
        let Some(decides) = self.decides(net) else { return Ok(Stands::Open) };
        let line = decides.line + 1;
        if !self.lists(decides) {
            // `allow all` ends most lists: ours go before it. Anything narrower was meant.
            if decides.net.is_none() {
                return Ok(Stands::Open);
            }
            return Err(conflict(format!("line {line} of the list exempts {}: it is not overruled", show(net))));
        }
        Ok(if decides.mark.is_some() { Stands::Ours { line } } else { Stands::Foreign { line } })
    }

    /// Whether nginx would refuse (or slow down) every client of the network by this list.
    pub(super) fn applies(&self, net: &IpNet) -> bool {
        self.decides(net).is_some_and(|statement| self.lists(statement))
    }

    /// The list with one more line.
    pub(super) fn with(&self, net: &IpNet, mark: &Mark) -> String {
        let line = format!("{} # {mark}\n", self.entry(net));
        let open = self.statements.iter().find(|statement| statement.does == Does::Allow && statement.net.is_none());
        let at = open.map_or(self.text.len(), |open| offset_of(self.text, open.line));
        let (before, after) = self.text.split_at(at);
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        format!("{before}{gap}{line}{after}")
    }

    /// The list without this key's lines, and how many there were.
    pub(super) fn without(&self, key: &str) -> (String, usize) {
        let mut kept = String::with_capacity(self.text.len());
        let mut n_removed = 0;
        for line in self.text.split_inclusive('\n') {
            let mark = line.split_once('#').and_then(|(_, comment)| Mark::parse(comment));
            if mark.is_some_and(|mark| mark.holds(key)) {
                n_removed += 1;
            } else {
                kept.push_str(line);
            }
        }
        (kept, n_removed)
    }

    /// The statement our line makes.
    pub(super) fn entry(&self, net: &IpNet) -> String {
        match self.kind {
            Kind::Deny => format!("deny {};", show(net)),
            Kind::Throttle(value) => format!("{} {value};", show(net)),
        }
    }

    fn decides(&self, net: &IpNet) -> Option<&Statement> {
        match self.kind {
            Kind::Deny => self.statements.iter().find(|statement| statement.covers(net)),
            Kind::Throttle(_) => {
                self.statements.iter().filter(|statement| statement.covers(net)).max_by_key(|statement| {
                    // Of equals nginx keeps the last; so does `max_by_key`.
                    statement.net.map_or(0, |own| own.prefix_len())
                })
            }
        }
    }

    /// Whether the statement does what our lines do.
    fn lists(&self, statement: &Statement) -> bool {
        match (self.kind, &statement.does) {
            (Kind::Deny, does) => *does == Does::Deny,
            (Kind::Throttle(value), Does::Value(own)) => own == value,
            (Kind::Throttle(_), _) => false,
        }
    }
}

fn statement(kind: &Kind, line: usize, words: &str, mark: Option<Mark>) -> Option<Statement> {
    let mut words = words.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    let (does, place) = match (kind, first) {
        (Kind::Deny, "allow") => (Does::Allow, second),
        (Kind::Deny, "deny") => (Does::Deny, second),
        (Kind::Deny, _) => return None,
        // `default` is what everybody else gets.
        (Kind::Throttle(_), "default") => return None,
        (Kind::Throttle(_), place) => (Does::Value(second.trim_matches(['"', '\'']).to_owned()), place),
    };
    let net = match place {
        "all" if *kind == Kind::Deny => None,
        place => {
            Some(place.parse::<IpNet>().or_else(|_| place.parse::<std::net::IpAddr>().map(IpNet::from)).ok()?.trunc())
        }
    };
    Some(Statement { line, does, net, mark })
}

/// Where this line begins.
fn offset_of(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        crate::respond::place::parse(text).expect("a network")
    }

    const FOREIGN: &str = "# kept by hand\r\nallow 198.51.100.9;\ndeny  198.51.100.0/24;   # since May\ndeny 2001:db8::/32; deny 192.0.2.1;\n\nallow all;";

    #[test]
    fn first_match_decides_and_the_operator_is_not_overruled() {
        let list = List::read(&Kind::Deny, FOREIGN);
        let check = |place: &str, want: Result<Stands, ()>| {
            assert_eq!(list.stands(&net(place), "k").map_err(|_| ()), want, "{place}");
        };
        check("203.0.113.7", Ok(Stands::Open));
        check("198.51.100.9", Err(()));
        check("198.51.100.8", Ok(Stands::Foreign { line: 3 }));
        check("198.51.100.0/25", Ok(Stands::Foreign { line: 3 }));
        check("198.51.0.0/16", Ok(Stands::Open));
        check("2001:db8::7", Ok(Stands::Foreign { line: 4 }));
        check("192.0.2.1", Ok(Stands::Foreign { line: 4 }));
        assert_eq!(list.n_listed(), 3);
        assert!(!list.applies(&net("203.0.113.7")) && !list.applies(&net("198.51.100.9")));
    }

    #[test]
    fn adds_and_removes_only_its_own_line() {
        for text in [FOREIGN, "", "deny 192.0.2.1;", "\n\n", "allow all;\n", "garbage { } deny\n"] {
            let kind = Kind::Deny;
            let place = net("203.0.113.7");
            let mark = Mark::new("run_1", None);
            let added = List::read(&kind, text).with(&place, &mark);
            let list = List::read(&kind, &added);
            assert!(list.applies(&place), "{added}");
            assert_eq!(list.stands(&place, "run_1"), Ok(Stands::Mine));
            assert!(matches!(list.stands(&place, "run_2"), Ok(Stands::Ours { .. })));
            let twice = list.with(&place, &Mark::new("run_2", None));
            let (one, n) = List::read(&kind, &twice).without("run_1");
            assert_eq!(n, 1);
            assert!(List::read(&kind, &one).applies(&place), "the other run still holds it");
            let (none, n) = List::read(&kind, &one).without("run_2");
            assert_eq!((none.trim_end_matches('\n'), n), (text.trim_end_matches('\n'), 1), "{text:?}");
            assert_eq!(List::read(&kind, &none).without("run_2"), (none.clone(), 0));
        }
    }

    #[test]
    fn the_longest_network_decides_what_is_slowed_down() {
        let kind = Kind::Throttle("slow".into());
        let text = "default \"\";\n198.51.100.0/24 slow;\n198.51.100.9 off; # the checkout's own probe\n";
        let list = List::read(&kind, text);
        assert_eq!(list.stands(&net("198.51.100.8"), "k"), Ok(Stands::Foreign { line: 2 }));
        assert!(list.stands(&net("198.51.100.9"), "k").is_err());
        assert_eq!(list.stands(&net("203.0.113.0/24"), "k"), Ok(Stands::Open));
        let added = list.with(&net("203.0.113.0/24"), &Mark::new("k", None));
        assert!(added.ends_with("203.0.113.0/24 slow; # riskgraph k until undone\n"), "{added}");
        assert!(List::read(&kind, &added).applies(&net("203.0.113.200")));
    }
}
