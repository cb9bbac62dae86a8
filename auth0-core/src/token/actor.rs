//! The actor of a token (RFC 8693 §4.1).
use serde::Deserialize;

/// The party that acts for the subject of a token: the `act` claim. See
/// [`VerifiedToken::actor`](crate::VerifiedToken::actor).
///
/// ```
/// # use auth0_testing::Tenant;
/// # use serde_json::json;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = Tenant::new();
/// let token = tenant
///     .token()
///     .subject("auth0|ann")
///     .claim("act", json!({ "sub": "agt_1", "act": { "sub": "backend@clients" } }))
///     .mint();
/// let token = tenant.auth0().verify(&token).await?;
/// let actor = token.actor()?.unwrap();
/// assert_eq!(actor.subject(), Some("agt_1")); // acts for Ann
/// let chain: Vec<_> = actor.chain().filter_map(|actor| actor.subject()).collect();
/// assert_eq!(chain, ["agt_1", "backend@clients"]); // the second one acted before
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Actor {
    #[serde(rename = "sub")]
    subject: Option<String>,
    #[serde(rename = "iss")]
    issuer: Option<String>,
    client_id: Option<String>,
    #[serde(rename = "act")]
    before: Option<Box<Actor>>,
}

impl Actor {
    /// Returns the `sub` member: an agent (`agt_…`) or a client (`…@clients`).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Returns the `iss` member: the issuer that identifies the actor. `None` means the token's issuer.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// Returns the `client_id` member: the client of the actor.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Returns this actor, and then those that acted before it, the latest first. Only the first one may
    /// decide about access (RFC 8693 §4.1); the others are for the record.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |actor| actor.before.as_deref())
    }
}
