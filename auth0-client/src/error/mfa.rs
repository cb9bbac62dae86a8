//! What `mfa_required` asks for.
use crate::secret::Secret;
use serde_json::{Map, Value};

/// More than Auth0 has types of factors.
const MAX_TYPES: usize = 32;

/// The factors that a user has to pass, or to enroll, and the token for that: see
/// [`Client::mfa`](crate::Client::mfa).
///
/// Types are open strings (`otp`, `oob`, `push-notification`, `recovery-code`, …), because Auth0 adds to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MfaRequirement {
    token: Secret,
    challenge: Vec<Box<str>>,
    enroll: Vec<Box<str>>,
    /// The scopes of the login: those of its tokens, if the last answer names none (RFC 6749 §5.1).
    scope: Box<str>,
}

impl MfaRequirement {
    /// Reads the members of an answer. `None` without a token: nothing could be done.
    pub(super) fn read(answer: &Map<String, Value>) -> Option<Self> {
        let token = answer.get("mfa_token").and_then(Value::as_str).filter(|text| is_usable(text));
        let requirements = answer.get("mfa_requirements");
        let of = |name| requirements.and_then(|all| all.get(name)).map(types).unwrap_or_default();
        let mut challenge: Vec<_> = of("challenge");
        if challenge.is_empty() {
            challenge = answer.get("challenge_types").map(types).unwrap_or_default();
        }
        let (token, scope) = (Secret::new(token?), Box::default());
        Some(Self { token, challenge, enroll: of("enroll"), scope })
    }

    pub(super) fn set_scope(&mut self, scope: &str) {
        self.scope = scope.into();
    }

    /// Returns the scopes that the login has requested.
    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns the token with which the user goes on. It is a secret.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the types of factors of which the user has to pass one. Empty if the answer names none.
    pub fn challenge_types(&self) -> impl Iterator<Item = &str> {
        self.challenge.iter().map(|name| &**name)
    }

    /// Returns the types of factors of which the user can enroll one. Empty if the answer names none.
    pub fn enrollment_types(&self) -> impl Iterator<Item = &str> {
        self.enroll.iter().map(|name| &**name)
    }
}

/// Returns whether a text can be sent in a header.
fn is_usable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads a list of names, or of objects with a `type`.
fn types(list: &Value) -> Vec<Box<str>> {
    let name = |entry: &Value| match entry {
        Value::String(name) => Some(name.as_str().into()),
        Value::Object(entry) => Some(entry.get("type")?.as_str()?.into()),
        _ => None,
    };
    list.as_array().into_iter().flatten().filter_map(name).take(MAX_TYPES).collect()
}
