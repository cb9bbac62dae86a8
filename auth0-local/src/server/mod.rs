//! The HTTP server of a tenant.
mod accounts;
mod admin;
mod administration;
mod assertion;
mod authorization_details;
mod authorize;
mod backchannel;
mod body;
mod certificate;
mod client_auth;
mod client_parameters;
mod connection;
mod cookie;
mod cors;
mod device;
mod documents;
mod endless;
mod events;
mod faulty;
mod form;
mod grant;
mod home;
mod host;
mod logout;
mod logout_tokens;
mod messages;
mod mfa;
mod mint;
mod my_account;
mod page;
mod passwordless;
mod proof;
mod recorded;
mod refusal;
mod register;
mod requests;
mod revoke;
mod target;
mod throttled;
mod user_info;

use crate::running::RunningTenant;
use auth0_testing::Tenant;
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef, connect_info::IntoMakeServiceWithConnectInfo},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
};
use connection::Connection;
use refusal::Refusal;

/// More than any request for a token needs.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(crate) use connection::Listener;
pub(crate) use mint::PATH as MINT_PATH;
#[cfg(feature = "cli")]
pub(crate) use {
    accounts::ACCOUNTS_PATH,
    admin::{FAULTS_PATH, LOGIN_PATH, REVOKE_PATH, ROTATE_PATH, STATS_PATH},
    administration::{
        BLOCK_PATH, DELETE_ORGANIZATION_PATH, DELETE_USER_PATH, REMOVE_MEMBER_PATH, UNBLOCK_PATH,
    },
    events::DRILL_PATH as EVENTS_PATH,
    logout_tokens::LOGOUT_PATH,
    messages::PATH as MESSAGES_PATH,
    mfa::OTP_PATH,
    recorded::PATH as TOKEN_REQUESTS_PATH,
    requests::PATH as REQUESTS_PATH,
};

/// Builds the service of a running tenant.
pub(crate) fn service(
    running: RunningTenant,
) -> IntoMakeServiceWithConnectInfo<Router, Connection> {
    let by_name = middleware::from_fn_with_state(running.clone(), host::known_names_only);
    let recorded = middleware::from_fn_with_state(running.clone(), home::record);
    let of_clients = Router::new()
        .merge(grant::routes(&running))
        .merge(user_info::routes(&running))
        .merge(revoke::routes(&running))
        .merge(register::routes(&running))
        .merge(device::routes(&running))
        .merge(backchannel::routes(&running))
        .merge(passwordless::routes(&running))
        .merge(mfa::routes(&running))
        .merge(authorize::routes_of_clients(&running))
        .route_layer(middleware::from_fn_with_state(running.clone(), cors::applications));
    Router::new()
        .merge(documents::routes(&running))
        .merge(authorize::routes(&running))
        .merge(my_account::routes())
        .merge(logout::routes(&running))
        .merge(device::pages(&running))
        .merge(passwordless::link(&running))
        .merge(of_clients)
        .merge(mint::routes())
        .merge(admin::routes(&running))
        .merge(accounts::routes(&running))
        .merge(administration::routes(&running))
        .merge(logout_tokens::routes(&running))
        .merge(events::routes(&running))
        .merge(recorded::routes(&running))
        .merge(requests::routes(&running))
        .merge(messages::routes(&running))
        .merge(mfa::otp_routes(&running))
        .merge(home::routes())
        .fallback(not_found)
        .with_state(running)
        .layer(recorded)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(by_name)
        .into_make_service_with_connect_info()
}

impl FromRef<RunningTenant> for Tenant {
    fn from_ref(running: &RunningTenant) -> Self {
        running.tenant().clone()
    }
}

async fn not_found() -> Response {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "a local tenant has a page at /, /.well-known/openid-configuration, the endpoints that this document names, \
         /v2/logout, /api/v2/events and, for drills, the endpoints that its README lists",
    )
    .into_response()
}
