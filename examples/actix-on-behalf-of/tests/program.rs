//! The program, in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]
#[path = "../../downstream/tests/calls/mod.rs"]
mod calls;

const PROGRAM: &str = env!("CARGO_BIN_EXE_actix-on-behalf-of");

#[tokio::test]
async fn calls_on_behalf_of_each_caller() {
    calls::on_behalf_of_each_caller(PROGRAM).await;
}

#[tokio::test]
async fn calls_with_bound_tokens() {
    calls::with_bound_tokens(PROGRAM).await;
}

#[tokio::test]
async fn failures_of_the_tenant() {
    calls::failures_of_the_tenant(PROGRAM).await;
}

#[tokio::test]
async fn a_mistake_of_the_operator() {
    calls::a_mistake_of_the_operator(PROGRAM).await;
}

#[tokio::test]
async fn failures_of_the_other_api() {
    calls::failures_of_the_other_api(PROGRAM).await;
}

#[test]
fn settings_that_are_missing() {
    calls::settings_that_are_missing(PROGRAM);
}
