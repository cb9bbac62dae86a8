use crate::{
    description::{Description, ProfileName},
    error::LocalError,
    organization::Organization,
    server::MINT_PATH,
};
use clap::Args;
use reqwest::{Client, header::CONTENT_TYPE, redirect::Policy};
use serde::Deserialize;
use serde_json::Value;
use std::{
    io::{self, Write},
    time::Duration,
};
use url::{Host, Url};

/// A server on this machine answers at once or not at all.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Print a token of the tenant that runs on this machine
#[derive(Args)]
pub(super) struct Token {
    /// The identifier of the API that it is for; the one that the tenant was started with unless
    /// set
    #[arg(long)]
    audience: Option<String>,
    /// The scopes, with spaces between them
    #[arg(long)]
    scope: Vec<String>,
    /// A permission of role-based access control; can be repeated
    #[arg(long)]
    permission: Vec<String>,
    /// The organization that the user logged in through
    #[arg(long, value_name = "org_ID[:NAME]")]
    org: Option<Organization>,
    /// The user
    #[arg(long, conflicts_with = "machine")]
    subject: Option<String>,
    /// The client that asked for it
    #[arg(long)]
    client: Option<String>,
    /// A token that a machine got for itself
    #[arg(long)]
    machine: bool,
    /// The shape of the token
    #[arg(long, value_enum, default_value = "auth0")]
    profile: ProfileName,
    /// A claim, whatever its type: --claim 'plan="pro"'; can be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = claim)]
    claim: Vec<(String, Value)>,
    /// It expired an hour ago
    #[arg(long)]
    expired: bool,
    /// How long it lives; a day unless set
    #[arg(long, value_name = "SECONDS", conflicts_with = "expired")]
    expires_in: Option<u64>,
    /// The tenant, as `auth0-local serve` prints it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4400/", value_parser = issuer)]
    issuer: Url,
}

impl Token {
    pub(super) async fn run(self) -> super::Result {
        let url = self.issuer.join(MINT_PATH).map_err(|_| not_a_tenant(&self.issuer))?;
        let token = ask(&url, self.description()).await?;
        writeln!(io::stdout(), "{token}")
            .map_err(|error| LocalError::new(format!("the token cannot be printed: {error}")))
    }

    fn description(self) -> Description {
        Description {
            audience: self.audience,
            scope: (!self.scope.is_empty()).then(|| self.scope.join(" ")),
            permissions: (!self.permission.is_empty()).then_some(self.permission),
            organization: self.org,
            subject: self.subject,
            client: self.client,
            machine: self.machine,
            profile: self.profile,
            expired: self.expired,
            expires_in: self.expires_in,
            claims: self.claim.into_iter().collect(),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    access_token: Option<String>,
    error_description: Option<String>,
}

async fn ask(url: &Url, description: Description) -> Result<String, LocalError> {
    let failed = |error: reqwest::Error| {
        LocalError::new(format!(
            "the tenant at {} does not answer as it should: {error}. Look what it prints",
            base(url)
        ))
    };
    let body = serde_json::to_string(&description)
        .map_err(|error| LocalError::new(format!("the token cannot be described: {error}")))?;
    // A proxy has no way to this machine's loopback, and no business with the token.
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(TIMEOUT)
        .build()
        .map_err(failed)?;
    let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(body);
    let response = request
        .send()
        .await
        .map_err(|error| if error.is_connect() { nobody_there(url) } else { failed(error) })?;
    let body = response.bytes().await.map_err(failed)?;
    match serde_json::from_slice(&body).unwrap_or_default() {
        Answer { access_token: Some(token), .. } => Ok(token),
        Answer { error_description: Some(sentence), .. } => Err(LocalError::new(sentence)),
        Answer { .. } => Err(not_a_tenant(url)),
    }
}

fn nobody_there(url: &Url) -> LocalError {
    let start = match url.port() {
        Some(4400) => "auth0-local serve".to_owned(),
        port => format!("auth0-local serve --port {}", port.unwrap_or(80)),
    };
    LocalError::new(format!(
        "no tenant runs at {}. Start it in another terminal: {start}",
        base(url)
    ))
}

fn not_a_tenant(url: &Url) -> LocalError {
    LocalError::new(format!(
        "what answers at {} is not auth0-local. Write the issuer that `auth0-local serve` prints",
        base(url)
    ))
}

fn base(url: &Url) -> String {
    url.join("/").map_or_else(|_| url.to_string(), |base| base.to_string())
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

fn claim(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, json)) if !name.is_empty() => {
            let value = serde_json::from_str(json).map_err(|_| {
                format!("{json} is not JSON. Text stands in quotes: --claim '{name}=\"…\"'")
            })?;
            Ok((name.into(), value))
        }
        _ => Err("there is no name in it. Write NAME=JSON, for example plan='\"pro\"'".into()),
    }
}
