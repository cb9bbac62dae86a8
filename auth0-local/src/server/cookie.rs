//! The cookie of a user's session with the tenant.
use crate::running::RunningTenant;
use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
use url::Url;

/// Auth0's default lifetime of a session, in seconds.
const MAX_AGE: u32 = 7 * 24 * 60 * 60;

/// Returns the values of the cookie in a request. A browser sends the cookies of one host to all of its
/// ports, so there can be others.
pub(super) fn values<'a>(
    running: &RunningTenant,
    headers: &'a HeaderMap,
) -> impl Iterator<Item = &'a str> + use<'a> {
    let name = name(running);
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).filter_map(move |pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// Returns the header that sets the cookie.
pub(super) fn set(running: &RunningTenant, value: &str) -> Option<HeaderValue> {
    header(running, value, MAX_AGE)
}

/// Returns the header that removes the cookie.
pub(super) fn clear(running: &RunningTenant) -> Option<HeaderValue> {
    header(running, "", 0)
}

fn header(running: &RunningTenant, value: &str, max_age: u32) -> Option<HeaderValue> {
    let name = name(running);
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age}");
    HeaderValue::try_from(text).ok()
}

/// Returns the name, which contains the port: another tenant of this machine has another cookie.
fn name(running: &RunningTenant) -> String {
    let port = Url::parse(running.tenant().issuer()).ok().and_then(|issuer| issuer.port());
    port.map_or("auth0".to_owned(), |port| format!("auth0_{port}"))
}
