//! An extractor that reads the body stands last. Without `debug_handler`, the compiler does not say which
//! parameter is wrong.
use auth0_axum::{AccessToken, Auth0};
use axum::{Router, routing::post};

async fn create(_: String, _: AccessToken) {}

fn main() {
    let _: Router<Auth0> = Router::new().route("/messages", post(create));
}
