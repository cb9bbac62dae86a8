//! Shows two tenants in one API: one for each region, each with its own data and its own rules.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal: Europe
//! cargo run -p auth0-local -- serve --port 4401 # in another: America
//! EU_ISSUER=http://127.0.0.1:4400/ US_ISSUER=http://127.0.0.1:4401/ \
//!     AUTH0_AUDIENCE=https://api.local.test cargo run --bin actix-tenants
//!
//! token() { cargo run -q -p auth0-local -- token --issuer "$1"; }
//! for issuer in http://127.0.0.1:4400/ http://127.0.0.1:4401/; do
//!     curl -i http://127.0.0.1:3000/orders -H "Authorization: Bearer $(token $issuer)"
//! done
//! ```
use actix_web::{App, HttpServer, Responder, get, web};
use auth0_actix::{AccessToken, Auth0, Builder, Issuer, TrustedIssuer};
use std::{collections::HashMap, env, error::Error, sync::Arc, time::Duration};

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

#[get("/orders")]
async fn list(issuer: Issuer, orders: web::Data<Orders>) -> impl Responder {
    orders.of(issuer.as_str())
}

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    format!("{} of {}", token.subject(), token.issuer())
}

fn routes(auth: Auth0, orders: Orders) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(auth).app_data(web::Data::new(orders)).service(list).service(me);
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let (europe, america) = (variable("EU_ISSUER")?, variable("US_ISSUER")?);
    let builder = Auth0::builder().audience(variable("AUTH0_AUDIENCE")?);
    let auth = trusting(builder, &europe, &america).build()?;
    let orders = Orders::new(&europe, &america);
    let server =
        HttpServer::new(move || App::new().configure(routes(auth.clone(), orders.clone())));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
