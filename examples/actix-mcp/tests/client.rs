//! The official client for Rust finds its way from the first refusal to every tool.
#![allow(clippy::unwrap_used, clippy::panic)]
use mcp_client::{Server, circle, lifecycles};

#[tokio::test]
async fn a_client_that_knows_only_the_url_reaches_every_tool() {
    let server = Server::start(env!("CARGO_BIN_EXE_actix-mcp")).await;
    for lifecycle in lifecycles() {
        circle(&server.url, lifecycle).await;
    }
}
