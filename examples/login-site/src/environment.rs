//! The settings of a tenant of one's own.
use crate::Site;
use auth0_login::{InMemorySessionStore, LoginBuilder};
use auth0_redis::RedisSessionStore;
use std::{env, error::Error, net::SocketAddr};

/// The variables that name a tenant and an application.
const TENANT: [&str; 3] = ["AUTH0_DOMAIN", "AUTH0_ISSUER", "AUTH0_CLIENT_ID"];

pub(crate) fn is_configured() -> bool {
    TENANT.into_iter().any(|name| variable(name).is_some())
}

/// Returns a variable that is not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

pub(crate) fn http_hosts() -> Vec<String> {
    let hosts = variable("AUTH0_ALLOW_HTTP_HOSTS").unwrap_or_default();
    hosts.split(',').map(|host| host.trim().to_owned()).filter(|host| !host.is_empty()).collect()
}

pub(crate) async fn site(server: SocketAddr) -> Result<Site, Box<dyn Error + Send + Sync>> {
    let mut login = LoginBuilder::from_env()?;
    if variable("APP_BASE_URL").is_none() {
        login = login.base_url(own_url(server));
    }
    let login = with_store(login)?.build()?;
    println!("# Register these URLs: Dashboard > Applications > Settings");
    println!("# Allowed Callback URLs: {}", login.callback_url());
    Site::new(login, variable("AUTH0_LOGIN_AUDIENCE")).await
}

/// Keeps the sessions where `SESSION_STORE` and `REDIS_URL` say, and otherwise in cookies.
pub(crate) fn with_store(
    login: LoginBuilder,
) -> Result<LoginBuilder, Box<dyn Error + Send + Sync>> {
    match (variable("SESSION_STORE").as_deref(), variable("REDIS_URL")) {
        (None | Some("redis"), Some(url)) => {
            let store =
                RedisSessionStore::new(&url).map_err(|error| format!("REDIS_URL: {error}"))?;
            Ok(login.store(store))
        }
        (Some("redis"), None) => Err("SESSION_STORE is redis. Set REDIS_URL, too".into()),
        (Some("memory"), _) => Ok(login.store(InMemorySessionStore::new())),
        (None | Some("cookies"), _) => Ok(login),
        (Some(other), _) => {
            Err(format!("SESSION_STORE is {other:?}. Write memory, redis or cookies").into())
        }
    }
}

/// Returns the URL at which a browser of this machine finds the server.
pub(crate) fn own_url(server: SocketAddr) -> String {
    format!("http://localhost:{}", server.port())
}
