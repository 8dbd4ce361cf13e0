//! `shop`: the shop's own admin API. The default contract is what a shop would build that builds one for riskgraph; every
//! action of it can be replaced by a template of one's own. It must *not* know more of the shop than its API.

use std::collections::BTreeMap;

use riskgraph_domain::EntityKind;
use riskgraph_domain::error::Fault;
use riskgraph_domain::text::Text;
use serde_json::json;
use url::Url;

use super::build::Tools;
use super::config::ShopConfig;
use super::fault::configuration;
use super::http::{ActionTemplate, Backing, CallTemplate, Caller, Expectation, Templated};
use super::ledger::Ledger;
use super::secret::SecretSource;

/// A switch of the default contract: `POST path/verb` sets it for this key, `GET path` tells state and holders, `DELETE
/// path/verb` lets this key go.
struct Switch {
    action: &'static str,
    description: &'static str,
    targets: &'static [EntityKind],
    path: &'static str,
    verb: &'static str,
    /// Fields of the answer: the state, and the keys that hold it.
    state: &'static str,
    holders: &'static str,
    way_back: WayBack,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WayBack {
    Release,
    None,
}

const SWITCHES: &[Switch] = &[
    Switch {
        action: "freeze_account",
        description: "The account cannot log in, buy or change anything until it is released.",
        targets: &[EntityKind::User, EntityKind::Staff],
        path: "/admin/accounts/{{target}}",
        verb: "freeze",
        state: "/frozen",
        holders: "/frozen_by",
        way_back: WayBack::Release,
    },
    Switch {
        action: "force_reset",
        description: "The account's password is void: its owner sets a new one by mail before the next login.",
        targets: &[EntityKind::User, EntityKind::Staff],
        path: "/admin/accounts/{{target}}",
        verb: "reset",
        state: "/reset_required",
        holders: "/reset_by",
        way_back: WayBack::None,
    },
    Switch {
        action: "suspend_key",
        description: "The integration's key is refused until it is released.",
        targets: &[EntityKind::ApiKey],
        path: "/admin/keys/{{target}}",
        verb: "suspend",
        state: "/suspended",
        holders: "/suspended_by",
        way_back: WayBack::Release,
    },
    Switch {
        action: "rotate_key",
        description: "The integration's key is replaced: the old one is refused for good, its owner fetches the new one.",
        targets: &[EntityKind::ApiKey],
        path: "/admin/keys/{{target}}",
        verb: "rotate",
        state: "/rotated",
        holders: "/rotated_by",
        way_back: WayBack::None,
    },
    Switch {
        action: "hold_order",
        description: "The order is neither shipped nor refunded until it is released.",
        targets: &[EntityKind::Order],
        path: "/admin/orders/{{target}}",
        verb: "hold",
        state: "/held",
        holders: "/held_by",
        way_back: WayBack::Release,
    },
    Switch {
        action: "hold_gift_card",
        description: "The gift card cannot be redeemed until it is released.",
        targets: &[EntityKind::GiftCard],
        path: "/admin/gift-cards/{{target}}",
        verb: "hold",
        state: "/held",
        holders: "/held_by",
        way_back: WayBack::Release,
    },
    Switch {
        action: "isolate_system",
        description: "The system is cut off from the others until it is released.",
        targets: &[EntityKind::Asset, EntityKind::Host, EntityKind::Integration],
        path: "/admin/systems/{{target}}",
        verb: "isolate",
        state: "/isolated",
        holders: "/isolated_by",
        way_back: WayBack::Release,
    },
];

/// The shop's connector.
///
/// # Errors
/// `Configuration` when a setting cannot be used.
pub(super) fn build(name: &str, config: &ShopConfig, tools: &Tools) -> Result<Templated, Fault> {
    let wrong = |what: String| configuration(format!("connector {name}: {what}"));
    let base = Url::parse(&config.base_url).map_err(|error| wrong(format!("base_url: {error}")))?;
    let mut actions = contract();
    if let Some(unknown) = config.without.iter().find(|action| !actions.contains_key(*action)) {
        return Err(wrong(format!("without: the default contract has no action '{unknown}'")));
    }
    actions.retain(|action, _| !config.without.contains(action));
    actions.extend(config.actions.clone());
    let caller = Caller::new(name, &config.net)?;
    let ledger = Ledger::open(&tools.state_dir, name, tools.clock.now())?;
    let mut backing = Backing::new(caller, ledger, tools.clock.clone());
    backing.base = Some(base);
    backing.secret = SecretSource::new(&config.token_file, &config.token_env);
    if backing.secret.read()?.is_some() {
        backing.headers.insert("authorization".to_owned(), "Bearer {{secret}}".to_owned());
    }
    Ok(Templated { name: Text::from(name), backing, actions })
}

/// The default contract.
fn contract() -> BTreeMap<String, ActionTemplate> {
    let mut actions: BTreeMap<_, _> =
        SWITCHES.iter().map(|switch| (switch.action.to_owned(), template(switch))).collect();
    actions.insert("end_sessions".to_owned(), end_sessions());
    actions
}

fn template(switch: &Switch) -> ActionTemplate {
    let lever = format!("{}/{}", switch.path, switch.verb);
    let mut execute = CallTemplate::new("POST", &lever);
    execute.body = Some(json!({ "reason": "{{reason}}", "until": "{{expires_at}}" }));
    let mut verify = CallTemplate::new("GET", switch.path);
    verify.holds = vec![Expectation::is(switch.state, true)];
    verify.mine = vec![Expectation::has(switch.holders, "{{key}}")];
    let undo = (switch.way_back == WayBack::Release).then(|| CallTemplate::new("DELETE", &lever));
    ActionTemplate {
        description: switch.description.to_owned(),
        targets: switch.targets.to_vec(),
        parameters: Vec::new(),
        execute,
        verify: Some(verify),
        undo,
        repeatable: true,
    }
}

fn end_sessions() -> ActionTemplate {
    let mut execute = CallTemplate::new("POST", "/admin/sessions/end");
    execute.body = Some(json!({ "kind": "{{target_kind}}", "id": "{{target}}", "reason": "{{reason}}" }));
    let mut verify = CallTemplate::new("GET", "/admin/sessions?kind={{target_kind}}&id={{target}}");
    verify.holds = vec![Expectation::is("/active", 0)];
    ActionTemplate {
        description: "Everybody logged in to the account is logged out; the next request needs a new login.".to_owned(),
        targets: vec![EntityKind::User, EntityKind::Staff, EntityKind::Session],
        parameters: Vec::new(),
        execute,
        verify: Some(verify),
        undo: None,
        repeatable: true,
    }
}
