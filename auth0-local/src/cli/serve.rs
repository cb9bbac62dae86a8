//! `auth0-local serve`.
use super::description::TenantDescription;
use crate::{
    address::{self, parse_host, parse_port},
    endpoint::Endpoint,
    error::LocalError,
    fault::{Fault, Faults, assignment},
    mfa_answer::MfaAnswer,
    tenant::{Builder, DEFAULT_AUDIENCE, LocalTenant},
};
use auth0_core::dpop::DpopNonces;
use clap::{Args, ValueEnum};
use std::{
    future,
    io::{self, Write},
    net::IpAddr,
    path::PathBuf,
    time::Duration,
};
use url::Url;

const DEFAULT_PORT: u16 = 4400;

/// Run a tenant on 127.0.0.1 until interrupted
#[derive(Args)]
pub(super) struct ServeCommand {
    /// The address to listen on, or HOST; 127.0.0.1 by default. With 0.0.0.0, as in a container,
    /// every machine that reaches the port can get any token
    #[arg(long, value_name = "ADDRESS", value_parser = parse_host)]
    host: Option<IpAddr>,
    /// The port, or PORT; 0 selects a free one. By default that of --issuer, or 4400
    #[arg(long, value_parser = parse_port)]
    port: Option<u16>,
    /// The issuer, if the tenant is reached under another name than 127.0.0.1, for example
    /// <http://auth0:4400/>. It responds to this name, too
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Keep the signing key in this file (PKCS#8, PEM or DER); a missing file is created. Without
    /// it, every start generates a new key
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The identifier of the API that tokens are for by default
    #[arg(long, default_value = DEFAULT_AUDIENCE)]
    audience: String,
    /// Read users, clients and APIs from this file, in JSON
    #[arg(long, value_name = "FILE")]
    tenant: Option<PathBuf>,
    /// Accept clients that are not registered as public clients, with any redirect over http on
    /// loopback. They need PKCE
    #[arg(long)]
    open_clients: bool,
    /// Let clients register themselves at /oidc/register
    #[arg(long)]
    dynamic_registration: bool,
    /// Show a page of the users at /authorize. By default it answers at once
    #[arg(long)]
    interactive: bool,
    /// How long a replaced refresh token can still be used
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    reuse_interval: u32,
    /// Do not replace refresh tokens when they are used
    #[arg(long)]
    no_rotation: bool,
    /// Read `resource` in the grant `client_credentials`, too. Auth0 ignores it there
    #[arg(long)]
    resource_for_machines: bool,
    /// Approve requests of the device flow and of CIBA at once
    #[arg(long)]
    approve_at_once: bool,
    /// What a grant answers that needs a second factor: requirements, token-only or challenge-types
    #[arg(long, value_name = "FORM", default_value = "requirements")]
    mfa_answer: MfaAnswer,
    /// Send logout tokens for a client of the file to this URL, too; can be repeated
    #[arg(long, value_name = "CLIENT=URL", value_parser = assigned)]
    backchannel_logout: Vec<(String, String)>,
    /// How many connections to /api/v2/events can be open at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 4)]
    event_connections: usize,
    /// The interval of heartbeats on these
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    event_heartbeat: u32,
    /// Set the fault of an endpoint from the start, as `auth0-local fault` does later: jwks=500; can
    /// be repeated
    #[arg(long, value_name = "ENDPOINT=FAULT", value_parser = assignment)]
    fault: Vec<(Endpoint, Fault)>,
    /// Whose DPoP proofs need a nonce: without a value, those of all clients, at /userinfo, too. By default those of
    /// public clients, as with Auth0
    #[arg(long, value_name = "CLIENTS", num_args = 0..=1, require_equals = true, default_value = "public",
          default_missing_value = "all")]
    dpop_nonce: NonceClients,
}

/// The clients whose proofs need a nonce.
#[derive(Clone, Copy, ValueEnum)]
enum NonceClients {
    None,
    Public,
    All,
}

impl ServeCommand {
    pub(super) async fn run(self) -> super::Result {
        let host = self.host.map_or_else(address::host, Ok)?;
        let port = match self.port {
            Some(port) => Some(port),
            None => address::port()?,
        };
        let port = port.unwrap_or_else(|| self.issuer.as_deref().map_or(DEFAULT_PORT, port_of));
        let builder = self.builder()?.host(host).port(port);
        let tenant = builder.start().await?;
        let mut faults = Faults::default();
        for (endpoint, fault) in self.fault {
            tenant.set_fault(endpoint, fault);
            faults.set(endpoint, fault);
        }
        // A closed stdout is no reason to stop.
        let _ = io::stdout().write_all(greeting(&tenant, &faults).as_bytes());
        future::pending().await
    }

    /// Returns the configuration without the address.
    fn builder(&self) -> Result<Builder, LocalError> {
        let mut builder = LocalTenant::builder().audience(&self.audience);
        builder = builder.mfa_answer(self.mfa_answer);
        builder =
            builder.refresh_token_reuse_interval(Duration::from_secs(self.reuse_interval.into()));
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer);
        }
        if let Some(file) = &self.keys {
            builder = builder.keys(file);
        }
        if let Some(file) = &self.tenant {
            builder = TenantDescription::read(file)?.add_to(builder);
        }
        for (client, url) in &self.backchannel_logout {
            builder = builder.backchannel_logout_url(client, url)?;
        }
        builder = builder.event_connections(self.event_connections);
        builder = builder.event_heartbeat(Duration::from_secs(self.event_heartbeat.into()));
        builder = match self.dpop_nonce {
            NonceClients::None => builder.without_dpop_nonces(),
            NonceClients::Public => builder,
            NonceClients::All => builder.dpop_nonces(DpopNonces::per_process()),
        };
        if self.open_clients {
            builder = builder.open_clients();
        }
        if self.dynamic_registration {
            builder = builder.dynamic_registration();
        }
        if self.interactive {
            builder = builder.interactive();
        }
        if self.no_rotation {
            builder = builder.without_refresh_token_rotation();
        }
        if self.resource_for_machines {
            builder = builder.resource_for_machines();
        }
        if self.approve_at_once {
            builder = builder.approve_at_once();
        }
        Ok(builder)
    }
}

/// Parses `CLIENT=URL`.
fn assigned(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((client, url)) if !client.is_empty() => Ok((client.into(), url.into())),
        _ => Err(
            "the client is missing. Write CLIENT=URL, for example web=http://localhost:3000/logout"
                .into(),
        ),
    }
}

/// Returns the port in an issuer. The tenant's start checks the rest of it.
fn port_of(issuer: &str) -> u16 {
    let url = Url::parse(issuer).ok();
    url.and_then(|url| url.port_or_known_default()).unwrap_or(DEFAULT_PORT)
}

/// Returns the first lines of the output, which are valid as a `.env` file.
fn greeting(tenant: &LocalTenant, faults: &Faults) -> String {
    let (issuer, audience) = (tenant.issuer(), tenant.audience());
    let drill = if *faults == Faults::default() {
        String::new()
    } else {
        format!("# This is a drill: {faults}\n")
    };
    let (address, mut whom) = (tenant.address(), "process on this machine".to_owned());
    if !address.ip().is_loopback() {
        whom = format!("machine that reaches {address}");
    }
    // The commands reach the tenant on loopback only.
    let url = Url::parse(issuer).ok();
    let (allowed, target) = match url.as_ref().and_then(Url::domain) {
        Some(host) if host != "localhost" => (
            format!("AUTH0_ALLOW_HTTP_HOSTS={host}\n"),
            format!("http://127.0.0.1:{}/", address.port()),
        ),
        _ => (String::new(), issuer.to_owned()),
    };
    format!(
        "# For development and tests only: this issues any token to any {whom}.\n\
         {drill}\
         AUTH0_ISSUER={issuer}\n\
         AUTH0_AUDIENCE={audience}\n\
         {allowed}\
         # A token: auth0-local token --issuer {target} --scope read:messages\n"
    )
}
