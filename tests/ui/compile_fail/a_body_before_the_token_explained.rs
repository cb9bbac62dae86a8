//! The same with `debug_handler`, which names the parameter.
use auth0_axum::{AccessToken, Auth0};
use axum::{Router, routing::post};

#[axum::debug_handler(state = Auth0)]
async fn create(_: String, _: AccessToken) {}

fn main() {
    let _: Router<Auth0> = Router::new().route("/messages", post(create));
}
