//! How the other commands talk to the tenant that runs.
use crate::error::LocalError;
use clap::Args;
use reqwest::{Client, Method, Response, header::CONTENT_TYPE, redirect::Policy};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::Duration;
use url::{Host, Url};

/// A server on this machine answers at once or not at all; but a key has to be made first, on a
/// machine that may be busy.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The tenant that a command is for.
#[derive(Args)]
pub(super) struct Target {
    /// The tenant, as `auth0-local serve` prints it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4400/", value_parser = issuer)]
    issuer: Url,
}

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

    /// Without a body if there is nothing to say.
    pub(super) async fn post<A: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<A, LocalError> {
        let body = body.map_or(Ok(String::new()), serde_json::to_string);
        let body = body.map_err(|error| {
            LocalError::new(format!("the request cannot be written: {error}. Ask for less"))
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
        // A proxy has no way to this machine's loopback, and no business with tokens.
        let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(TIMEOUT).build();
        let client = client.map_err(|error| self.failed(&error))?;
        let request = client.request(method, url).header(CONTENT_TYPE, "application/json");
        let response = request.body(body).send().await.map_err(|error| {
            if error.is_connect() { self.nobody_there() } else { self.failed(&error) }
        })?;
        self.read(response).await
    }

    async fn read<A: DeserializeOwned>(&self, response: Response) -> Result<A, LocalError> {
        let good = response.status().is_success();
        let body = response.bytes().await.map_err(|error| self.failed(&error))?;
        if good {
            return serde_json::from_slice(&body).map_err(|_| self.not_a_tenant());
        }
        let refused: Refused = serde_json::from_slice(&body).unwrap_or_default();
        Err(refused.error_description.map_or_else(|| self.not_a_tenant(), LocalError::new))
    }

    fn failed(&self, error: &reqwest::Error) -> LocalError {
        LocalError::new(format!(
            "the tenant at {} does not answer as it should: {error}. Look what it prints",
            self.issuer
        ))
    }

    fn nobody_there(&self) -> LocalError {
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
            "what answers at {} is not this auth0-local. Write the issuer that `auth0-local serve` \
             prints, and run one version of both",
            self.issuer
        ))
    }
}

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
            "this is not on your own machine, and nobody else gives out tokens like that. {advice}"
        ));
    }
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if url.scheme() != "http" || url.path() != "/" || url.fragment().is_some() || !bare {
        return Err(format!("this is not the issuer of a local tenant. {advice}"));
    }
    Ok(url)
}
