//! A state of your own contains the verifier, and says so with `FromRef`.
use auth0_axum::{AccessToken, Auth0};
use axum::{Router, routing::get};

#[derive(Clone)]
struct AppState {
    auth: Auth0,
}

#[axum::debug_handler(state = AppState)]
async fn me(_: AccessToken) {}

fn app(auth: Auth0) -> Router {
    Router::new().route("/me", get(me)).with_state(AppState { auth })
}

fn main() {}
