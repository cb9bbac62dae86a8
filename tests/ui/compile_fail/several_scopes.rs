//! Several scopes are one text with spaces, all of them required. One of several is `any_scope`.
use auth0_axum::policy::*;

fn main() {
    policy!(Edit = scope("read:messages", "write:messages"));
}
