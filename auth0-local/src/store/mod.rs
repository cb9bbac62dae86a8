//! What the tenant keeps of its logins, in memory and bounded: codes, tokens and sessions.
mod bounded;
mod code;
mod connections;
mod grant;
mod logins;
mod messages;
mod mfa;
mod passcodes;
mod pending;
mod pushed;
mod quotas;
mod refresh;
mod refresh_token;
mod session;
mod session_transfer;
mod used_jwts;
mod vault;

pub(crate) use code::{Code, Codes, Redeemed};
pub(crate) use connections::{CONNECTING_LIFETIME, Connecting, Connections};
pub(crate) use grant::{AccessToken, Grant};
pub use logins::LoginAnswer;
pub(crate) use logins::{Logins, NextLogin};
pub(crate) use messages::Messages;
pub use messages::{Channel, Message};
pub(crate) use mfa::{Authenticator, MFA_LIFETIME, Mfa, MfaLogin, MfaRefusal};
pub(crate) use passcodes::{Passcode, Passcodes, Proved};
pub use pending::RequestKind;
pub(crate) use pending::{Decision, INTERVAL, Pace, Pending, PendingRequests, Poll};
pub(crate) use pushed::{PUSHED_LIFETIME, PushedRequests};
pub(crate) use quotas::{QuotaOf, QuotaState, Quotas};
pub(crate) use refresh::RefreshTokens;
pub(crate) use session::{Session, Sessions};
pub(crate) use session_transfer::{SESSION_TRANSFER_LIFETIME, SessionTransfers};
pub(crate) use used_jwts::{JwtUse, UsedJwts};
pub use vault::VaultAccount;
pub(crate) use vault::VaultTokens;

use crate::{error::LocalError, secret::Fingerprint};
use bounded::Bounded;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The most access tokens that `/userinfo` knows.
const MAX_ACCESS_TOKENS: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) codes: Codes,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) sessions: Sessions,
    pub(crate) used_jwts: UsedJwts,
    pub(crate) quotas: Quotas,
    pub(crate) session_transfers: SessionTransfers,
    pub(crate) vault_tokens: VaultTokens,
    pub(crate) connections: Connections,
    pub(crate) pending: PendingRequests,
    pub(crate) mfa: Mfa,
    pub(crate) messages: Messages,
    pub(crate) passcodes: Passcodes,
    pub(crate) pushed: PushedRequests,
    access_tokens: Bounded<Fingerprint, AccessToken>,
    grants: u64,
}

impl Store {
    pub(crate) fn new() -> Result<Self, LocalError> {
        Ok(Self {
            codes: Codes::new(),
            refresh_tokens: RefreshTokens::new()?,
            sessions: Sessions::new(),
            used_jwts: UsedJwts::new(),
            quotas: Quotas::default(),
            session_transfers: SessionTransfers::new(),
            vault_tokens: VaultTokens::new(),
            connections: Connections::new(),
            pending: PendingRequests::new(),
            mfa: Mfa::new(),
            messages: Messages::default(),
            passcodes: Passcodes::new(),
            pushed: PushedRequests::new(),
            access_tokens: Bounded::new(MAX_ACCESS_TOKENS),
            grants: 0,
        })
    }

    /// Returns the number of a new grant.
    pub(crate) fn next_grant(&mut self) -> u64 {
        self.grants += 1;
        self.grants
    }

    pub(crate) fn keep_access_token(&mut self, token: &str, kept: AccessToken) {
        self.access_tokens.insert(Fingerprint::of(token), kept);
    }

    /// Returns an access token of a login that is valid at this time.
    pub(crate) fn access_token(&self, token: &str, now: Duration) -> Option<&AccessToken> {
        self.access_tokens.get(&Fingerprint::of(token)).filter(|kept| now < kept.expires)
    }

    /// Revokes a token of this client. Returns whether it may: a token of another client is not revoked.
    pub(crate) fn revoke(&mut self, token: &str, client_id: &str, now: Duration) -> bool {
        let fingerprint = Fingerprint::of(token);
        let access = self.access_tokens.get(&fingerprint).map(|kept| Arc::clone(&kept.grant));
        let refresh = || self.refresh_tokens.presented(token, now).map(|it| it.grant);
        let is_access = access.is_some();
        let Some(grant) = access.or_else(refresh) else { return true };
        if grant.client_id != client_id {
            return false;
        }
        if is_access {
            self.access_tokens.remove(&fingerprint);
        } else {
            self.revoke_grant(grant.number);
        }
        true
    }

    /// Ends the sessions and the refresh tokens of a user. Returns the ids of the sessions that each client had.
    pub(crate) fn end_logins(
        &mut self,
        subject: &str,
        now: Duration,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut ended: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for session in self.sessions.end_of(subject, now) {
            for client in session.clients {
                ended.entry(client).or_default().insert(session.id.clone());
            }
        }
        for grant in self.refresh_tokens.remove_of(subject, now) {
            let sessions = ended.entry(grant.client_id.clone()).or_default();
            sessions.insert(grant.session_id.clone());
        }
        ended
    }

    /// Revokes all tokens that came of a login.
    pub(crate) fn revoke_grant(&mut self, number: u64) {
        self.refresh_tokens.remove(number);
        self.access_tokens.retain(|kept| kept.grant.number != number);
    }
}
