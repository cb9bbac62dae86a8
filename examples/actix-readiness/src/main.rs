//! Probes for Kubernetes: when an instance may be sent requests, and when it must be restarted.
//!
//! ```yaml
//! livenessProbe:  { httpGet: { path: /livez,  port: 3000 } }
//! readinessProbe: { httpGet: { path: /readyz, port: 3000 }, periodSeconds: 5, timeoutSeconds: 6 }
//! ```
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p actix-readiness                     # in another
//!
//! curl -i http://127.0.0.1:3000/readyz
//! cargo run -q -p auth0-local -- fault jwks=500       # keys at hand go on serving: still ready
//! ```
use actix_web::{App, HttpResponse, HttpServer, Responder, get, web};
use auth0_actix::{AccessToken, Auth0, Health};
use std::{env, error::Error};

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

/// The process runs. An outage of the issuer is no reason to restart it: that would throw away
/// the keys that it has.
#[get("/livez")]
async fn livez() -> impl Responder {
    HttpResponse::Ok()
}

/// Tokens can be judged. Asks the issuer only if there are no keys, and not more often than it can
/// bear, so a new instance becomes ready without having been sent a request.
#[get("/readyz")]
async fn readyz(auth: web::Data<Auth0>) -> impl Responder {
    let mut response = match auth.warm_up().await {
        Ok(()) => HttpResponse::Ok(),
        Err(_) => HttpResponse::ServiceUnavailable(),
    };
    response.body(match auth.health() {
        Health::Ready { age, .. } => format!("ready: keys of {} s ago\n", age.as_secs()),
        Health::Stale { age, .. } => format!("ready: old keys, of {} s ago\n", age.as_secs()),
        _ => "not ready: no keys\n".to_owned(),
    })
}

fn routes(config: &mut web::ServiceConfig) {
    config.service(me).service(livez).service(readyz);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // As `Data`, so that handlers can ask for it, too.
    let auth = web::Data::new(Auth0::from_env()?);
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(("127.0.0.1", port))?.run().await?)
}

#[cfg(test)]
mod tests;
