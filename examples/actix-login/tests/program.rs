//! The program, as its users start it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]
#[path = "../../login-site/tests/program/mod.rs"]
mod program;

const PROGRAM: &str = env!("CARGO_BIN_EXE_actix-login");

#[test]
fn it_starts_with_a_tenant_inside() {
    program::starts_with_a_tenant_inside(PROGRAM);
}

#[test]
fn it_names_what_is_wrong() {
    program::names_what_is_wrong(PROGRAM);
}
