//! Requests of the commands to the running tenant.
use crate::error::LocalError;
use clap::Args;
use reqwest::{Client, Method, Response, header::CONTENT_TYPE, redirect::Policy};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::time::Duration;
use url::{Host, Url};

/// A server on this machine responds at once or never. `rotate` generates a key first, which takes
/// seconds on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The tenant that a command addresses.
#[derive(Args)]
pub(super) struct Target {
    /// The tenant, as `auth0-local serve` prints it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4400/", value_parser = issuer)]
    issuer: Url,
}

/// The body of a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error_description: Option<String>,
}

impl Target {
    pub(super) async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, LocalError> {
        self.ask(Method::GET, path, String::new()).await
    }

    pub(super) async fn delete<A: DeserializeOwned>(&self, path: &str) -> Result<A, LocalError> {
        self.ask(Method::DELETE, path, String::new()).await
    }

    /// Sends `body` as JSON.
    pub(super) async fn delete_with<A: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<A, LocalError> {
        self.ask(Method::DELETE, path, body.to_string()).await
    }

    /// Sends `body` as JSON, or no body for `None`.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<A, LocalError> {
        let body = body.map_or(Ok(String::new()), serde_json::to_string);
        let body = body.map_err(|error| {
            LocalError::new(format!("the request cannot be encoded: {error}. Use simpler values"))
        })?;
        self.ask(Method::POST, path, body).await
    }

    async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<A, LocalError> {
        let url = self.issuer.join(path).map_err(|_| self.not_a_tenant())?;
        // A proxy cannot reach this machine's loopback, and must not see tokens. A tenant is reached over
        // http, so that a container needs no certificates.
        let client = Client::builder().no_proxy().tls_certs_only([]).redirect(Policy::none());
        let client = client.timeout(TIMEOUT).build();
        let client = client.map_err(|error| self.failed(&error))?;
        let request = client.request(method, url).header(CONTENT_TYPE, "application/json");
        let response = request.body(body).send().await.map_err(|error| {
            if error.is_connect() { self.not_running() } else { self.failed(&error) }
        })?;
        self.read(response).await
    }

    async fn read<A: DeserializeOwned>(&self, response: Response) -> Result<A, LocalError> {
        let is_success = response.status().is_success();
        let body = response.bytes().await.map_err(|error| self.failed(&error))?;
        if is_success {
            return serde_json::from_slice(&body).map_err(|_| self.not_a_tenant());
        }
        let refused: Refused = serde_json::from_slice(&body).unwrap_or_default();
        Err(refused.error_description.map_or_else(|| self.not_a_tenant(), LocalError::new))
    }

    fn failed(&self, error: &reqwest::Error) -> LocalError {
        LocalError::new(format!(
            "the request to the tenant at {} failed: {error}. Check the output of the tenant",
            self.issuer
        ))
    }

    fn not_running(&self) -> LocalError {
        let start = match self.issuer.port() {
            Some(4400) => "auth0-local serve".to_owned(),
            port => format!("auth0-local serve --port {}", port.unwrap_or(80)),
        };
        LocalError::new(format!(
            "no tenant runs at {}. Start it in another terminal: {start}",
            self.issuer
        ))
    }

    fn not_a_tenant(&self) -> LocalError {
        LocalError::new(format!(
            "the server at {} is not an auth0-local of this version. Write the issuer that \
             `auth0-local serve` prints, and use one version for both",
            self.issuer
        ))
    }
}

/// Parses the issuer of a local tenant. Rejects other issuers, so that no description of a token
/// leaves this machine.
fn issuer(text: &str) -> Result<Url, String> {
    let advice = "Write the issuer that `auth0-local serve` prints, for example \
                  http://127.0.0.1:4400/";
    let url = Url::parse(text).map_err(|_| format!("this is not a URL. {advice}"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if !loopback {
        return Err(format!(
            "this is not on your own machine, and only a local tenant issues such tokens. {advice}"
        ));
    }
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if url.scheme() != "http" || url.path() != "/" || url.fragment().is_some() || !bare {
        return Err(format!("this is not the issuer of a local tenant. {advice}"));
    }
    Ok(url)
}
