//! One read of one object by one actor.

use riskgraph_domain::event::{Event, EventKind, Outcome};

use super::super::paths;
use super::{EnumerationConfig, user_key};
use crate::baseline::quick_key;
use crate::keyed::Key;

/// Whose job it is to read, which decides with whom an actor is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Customer = 1,
    /// A session or key of which no more is known.
    Token = 2,
    Staff = 3,
    Partner = 4,
}

/// What of an event matters here, borrowed.
#[derive(Debug)]
pub(super) struct Access<'a> {
    pub(super) group: Group,
    /// Login name, session or key id.
    pub(super) name: &'a str,
    /// The customer who acts, where known.
    pub(super) user: Option<Key>,
    /// Type of the object.
    pub(super) kind: u64,
    pub(super) kind_name: &'a str,
    pub(super) id: &'a str,
    pub(super) number: Option<u64>,
    pub(super) owner: Option<Key>,
    pub(super) owner_name: Option<&'a str>,
    pub(super) success: bool,
    /// A partner that has been calling for long.
    pub(super) senior: bool,
}

impl<'a> Access<'a> {
    /// Reads an access by somebody who is known to something that is not public; none for other events.
    pub(super) fn of(event: &'a Event, config: &EnumerationConfig) -> Option<Self> {
        let actor = &event.actor;
        let (group, name) = match (&actor.user, &actor.staff, &actor.key, &actor.session, &actor.integration) {
            (Some(user), ..) => (Group::Customer, user),
            (_, Some(staff), ..) => (Group::Staff, staff),
            (_, _, Some(key), _, Some(_)) => (Group::Partner, key),
            (_, _, _, _, Some(integration)) => (Group::Partner, integration),
            (_, _, Some(key), ..) => (Group::Token, key),
            (_, _, _, Some(session), _) => (Group::Token, session),
            _ => return None,
        };
        let http = event.http.as_deref();
        let object = event.object.as_deref();
        let named = object.and_then(|object| Some((object.kind.as_deref()?, object.id.as_deref()?)));
        let (kind_name, id) = match (named, event.kind) {
            (Some(named), _) => named,
            (None, EventKind::DataAccess) => return None,
            (None, _) => in_path(http?.path.as_deref()?)?,
        };
        if name.is_empty() || config.public_types.iter().any(|public| public.eq_ignore_ascii_case(kind_name)) {
            return None;
        }
        let owner_name = object.and_then(|object| object.owner.as_deref());
        let status = http.and_then(|http| http.status);
        let success =
            status.map_or(!event.outcome.refused(), |status| status < 400) && event.outcome != Outcome::Denied;
        Some(Self {
            group,
            name,
            user: actor.user.as_deref().map(user_key),
            kind: quick_key(kind_name),
            kind_name,
            id,
            number: paths::number(id),
            owner: owner_name.map(user_key),
            owner_name,
            success,
            senior: false,
        })
    }

    /// Whether somebody else than the actor owns the object; none when that is not known.
    pub(super) fn foreign(&self) -> Option<bool> {
        Some(self.owner? != self.user?)
    }
}

/// Type and id in a path: `/api/orders/10244` reads an `order`.
fn in_path(path: &str) -> Option<(&str, &str)> {
    let id = paths::last_id(path)?;
    let before =
        paths::bare(path).rsplit('/').skip_while(|segment| *segment != id).find(|segment| !paths::is_id(segment));
    let kind = before.filter(|segment| !segment.is_empty())?;
    Some((kind.strip_suffix('s').filter(|one| one.len() > 1).unwrap_or(kind), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_type_and_id_of_a_path() {
        let check = |path: &str, expected: Option<(&str, &str)>| assert_eq!(in_path(path), expected, "{path}");
        check("/api/orders/10244?x=1", Some(("order", "10244")));
        check("/api/orders/10244/invoice", Some(("order", "10244")));
        check("/v1/users/u-88/address/7", Some(("addres", "7")));
        check("/p/12", Some(("p", "12")));
        check("/about", None);
        check("/12", None);
    }
}
