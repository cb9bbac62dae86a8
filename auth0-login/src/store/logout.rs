//! What a logout token ends in a store.
use super::{LogoutTarget, SessionStore};
use crate::names::hash_of;
use auth0_core::{
    BoxFuture, LogoutToken,
    support::{LogoutSink, use_of},
};
use std::sync::Arc;

pub(crate) struct StoredSessions(pub(crate) Arc<dyn SessionStore>);

impl LogoutSink for StoredSessions {
    fn log_out<'a>(&'a self, token: &'a LogoutToken) -> BoxFuture<'a, Result<bool, String>> {
        Box::pin(async move {
            let issuer = token.issuer().trim_end_matches('/');
            let target = match (token.session_id(), token.subject()) {
                // Precise: the other sessions of the user go on.
                (Some(session), _) => Some(LogoutTarget::Session(hash_of(&[issuer, session]))),
                (None, Some(subject)) => Some(LogoutTarget::User {
                    user: hash_of(&[issuer, subject]),
                    until: token.issued_at(),
                }),
                (None, None) => None,
            };
            let failed = |error: super::SessionStoreError| error.to_string();
            if let Some(target) = target {
                self.0.log_out(&target).await.map_err(failed)?;
            }
            let used = use_of(token);
            self.0.use_once(used.id, used.lifetime).await.map_err(failed)
        })
    }
}
