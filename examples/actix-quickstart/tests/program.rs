//! The program, in a process of its own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]
#[path = "../../axum-quickstart/tests/process/mod.rs"]
mod process;

const PROGRAM: &str = env!("CARGO_BIN_EXE_actix-quickstart");

#[test]
fn what_a_trusted_proxy_forwards_counts() {
    process::what_a_trusted_proxy_forwards_counts(PROGRAM);
}

#[test]
fn an_address_that_cannot_be_listened_on_is_refused() {
    process::an_address_that_cannot_be_listened_on_is_refused(PROGRAM);
}

#[test]
fn the_log_has_the_cause_of_a_refusal() {
    process::the_log_has_the_cause_of_a_refusal(PROGRAM);
}
