//! The metadata of a protected resource (RFC 9728 §2).
use super::Auth0;
use crate::{
    config_error::ConfigError, error::DpopMode, identifier::Resource, policy::Requirement,
};
use serde::Serialize;
use std::fmt;

/// A scope that a resource must not ask for: it means a refresh token, which is the client's matter.
const OFFLINE_ACCESS: &str = "offline_access";

/// The metadata of this API for OAuth clients (RFC 9728), which tells them where to get a token: see
/// [`Auth0::resource_metadata`].
///
/// ```
/// use auth0_core::{Auth0, policy::scope};
///
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .resource("https://api.acme.com/mcp")
///     .build()?;
/// let metadata = auth.resource_metadata()?.requirement(&scope("mcp:read")).name("Acme");
/// let json: serde_json::Value = serde_json::from_str(&metadata.to_json()).unwrap();
/// assert_eq!(json["resource"], "https://api.acme.com/mcp");
/// assert_eq!(json["authorization_servers"][0], "https://acme.eu.auth0.com/");
/// assert_eq!(json["scopes_supported"][0], "mcp:read");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct ResourceMetadata {
    auth: Auth0,
    authorization_servers: Option<Vec<String>>,
    scopes: Vec<String>,
    name: Option<String>,
    documentation: Option<String>,
    policy: Option<String>,
    terms_of_service: Option<String>,
    certificate_bound: bool,
    is_at_origin: bool,
}

impl Auth0 {
    /// Returns the metadata of this API, to be published at its
    /// [`paths`](ResourceMetadata::paths). The adapters have a function for the routes.
    ///
    /// # Errors
    /// No [`Builder::resource`](crate::Builder::resource) is set.
    pub fn resource_metadata(&self) -> Result<ResourceMetadata, ConfigError> {
        if self.0.resource.is_none() {
            return Err(ConfigError::new(
                "no resource is set. Add .resource(\"https://api.acme.com/mcp\"), with the URL that \
                 clients use for this API, or set AUTH0_RESOURCE",
            ));
        }
        Ok(ResourceMetadata {
            auth: self.clone(),
            authorization_servers: None,
            scopes: Vec::new(),
            name: None,
            documentation: None,
            policy: None,
            terms_of_service: None,
            certificate_bound: false,
            is_at_origin: true,
        })
    }
}

impl ResourceMetadata {
    /// Adds scopes that a client needs to begin with: as few as possible, because clients request all of
    /// them. `offline_access` is left out.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        for scope in scopes.into_iter().map(Into::into) {
            if scope != OFFLINE_ACCESS && !self.scopes.contains(&scope) {
                self.scopes.push(scope);
            }
        }
        self
    }

    /// Adds the scopes of the first way to meet a requirement, such as that of every request.
    pub fn requirement(self, requirement: &Requirement) -> Self {
        self.scopes(requirement.first_scopes())
    }

    /// Sets the name for users (`resource_name`).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the URL of the documentation for developers (`resource_documentation`).
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.documentation = Some(url.into());
        self
    }

    /// Sets the URL of what clients may do with the data (`resource_policy_uri`).
    pub fn policy(mut self, url: impl Into<String>) -> Self {
        self.policy = Some(url.into());
        self
    }

    /// Sets the URL of the terms of service (`resource_tos_uri`).
    pub fn terms_of_service(mut self, url: impl Into<String>) -> Self {
        self.terms_of_service = Some(url.into());
        self
    }

    /// Says that clients may bind their tokens to a certificate (`tls_client_certificate_bound_access_tokens`,
    /// RFC 8705): the service, or a trusted proxy in front, requests client certificates.
    pub fn certificate_bound_tokens(mut self, supported: bool) -> Self {
        self.certificate_bound = supported;
        self
    }

    /// Sets the authorization servers, instead of the configured issuers: those that a resolver finds are not
    /// known here.
    pub fn authorization_servers<S: Into<String>>(
        mut self,
        issuers: impl IntoIterator<Item = S>,
    ) -> Self {
        self.authorization_servers = Some(issuers.into_iter().map(Into::into).collect());
        self
    }

    /// Leaves out the path of the origin, for an application with several resources: one alone can be there.
    ///
    /// ```
    /// use auth0_core::Auth0;
    ///
    /// let auth = Auth0::builder()
    ///     .domain("acme.eu.auth0.com")
    ///     .resource("https://api.acme.com/mcp")
    ///     .build()?;
    /// let metadata = auth.resource_metadata()?;
    /// let (own, origin) = ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource");
    /// assert_eq!(metadata.paths(), [own, origin]);
    /// assert_eq!(metadata.without_origin().paths(), [own]);
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    pub fn without_origin(mut self) -> Self {
        self.is_at_origin = false;
        self
    }

    /// Returns the paths to publish it at: that of the resource, and that of its origin, where some clients
    /// look.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let Some(resource) = &self.auth.0.resource else { return Vec::new() };
        let mut paths = resource.metadata_paths();
        if !self.is_at_origin && paths.len() > 1 {
            paths.pop();
        }
        paths
    }

    /// Returns the host of the resource, and its port if there is one: for a server that compares the header `Host`
    /// with a list, such as that of `rmcp`.
    ///
    /// ```
    /// # use auth0_core::Auth0;
    /// let auth = Auth0::builder()
    ///     .domain("acme.eu.auth0.com")
    ///     .resource("https://api.acme.com/mcp")
    ///     .build()?;
    /// assert_eq!(auth.resource_metadata()?.host(), "api.acme.com");
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn host(&self) -> String {
        self.auth.0.resource.as_ref().map(|it| it.host().to_owned()).unwrap_or_default()
    }

    /// Returns the resource, as [`Builder::resource`](crate::Builder::resource) set it.
    ///
    /// ```
    /// use auth0_core::Auth0;
    ///
    /// let auth = Auth0::builder().domain("acme.eu.auth0.com").resource("https://api.acme.com/mcp").build()?;
    /// assert_eq!(auth.resource_metadata()?.resource(), "https://api.acme.com/mcp");
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    #[must_use]
    pub fn resource(&self) -> &str {
        self.auth.0.resource.as_ref().map_or("", |resource| resource.as_str())
    }

    /// Returns the URL that challenges name (`resource_metadata`, RFC 9728 §5.1).
    #[must_use]
    pub fn url(&self) -> String {
        self.auth.0.resource.as_ref().map(Resource::metadata_url).unwrap_or_default()
    }

    /// Returns the document as JSON, for `application/json`. An issuer is spelt as its own metadata has it,
    /// once that was read.
    #[must_use]
    pub fn to_json(&self) -> String {
        let verifier = &self.auth.0;
        let servers = match &self.authorization_servers {
            Some(given) => given.clone(),
            None => verifier.issuers.iter().map(|trusted| trusted.keys.issuer_name()).collect(),
        };
        let algorithms: Vec<&str> = match verifier.schemes {
            DpopMode::Disabled => Vec::new(),
            _ => verifier.dpop.algorithm_names.split(' ').collect(),
        };
        let document = Document {
            resource: self.resource(),
            authorization_servers: servers,
            scopes_supported: &self.scopes,
            bearer_methods_supported: ["header"],
            resource_name: self.name.as_deref(),
            resource_documentation: self.documentation.as_deref(),
            resource_policy_uri: self.policy.as_deref(),
            resource_tos_uri: self.terms_of_service.as_deref(),
            tls_client_certificate_bound_access_tokens: self.certificate_bound,
            dpop_signing_alg_values_supported: algorithms,
            dpop_bound_access_tokens_required: verifier.schemes == DpopMode::Required,
        };
        serde_json::to_string(&document).unwrap_or_default()
    }
}

/// The response to a request for the metadata, for any HTTP library.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataResponse {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl ResourceMetadata {
    /// Returns the response to a request of this method for one of the [`paths`](Self::paths): for adapters.
    #[must_use]
    pub fn respond(&self, method: &str) -> MetadataResponse {
        let everyone = ("access-control-allow-origin", "*");
        if !matches!(method, "GET" | "HEAD") {
            let headers = vec![("allow", "GET, HEAD"), everyone];
            return MetadataResponse { status: 405, headers, body: String::new() };
        }
        let headers = vec![
            ("content-type", "application/json"),
            ("cache-control", "public, max-age=3600"),
            everyone,
        ];
        MetadataResponse { status: 200, headers, body: self.to_json() }
    }
}

impl MetadataResponse {
    /// Returns the HTTP status code: 200 or 405.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns every header: a lower-case name, and a value of printable ASCII.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.headers.iter().copied()
    }

    /// Returns the body. A server leaves it out of the answer to `HEAD`.
    #[must_use]
    pub fn into_body(self) -> String {
        self.body
    }
}

/// The members of RFC 9728 §2, without those that say nothing.
#[derive(Serialize)]
struct Document<'a> {
    resource: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "is_empty")]
    scopes_supported: &'a [String],
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tos_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Vec<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    dpop_bound_access_tokens_required: bool,
}

fn is_empty(list: &&[String]) -> bool {
    list.is_empty()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl fmt::Debug for ResourceMetadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceMetadata").field("url", &self.url()).finish_non_exhaustive()
    }
}
