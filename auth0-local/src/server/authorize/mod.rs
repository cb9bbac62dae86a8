//! `/authorize`: the authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3.1.2). It answers at once
//! or, in an interactive tenant, asks which user logs in.
mod login;
mod pushed;
mod question;
mod reply;
mod request;
mod request_object;
mod resolved;

use super::{faulty::observed, form::Query, host::no_foreign_origin, page};
use crate::{endpoint::Endpoint, running::RunningTenant, store::NextLogin};
use axum::{
    Router,
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, header::SET_COOKIE},
    middleware,
    response::Response,
    routing::{get, post},
};
use login::Outcome;
pub(super) use pushed::routes as routes_of_clients;
use reply::Reply;
use request::{Refused, Request};
use resolved::Resolved;

/// More than any login needs. Parts of a request are kept with its code and its tokens.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// The page of users posts the choice to this path.
const LOGIN_PATH: &str = "/u/login";

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let no_foreign_origin = middleware::from_fn_with_state(running.clone(), no_foreign_origin);
    Router::new()
        .route(
            "/authorize",
            observed(get(authorize).post(post_authorize), running, Endpoint::Authorize),
        )
        .route(LOGIN_PATH, post(choose).route_layer(no_foreign_origin))
}

async fn authorize(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&running, &headers, &query.unwrap_or_default(), None)
}

async fn post_authorize(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&running, &headers, &String::from_utf8_lossy(&body), None)
}

/// Answers with the user that was chosen on the page, or without consent.
async fn choose(State(running): State<RunningTenant>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let typed = form.value("typed").map(str::trim).filter(|typed| !typed.is_empty());
    let choice = match form.value("user").or(typed) {
        Some(user) => match running.directory().user_hinted(user) {
            Some(user) => NextLogin::User(user.subject().to_owned()),
            None => NextLogin::User(user.to_owned()),
        },
        None => NextLogin::Error {
            code: "access_denied".into(),
            description: "User did not authorize the request".into(),
        },
    };
    answer(&running, &headers, form.value("request").unwrap_or_default(), Some(choice))
}

/// Returns who logs in by a session transfer token, which is valid once.
fn transferred(running: &RunningTenant, parameters: &Query) -> Option<NextLogin> {
    let token = parameters.value("session_transfer_token")?;
    let now = running.now();
    Some(match running.store().session_transfers.redeem(token, now) {
        Some(user) => NextLogin::User(user),
        None => NextLogin::Error {
            code: "access_denied".into(),
            description: "the session_transfer_token is unknown, expired or used".into(),
        },
    })
}

/// Answers a request, which is the query of `/authorize`.
pub(super) fn answer(
    running: &RunningTenant,
    headers: &HeaderMap,
    query: &str,
    choice: Option<NextLogin>,
) -> Response {
    if query.len() > MAX_QUERY_BYTES {
        return page::refusal("invalid_request", "the request is too long. Send at most 8 KiB");
    }
    let resolved = Resolved::of(running, Query::parse(query));
    let (sent, reply) =
        match resolved.and_then(|sent| Ok((Reply::read(running, &sent.query)?, sent))) {
            Ok((reply, sent)) => (sent, reply),
            Err(Refused { code, description }) => return page::refusal(&code, &description),
        };
    let choice = choice.or_else(|| transferred(running, &sent.query));
    let outcome = sent
        .check_way(&reply.client)
        .and_then(|()| Request::read(running, &sent.query, &reply))
        .and_then(|request| login::decide(running, headers, &request, &reply, choice));
    let outcome = outcome.and_then(|outcome| match outcome {
        Outcome::Code { code, cookie } => {
            let mut response = reply.with_code(code);
            response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
            Ok(response)
        }
        Outcome::Question(asked) => {
            let query = sent.carried(running, query)?;
            Ok(question::page_of_users(running, &query, &asked))
        }
    });
    outcome.unwrap_or_else(|refused| reply.with_error(refused.code, refused.description))
}
