//! The page of the tenant: what it is, forms for tokens and proofs, inspections, the last requests and drills. It works
//! without scripts, and has no resources but itself.
mod act;
mod assets;
mod controls;
mod html;
mod inspection;
mod minting;
mod record;
mod requests;
mod tenant;

pub(super) use record::record;

use super::{
    MAX_BODY_BYTES,
    form::{Query, media_type},
    host::{loopback_only, same_origin_only},
    page::document,
};
use crate::running::RunningTenant;
use act::{Acted, Action};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware,
    response::Response,
    routing::get,
};
use html::text;

const PATH: &str = "/";

pub(super) fn routes() -> Router<RunningTenant> {
    Router::new()
        .route(PATH, get(show).post(act))
        .route_layer(middleware::from_fn(same_origin_only))
        .route_layer(middleware::from_fn(loopback_only))
}

/// What a form has done, for the page that is its response.
#[derive(Default)]
struct Shown {
    /// What was sent, which the forms keep.
    sent: Option<Query>,
    action: Option<Action>,
    outcome: Option<Acted>,
    /// The origin of the page, as the browser names it.
    host: String,
}

impl Shown {
    fn new(headers: &HeaderMap) -> Self {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        Self { host: host.to_owned(), ..Self::default() }
    }

    /// Returns what was entered into a field, or how it begins.
    fn value<'a>(&'a self, action: Action, name: &str, or: &'a str) -> &'a str {
        match self.sent.as_ref().filter(|_| self.action == Some(action)) {
            Some(sent) => sent.value(name).unwrap_or_default(),
            None => or,
        }
    }
}

async fn show(State(running): State<RunningTenant>, headers: HeaderMap) -> Response {
    respond(StatusCode::OK, &running, &Shown::new(&headers))
}

async fn act(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let mut shown = Shown::new(&headers);
    let is_form = media_type(&headers).eq_ignore_ascii_case("application/x-www-form-urlencoded");
    let outcome = match body {
        Ok(body) if is_form => {
            let sent = Query::parse(&String::from_utf8_lossy(&body));
            shown.action = sent.value("action").and_then(Action::named);
            let outcome = match shown.action {
                Some(action) => action.run(&running, &sent).await,
                None => {
                    Acted::refused("the form names no action of this page. Load the page again")
                }
            };
            shown.sent = Some(sent);
            outcome
        }
        Ok(_) => Acted::refused("the form has another type than that of this page"),
        Err(_) => Acted::refused(format!(
            "the form is too large. Send at most {} KiB",
            MAX_BODY_BYTES / 1024
        )),
    };
    let status = if outcome.is_refused() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    shown.outcome = Some(outcome);
    respond(status, &running, &shown)
}

fn respond(status: StatusCode, running: &RunningTenant, shown: &Shown) -> Response {
    let (issuer, style, script) = (text(running.tenant().issuer()), assets::STYLE, assets::SCRIPT);
    let notice = shown.outcome.as_ref().map(Acted::notice).unwrap_or_default();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">\
         <title>auth0-local at {issuer}</title><style>{style}</style></head><body>\
         <header><h1>auth0-local</h1><p><code>{issuer}</code></p>\
         <p class=\"warning\">For development and tests only: this tenant issues any token to any process that reaches \
         it.</p><nav aria-label=\"Sections\"><a href=\"#token\">Token</a> <a href=\"#inspect\">Inspect</a> \
         <a href=\"#proof\">Proof</a> <a href=\"#requests\">Requests</a> <a href=\"#drills\">Drills</a> \
         <a href=\"#tenant\">Tenant</a></nav></header><main>{notice}{token}{inspection}{proof}{requests}{controls}\
         {tenant}</main><script>{script}</script></body></html>",
        token = minting::token(running, shown),
        proof = minting::proof(running, shown),
        inspection = inspection::section(running, shown),
        requests = requests::section(running),
        controls = controls::section(running),
        tenant = tenant::section(running),
    );
    let mut response = document(status, html, assets::policy());
    for (name, value) in [
        // With `no-referrer`, a browser would name no origin with the forms.
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A page that opens or embeds this one sees nothing of it.
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
