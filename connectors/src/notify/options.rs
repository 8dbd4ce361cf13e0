//! What an operator can say about how channels are reached.

use std::path::PathBuf;

use super::email::SmtpOptions;
use super::shape::Letterhead;
use crate::net::OutsideOptions;

/// Settings of the senders.
#[derive(Debug, Clone)]
pub struct NotifyOptions {
    pub outside: OutsideOptions,
    pub head: Letterhead,
    /// Where files of `FILE` channels lie.
    pub folder: PathBuf,
    pub smtp: SmtpOptions,
}
