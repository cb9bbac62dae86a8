//! The routes of a login.
use super::reply::{request, response};
use crate::{
    unread_body::{UnreadBody, keep_unread},
    whole_body::whole_form,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Payload, ServiceConfig},
};
use auth0_login::{Login, Reply, Request};
use std::future::Future;

/// Returns the routes of a login: `/auth/login`, `/auth/callback`, `/auth/logout` and `/auth/backchannel-logout`. Give it to
/// `App::configure`.
#[must_use = "it is given to `App::configure`"]
pub fn routes(login: &Login) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let [start, callback, logout, backchannel] = login.paths().map(str::to_owned);
    let login = login.clone();
    move |config| {
        config
            .route(
                &start,
                answer(&login, |login, request| async move { login.start(&request).await }),
            )
            .route(
                &callback,
                answer(&login, |login, request| async move { login.callback(&request).await }),
            )
            .route(
                &logout,
                answer(&login, |login, request| async move { login.logout(&request).await }),
            )
            .route(
                &backchannel,
                web::route().to(move |request: HttpRequest, payload: Payload| {
                    backchannel_logout(login.clone(), request, payload)
                }),
            );
    }
}

fn answer<F>(login: &Login, route: fn(Login, Request) -> F) -> actix_web::Route
where
    F: Future<Output = Reply> + 'static,
{
    let login = login.clone();
    web::route().to(move |asked: HttpRequest, payload: Payload| {
        let answer = route(login.clone(), request(&asked));
        async move {
            let unread = UnreadBody::take(payload.into_inner());
            keep_unread(response(answer.await), unread.as_ref())
        }
    })
}

async fn backchannel_logout(login: Login, asked: HttpRequest, payload: Payload) -> HttpResponse {
    let (body, unread) = whole_form(&asked, payload, login.backchannel_body_limit()).await;
    let reply = login.backchannel_logout(&request(&asked), body.as_deref()).await;
    keep_unread(response(reply), unread.as_ref())
}
