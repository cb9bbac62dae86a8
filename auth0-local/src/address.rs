//! The address that an example, or the command, listens on.
use crate::error::LocalError;
use std::{
    env::{self, VarError},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

const DEFAULT_PORT: u16 = 3000;

/// Returns the address that an example listens on: `HOST`, by default 127.0.0.1, and `PORT`, by
/// default 3000.
///
/// In a container, `HOST=0.0.0.0` accepts connections from outside of it.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind(auth0_local::address()?).await?;
/// # let _ = listener;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// A variable is set to a value that cannot be used.
pub fn address() -> Result<SocketAddr, LocalError> {
    address_or(DEFAULT_PORT)
}

/// Returns the address that an example listens on, as [`address`] does, with another port by default.
///
/// # Errors
/// A variable is set to a value that cannot be used.
pub fn address_or(default_port: u16) -> Result<SocketAddr, LocalError> {
    Ok((host()?, port()?.unwrap_or(default_port)).into())
}

/// Returns the address of `HOST`.
pub(crate) fn host() -> Result<IpAddr, LocalError> {
    Ok(variable("HOST", parse_host)?.unwrap_or(Ipv4Addr::LOCALHOST.into()))
}

/// Returns the port of `PORT`, if it is set.
pub(crate) fn port() -> Result<Option<u16>, LocalError> {
    variable("PORT", parse_port)
}

/// Parses a variable. An empty one is not set, as in a Compose file.
fn variable<T>(
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, LocalError> {
    let value = match env::var(name) {
        Ok(value) if value.is_empty() => return Ok(None),
        Ok(value) => value,
        Err(VarError::NotPresent) => return Ok(None),
        Err(VarError::NotUnicode(_)) => {
            return Err(LocalError::new(format!("the variable {name} is not Unicode. Unset it")));
        }
    };
    let parsed = parse(&value).map_err(|why| LocalError::new(format!("{name}={value:?} {why}")))?;
    Ok(Some(parsed))
}

/// Parses an address to listen on.
pub(crate) fn parse_host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        text => text.trim_matches(['[', ']']).parse().map_err(|_| {
            "is not an address to listen on. Write 127.0.0.1 for this machine only, or 0.0.0.0 for all \
             networks, as in a container"
                .to_owned()
        }),
    }
}

pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| {
        "is not a port. Write a number from 1 to 65535, or 0 for a free port".to_owned()
    })
}
