//! One renewal of the tokens of a session.
use crate::{
    error::ErrorKind,
    login::Shared,
    record::{Purpose, Record, of_user},
    renewals::Ending,
    session::{Live, Place},
    store::{SessionKey, Updated},
};
use auth0_client::{
    ErrorKind as ClientErrorKind, Token, Tokens,
    support::{deadline, refresh_of},
};
use auth0_core::{
    ErrorCode,
    support::{IdTokenExpectations, base64url, fetch_thread::passed, verify_id_token},
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// How long a renewal holds the lock of a store beyond the client's deadline: it verifies an ID token, and writes the session.
const LOCK_RESERVE: Duration = Duration::from_secs(10);

/// The pause between two attempts to lock a session that another instance renews.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// How often an update is tried again that another request has outdated.
const MAX_UPDATES: usize = 10;

/// The limit for a refresh token that is given back.
const REVOCATION_LIMIT: Duration = Duration::from_secs(1);

/// The token that a request waits for.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) purpose: Purpose,
    pub(super) scopes: Vec<String>,
}

/// A session with newer tokens.
pub(super) struct Renewed {
    pub(super) live: Live,
    /// The token that came, if no other request had brought one. It has been kept if its life is known.
    pub(super) token: Option<Token>,
}

/// Why there is no token.
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    pub(super) cause: String,
    pub(super) client_error: Option<auth0_client::Error>,
    /// The session, if it has changed nevertheless.
    pub(super) renewed: Option<Box<Live>>,
}

impl Failure {
    fn new(kind: ErrorKind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), client_error: None, renewed: None }
    }

    pub(super) fn panicked() -> Self {
        Self::unavailable("the renewal panicked")
    }

    pub(super) fn unavailable(cause: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, cause)
    }

    pub(super) fn missing_scope(scopes: &[String]) -> Self {
        let cause = format!(
            "Auth0 has not granted {}. Add the scopes to the login, or grant them to the user",
            scopes.join(" ")
        );
        Self::new(ErrorKind::MissingScope, cause)
    }

    fn gone() -> Self {
        Self::new(ErrorKind::LoginRequired, "the session has ended")
    }

    fn store(error: &crate::store::SessionStoreError) -> Self {
        tracing::error!(target: "auth0", %error, "the store of sessions has failed");
        Self::new(ErrorKind::StoreUnavailable, error.to_string())
    }

    fn client(error: auth0_client::Error) -> Self {
        let kind = match error.kind() {
            ClientErrorKind::InvalidGrant => ErrorKind::LoginRequired,
            ClientErrorKind::Denied if error.code().is_some_and(needs_user) => {
                ErrorKind::LoginRequired
            }
            ClientErrorKind::MfaRequired => ErrorKind::MfaRequired,
            ClientErrorKind::Denied | ClientErrorKind::AccountNotConnected => ErrorKind::Forbidden,
            ClientErrorKind::Throttled
            | ClientErrorKind::Unavailable
            | ClientErrorKind::DeadlineExceeded => ErrorKind::Unavailable,
            _ => ErrorKind::Misconfigured,
        };
        if kind == ErrorKind::Misconfigured {
            tracing::error!(target: "auth0", %error, "the tokens of a session cannot be renewed");
        }
        let cause = error.to_string();
        Self { kind, cause, client_error: Some(error), renewed: None }
    }
}

/// Returns whether a login can bring what a renewal cannot (OpenID Connect Core 1.0 §3.1.2.6).
fn needs_user(code: &str) -> bool {
    matches!(code, "interaction_required" | "login_required" | "consent_required")
}

/// Renews the tokens of a session, if no other request has done so meanwhile.
pub(super) async fn renewed(
    shared: Arc<Shared>,
    live: Live,
    wanted: Wanted,
) -> Result<Renewed, Failure> {
    // First those of this process, so that one of them asks the store.
    let lock = shared.renewals.lock_of(&live.record.id);
    let _lock = lock.lock().await;
    match live.place {
        Place::Cookie => renewed_in_cookie(&shared, live, &wanted).await,
        Place::Store { key, .. } => {
            let locked = lock_store(&shared, &key).await?;
            let outcome = renewed_in_store(&shared, &key, live, &wanted).await;
            if let Some(store) = &shared.store {
                // It ends by itself.
                drop(shared.limited(store.unlock(&key, locked)).await);
            }
            outcome
        }
    }
}

async fn renewed_in_cookie(
    shared: &Shared,
    mut live: Live,
    wanted: &Wanted,
) -> Result<Renewed, Failure> {
    let now = || shared.clock.monotonic();
    if shared.renewals.has_ended(&live.record.id, now()) {
        return Err(Failure::gone());
    }
    shared.renewals.adopt(&mut live.record, now());
    if has(shared, &live.record, wanted) {
        return Ok(Renewed { live, token: None });
    }
    let before = live.record.tokens.generation;
    let outcome = renew(shared, &mut live.record, wanted).await;
    if shared.renewals.has_ended(&live.record.id, now()) {
        give_back(shared, &live.record).await;
        return Err(Failure::gone());
    }
    let has_changed = live.record.tokens.generation != before;
    if has_changed {
        shared.renewals.remember(&live.record, now());
        live = with_user(shared, live).await?;
    }
    match outcome {
        Ok(token) => Ok(Renewed { live, token: Some(token) }),
        Err(failure) if has_changed => Err(Failure { renewed: Some(Box::new(live)), ..failure }),
        Err(failure) => Err(failure),
    }
}

async fn renewed_in_store(
    shared: &Shared,
    key: &SessionKey,
    mut live: Live,
    wanted: &Wanted,
) -> Result<Renewed, Failure> {
    live.place = reload(shared, key, &mut live.record).await?;
    if has(shared, &live.record, wanted) {
        return Ok(Renewed { live: with_user(shared, live).await?, token: None });
    }
    let before = live.record.tokens.generation;
    let outcome = renew(shared, &mut live.record, wanted).await;
    if live.record.tokens.generation == before {
        return outcome.map(|token| Renewed { live, token: Some(token) });
    }
    live.place = store(shared, key, &mut live).await?;
    let live = with_user(shared, live).await?;
    match outcome {
        Ok(token) => Ok(Renewed { live, token: Some(token) }),
        Err(failure) => Err(Failure { renewed: Some(Box::new(live)), ..failure }),
    }
}

/// Stores a session with newer tokens, or keeps them in memory for a while: the successor of a refresh token must not be
/// lost.
async fn store(shared: &Shared, key: &SessionKey, live: &mut Live) -> Result<Place, Failure> {
    let (tokens, claims) = (live.record.tokens.clone(), live.record.claims.clone());
    for _ in 0..MAX_UPDATES {
        let Place::Store { version, .. } = live.place else { break };
        let gone = match shared.update(key, version, &live.record).await {
            Ok(Updated::Done(version)) => {
                return Ok(Place::Store { key: *key, version, is_behind: false });
            }
            Ok(Updated::Gone) => Failure::gone(),
            Ok(Updated::Stale) => match reload(shared, key, &mut live.record).await {
                Ok(place) => {
                    live.place = place;
                    live.record.tokens = tokens.clone();
                    live.record.claims = claims.clone();
                    continue;
                }
                Err(failure) if failure.kind == ErrorKind::StoreUnavailable => {
                    passed(&*shared.clock, LOCK_PAUSE).await;
                    continue;
                }
                Err(failure) => failure,
            },
            Err(failure) if failure.kind == ErrorKind::StoreUnavailable => {
                // It may be back in a moment.
                passed(&*shared.clock, LOCK_PAUSE).await;
                continue;
            }
            Err(failure) => return Err(Failure::new(failure.kind, failure.cause)),
        };
        give_back(shared, &live.record).await;
        return Err(gone);
    }
    tracing::error!(
        target: "auth0",
        "renewed tokens cannot be stored: this instance keeps them for a minute, and tries again with the next request"
    );
    shared.renewals.remember(&live.record, shared.clock.monotonic());
    Ok(match live.place {
        Place::Store { key, version, .. } => Place::Store { key, version, is_behind: true },
        Place::Cookie => Place::Cookie,
    })
}

/// Locks a session for all instances.
async fn lock_store(shared: &Shared, key: &SessionKey) -> Result<u64, Failure> {
    let Some(store) = &shared.store else { return Err(Failure::gone()) };
    let lock_lasts = deadline(&shared.client).saturating_add(LOCK_RESERVE);
    let mut waited = Duration::ZERO;
    loop {
        let locked = shared.limited(store.lock(key, lock_lasts)).await;
        if let Some(number) = locked.map_err(|error| Failure::store(&error))? {
            return Ok(number);
        }
        if shared.load(key).await.map_err(|error| Failure::store(&error))?.is_none() {
            return Err(Failure::gone());
        }
        if waited >= lock_lasts {
            return Err(Failure::unavailable("another instance renews the tokens for too long"));
        }
        passed(&*shared.clock, LOCK_PAUSE).await;
        waited += LOCK_PAUSE;
    }
}

/// Reads a session again, with the tokens that the store has not got yet.
async fn reload(shared: &Shared, key: &SessionKey, record: &mut Record) -> Result<Place, Failure> {
    let stored = shared.load(key).await.map_err(|error| Failure::store(&error))?;
    let stored = stored.ok_or_else(Failure::gone)?;
    *record = shared.opened(key, &stored.content).ok_or_else(Failure::gone)?;
    let is_behind = shared.renewals.adopt(record, shared.clock.monotonic());
    Ok(Place::Store { key: *key, version: stored.version, is_behind })
}

fn has(shared: &Shared, record: &Record, wanted: &Wanted) -> bool {
    let Wanted { purpose, scopes } = wanted;
    record.tokens.find(purpose, scopes, &shared.client, shared.clock.moment(), false).is_some()
}

/// Requests the token. The record has other tokens then, also after some failures.
async fn renew(shared: &Shared, record: &mut Record, wanted: &Wanted) -> Result<Token, Failure> {
    let Some(refresh_token) = record.tokens.refresh_token.clone() else {
        let cause = "the session has no refresh token. Request the scope offline_access, and allow offline access for the API";
        return Err(Failure::new(ErrorKind::LoginRequired, cause));
    };
    let refresh_token = refresh_token.text();
    match &wanted.purpose {
        Purpose::Account { connection, login_hint } => {
            let mut account = shared.client.connection(connection);
            if let Some(hint) = login_hint {
                account = account.login_hint(hint);
            }
            let token = account.for_refresh_token(refresh_token).token().await;
            let token = token.map_err(Failure::client)?;
            record.tokens.generation += 1;
            record.tokens.keep_token(&shared.client, wanted.purpose.clone(), &token, shared.now());
            Ok(token)
        }
        Purpose::Api { audience } => {
            let mut refresh = shared.client.refresh(refresh_token);
            let of_login = shared.settings.audience.as_ref();
            if let Some(audience) = audience
                && of_login != Some(audience)
            {
                refresh = refresh.audience(audience);
            }
            refresh = match &*wanted.scopes {
                [] => refresh_of(refresh, record.tokens.granted(&wanted.purpose)),
                scopes => refresh.scopes(scopes),
            };
            let tokens = match refresh.send().await {
                Ok(tokens) => tokens,
                Err(error) if error.kind() == ClientErrorKind::InvalidGrant => {
                    record.tokens.clear();
                    return Err(Failure::client(error));
                }
                Err(error) => return Err(Failure::client(error)),
            };
            check_user(shared, record, &tokens).await?;
            let keeps_id_token = shared.settings.keeps_id_token;
            let (purpose, now) = (wanted.purpose.clone(), shared.now());
            record.tokens.keep(&shared.client, purpose, &tokens, keeps_id_token, now);
            Ok(tokens.access_token())
        }
    }
}

/// Checks that the tokens are those of the user of the session, and takes the newer claims.
async fn check_user(shared: &Shared, record: &mut Record, tokens: &Tokens) -> Result<(), Failure> {
    let Some(id_token) = tokens.id_token() else { return Ok(()) };
    let encoded = tokens.access_token();
    let expected = IdTokenExpectations {
        issuer: &record.issuer,
        client_id: shared.client.client_id(),
        access_token: Some(encoded.encoded()),
        ..IdTokenExpectations::default()
    };
    let claims = match verify_id_token(&shared.auth, id_token, &expected).await {
        Ok(claims) => claims,
        // They came from the token endpoint itself. The claims stay those of before.
        Err(error) if error.is_temporary() && is_of_user(id_token, record) => {
            tracing::warn!(target: "auth0", %error, "the ID token of a renewal cannot be verified, and is not used");
            return Ok(());
        }
        Err(error) => {
            tracing::error!(target: "auth0", %error, "a renewal came with an ID token that is not valid");
            record.tokens.clear();
            return Err(Failure::new(
                ErrorKind::LoginRequired,
                "the renewed ID token is not valid",
            ));
        }
    };
    let subject = record.claim("sub");
    if claims.get("sub").and_then(Value::as_str) != subject.as_deref() {
        tracing::error!(target: "auth0", "a renewal came with the tokens of another user");
        record.tokens.clear();
        return Err(Failure::new(
            ErrorKind::LoginRequired,
            "the renewed tokens are another user's",
        ));
    }
    let mut claims = claims;
    // What a refresh does not repeat stays: the session at the issuer, and how the user logged in.
    for name in ["sid", "auth_time", "amr", "acr", "org_id", "org_name"] {
        if !claims.contains_key(name)
            && let Ok(known) = serde_json::from_str::<Value>(record.claims.get())
            && let Some(value) = known.get(name)
        {
            claims.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(claims) = of_user(claims) {
        record.claims = claims;
    }
    Ok(())
}

/// Returns whether an ID token, which was not verified, names the user of the session.
fn is_of_user(id_token: &str, record: &Record) -> bool {
    let payload = id_token.split('.').nth(1).and_then(base64url);
    let claims: Option<Map<String, Value>> =
        payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    claims.is_some_and(|claims| {
        claims.get("sub").and_then(Value::as_str) == record.claim("sub").as_deref()
            && claims.get("iss").and_then(Value::as_str).is_some_and(|issuer| {
                issuer.trim_end_matches('/') == record.issuer.trim_end_matches('/')
            })
    })
}

/// Returns the session with the user of the newer claims.
async fn with_user(shared: &Shared, mut live: Live) -> Result<Live, Failure> {
    match shared.user_of(&live.record).await {
        Ok(user) => {
            live.user = user;
            Ok(live)
        }
        // The session may go on, and has the tokens then.
        Err(error) if error.code() == ErrorCode::RevocationsUnavailable => {
            tracing::error!(target: "auth0", %error, "a session cannot be read after the renewal of its tokens");
            let failure = Failure::new(ErrorKind::StoreUnavailable, error.to_string());
            Err(Failure { renewed: Some(Box::new(live)), ..failure })
        }
        Err(_) => Err(Failure::gone()),
    }
}

/// Revokes the refresh token of a session that has ended meanwhile. After another login of the user, it is dropped only: with
/// "Refresh Token Revocation Deletes Grant", Auth0 revokes all refresh tokens of the user and the application, also that of
/// the new session.
async fn give_back(shared: &Shared, record: &Record) {
    let ending = shared.renewals.ending(&record.id, shared.clock.monotonic());
    if ending == Some(Ending::Replaced) {
        return;
    }
    if let Some(token) = &record.tokens.refresh_token {
        drop(shared.client.revoke(token.text()).deadline(REVOCATION_LIMIT).send().await);
    }
}
