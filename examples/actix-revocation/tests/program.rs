//! The program, in processes of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]
#[path = "../../revocation-service/tests/revoked/mod.rs"]
mod revoked;

const PROGRAM: &str = env!("CARGO_BIN_EXE_actix-revocation");

#[tokio::test]
async fn one_instance_in_memory() {
    revoked::one_instance_in_memory(PROGRAM).await;
}

#[tokio::test]
async fn events() {
    revoked::events(PROGRAM).await;
}

#[tokio::test]
async fn two_instances() {
    revoked::two_instances(PROGRAM).await;
}

#[tokio::test]
async fn a_killed_leader() {
    revoked::killed_leader(PROGRAM).await;
}

#[tokio::test]
async fn closed_connections() {
    revoked::closed_connections(PROGRAM).await;
}

#[tokio::test]
async fn logout_tokens() {
    revoked::logout_tokens(PROGRAM).await;
}

#[tokio::test]
async fn sessions() {
    revoked::sessions(PROGRAM).await;
}

#[tokio::test]
async fn a_tenant_inside() {
    revoked::tenant_inside(PROGRAM).await;
}

#[test]
fn a_wrong_environment() {
    revoked::wrong_environment(PROGRAM);
}
