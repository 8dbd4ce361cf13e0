//! Many names through one resolver: some hundred questions under way, each with a deadline and one more try.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use riskgraph_domain::Text;
use riskgraph_domain::lookalike::{Lookalike, LookalikeDns, Suppressed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use super::wire::{self, Kind, Said};

/// Names asked for in one call: twenty domains' lookalikes.
const NAMES_MAX: usize = 200_000;
/// Largest answer read; without EDNS a server sends 512 bytes at most, over TCP 64 KiB.
const UDP_ANSWER_MAX_BYTES: usize = 4_096;
/// Sends of one question: a lost packet is no fact about a name.
const TRIES: u8 = 3;
/// Names asked for that nobody has, to see what every name of a zone gets: two, since answers may rotate.
const PROBES: [&str; 2] = ["rg-nobody-has-this-1", "rg-nobody-has-this-2"];
/// How many questions are read or sent before others get a turn.
const BURST: usize = 64;

/// How the resolver is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkOptions {
    pub resolver: SocketAddr,
    /// Questions under way at once. A resolver answers what it has at once, so its own patience limits the rest.
    pub window: usize,
    /// Silence after which a question is sent again.
    pub patience: Duration,
}

impl BulkOptions {
    /// Two hundred questions at once, two seconds each.
    #[must_use]
    pub fn of(resolver: SocketAddr) -> Self {
        Self { resolver, window: 200, patience: Duration::from_secs(2) }
    }

    /// The first name server of the system (`/etc/resolv.conf`).
    #[must_use]
    pub fn system() -> Option<Self> {
        let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
        let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
        let mut addresses = servers.filter_map(|rest| rest.trim().parse::<IpAddr>().ok());
        addresses.next().map(|ip| Self::of(SocketAddr::new(ip, 53)))
    }
}

/// Asks one resolver about many names.
#[derive(Debug, Clone)]
pub struct Bulk {
    options: BulkOptions,
}

impl Bulk {
    #[must_use]
    pub fn new(options: BulkOptions) -> Self {
        Self { options }
    }

    /// What DNS says about these names, in their order, wildcards marked.
    ///
    /// A name is registered when any record of its own exists; it is not when the resolver says so or its records are its
    /// zone's wildcard's; nobody knows when the resolver failed (`None`).
    ///
    /// # Errors
    ///
    /// When no socket can be opened.
    pub async fn look(&self, names: Vec<(Text, Text)>) -> std::io::Result<Vec<Lookalike>> {
        let asked: Vec<Text> = names.iter().take(NAMES_MAX).map(|(_, domain)| domain.clone()).collect();
        let answers = self.ask(&asked).await?;
        let wildcards = self.wildcards(&asked, &answers).await?;
        let found = names.into_iter().zip(answers).map(|((fuzzer, domain), answer)| {
            let parent = parent(&domain).unwrap_or_default();
            let is_wildcard = wildcards.get(parent).is_some_and(|everybody| covers(everybody, &answer.dns));
            let registered = if is_wildcard { Some(false) } else { answer.registered() };
            let suppressed = is_wildcard.then_some(Suppressed::Wildcard);
            Lookalike { fuzzer, domain, dns: answer.dns, registered, suppressed, page: None, certificate: None }
        });
        Ok(found.collect())
    }

    /// What any name below the parents of names that exist gets.
    async fn wildcards(&self, names: &[Text], answers: &[Answer]) -> std::io::Result<BTreeMap<String, LookalikeDns>> {
        let existing = names.iter().zip(answers).filter(|(_, answer)| !answer.dns.is_empty());
        let mut parents: Vec<String> = existing.filter_map(|(name, _)| parent(name)).map(str::to_owned).collect();
        parents.sort();
        parents.dedup();
        let probes: Vec<Text> =
            parents.iter().flat_map(|parent| PROBES.map(|label| Text::from(format!("{label}.{parent}")))).collect();
        let answers = self.ask(&probes).await?;
        let mut everybody: BTreeMap<String, LookalikeDns> = BTreeMap::new();
        for (probe, answer) in probes.iter().zip(answers) {
            if let Some(parent) = parent(probe).filter(|_| !answer.dns.is_empty()) {
                let known = everybody.entry(parent.to_owned()).or_default();
                known.a.extend(answer.dns.a);
                known.aaaa.extend(answer.dns.aaaa);
                known.ns.extend(answer.dns.ns);
                known.mx.extend(answer.dns.mx);
            }
        }
        Ok(everybody)
    }

    async fn ask(&self, names: &[Text]) -> std::io::Result<Vec<Answer>> {
        let mut asking = Asking::open(&self.options, names).await?;
        asking.run().await;
        Ok(asking.answers)
    }
}

/// The name without its first label.
fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

/// Whether a name has nothing that everybody in its zone does not have.
fn covers(everybody: &LookalikeDns, own: &LookalikeDns) -> bool {
    let within = |own: &[Text], all: &[Text]| own.iter().all(|record| all.contains(record));
    !own.is_empty()
        && within(&own.a, &everybody.a)
        && within(&own.aaaa, &everybody.aaaa)
        && within(&own.ns, &everybody.ns)
        && within(&own.mx, &everybody.mx)
}

/// What is known of one name so far.
#[derive(Debug, Clone, Default)]
struct Answer {
    dns: LookalikeDns,
    /// Some question had no answer.
    n_failed: u8,
}

impl Answer {
    fn registered(&self) -> Option<bool> {
        if self.dns.is_empty() { (self.n_failed == 0).then_some(false) } else { Some(true) }
    }
}

/// One question under way or waiting.
#[derive(Debug, Clone, Copy)]
struct Question {
    name: usize,
    kind: Kind,
    n_sent: u8,
}

/// One run over a list of names.
struct Asking<'a> {
    options: &'a BulkOptions,
    names: &'a [Text],
    socket: UdpSocket,
    answers: Vec<Answer>,
    /// The next name whose first question was not sent.
    next: usize,
    waiting: VecDeque<Question>,
    under_way: HashMap<u16, Question>,
    /// Ids in the order they were sent: the first is the first to be late.
    deadlines: VecDeque<(Instant, u16)>,
    ids: Ids,
}

impl<'a> Asking<'a> {
    async fn open(options: &'a BulkOptions, names: &'a [Text]) -> std::io::Result<Self> {
        let any: IpAddr =
            if options.resolver.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(options.resolver).await?;
        Ok(Self {
            options,
            names,
            socket,
            answers: vec![Answer::default(); names.len()],
            next: 0,
            waiting: VecDeque::new(),
            under_way: HashMap::new(),
            deadlines: VecDeque::new(),
            ids: Ids::new(),
        })
    }

    async fn run(&mut self) {
        let mut buffer = vec![0; UDP_ANSWER_MAX_BYTES];
        loop {
            self.send_some().await;
            let Some(&(deadline, _)) = self.deadlines.front() else {
                if self.waiting.is_empty() && self.next >= self.names.len() {
                    return;
                }
                tokio::task::yield_now().await;
                continue;
            };
            match timeout_at(deadline, self.socket.recv(&mut buffer)).await {
                Ok(Ok(length)) => self.take(&buffer[..length]).await,
                // An ICMP error about some earlier question; which one, its deadline tells.
                Ok(Err(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
                Err(_) => {}
            }
            for _ in 0..BURST {
                match self.socket.try_recv(&mut buffer) {
                    Ok(length) => self.take(&buffer[..length]).await,
                    Err(_) => break,
                }
            }
            self.drop_late();
        }
    }

    async fn send_some(&mut self) {
        while self.under_way.len() < self.options.window.clamp(1, 10_000) {
            let question = match self.waiting.pop_front() {
                Some(question) => question,
                None if self.next < self.names.len() => {
                    self.next += 1;
                    Question { name: self.next - 1, kind: Kind::Ns, n_sent: 0 }
                }
                None => return,
            };
            let id = self.ids.next(&self.under_way);
            let Some(bytes) = wire::question(id, &self.names[question.name], question.kind) else { continue };
            // A packet that could not be sent is one that got lost.
            let _ = self.socket.send(&bytes).await;
            self.under_way.insert(id, Question { n_sent: question.n_sent + 1, ..question });
            self.deadlines.push_back((Instant::now() + self.options.patience, id));
        }
    }

    async fn take(&mut self, bytes: &[u8]) {
        let Some((id, question)) = wire::id_of(bytes).and_then(|id| Some((id, *self.under_way.get(&id)?))) else {
            return;
        };
        let Some(said) = wire::read(bytes, &self.names[question.name], question.kind) else { return };
        self.under_way.remove(&id);
        let said = match said {
            Said::Truncated => self.over_tcp(question).await,
            said => said,
        };
        self.note(question, said);
    }

    fn note(&mut self, question: Question, said: Said) {
        let exists = said != Said::NxDomain;
        let answer = &mut self.answers[question.name];
        match said {
            Said::Records(records) => match question.kind {
                Kind::Ns => answer.dns.ns = records,
                Kind::A => answer.dns.a = records,
                Kind::Aaaa => answer.dns.aaaa = records,
                Kind::Mx => answer.dns.mx = records,
            },
            Said::NxDomain | Said::NoData => {}
            Said::Nothing | Said::Truncated => answer.n_failed += 1,
        }
        if question.kind == Kind::Ns && exists {
            let more = [Kind::A, Kind::Aaaa, Kind::Mx];
            self.waiting.extend(more.map(|kind| Question { name: question.name, kind, n_sent: 0 }));
        }
    }

    /// Sends questions again that got no answer in time; after the last try nobody knows.
    fn drop_late(&mut self) {
        let now = Instant::now();
        while let Some(&(deadline, id)) = self.deadlines.front() {
            let Some(question) = self.under_way.get(&id).copied() else {
                self.deadlines.pop_front();
                continue;
            };
            if deadline > now {
                return;
            }
            self.deadlines.pop_front();
            self.under_way.remove(&id);
            if question.n_sent < TRIES {
                self.waiting.push_back(question);
            } else {
                self.note(question, Said::Nothing);
            }
        }
    }

    async fn over_tcp(&self, question: Question) -> Said {
        let name = &self.names[question.name];
        let exchange = async {
            let bytes = wire::question(0, name, question.kind)?;
            let mut stream = TcpStream::connect(self.options.resolver).await.ok()?;
            stream.write_u16(u16::try_from(bytes.len()).ok()?).await.ok()?;
            stream.write_all(&bytes).await.ok()?;
            let length = stream.read_u16().await.ok()?;
            let mut answer = vec![0; usize::from(length)];
            stream.read_exact(&mut answer).await.ok()?;
            wire::read(&answer, name, question.kind)
        };
        timeout(self.options.patience, exchange).await.ok().flatten().unwrap_or(Said::Nothing)
    }
}

/// Ids that a stranger cannot foresee: spoofed answers must guess them (RFC 5452).
struct Ids {
    seed: RandomState,
    count: u64,
}

impl Ids {
    fn new() -> Self {
        Self { seed: RandomState::new(), count: 0 }
    }

    /// An id no question under way has.
    fn next(&mut self, taken: &HashMap<u16, Question>) -> u16 {
        loop {
            self.count += 1;
            let id = (self.seed.hash_one(self.count) >> 48) as u16;
            if !taken.contains_key(&id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests;
