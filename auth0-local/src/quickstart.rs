//! The verifier for an example that runs before there is an Auth0 account.
use crate::{
    directory::{Client, User},
    error::LocalError,
    tenant::LocalTenant,
};
use auth0_core::Auth0;
use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The variables of [`Auth0::from_env`].
const VARIABLES: [&str; 4] = ["AUTH0_DOMAIN", "AUTH0_ISSUER", "AUTH0_AUDIENCE", "AUTH0_RESOURCE"];

/// Builds the verifier for an example that must run before there is an Auth0 account.
///
/// If any of `AUTH0_DOMAIN`, `AUTH0_ISSUER`, `AUTH0_AUDIENCE` and `AUTH0_RESOURCE` is set, this is
/// [`Auth0::from_env`]. It prints a warning if the issuer's keys cannot be fetched.
///
/// Otherwise it starts a [`LocalTenant`] on a free port, which runs for as long as the tokio
/// runtime. It prints lines for another terminal, which get a token and use it with curl. They
/// request `/api/public`, `/api/private` and `/api/private-scoped` (which needs the scope
/// `read:messages`) from the server that listens on `api`. A comment after them explains how to try
/// DPoP.
///
/// For examples only: a service without its configuration should not start. With this function it
/// would start, and trust a tenant that issues any token to any process on its machine.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind(auth0_local::address()?).await?;
/// let auth = auth0_local::quickstart(listener.local_addr()?).await?;
/// # let _ = auth;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`Auth0::from_env`] and of [`Builder::start`](crate::Builder::start).
pub async fn quickstart(api: SocketAddr) -> Result<Auth0, LocalError> {
    start(api, &COMMANDS).await
}

/// Builds the verifier for an example with other routes, as [`quickstart`] does. It prints commands that get a token,
/// and then these: each a comment and a command, with `{address}` for the address of the server. They use the
/// variables `TOKEN`, and `READER` for a token with the scope `read:messages`.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind(auth0_local::address()?).await?;
/// let command = "curl -N http://{address}/events -H \"Authorization: Bearer $TOKEN\"";
/// let commands = [("events, until the token ends", command)];
/// let auth = auth0_local::quickstart_with(listener.local_addr()?, &commands).await?;
/// # let _ = auth;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`quickstart`].
pub async fn quickstart_with(
    server: SocketAddr,
    commands: &[(&str, &str)],
) -> Result<Auth0, LocalError> {
    const TOKENS: [(&str, &str); 2] = [
        ("a token of a user", "TOKEN={token}'{}')"),
        ("a token with the scope read:messages", "READER={token}'{\"scope\":\"read:messages\"}')"),
    ];
    start(server, &[&TOKENS, commands].concat()).await
}

/// The commands of [`quickstart`].
const COMMANDS: [(&str, &str); 7] = [
    ("200: public", "curl -i http://{address}/api/public"),
    ("401: without a token", "curl -i http://{address}/api/private"),
    ("a token of a user", "TOKEN={token}'{}')"),
    (
        "200: with a token",
        "curl -i http://{address}/api/private -H \"Authorization: Bearer $TOKEN\"",
    ),
    (
        "403: the token lacks read:messages",
        "curl -i http://{address}/api/private-scoped -H \"Authorization: Bearer $TOKEN\"",
    ),
    ("a token with the scope read:messages", "TOKEN={token}'{\"scope\":\"read:messages\"}')"),
    (
        "200: the token has read:messages",
        "curl -i http://{address}/api/private-scoped -H \"Authorization: Bearer $TOKEN\"",
    ),
];

async fn start(server: SocketAddr, commands: &[(&str, &str)]) -> Result<Auth0, LocalError> {
    if let Some(auth) = configured().await? {
        return Ok(auth);
    }
    let tenant = LocalTenant::start().await?;
    let auth = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()).build()?;
    // A closed stdout is no reason to fail.
    let _ = io::stdout().write_all(shell_lines(&tenant, server, commands).as_bytes());
    tenant.detach();
    Ok(auth)
}

/// Builds the verifier for an example of an MCP server that must run before there is an Auth0 account. The endpoint is
/// `/mcp` at the address that the server listens on.
///
/// If any of `AUTH0_DOMAIN`, `AUTH0_ISSUER`, `AUTH0_AUDIENCE` and `AUTH0_RESOURCE` is set, this is
/// [`Auth0::from_env`], and `AUTH0_RESOURCE` must be among them: the URL that clients use. Otherwise it starts a
/// [`LocalTenant`] on a free port, at which any public client may log in and gets the scopes that it requests, and
/// prints what to paste into an MCP client.
///
/// For examples only, as [`quickstart`].
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind(auth0_local::address_or(3001)?).await?;
/// let auth = auth0_local::mcp_quickstart(listener.local_addr()?).await?;
/// let metadata = auth.resource_metadata()?;
/// # let _ = metadata;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`Auth0::from_env`] and of [`Builder::start`](crate::Builder::start), and a missing `AUTH0_RESOURCE`.
pub async fn mcp_quickstart(server: SocketAddr) -> Result<Auth0, LocalError> {
    let resource = format!("http://{}/mcp", reached_at(server));
    if let Some(auth) = configured().await? {
        let metadata = auth.resource_metadata()?;
        println!("listening on http://{server}/mcp for the resource {}", metadata.resource());
        return Ok(auth);
    }
    let tenant = LocalTenant::builder().audience(&resource).open_clients().dynamic_registration();
    let tenant = tenant.start().await?;
    let auth = Auth0::builder().issuer(tenant.issuer()).resource(&resource).build()?;
    let lines = format!(
        "# None of AUTH0_DOMAIN, AUTH0_ISSUER, AUTH0_AUDIENCE and AUTH0_RESOURCE is set, so a tenant for development \
         runs in this process: {issuer}\n{limit}\n# Add this server to an MCP client. Any client may log in.\n{resource}\n\n\
         # For example, to .mcp.json or to the settings of the client:\n\
         {{\"mcpServers\":{{\"messages\":{{\"type\":\"http\",\"url\":\"{resource}\"}}}}}}\n\n\
         # What a client sees first: 401, and where to get a token\ncurl -i -X POST {resource}\n\n",
        issuer = tenant.issuer(),
        limit = limit(server, "AUTH0_RESOURCE"),
    );
    // A closed stdout is no reason to fail.
    let _ = io::stdout().write_all(lines.as_bytes());
    tenant.detach();
    Ok(auth)
}

/// The client of a page of documentation at the local tenant.
const PAGE_CLIENT: &str = "swagger-ui";

/// Builds the verifier for an example that publishes its `OpenAPI` document with a page such as Swagger UI, which logs
/// in, and must run before there is an Auth0 account. Also returns the client id of the page. `callback` is the path
/// of its callback, and `page` is its own.
///
/// If any of `AUTH0_DOMAIN`, `AUTH0_ISSUER`, `AUTH0_AUDIENCE` and `AUTH0_RESOURCE` is set, this is
/// [`Auth0::from_env`], and the client id is `AUTH0_CLIENT_ID`: that of a single-page application. Without it, the id
/// is empty, and the user enters one. Otherwise it starts a [`LocalTenant`] on a free port with two users, of whom Ann
/// has the permission `messages:purge`.
///
/// For examples only, as [`quickstart`].
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind(auth0_local::address()?).await?;
/// let api = listener.local_addr()?;
/// let (auth, client_id) =
///     auth0_local::openapi_quickstart(api, "/docs/", "/docs/oauth2-redirect.html").await?;
/// # let _ = (auth, client_id);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of [`Auth0::from_env`] and of [`Builder::start`](crate::Builder::start), and keys of the local tenant that
/// cannot be fetched.
pub async fn openapi_quickstart(
    api: SocketAddr,
    page: &str,
    callback: &str,
) -> Result<(Auth0, String), LocalError> {
    let address = reached_at(api);
    let page = format!("http://{address}{page}");
    if let Some(auth) = configured().await? {
        let client_id = std::env::var("AUTH0_CLIENT_ID").unwrap_or_default();
        if client_id.is_empty() {
            eprintln!(
                "warning: AUTH0_CLIENT_ID is not set. Enter the client id of a single-page application at {page}"
            );
        }
        println!("# The page logs in with the callback http://{address}{callback}\n{page}");
        return Ok((auth, client_id));
    }
    let client = Client::public(PAGE_CLIENT)
        .callback(format!("http://{address}{callback}"))
        .callback(format!("http://localhost:{}{callback}", address.port()));
    let ann = User::new("auth0|ann").name("Ann").permissions(["messages:purge"]);
    let tenant = LocalTenant::builder()
        .client(client)
        .user(ann)
        .user(User::new("auth0|bob").name("Bob"))
        .interactive()
        .start()
        .await?;
    let auth = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience()).build()?;
    // Reads the metadata, which names the endpoints that the document has.
    auth.warm_up().await.map_err(|error| {
        LocalError::new(format!(
            "the keys cannot be fetched: {}",
            error.cause().unwrap_or_default()
        ))
    })?;
    let lines = format!(
        "# None of AUTH0_DOMAIN, AUTH0_ISSUER and AUTH0_AUDIENCE is set, so a tenant for development runs in this \
         process: {issuer}\n{limit}# Open this page in a browser, choose Authorize, and log in as Ann or Bob.\n{page}\n\n",
        issuer = tenant.issuer(),
        limit = limit(api, "AUTH0_AUDIENCE"),
    );
    // A closed stdout is no reason to fail.
    let _ = io::stdout().write_all(lines.as_bytes());
    tenant.detach();
    Ok((auth, PAGE_CLIENT.to_owned()))
}

/// Returns the verifier of the environment, if a variable of it is set.
async fn configured() -> Result<Option<Auth0>, LocalError> {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !VARIABLES.into_iter().any(is_set) {
        return Ok(None);
    }
    let auth = Auth0::from_env()?;
    // A wrong domain should be reported now, not by the first request.
    if let Err(error) = auth.warm_up().await {
        eprintln!(
            "warning: the keys could not be fetched: {}",
            error.cause().unwrap_or("unknown cause")
        );
    }
    Ok(Some(auth))
}

impl LocalTenant {
    /// Prints commands for another terminal, as [`quickstart_with`] does, for an example that starts its own tenant:
    /// each a comment and a command. In a command, `{address}` is the address of the server, and
    /// `{token}'{"subject":"auth0|ann"}')` gets a token with this [description](crate#token).
    pub fn print_commands(&self, server: SocketAddr, commands: &[(&str, &str)]) {
        // A closed stdout is no reason to fail.
        let _ = io::stdout().write_all(shell_lines(self, server, commands).as_bytes());
    }
}

/// Returns shell lines with comments before them. The comments are separate lines, because not every
/// shell accepts one after a command.
fn shell_lines(tenant: &LocalTenant, server: SocketAddr, commands: &[(&str, &str)]) -> String {
    let issuer = tenant.issuer();
    let token = format!("$(curl -s {issuer}__local/token -H accept:text/plain -d ");
    let mut lines = format!(
        "# None of AUTH0_DOMAIN, AUTH0_ISSUER and AUTH0_AUDIENCE is set, so a tenant for development \
         runs in this process: {issuer}\n{}# Paste these lines into another terminal.\n",
        limit(server, "AUTH0_AUDIENCE")
    );
    for (comment, command) in commands {
        let command = command.replace("{address}", &reached_at(server).to_string());
        lines.push_str(&format!("\n# {comment}\n{}\n", command.replace("{token}", &token)));
    }
    lines.push_str(&format!(
        "\n# DPoP: auth0-local token --issuer {issuer} --dpop-key client.pem prints a token that is bound to a \
         key; auth0-local proof prints the proof for a request.\n\n"
    ));
    lines
}

/// Returns a line about other machines, if they reach the server: they do not reach its tenant.
fn limit(server: SocketAddr, variable: &str) -> String {
    if server.ip().is_loopback() {
        return String::new();
    }
    format!(
        "# No program on another machine can log in: this tenant listens on 127.0.0.1. Set AUTH0_DOMAIN and \
         {variable}, or what auth0-local serve --issuer prints.\n"
    )
}

/// Returns the address at which this machine reaches a server that listens on `address`.
fn reached_at(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    (ip, address.port()).into()
}
