//! A tenant and the API in the process.
use crate::{Settings, api, http_client};
use auth0_axum::{Auth0, ConfigError};
use auth0_client::Client;
use auth0_local::{Api, Client as Application, ConnectedAccount, LocalTenant, User};
use std::{error::Error, sync::Arc};
use tokio::net::TcpListener;

const AUDIENCE: &str = "https://api.local.test";
const DOWNSTREAM: &str = "https://downstream.local.test";
const CLIENT_ID: &str = "api";
const SECRET: &str = "a-secret-of-the-local-tenant";

/// A tenant with Ann and Bob, of whom Ann has two connected accounts, and the API that is called.
#[derive(Debug)]
pub struct Local {
    /// The tenant, which also has the faults of a drill.
    pub tenant: Arc<LocalTenant>,
    url: String,
}

/// Starts both on free ports. They run as long as the runtime.
///
/// # Errors
/// A port cannot be listened on.
pub async fn start() -> Result<Local, Box<dyn Error + Send + Sync>> {
    let ann = User::new("auth0|ann")
        .account(ConnectedAccount::new("google-oauth2", "ann@acme.test"))
        .account(ConnectedAccount::new("google-oauth2", "ann@home.test"));
    let tenant = LocalTenant::builder()
        .audience(AUDIENCE)
        .api(Api::new(AUDIENCE))
        .api(Api::new(DOWNSTREAM))
        .user(ann)
        .user(User::new("auth0|bob"))
        .client(Application::confidential(CLIENT_ID, SECRET).resource_server(AUDIENCE));
    let tenant = Arc::new(tenant.start().await?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let auth = Auth0::builder().issuer(tenant.issuer()).audience(DOWNSTREAM).build()?;
    let service = api::routes(auth, Arc::clone(&tenant));
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(Local { tenant, url })
}

impl Local {
    /// Returns the settings of an API that calls the other one. `AUTH0_CLIENT_DPOP` is read, too.
    ///
    /// # Errors
    /// `AUTH0_CLIENT_DPOP` is neither `required` nor `disabled`.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let builder = Client::builder()
            .issuer(self.tenant.issuer())
            .client_id(CLIENT_ID)
            .client_secret(SECRET);
        let client = match std::env::var("AUTH0_CLIENT_DPOP").as_deref().map(str::trim) {
            Ok("required") => builder.dpop_with_own_key(),
            Ok("disabled" | "") | Err(_) => builder,
            Ok(_) => {
                return Err(ConfigError::new("AUTH0_CLIENT_DPOP is neither required nor disabled"));
            }
        };
        Ok(Settings {
            auth: Auth0::builder().issuer(self.tenant.issuer()).audience(AUDIENCE).build()?,
            client: client.build()?,
            http: http_client(&self.url)?,
            url: self.url.clone(),
            audience: DOWNSTREAM.to_owned(),
        })
    }
}
