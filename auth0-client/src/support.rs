//! What the crate `auth0-login` needs beyond the public interface: it may change in any release.
use crate::{
    client::Client,
    error::Error,
    secret::Secret,
    server::Deadline,
    token::{Held, Lifetime, Token},
};
use auth0_core::time::Moment;
use std::{sync::Arc, time::Duration};

/// An access token that a session has kept.
#[allow(missing_debug_implementations, reason = "it has a secret")]
pub struct KeptToken<'a> {
    /// A secret.
    pub access_token: &'a str,
    /// The scopes that were granted.
    pub scope: &'a str,
    /// Whether it is bound to the client's DPoP key.
    pub is_dpop: bool,
    /// Since 1970.
    pub expires_at: Duration,
}

/// Returns a token that was kept, for requests of this client.
#[must_use]
pub fn token(client: &Client, kept: &KeptToken<'_>, now: Moment) -> Token {
    let left = kept.expires_at.saturating_sub(now.unix_time);
    Token(Arc::new(Held {
        access_token: Secret::new(kept.access_token),
        is_dpop: kept.is_dpop,
        scope: kept.scope.into(),
        lifetime: Some(Lifetime::new(now, left)),
        refresh_token: None,
        id_token: None,
        recovery_code: None,
        issued_token_type: None,
        authorization_details: None,
        prover: client.0.server.prover.clone(),
        marks: crate::token::Marks::default(),
    }))
}

/// Returns the endpoint at which users log out (OpenID Connect RP-Initiated Logout 1.0 §2.1), if the metadata names one.
///
/// # Errors
/// The metadata cannot be read within the limit.
pub async fn end_session_endpoint(
    client: &Client,
    limit: Duration,
) -> Result<Option<String>, Error> {
    let server = Arc::clone(&client.0.server);
    let read = async move {
        let deadline = Deadline::after(limit, &*server.clock);
        Ok(server.metadata(&deadline).await?.endpoint("end_session_endpoint"))
    };
    client.0.on_thread(read).await
}
