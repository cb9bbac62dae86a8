use crate::{error::LocalError, secret};
use std::fmt;
use url::Url;

/// The edge that ends the TLS connections of clients with certificates.
#[derive(Clone)]
pub(crate) struct MtlsEdge {
    alias: String,
    api_key: String,
}

impl MtlsEdge {
    pub(crate) fn new(alias: impl Into<String>, api_key: impl Into<String>) -> Self {
        let mut alias = alias.into();
        if !alias.ends_with('/') {
            alias.push('/');
        }
        Self { alias, api_key: api_key.into() }
    }

    pub(crate) fn check(&self) -> Result<(), LocalError> {
        let is_url = Url::parse(&self.alias).is_ok_and(|url| {
            ["http", "https"].contains(&url.scheme())
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_url || self.api_key.len() < 16 {
            return Err(LocalError::new(
                "mTLS needs the base URL of the edge, for example https://mtls.acme.test/, and an API key of 16 \
                 characters or more. Write both",
            ));
        }
        Ok(())
    }

    /// Returns the URL of an endpoint at the edge.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.alias)
    }

    pub(crate) fn has_api_key(&self, sent: &str) -> bool {
        secret::equal(&self.api_key, sent)
    }
}

/// Does not print the key.
impl fmt::Debug for MtlsEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtlsEdge").field("alias", &self.alias).finish_non_exhaustive()
    }
}
