//! Responders: connectors that act on other systems for a playbook, check what they did and take it back.
//!
//! Each says beforehand exactly what it would do, does it at most once a key, looks at the real thing afterwards, and
//! undoes only its own: a block that stood before stays. Everything is bounded in time and size; what other systems
//! answer is read as hostile; secrets come from files or variables and never stand in texts or logs.
//!
//! It must *not* know playbooks, approvals or limits: those stand before it.

mod any;
mod aws_waf;
mod build;
mod cloudflare;
mod command;
mod config;
mod csp;
mod fault;
mod file;
mod http;
mod ledger;
mod mark;
mod nftables;
mod nginx;
mod place;
mod probe;
mod secret;
mod shop;
mod spec;
mod ticket;

pub use build::{Responders, Tools};
pub use config::{
    AwsWafConfig, CloudflareConfig, ConnectorConfig, ConnectorsConfig, CspConfig, HttpConfig, IpSetConfig, NetConfig,
    NftablesConfig, NginxConfig, ShopConfig, TicketConfig, Tracker, WafScope,
};
pub use http::{ActionTemplate, CallTemplate, Expectation, ParameterTemplate};
