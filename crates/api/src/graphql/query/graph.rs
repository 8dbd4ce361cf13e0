//! Queries for the risk graph.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::EntityKey;

use crate::graphql::entity::{BlastRadius, Concentration, Entity, EntityConnection, Relation};
use crate::graphql::node::parse_id;
use crate::graphql::page::{page_request, row_count};
use crate::graphql::words::{EntityKind, words};
use crate::surface::query as may;

/// Edges of a path or blast radius: when not given, and at most.
const DEPTH_DEFAULT: i32 = 6;
const RADIUS_DEFAULT: i32 = 3;
const DEPTH_MAX: i32 = 8;
/// Characters of a search text, at most.
const QUERY_LENGTH_MAX: usize = 200;

#[derive(Default)]
pub(crate) struct GraphQueries;

#[Object]
impl GraphQueries {
    /// One entity, by id or by kind and natural key.
    async fn entity(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        kind: Option<EntityKind>,
        key: Option<String>,
    ) -> Result<Option<Entity>, Fault> {
        let reader = may::entity(ctx)?;
        let id = match (id, kind, key) {
            (Some(id), None, None) => parse_id(&id)?,
            (None, Some(kind), Some(key)) => EntityKey::new(kind.into(), key).id(),
            _ => return Err(Fault::new(FaultCode::BadInput, "entity: give either id, or kind and key")),
        };
        Ok(reader.entity(id)?.map(Entity))
    }

    /// Entities: fuzzy over names and keys when there is a query, best first; else by risk, highest first.
    async fn entities(
        &self,
        ctx: &Context<'_>,
        query: Option<String>,
        kinds: Option<Vec<EntityKind>>,
        min_risk: Option<f64>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<EntityConnection, Fault> {
        let reader = may::entities(ctx)?;
        let page = page_request(first, after)?;
        let query = bounded_text(query)?;
        let found = reader.graph().search(query.as_deref(), &words(kinds), min_risk, &page);
        Ok(EntityConnection::new(reader.spend(found)?, page.after.as_deref()))
    }

    /// The shortest path; null when there is none within `maxDepth` edges (6 when not given, at most 8).
    async fn path(
        &self,
        ctx: &Context<'_>,
        from: ID,
        to: ID,
        max_depth: Option<i32>,
    ) -> Result<Option<Vec<Relation>>, Fault> {
        let reader = may::path(ctx)?;
        let found = reader.graph().path(parse_id(&from)?, parse_id(&to)?, depth(max_depth, DEPTH_DEFAULT)?);
        Ok(found.map(|edges| edges.into_iter().map(Relation).collect()))
    }

    /// What an entity's trouble would reach within `maxDepth` edges (3 when not given, at most 8).
    async fn blast_radius(
        &self,
        ctx: &Context<'_>,
        entity: ID,
        max_depth: Option<i32>,
    ) -> Result<Vec<BlastRadius>, Fault> {
        let reader = may::blast_radius(ctx)?;
        let found = reader.graph().blast_radius(parse_id(&entity)?, depth(max_depth, RADIUS_DEFAULT)?);
        Ok(reader.spend_list(found)?.into_iter().map(BlastRadius::from).collect())
    }

    /// Providers many vendors depend on, most first.
    async fn concentration(&self, ctx: &Context<'_>, first: Option<i32>) -> Result<Vec<Concentration>, Fault> {
        let reader = may::concentration(ctx)?;
        let found = reader.graph().concentration(row_count(first)?);
        Ok(reader.spend_list(found)?.into_iter().map(Concentration::from).collect())
    }
}

fn depth(given: Option<i32>, default: i32) -> Result<u32, Fault> {
    let depth = given.unwrap_or(default);
    if (1..=DEPTH_MAX).contains(&depth) {
        return Ok(depth.unsigned_abs());
    }
    Err(Fault::new(FaultCode::BadInput, format!("maxDepth: {depth} is out of range; give 1 to {DEPTH_MAX}")))
}

/// A search text; an empty one is none.
pub(super) fn bounded_text(query: Option<String>) -> Result<Option<String>, Fault> {
    let query = query.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if query.as_ref().is_some_and(|text| text.chars().count() > QUERY_LENGTH_MAX) {
        let message = format!("query: give at most {QUERY_LENGTH_MAX} characters");
        return Err(Fault::new(FaultCode::BadInput, message));
    }
    Ok(query)
}
