//! The page at which a user enters the code that a device shows, and confirms or denies it.
use crate::{
    directory::User,
    pending::PendingRequest,
    running::RunningTenant,
    server::{
        cookie,
        form::Query,
        page::{self, asking, escape, hidden, page},
    },
    store::RequestKind,
};
use axum::{
    body::Bytes,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use std::sync::Arc;

pub(super) const PATH: &str = "/activate";

/// Asks for the code, or whether the device with this code may log in.
pub(super) async fn ask(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = Query::parse(&query.unwrap_or_default());
    let Some(code) = query.value("user_code") else { return page_of_code() };
    match waiting(&running, code) {
        Some(request) => page_of_decision(&running, &headers, &request),
        None => unknown(),
    }
}

/// Approves as the chosen user, or denies.
pub(super) async fn decide(State(running): State<RunningTenant>, body: Bytes) -> Response {
    let form = Query::parse(&String::from_utf8_lossy(&body));
    let code = form.value("user_code").unwrap_or_default();
    if waiting(&running, code).is_none() {
        return unknown();
    }
    let (title, decided) = match form.value("user") {
        Some(user) => ("Your device is connected", running.approve(code, Some(user))),
        None => ("The device is refused", running.deny(code)),
    };
    match decided {
        Ok(()) => page(StatusCode::OK, title, "<p>You can close this page.</p>"),
        Err(error) => page::refusal("invalid_request", &error.to_string()),
    }
}

fn waiting(running: &RunningTenant, code: &str) -> Option<PendingRequest> {
    running.pending_request(code).filter(|request| request.kind == RequestKind::Device)
}

fn page_of_code() -> Response {
    let content = format!(
        "<form action=\"{PATH}\"><p><label>Code <input name=\"user_code\" autocomplete=\"off\"></label></p>\
         <p><button>Continue</button></p></form>"
    );
    asking("Enter the code that your device shows", &content)
}

fn page_of_decision(
    running: &RunningTenant,
    headers: &HeaderMap,
    request: &PendingRequest,
) -> Response {
    let users = match running.settings().interactive {
        true => running.directory().users().to_vec(),
        false => Vec::new(),
    };
    let buttons = |users: &[Arc<User>]| -> String {
        let button = |user: &Arc<User>| {
            let (subject, label) = (escape(user.subject()), escape(user.label()));
            format!("<p><button name=\"user\" value=\"{subject}\">Confirm as {label}</button></p>")
        };
        users.iter().map(button).collect()
    };
    let buttons = match users.is_empty() {
        true => buttons(current_user(running, headers).as_slice()),
        false => buttons(&users),
    };
    let content = format!(
        "<p>{client} asks for: {scopes}</p><p>Does your device show <strong>{code}</strong>?</p>\
         <form method=\"post\" action=\"{PATH}\">{hidden}{buttons}<p><button>Deny</button></p></form>",
        client = escape(&request.client_id),
        scopes = escape(&request.scopes.join(" ")),
        code = escape(&request.id),
        hidden = hidden("user_code", &request.id),
    );
    asking("Connect a device", &content)
}

/// Returns the user of the browser's session, or the one who logs in by default.
fn current_user(running: &RunningTenant, headers: &HeaderMap) -> Option<Arc<User>> {
    let now = running.now();
    let find = |value| running.store().sessions.use_session(value, now);
    let session = cookie::values(running, headers).find_map(find);
    let user = session.and_then(|session| running.user(&session.subject));
    user.or_else(|| running.default_user())
}

fn unknown() -> Response {
    page::refusal(
        "invalid_request",
        "no device waits with this code. Enter the code that it shows, or begin again on the device",
    )
}
