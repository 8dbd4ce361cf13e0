//! A graph of a million entities and three million relations: how fast it loads, what it takes, how fast it answers.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should panic")]

use std::time::Instant;

use riskgraph::config::Config;
use riskgraph_analysis::policy::PolicyConfig;
use riskgraph_analysis::spread::RiskConfig;
use riskgraph_analysis::stage::{Stage, StageRows};
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::journal::Position;
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::{EntityId, Timestamp};
use riskgraph_store::Store;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[path = "support/percentile.rs"]
mod percentile;

const ENTITIES: usize = 1_000_000;
const RELATIONS: usize = 3_000_000;
/// Rows written in one delta.
const DELTA_ROWS: usize = 20_000;
/// Entities asked about, at random and the busiest.
const ASKED: usize = 2_000;
const HUBS: usize = 50;

/// A small generator: the graph's shape needs no quality, only skew.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    /// Below `n`, low numbers much more often: some addresses and devices are shared by thousands.
    fn skewed(&mut self, n: usize) -> usize {
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((n as f64) * unit * unit * unit) as usize
    }
    fn even(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn entity(number: usize) -> Entity {
    // 60 % users, 25 % addresses, 15 % devices.
    let (kind, key) = match number % 20 {
        0..12 => (EntityKind::User, format!("user-{number}")),
        12..17 => (EntityKind::Address, format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255)),
        _ => (EntityKind::Device, format!("device-{number}")),
    };
    let key = EntityKey::new(kind, key);
    Entity {
        id: key.id(),
        kind,
        name: key.key.clone(),
        key: key.key,
        attributes: serde_json::json!({}),
        first_seen: Timestamp(1_772_400_000_000),
        last_seen: Timestamp(1_772_438_400_000),
    }
}

fn relations(entities: &[Entity]) -> Vec<Relation> {
    let users: Vec<&Entity> = entities.iter().filter(|entity| entity.kind == EntityKind::User).collect();
    let others: Vec<&Entity> = entities.iter().filter(|entity| entity.kind != EntityKind::User).collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    (0..RELATIONS)
        .map(|_| {
            let user = users[random.even(users.len())];
            let other = others[random.skewed(others.len())];
            let kind = if other.kind == EntityKind::Address {
                RelationKind::AuthenticatedFrom
            } else {
                RelationKind::UsedDevice
            };
            Relation {
                id: Relation::id_of(kind, user.id, other.id),
                kind,
                from: user.id,
                to: other.id,
                first_seen: user.first_seen,
                last_seen: user.last_seen,
                confidence: 1.0,
                source: "events".into(),
            }
        })
        .collect()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let entities: Vec<Entity> = (0..ENTITIES).map(entity).collect();
    let relations = relations(&entities);
    let ids: Vec<EntityId> = entities.iter().map(|entity| entity.id).collect();
    store_rates(&entities, &relations).await;
    let stage = load(entities, relations);
    ask(&stage, &ids);
}

/// Writes and reads part of the rows; the rate does not fall with the size (docs/store.md).
async fn store_rates(entities: &[Entity], relations: &[Relation]) {
    let dir = tempfile::tempdir().expect("dir");
    let mut config = Config::load(None).expect("configuration");
    config.store.data_dir = dir.path().to_owned();
    let store = Store::open(riskgraph::app::store_options(&config)).await.expect("store");
    let state = store.state();
    let mut position = 0;
    let start = Instant::now();
    for rows in entities.chunks(DELTA_ROWS) {
        position += 1;
        let delta = Delta { position: Position(position), entities: rows.to_vec(), ..Delta::default() };
        state.apply(delta).await.expect("apply");
    }
    let n = entities.len() as f64;
    println!("store: {:.0} entities/s written", n / start.elapsed().as_secs_f64());
    let start = Instant::now();
    for rows in relations.chunks(DELTA_ROWS) {
        position += 1;
        let delta = Delta { position: Position(position), relations: rows.to_vec(), ..Delta::default() };
        state.apply(delta).await.expect("apply");
    }
    println!("store: {:.0} relations/s written", relations.len() as f64 / start.elapsed().as_secs_f64());
    let start = Instant::now();
    let (risk, policy) = (RiskConfig::defaults().expect("shipped"), PolicyConfig::shipped().expect("shipped"));
    let stage = riskgraph::restore::stage(state.as_ref(), &risk, &policy).await.expect("restore");
    let (n_entities, n_relations) = stage.graph().size();
    println!(
        "restart: {n_entities} entities and {n_relations} relations from rows in {:.1} s",
        start.elapsed().as_secs_f64()
    );
}

fn load(entities: Vec<Entity>, relations: Vec<Relation>) -> Stage {
    let before = riskgraph::demo::summary::resident_mb();
    let start = Instant::now();
    let mut loader =
        Stage::begin_load(&RiskConfig::defaults().expect("shipped"), &PolicyConfig::shipped().expect("shipped"));
    loader.add_entities(entities);
    let entities_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    loader.add_relations(&relations);
    let relations_s = start.elapsed().as_secs_f64();
    let stage = loader.finish(StageRows::default());
    drop(relations);
    let (n_entities, n_relations) = stage.graph().size();
    println!(
        "memory: {n_entities} entities at {:.0}/s, {n_relations} relations at {:.0}/s; resident {before:.0} MB with the rows, {:.0} MB after",
        n_entities as f64 / entities_s,
        n_relations as f64 / relations_s,
        riskgraph::demo::summary::resident_mb(),
    );
    stage
}

fn ask(stage: &Stage, ids: &[EntityId]) {
    let graph = stage.graph();
    let mut random = Random(42);
    let some: Vec<EntityId> = (0..ASKED).map(|_| ids[random.even(ids.len())]).collect();
    // The busiest: the first of the skewed draw.
    let hubs: Vec<EntityId> =
        (0..ENTITIES).filter(|number| number % 20 >= 12).take(HUBS).map(|number| ids[number]).collect();
    println!("{:<34} {:>9} {:>9} {:>9}", "query", "p50 ms", "p99 ms", "max ms");
    for (who, asked) in [("random", &some), ("hubs", &hubs)] {
        measure(&format!("two-hop neighbourhood, {who}"), asked, |id| graph.blast_radius(id, 2).len());
        measure(&format!("blast radius depth 4, {who}"), asked, |id| graph.blast_radius(id, 4).len());
        measure(&format!("relations page, {who}"), asked, |id| {
            graph.relations(id, &[], &PageRequest::first(100)).items.len()
        });
        measure(&format!("risk, {who}"), asked, |id| usize::from(graph.risk(id).is_some()));
        measure(&format!("path to another, {who}"), asked, |id| graph.path(id, ids[7], 6).map_or(0, |path| path.len()));
    }
}

fn measure(name: &str, asked: &[EntityId], mut query: impl FnMut(EntityId) -> usize) {
    let mut found = 0;
    let mut times: Vec<f64> = asked
        .iter()
        .map(|&id| {
            let start = Instant::now();
            found += query(id);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let (p50, p99, max) = (
        percentile::percentile(&mut times, 0.5),
        percentile::percentile(&mut times, 0.99),
        percentile::percentile(&mut times, 1.0),
    );
    println!("{name:<34} {p50:>9.3} {p99:>9.3} {max:>9.3}   ({} results a query)", found / asked.len().max(1));
}
