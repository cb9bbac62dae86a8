//! The routes of a login.
use super::reply::{request, response};
use crate::whole_body::whole_form;
use auth0_login::Login;
use axum::{Router, extract::Request, response::Response, routing::any};
use std::{future::Future, sync::Arc};

/// Returns the routes of a login: `/auth/login`, `/auth/callback`, `/auth/logout` and `/auth/backchannel-logout`. Merge them
/// into the router, below [`LoginLayer`](super::LoginLayer) or beside it.
pub fn routes<S: Clone + Send + Sync + 'static>(login: &Login) -> Router<S> {
    let [start, callback, logout, backchannel] = login.paths();
    let login = Arc::new(login.clone());
    Router::new()
        .route(start, answer(&login, |login, request| async move { login.start(&request).await }))
        .route(
            callback,
            answer(&login, |login, request| async move { login.callback(&request).await }),
        )
        .route(logout, answer(&login, |login, request| async move { login.logout(&request).await }))
        .route(backchannel, any(move |request| backchannel_logout(Arc::clone(&login), request)))
}

fn answer<S, F>(
    login: &Arc<Login>,
    route: fn(Arc<Login>, auth0_login::Request) -> F,
) -> axum::routing::MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output = auth0_login::Reply> + Send + 'static,
{
    let login = Arc::clone(login);
    any(move |asked: Request| {
        let login = Arc::clone(&login);
        let (parts, _) = asked.into_parts();
        async move { response(route(login, request(&parts)).await) }
    })
}

async fn backchannel_logout(login: Arc<Login>, asked: Request) -> Response {
    let (parts, body) = asked.into_parts();
    let body = whole_form(&parts.method, body, login.backchannel_body_limit()).await;
    response(login.backchannel_logout(&request(&parts), body.as_deref()).await)
}
