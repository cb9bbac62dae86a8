//! The command `auth0-local`.
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    auth0_local::cli::run().await
}
