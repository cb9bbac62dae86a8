//! A requirement is a value. A signature takes a policy, declared with `policy!`.
use auth0_axum::{Auth0, Authorized};
use axum::{Router, routing::get};

struct ReadMessages;

#[axum::debug_handler(state = Auth0)]
async fn list(_: Authorized<ReadMessages>) {}

fn main() {
    let _: Router<Auth0> = Router::new().route("/messages", get(list));
}
