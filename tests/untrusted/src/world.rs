//! An issuer, an API and their clock, all fixed, so that an input has one verdict.
use crate::signer::Signer;
use auth0_core::{Algorithm, Auth0, BoxFuture, Builder, Dpop, TrustedIssuer, time::Clock};
use serde_json::{Value, json};
use std::{future, time::Duration};
use tokio::runtime::Runtime;

pub(crate) const ISSUER: &str = "https://tenant.test/";
pub(crate) const AUDIENCE: &str = "https://api.tenant.test";
pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const LEEWAY: u64 = 5;

/// The header of a good token.
pub(crate) const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT","kid":"ed"}"#;

/// A clock that stands still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Still;

impl Clock for Still {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(NOW)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(future::pending())
    }
}

/// The key of the issuer.
pub(crate) fn issuer_key() -> Signer {
    Signer::new(1)
}

/// The key of a client.
pub(crate) fn client_key() -> Signer {
    Signer::new(2)
}

/// A key that nothing trusts.
pub(crate) fn attacker_key() -> Signer {
    Signer::new(3)
}

/// Returns the entry of the issuer's key set.
pub(crate) fn published() -> Value {
    let mut jwk = issuer_key().jwk();
    for (name, value) in [("kid", "ed"), ("alg", "EdDSA"), ("use", "sig")] {
        jwk[name] = value.into();
    }
    jwk
}

/// Returns a verifier with the issuer's key in memory, after these changes of its settings.
pub(crate) fn verifier(change: impl FnOnce(Builder) -> Builder) -> Auth0 {
    let keys = json!({ "keys": [published()] }).to_string();
    let auth =
        change(settings(TrustedIssuer::domain("tenant.test").key_set(keys))).build().unwrap();
    runtime().block_on(auth.warm_up()).unwrap();
    auth
}

pub(crate) fn settings(issuer: TrustedIssuer) -> Builder {
    Auth0::builder()
        .issuer(issuer)
        .audience(AUDIENCE)
        .algorithms([Algorithm::EdDSA])
        .leeway(Duration::from_secs(LEEWAY))
        .dpop(Dpop::allowed().algorithms([Algorithm::EdDSA]))
        .clock(Still)
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// Returns a good payload with more members.
pub(crate) fn payload(more: Value) -> String {
    let mut members = json!({
        "iss": ISSUER, "sub": "auth0|ann", "aud": AUDIENCE, "exp": NOW + 60, "iat": NOW, "scope": "a b",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        members[name] = value.clone();
    }
    members.to_string()
}

/// Returns a token of the issuer.
pub(crate) fn token(payload: &str) -> String {
    issuer_key().sign(HEADER.as_bytes(), payload.as_bytes())
}
