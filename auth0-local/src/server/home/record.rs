//! The list of the last requests: what of a request and its response is shown on the page.
use crate::{
    recent::Answer,
    running::RunningTenant,
    server::{connection::RESET, form::Query, recorded::TokenParameters, refusal::ErrorName},
};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::PATH;

/// The parameters of queries that are no secrets and name no person.
const SAFE: [&str; 12] = [
    "client_id",
    "response_type",
    "response_mode",
    "audience",
    "resource",
    "scope",
    "organization",
    "connection",
    "prompt",
    "max_age",
    "acr_values",
    "code_challenge_method",
];

/// Longer parts of an unknown path may be tokens.
const LONGEST_SEGMENT: usize = 24;

/// Keeps what a request asks for, and then what is answered.
pub(in crate::server) async fn record(
    State(running): State<RunningTenant>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if path == PATH {
        return next.run(request).await;
    }
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let path = match matched {
        Some(pattern) => pattern.to_owned(),
        None => unknown(path),
    };
    let parameters = safe(request.uri().query().unwrap_or_default());
    let (now, method) = (running.now(), request.method().as_str());
    let number = running.recent().begin(now, method, &path, &parameters);
    let response = next.run(request).await;
    let extensions = response.extensions();
    let error = extensions.get::<ErrorName>().map(|ErrorName(error)| error.clone());
    // Nothing is sent on a connection that is reset.
    let status = if error.as_deref() == Some(RESET) { 0 } else { response.status().as_u16() };
    let sent = extensions.get::<TokenParameters>().map(|TokenParameters(sent)| sent.as_str());
    running.recent().end(number, Answer { status, error }, sent);
    response
}

fn safe(query: &str) -> String {
    let query = Query::parse(query);
    let pairs = SAFE.iter().filter_map(|name| Some(format!("{name}={}", query.value(name)?)));
    pairs.collect::<Vec<_>>().join(" ")
}

/// Returns a path that the tenant does not have, without what may be a token.
fn unknown(path: &str) -> String {
    let segment = |text: &str| match text.len() > LONGEST_SEGMENT {
        true => "…".to_owned(),
        false => text.to_owned(),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out() {
        let query = "client_id=web&code=c&state=s&login_hint=ann&scope=openid%20email&client_secret=x&token=t";
        assert_eq!(safe(query), "client_id=web scope=openid email");
        assert_eq!(safe(""), "");
        assert_eq!(unknown("/oauth2/token"), "/oauth2/token");
        let token = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA";
        assert_eq!(unknown(&format!("/a/{token}")), "/a/…");
    }
}
