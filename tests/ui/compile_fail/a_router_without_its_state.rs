//! A router whose handlers take tokens needs the verifier as its state.
use auth0_axum::AccessToken;
use axum::{Router, routing::get};

#[axum::debug_handler(state = ())]
async fn me(_: AccessToken) {}

fn main() {
    let _: Router = Router::new().route("/me", get(me));
}
