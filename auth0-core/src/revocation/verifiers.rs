//! What is known of the verifiers that ask these revocations.
use super::{
    key::{IssuerHash, Kind},
    target::Revocation,
};
use crate::{
    config_error::ConfigError,
    identifier::{Domain, Issuer},
    telemetry::Escaped,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[derive(Default)]
pub(super) struct Verifiers(Mutex<State>);

#[derive(Default)]
struct State {
    /// The issuers that any of them trusts, and whether their tokens name the session.
    issuers: HashMap<(u64, u64), bool>,
    /// Whether one of them has a resolver, and may trust others.
    has_resolver: bool,
    has_warned_of_issuer: bool,
    has_warned_of_sessions: bool,
}

impl Verifiers {
    pub(super) fn add<'a>(
        &self,
        issuers: impl Iterator<Item = (&'a str, bool)>,
        has_resolver: bool,
    ) {
        let mut state = self.lock();
        state.has_resolver |= has_resolver;
        for (issuer, has_sessions) in issuers {
            *state.issuers.entry(IssuerHash::new(issuer).halves()).or_default() |= has_sessions;
        }
    }

    /// Returns the hash of an issuer: one that is trusted, a domain, or a URL.
    pub(super) fn issuer(&self, text: &str) -> Result<IssuerHash, ConfigError> {
        let stated = IssuerHash::new(text);
        if self.lock().issuers.contains_key(&stated.halves()) {
            return Ok(stated);
        }
        if text.trim() != text {
            return Err(ConfigError::new(format!(
                "the issuer {} of the revocation has spaces around it. Write it as in the iss claim of a token",
                Escaped(text)
            )));
        }
        let issuer = match text.contains("://") {
            true => text.parse::<Issuer>(),
            false => text.parse::<Domain>().map(|domain| domain.issuer()),
        };
        let issuer = issuer
            .map_err(|error| ConfigError::new(format!("the revocation has no effect: {error}")))?;
        Ok(IssuerHash::new(issuer.as_str()))
    }

    /// Warns once of a revocation that no token can meet.
    pub(super) fn check(&self, issuer: IssuerHash, revocation: &Revocation) {
        let mut state = self.lock();
        if state.has_resolver || state.issuers.is_empty() {
            return;
        }
        let has_sessions = state.issuers.get(&issuer.halves()).copied();
        let warns_of_issuer = has_sessions.is_none() && !state.has_warned_of_issuer;
        let lacks_sessions = revocation.kind == Kind::Session && has_sessions == Some(false);
        let warns_of_sessions = lacks_sessions && !state.has_warned_of_sessions;
        state.has_warned_of_issuer |= warns_of_issuer;
        state.has_warned_of_sessions |= warns_of_sessions;
        drop(state); // the log is not written under a lock
        if warns_of_issuer {
            tracing::warn!(
                target: "auth0", issuer = %Escaped(revocation.issuer()),
                "a revocation names an issuer that no verifier with these revocations trusts: it has no effect. Write \
                 the issuer of the tokens, which is the custom domain if there is one"
            );
        }
        if warns_of_sessions {
            tracing::warn!(
                target: "auth0", issuer = %Escaped(revocation.issuer()),
                "a session was revoked, and access tokens do not name their session: it has no effect. Copy \
                 event.session.id into a claim with an Action, and name it with Builder::session_claim"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
