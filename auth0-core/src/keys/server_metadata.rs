//! The metadata of an issuer as OAuth clients need it (RFC 8414 §2, OpenID Connect Discovery §3).
use super::{
    discovery::{metadata_document, url_of_issuer},
    fetch_error::FetchError,
};
use crate::{
    identifier::{Issuer, PlainHttp},
    transport::{HttpClient, PermittedAddresses, Transport},
};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// The endpoints of an issuer. Members of unexpected types are absent.
#[derive(Clone)]
pub struct ServerMetadata {
    issuer: Issuer,
    plain_http: PlainHttp,
    members: Map<String, Value>,
}

/// The member with the endpoints for clients that authenticate with a certificate (RFC 8705 §5).
const MTLS_ALIASES: &str = "mtls_endpoint_aliases";

impl ServerMetadata {
    /// Reads the metadata of a configured issuer.
    ///
    /// # Errors
    /// There is no metadata, or it is not that of the issuer.
    pub async fn read(
        http: &Arc<dyn HttpClient>,
        issuer: &Issuer,
        plain_http: &PlainHttp,
    ) -> Result<Self, MetadataError> {
        let transport =
            Transport { http: Arc::clone(http), addresses: PermittedAddresses::default() };
        Self::fetch(&transport, issuer, plain_http).await.map_err(MetadataError)
    }

    async fn fetch(
        transport: &Transport,
        issuer: &Issuer,
        plain_http: &PlainHttp,
    ) -> Result<Self, FetchError> {
        let body = metadata_document(transport, issuer).await?;
        let members: Map<String, Value> = serde_json::from_slice(&body)
            .map_err(|error| FetchError::NotMetadata(error.to_string()))?;
        let stated = members
            .get("issuer")
            .and_then(Value::as_str)
            .ok_or_else(|| FetchError::NotMetadata("there is no issuer in it".into()))?;
        let named = [Some(issuer.clone()), issuer.other_spelling()].into_iter().flatten();
        let Some(named) = named.into_iter().find(|name| name.as_str() == stated) else {
            return Err(FetchError::OtherIssuer {
                stated: stated.to_owned(),
                configured: issuer.clone(),
            });
        };
        Ok(Self { issuer: named, plain_http: plain_http.clone(), members })
    }

    /// Returns the issuer in the spelling of its metadata.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the URL of an endpoint, such as `token_endpoint`, if this issuer may use it.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<String> {
        self.usable(self.members.get(name)?)
    }

    /// Returns the URL of an endpoint for clients that authenticate with a certificate.
    #[must_use]
    pub fn mtls_endpoint(&self, name: &str) -> Option<String> {
        self.usable(self.members.get(MTLS_ALIASES)?.get(name)?)
    }

    fn usable(&self, url: &Value) -> Option<String> {
        let is_allowed =
            |url: &Url| self.issuer.may_be_http(&self.plain_http) && self.plain_http.allows(url);
        url_of_issuer(url.as_str()?, &self.issuer, is_allowed).ok().map(String::from)
    }
}

/// The reason why there is no metadata. Its text is for the log.
#[derive(Clone, Debug)]
pub struct MetadataError(FetchError);

impl MetadataError {
    /// Returns whether the configured issuer is wrong, and not its server.
    #[must_use]
    pub const fn is_of_configuration(&self) -> bool {
        matches!(self.0, FetchError::OtherIssuer { .. } | FetchError::NoMetadata { .. })
    }

    /// Returns how long the server asks to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match &self.0 {
            FetchError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            FetchError::NoMetadata { status, url, oauth_url } => write!(
                f,
                "status {status} at {url}, and there is no metadata at {oauth_url} either. Compare the domain, or \
                 the issuer, with Dashboard > Applications > Settings"
            ),
            error => error.fmt(f),
        }
    }
}

impl std::error::Error for MetadataError {}

impl fmt::Debug for ServerMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerMetadata").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
