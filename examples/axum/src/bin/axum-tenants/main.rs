//! Shows two tenants in one API: one for each region, each with its own data and its own rules.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal: Europe
//! cargo run -p auth0-local -- serve --port 4401 # in another: America
//! EU_ISSUER=http://127.0.0.1:4400/ US_ISSUER=http://127.0.0.1:4401/ \
//!     AUTH0_AUDIENCE=https://api.local.test cargo run --bin axum-tenants
//!
//! token() { cargo run -q -p auth0-local -- token --issuer "$1"; }
//! for issuer in http://127.0.0.1:4400/ http://127.0.0.1:4401/; do
//!     curl -i http://127.0.0.1:3000/orders -H "Authorization: Bearer $(token $issuer)"
//! done
//! ```
use auth0_axum::{AccessToken, Auth0, Builder, Issuer, TrustedIssuer};
use axum::{
    Router,
    extract::{FromRef, State},
    routing::get,
};
use std::{collections::HashMap, env, error::Error, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// The data of the application, for each issuer. A subject identifies a user at one issuer only.
#[derive(Clone)]
struct Orders(Arc<HashMap<String, [&'static str; 2]>>);

impl Orders {
    fn new(europe: &str, america: &str) -> Self {
        let orders = [(europe, ["rocket", "fuel"]), (america, ["anvil", "glue"])];
        Self(Arc::new(orders.map(|(issuer, orders)| (issuer.to_owned(), orders)).into()))
    }

    fn of(&self, issuer: &str) -> String {
        self.0.get(issuer).map(|orders| orders.join(", ")).unwrap_or_default()
    }
}

/// Trusts both, each with rules of its own: America's tokens have no leeway for clocks that differ.
fn trusting(builder: Builder, europe: &str, america: &str) -> Builder {
    builder.issuer(europe).issuer(TrustedIssuer::new(america).leeway(Duration::ZERO))
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
    let (europe, america) = (variable("EU_ISSUER")?, variable("US_ISSUER")?);
    let builder = Auth0::builder().audience(variable("AUTH0_AUDIENCE")?);
    let auth = trusting(builder, &europe, &america).build()?;
    let orders = Orders::new(&europe, &america);
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let service =
        app(AppState { auth, orders }).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
