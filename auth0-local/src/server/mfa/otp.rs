//! `POST /__local/otp`: what a user's authenticator app shows.
use crate::{
    directory::FactorKind,
    running::RunningTenant,
    server::{
        body::object,
        host::no_foreign_origin,
        refusal::{Refusal, uncached},
    },
    totp,
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::StatusCode,
    middleware,
    response::Response,
    routing::post,
};
use serde::Deserialize;
use serde_json::json;

pub(crate) const PATH: &str = "/__local/otp";

pub(in crate::server) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new().route(PATH, post(show)).route_layer(no_foreign_origin)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    user: String,
}

async fn show(
    State(running): State<RunningTenant>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let Question { user } = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!(
            "the user cannot be read: {error}. Send {{\"user\":\"auth0|ann\"}}"
        ))
    })?;
    let otp = running.otp(&user).ok_or_else(|| {
        Refusal::invalid_request(format!(
            "the tenant has no user {user:?} with an authenticator app"
        ))
    })?;
    Ok(uncached(StatusCode::OK, &json!({ "otp": otp })))
}

impl RunningTenant {
    /// Returns the one-time password that a user's authenticator app shows.
    pub(crate) fn otp(&self, subject: &str) -> Option<String> {
        let user = self.user(subject)?;
        let step = totp::step(self.now().as_secs());
        let mut store = self.store();
        let mut secrets = store.mfa.authenticators.of(&user).iter().filter_map(|own| {
            let FactorKind::Otp { secret } = &own.factor else { return None };
            totp::secret(secret.reveal())
        });
        secrets.next().map(|secret| totp::password(&secret, step))
    }
}
