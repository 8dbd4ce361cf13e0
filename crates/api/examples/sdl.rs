//! Prints the GraphQL schema, as `schema/riskgraph.graphql` keeps it.

fn main() {
    print!("{}", riskgraph_api::sdl());
}
