//! Both verifiers, with the same keys and settings, at the same time.
use super::{
    keys::{Key, Keys},
    tokens,
};
use auth0_core::{Auth0, BoxFuture, ErrorCode, TrustedIssuer, time::Clock};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::runtime::{Builder, Runtime};
use untrusted_input::json::scopes;

/// A clock that shows the second that it was set to. That of `jsonwebtoken` cannot be set.
#[derive(Clone, Debug, Default)]
struct Second(Arc<AtomicU64>);

impl Clock for Second {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(future::pending())
    }
}

/// The claims that both read from a token that they accept.
pub(super) type Accepted = Value;

/// What both verifiers say of a token.
pub(super) struct Judgement {
    pub(super) token: String,
    pub(super) ours: Result<Accepted, ErrorCode>,
    pub(super) theirs: Result<Accepted, String>,
    /// The second in which both have verified it.
    pub(super) now: u64,
}

pub(super) struct Parties {
    pub(super) keys: Keys,
    /// Good tokens, to alter.
    pub(super) good: Vec<String>,
    clock: Second,
    runtime: Runtime,
    ours: Auth0,
    theirs: Vec<(Key, DecodingKey, Validation)>,
}

pub(super) const ISSUER: &str = "https://tenant.test/";
pub(super) const AUDIENCE: &str = "https://api.tenant.test";
pub(super) const LEEWAY: u64 = 5;

impl Parties {
    pub(super) fn new() -> Self {
        let keys = Keys::new();
        let set = json!({ "keys": Key::ALL.map(Key::jwk) });
        let clock = Second::default();
        let ours = Auth0::builder()
            .issuer(TrustedIssuer::domain("tenant.test").key_set(set.to_string()))
            .audience(AUDIENCE)
            .algorithms(Key::ALL.map(Key::algorithm))
            .leeway(Duration::from_secs(LEEWAY))
            .clock(clock.clone())
            .build()
            .unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(ours.warm_up()).unwrap();
        let set: JwkSet = serde_json::from_value(set).unwrap();
        let theirs = Key::ALL.map(|key| {
            let jwk = set.find(key.id()).unwrap();
            (key, DecodingKey::from_jwk(jwk).unwrap(), validation(key))
        });
        let good = [Key::EdDsa, Key::EdDsa, Key::EdDsa, Key::Es256, Key::Rs256].map(|key| {
            keys.sign(key, &tokens::header(key, vec![]), &tokens::payload(3_900_000_000, vec![]))
        });
        let (good, theirs) = (good.into(), theirs.into());
        Self { keys, good, clock, runtime, ours, theirs }
    }

    /// Lets both verify the token that a function returns for a time, within one second of the real time.
    pub(super) fn judge(&self, token: impl Fn(u64) -> String) -> Judgement {
        loop {
            let now = now();
            self.clock.0.store(now, Ordering::Relaxed);
            let token = token(now);
            let (ours, theirs) = (self.ours(&token), self.theirs(&token));
            if self::now() == now {
                return Judgement { token, ours, theirs, now };
            }
        }
    }

    fn ours(&self, token: &str) -> Result<Accepted, ErrorCode> {
        let token = self.runtime.block_on(self.ours.verify(token)).map_err(|error| error.code())?;
        Ok(json!({
            "iss": token.issuer(),
            "sub": token.subject(),
            "aud": token.audiences().collect::<Vec<_>>(),
            "scopes": token.scopes().collect::<Vec<_>>(),
        }))
    }

    /// Finds the key by `kid`, and without one, or with an empty one, the only key for the algorithm, as our verifier does.
    fn theirs(&self, token: &str) -> Result<Accepted, String> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| error.to_string())?;
        let found = self.theirs.iter().find(|(key, _, rules)| match &header.kid {
            Some(id) if !id.is_empty() => id == key.id(),
            _ => rules.algorithms.contains(&header.alg),
        });
        let (_, key, rules) = found.ok_or("no such key")?;
        let claims = jsonwebtoken::decode::<Value>(token, key, rules);
        let claims = claims.map_err(|error| format!("{:?}", error.kind()))?.claims;
        let aud = match &claims["aud"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        Ok(json!({
            "iss": claims["iss"],
            "sub": claims["sub"],
            "aud": aud,
            "scopes": scopes(&claims["scope"]),
        }))
    }
}

fn validation(key: Key) -> Validation {
    let mut validation = Validation::new(key.algorithm().as_str().parse().unwrap());
    validation.leeway = LEEWAY;
    validation.validate_nbf = true;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
