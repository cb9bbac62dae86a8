//! What an event revokes.
use crate::event::Event;
use auth0_core::revocation::Revocation;
use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The types of events that can revoke tokens.
pub(crate) const REVOKING_TYPES: [&str; 4] =
    ["organization.deleted", "organization.member.deleted", "user.deleted", "user.updated"];

/// How far the time of an event can be ahead of this clock. A later time would revoke tokens of later logins.
const MAX_AHEAD: Duration = Duration::from_secs(5 * 60);

/// A member is missing without which it is unknown whose tokens are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Incomplete(pub(crate) &'static str);

/// Whose tokens an event ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    User(&'a str),
    Member { organization: &'a str, user: &'a str },
    Organization(&'a str),
}

impl<'a> Target<'a> {
    /// Returns whose tokens an event ends. `None` if it ends no access.
    pub(crate) fn of(event: &'a Event) -> Result<Option<Self>, Incomplete> {
        let object = event.object();
        Ok(Some(match event.event_type() {
            "user.deleted" => Self::User(text(object, "/user_id")?),
            "user.updated" if object.get("blocked") == Some(&Value::Bool(true)) => {
                Self::User(text(object, "/user_id")?)
            }
            "organization.member.deleted" => Self::Member {
                organization: text(object, "/organization/id")?,
                user: text(object, "/user/user_id")?,
            },
            "organization.deleted" => Self::Organization(text(object, "/id")?),
            _ => return Ok(None),
        }))
    }

    /// Returns the revocation for tokens of an issuer, up to the time of the event. If it has none, this is the time at
    /// which it was received: to revoke too much is the lesser evil.
    pub(crate) fn revocation(
        self,
        issuer: &str,
        event: &Event,
        received_at: Duration,
    ) -> Revocation {
        let revocation = match self {
            Self::User(user) => Revocation::subject(issuer, user),
            Self::Member { organization, user } => {
                Revocation::organization_member(issuer, organization, user)
            }
            Self::Organization(organization) => Revocation::organization(issuer, organization),
        };
        let latest = received_at.saturating_add(MAX_AHEAD);
        let time = event.unix_time().map_or(received_at, |time| time.min(latest));
        revocation.at(UNIX_EPOCH.checked_add(time).unwrap_or_else(SystemTime::now))
    }
}

fn text<'a>(object: &'a Value, pointer: &'static str) -> Result<&'a str, Incomplete> {
    let text = object.pointer(pointer).and_then(Value::as_str);
    text.filter(|text| !text.trim().is_empty()).ok_or(Incomplete(pointer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, object: Value) -> Event {
        Event::from_json(json!({ "type": kind, "data": { "object": object } }))
    }

    #[test]
    fn whose_tokens_end() {
        let ann = json!({ "user_id": "auth0|ann", "blocked": true, "email": "ann@acme.com" });
        let member =
            json!({ "organization": { "id": "org_1" }, "user": { "user_id": "auth0|ann" } });
        let user = Ok(Some(Target::User("auth0|ann")));
        for (event, expected) in [
            (event("user.deleted", ann.clone()), user),
            (event("user.updated", ann.clone()), user),
            (event("user.updated", json!({ "user_id": "a", "blocked": false })), Ok(None)),
            (event("user.updated", json!({ "user_id": "a" })), Ok(None)),
            (event("user.updated", json!({ "blocked": "true" })), Ok(None)),
            (event("user.created", ann.clone()), Ok(None)),
            (event("organization.member.role.deleted", member.clone()), Ok(None)),
            (
                event("organization.member.deleted", member),
                Ok(Some(Target::Member { organization: "org_1", user: "auth0|ann" })),
            ),
            (
                event("organization.deleted", json!({ "id": "org_1", "name": "acme" })),
                Ok(Some(Target::Organization("org_1"))),
            ),
            (event("", json!(null)), Ok(None)),
            (event("user.deleted", json!(null)), Err(Incomplete("/user_id"))),
            (event("user.deleted", json!({ "user_id": 7 })), Err(Incomplete("/user_id"))),
            (
                event("user.updated", json!({ "user_id": " ", "blocked": true })),
                Err(Incomplete("/user_id")),
            ),
            (
                event("organization.member.deleted", json!({ "organization": { "id": "org_1" } })),
                Err(Incomplete("/user/user_id")),
            ),
            (event("organization.deleted", json!([])), Err(Incomplete("/id"))),
        ] {
            assert_eq!(Target::of(&event), expected, "{event:?}");
        }
    }
}
