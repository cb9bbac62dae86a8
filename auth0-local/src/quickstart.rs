//! The verifier for an example that runs before there is an Auth0 account.
use crate::{error::LocalError, tenant::LocalTenant};
use auth0_core::Auth0;
use std::io::{self, Write};

/// The variables of [`Auth0::from_env`].
const VARIABLES: [&str; 3] = ["AUTH0_DOMAIN", "AUTH0_ISSUER", "AUTH0_AUDIENCE"];

/// Builds the verifier for an example that must run before there is an Auth0 account.
///
/// If any of `AUTH0_DOMAIN`, `AUTH0_ISSUER` and `AUTH0_AUDIENCE` is set, this is
/// [`Auth0::from_env`]. It prints a warning if the issuer's keys cannot be fetched.
///
/// Otherwise it starts a [`LocalTenant`] on a free port, which runs for as long as the tokio
/// runtime. It prints curl lines with fresh tokens, to be pasted into another terminal. They
/// request `/api/public`, `/api/private` and `/api/private-scoped` (which needs the scope
/// `read:messages`) from the server that is about to listen on `port` of 127.0.0.1. A comment after
/// them explains how to try DPoP.
///
/// For examples only: a service without its configuration should not start. With this function it
/// would start, and trust a tenant that issues any token to any process on its machine.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = auth0_local::quickstart(3000).await?;
/// # let _ = auth;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`Auth0::from_env`] and of [`Builder::start`](crate::Builder::start).
pub async fn quickstart(port: u16) -> Result<Auth0, LocalError> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if VARIABLES.into_iter().any(is_set) {
        let auth = Auth0::from_env()?;
        // A wrong domain should be reported now, not by the first request.
        if let Err(error) = auth.warm_up().await {
            eprintln!(
                "warning: the keys could not be fetched: {}",
                error.cause().unwrap_or("unknown cause")
            );
        }
        return Ok(auth);
    }
    let tenant = LocalTenant::start().await?;
    let auth = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()).build()?;
    // A closed stdout is no reason to fail.
    let _ = io::stdout().write_all(curl_lines(&tenant, port).as_bytes());
    tenant.detach();
    Ok(auth)
}

/// Returns curl lines with comments before them. The comments are separate lines, because not every
/// shell accepts one after a command.
fn curl_lines(tenant: &LocalTenant, port: u16) -> String {
    let api = format!("http://127.0.0.1:{port}/api");
    let plain = tenant.token().mint();
    let scoped = tenant.token().scope("read:messages").mint();
    let authorization = |token: &str| format!(" -H \"Authorization: Bearer {token}\"");
    let mut lines = format!(
        "# None of AUTH0_DOMAIN, AUTH0_ISSUER and AUTH0_AUDIENCE is set, so a tenant for development \
         runs in this process: {}\n# Paste these lines into another terminal.\n",
        tenant.issuer()
    );
    for (expected, path, authorization) in [
        ("200: public", "public", String::new()),
        ("200: with a token", "private", authorization(&plain)),
        ("401: without a token", "private", String::new()),
        ("403: the token lacks read:messages", "private-scoped", authorization(&plain)),
        ("200: the token has read:messages", "private-scoped", authorization(&scoped)),
    ] {
        lines.push_str(&format!("\n# {expected}\ncurl -i {api}/{path}{authorization}\n"));
    }
    lines.push_str(&format!(
        "\n# DPoP: auth0-local token --issuer {} --dpop-key client.pem prints a token that is bound to a \
         key; auth0-local proof prints the proof for a request.\n",
        tenant.issuer()
    ));
    lines + "\n"
}
