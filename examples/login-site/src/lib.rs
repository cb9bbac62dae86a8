//! What the examples of login share: their settings, the pages, and an API that the pages call.
mod billing;
mod environment;
mod local;
mod pages;

pub use billing::Invoice;
pub use pages::{Member, admin, failure, home, invoices, member, security, without_api};

use auth0_axum::Auth0;
use auth0_login::{Error as LoginError, Login, Session};
use std::{error::Error, net::SocketAddr, sync::Arc};

/// The application: its login, and the API that it calls for its users.
#[derive(Clone)]
pub struct Site {
    /// The login.
    pub login: Login,
    api: Option<Arc<Api>>,
}

struct Api {
    http: reqwest::Client,
    url: String,
    audience: String,
}

/// Why the invoices of a user cannot be shown.
#[derive(Debug)]
pub enum NoInvoices {
    /// `AUTH0_LOGIN_AUDIENCE` is not set.
    WithoutApi,
    /// There is no token for the user.
    Login(LoginError),
    /// The API does not accept the request.
    Api(String),
}

impl Site {
    async fn new(
        login: Login,
        audience: Option<String>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let api = match audience {
            None => None,
            Some(audience) => {
                let verifier = Auth0::builder()
                    .issuer(login.client().issuer())
                    .audience(&audience)
                    .allow_http_hosts(environment::http_hosts())
                    .build()?;
                let url = billing::start(verifier).await?;
                Some(Arc::new(Api { http: reqwest::Client::new(), url, audience }))
            }
        };
        Ok(Self { login, api })
    }

    /// Requests the invoices of the user from the API, with an access token of theirs.
    ///
    /// # Errors
    /// There is no token, or the API does not accept it.
    pub async fn invoices(&self, session: &Session) -> Result<Vec<Invoice>, NoInvoices> {
        let api = self.api.as_ref().ok_or(NoInvoices::WithoutApi)?;
        let token = session.access_token(&api.audience).await.map_err(NoInvoices::Login)?;
        let failed = |error: reqwest::Error| NoInvoices::Api(error.to_string());
        let url = format!("{}/invoices", api.url);
        let headers =
            token.headers_for("GET", &url).map_err(|error| NoInvoices::Api(error.to_string()))?;
        let answer = api.http.get(&url).headers(headers).send().await.map_err(failed)?;
        match answer.status().is_success() {
            true => answer.json().await.map_err(failed),
            false => Err(NoInvoices::Api(format!("it has answered {}", answer.status()))),
        }
    }
}

/// Returns the application of the environment. If nothing is set, starts a tenant on a free port, at which two users log in.
///
/// # Errors
/// A variable is missing or not valid.
pub async fn site(server: SocketAddr) -> Result<Site, Box<dyn Error + Send + Sync>> {
    match environment::is_configured() {
        true => environment::site(server).await,
        false => local::site(server).await,
    }
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("login", &self.login).finish_non_exhaustive()
    }
}
