//! The URL of a Redis server.
use auth0_core::ConfigError;
use redis::{Client, ConnectionAddr, IntoConnectionInfo, io::tcp::TcpSettings};

/// Returns the client of a URL. Errors name what the URL is for.
pub(crate) fn client(url: &str, purpose: &str) -> Result<Client, ConfigError> {
    // The error of the library may quote the URL, which may contain a password.
    let refused = |_| {
        ConfigError::new(format!(
            "the URL of the {purpose} cannot be used. Write redis://host:6379/, or \
             rediss://user:password@host:6380/ for TLS"
        ))
    };
    let info = url.into_connection_info().map_err(refused)?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(ConfigError::new(format!(
            "the URL of the {purpose} disables the check of TLS certificates. Leave #insecure out, and name the \
             authority's certificate with SSL_CERT_FILE"
        )));
    }
    let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
    Client::open(info).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_not_repeated() {
        for url in ["redis://:secret@", "http://:secret@host/", "redis://:secret@host/db", "secret"]
        {
            let text = client(url, "replay store").unwrap_err().to_string();
            assert!(text.contains("replay store"), "{text}");
            assert!(text.contains("redis://host:6379/") && !text.contains("secret"), "{text}");
        }
        let text = client("rediss://:secret@host/#insecure", "replay store").unwrap_err();
        assert!(text.to_string().contains("SSL_CERT_FILE"), "{text}");
        assert!(client("rediss://app:secret@host:6380/2", "replay store").is_ok());
    }
}
