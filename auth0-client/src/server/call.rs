//! One request to the authorization server, and the rules for repeating it.
use super::Endpoint;
use crate::{error::Purpose, parameters::Parameters, secret::Secret};
use serde_json::{Map, Value};
use std::net::IpAddr;

/// A request, without what changes with each try.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) body: Body,
    pub(crate) repeat: Repeat,
    pub(crate) purpose: Purpose,
    /// The grant, for metrics.
    pub(crate) label: &'static str,
    /// Whether the request proves the client's DPoP key, if it has one: a refresh token may be bound to it.
    pub(crate) is_proven: bool,
    /// Whether the tokens of the answer are bound to the client's key or certificate, if it has one.
    pub(crate) is_bound: bool,
    /// The address of the user, for the tenant's protection from attacks.
    pub(crate) forwarded_for: Option<IpAddr>,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A form, with the credentials of the client.
    Form(Parameters),
    /// JSON, with the credentials of the client.
    Json(Map<String, Value>),
    /// JSON with a bearer token instead of the client's credentials; `None` for `GET`.
    WithToken(Secret, Option<Map<String, Value>>),
    /// `DELETE` with a bearer token, at a path below the endpoint.
    Delete(Secret, String),
}

/// Which failures a request is repeated after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// All: the request has no effect but its answer.
    Always,
    /// Those after which it is certain that the server has seen nothing: a second use of a refresh token may end
    /// all tokens of its family.
    Unseen,
    /// The same, and a limit that is reached is an error at once: a user waits for the answer.
    UnseenNow,
}

/// The tries that were made.
#[derive(Debug, Default)]
pub(super) struct Tries {
    pub(super) unsent: u32,
    pub(super) lost: u32,
    pub(super) failed: u32,
    pub(super) nonces: u32,
    pub(super) throttled: u32,
}

impl Repeat {
    /// Returns whether a request of which nothing was sent is repeated.
    pub(super) const fn after_unsent(self, tries: &Tries) -> bool {
        tries.unsent <= 2
    }

    /// Returns whether a request without an answer is repeated.
    pub(super) const fn after_lost(self, tries: &Tries) -> bool {
        matches!(self, Self::Always) && tries.lost <= 1
    }

    /// Returns whether a request that failed in the server is repeated.
    pub(super) const fn after_failure(self, tries: &Tries) -> bool {
        matches!(self, Self::Always) && tries.failed <= 1
    }

    /// Returns whether a request that met a limit is repeated after it: a limit that ends at once can be met again.
    pub(super) const fn after_throttled(self, tries: &Tries) -> bool {
        self.waits() && tries.throttled <= 3
    }

    /// Returns whether a request waits for a limit.
    pub(super) const fn waits(self) -> bool {
        !matches!(self, Self::UnseenNow)
    }
}

/// Parameters that are secrets, those of other grants included.
const SECRETS: [&str; 16] = [
    "actor_token",
    "assertion",
    "auth_req_id",
    "binding_code",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "mfa_token",
    "oob_code",
    "otp",
    "password",
    "recovery_code",
    "refresh_token",
    "subject_token",
    "token",
];

impl Call {
    /// Returns the secrets of the request, which a server may repeat in an error.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let (form, token) = match &self.body {
            Body::Form(parameters) => (Some(parameters), None),
            Body::Json(members) => (None, members.get("mfa_token").and_then(Value::as_str)),
            Body::WithToken(token, _) | Body::Delete(token, _) => (None, Some(&**token)),
        };
        let of_form = form.into_iter().flat_map(Parameters::iter);
        of_form.filter(|(name, _)| SECRETS.contains(name)).map(|(_, value)| value).chain(token)
    }

    /// Creates a request to the token endpoint.
    pub(crate) fn token(
        label: &'static str,
        parameters: Parameters,
        repeat: Repeat,
        purpose: Purpose,
    ) -> Self {
        let body = Body::Form(parameters);
        Self {
            endpoint: Endpoint::Token,
            body,
            repeat,
            purpose,
            label,
            is_proven: true,
            is_bound: true,
            forwarded_for: None,
        }
    }

    /// Creates a request to another endpoint, whose answer has no token.
    pub(crate) const fn to(endpoint: Endpoint, label: &'static str, body: Body) -> Self {
        Self {
            endpoint,
            body,
            repeat: Repeat::UnseenNow,
            purpose: Purpose::Other,
            label,
            is_proven: false,
            is_bound: false,
            forwarded_for: None,
        }
    }
}
