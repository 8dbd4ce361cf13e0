//! The words of actions that several connectors have: the same action has the same name, targets and parameters everywhere.

use riskgraph_domain::EntityKind;
use riskgraph_domain::respond::{ActionSpec, ParameterSpec};
use riskgraph_domain::text::Text;

/// Address and network, to be blocked.
pub(super) fn block(connector: &Text, how: &str) -> [ActionSpec; 2] {
    [
        place(connector, "block_address", EntityKind::Address, &format!("Requests from the address are {how}.")),
        place(connector, "block_network", EntityKind::Network, &format!("Requests from the network are {how}.")),
    ]
}

/// Address and network, to be slowed down.
pub(super) fn throttle(connector: &Text, how: &str) -> [ActionSpec; 2] {
    [
        place(connector, "throttle_address", EntityKind::Address, &format!("Requests from the address are {how}.")),
        place(connector, "throttle_network", EntityKind::Network, &format!("Requests from the network are {how}.")),
    ]
}

fn place(connector: &Text, action: &str, target: EntityKind, description: &str) -> ActionSpec {
    let name = if target == EntityKind::Address { "address" } else { "network" };
    ActionSpec {
        action: Text::from(action),
        connector: connector.clone(),
        description: description.to_owned(),
        targets: vec![target],
        reversible: true,
        parameters: vec![parameter(name, "Instead of the target, such as 203.0.113.7 or 198.51.100.0/24.")],
    }
}

/// A parameter that may be left out.
pub(super) fn parameter(name: &str, description: &str) -> ParameterSpec {
    ParameterSpec { name: Text::from(name), description: description.to_owned(), required: false }
}

/// A parameter the action is refused without.
pub(super) fn required(name: &str, description: &str) -> ParameterSpec {
    ParameterSpec { required: true, ..parameter(name, description) }
}
