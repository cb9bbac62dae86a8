//! The router's state must be a verifier or contain one.
use auth0_axum::AccessToken;
use axum::{Router, routing::get};

#[derive(Clone)]
struct AppState;

async fn me(_: AccessToken) {}

fn main() {
    let _: Router = Router::new().route("/me", get(me)).with_state(AppState);
}
