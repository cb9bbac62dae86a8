//! Shows one tenant for each customer, looked up per request, so that customers can be added at run
//! time.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal: the tenant of acme
//! cargo run -p auth0-local -- serve --port 4401 # in another: the tenant of globex
//! ACME_ISSUER=http://127.0.0.1:4400/ GLOBEX_ISSUER=http://127.0.0.1:4401/ \
//!     AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-tenant-resolver
//!
//! token() { cargo run -q -p auth0-local -- token --issuer "$1"; }
//! for issuer in http://127.0.0.1:4400/ http://127.0.0.1:4401/; do
//!     for customer in acme globex; do
//!         curl -i http://$customer.localhost:3000/orders \
//!             -H "Authorization: Bearer $(token $issuer)"
//!     done
//! done
//! ```
use auth0_axum::{
    AccessToken, Auth0, Builder, Issuer, TrustedIssuer,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
};
use axum::{
    Router,
    extract::{FromRef, State},
    routing::get,
};
use std::{
    collections::HashMap,
    env,
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

/// The issuer of each customer. Stands for a database.
#[derive(Clone, Default)]
struct Customers(Arc<Mutex<HashMap<String, String>>>);

impl Customers {
    fn add(&self, name: &str, issuer: &str) {
        let mut customers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        customers.insert(name.to_owned(), issuer.to_owned());
    }

    async fn issuer_of(&self, name: &str) -> Result<Option<String>, &'static str> {
        let customers = self.0.lock().map_err(|_| "the customers cannot be read")?;
        Ok(customers.get(name).cloned())
    }
}

impl IssuerResolver for Customers {
    type Key = String;

    /// Returns the customer of a request to `{customer}.localhost`.
    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        Some(request.host()?.strip_suffix(".localhost")?.to_owned())
    }

    async fn resolve(
        &self,
        customer: String,
    ) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        let issuer = self.issuer_of(&customer).await?;
        Ok(issuer.into_iter().map(TrustedIssuer::new).collect())
    }
}

/// The data of the application, for each issuer. A subject identifies a user at one issuer only.
#[derive(Clone)]
struct Orders(Arc<HashMap<String, [&'static str; 2]>>);

impl Orders {
    fn new(acme: &str, globex: &str) -> Self {
        let orders = [(acme, ["rocket", "fuel"]), (globex, ["anvil", "glue"])];
        Self(Arc::new(orders.map(|(issuer, orders)| (issuer.to_owned(), orders)).into()))
    }

    fn of(&self, issuer: &str) -> String {
        self.0.get(issuer).map(|orders| orders.join(", ")).unwrap_or_default()
    }
}

/// Allows issuers on this machine, where `auth0-local` runs. By default, an issuer from a resolver
/// must not have a private address.
fn trusting(builder: Builder, customers: Customers) -> Builder {
    builder.issuer_resolver(ResolvedIssuers::by(customers).private_hosts(["127.0.0.1"]))
}

#[derive(Clone, FromRef)]
struct AppState {
    auth: Auth0,
    orders: Orders,
}

async fn orders(issuer: Issuer, State(orders): State<Orders>) -> String {
    orders.of(issuer.as_str())
}

async fn me(token: AccessToken) -> String {
    format!("{} of {}", token.subject(), token.issuer())
}

fn app(state: AppState) -> Router {
    Router::new().route("/orders", get(orders)).route("/me", get(me)).with_state(state)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let (acme, globex) = (variable("ACME_ISSUER")?, variable("GLOBEX_ISSUER")?);
    let customers = Customers::default();
    customers.add("acme", &acme);
    customers.add("globex", &globex);
    let builder = Auth0::builder().audience(variable("AUTH0_AUDIENCE")?);
    let auth = trusting(builder, customers).build()?;
    let orders = Orders::new(&acme, &globex);
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let service =
        app(AppState { auth, orders }).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
