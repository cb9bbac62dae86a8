//! A policy is a constant, so its requirements are joined with `all_of!`, and not with `and`.
use auth0_axum::policy::*;

policy!(Edit = scope("read:messages").and(scope("write:messages")));

fn main() {}
