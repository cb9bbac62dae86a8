//! Shows probes for Kubernetes: when an instance may receive requests, and when it must restart.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-readiness           # in another
//!
//! curl -i http://127.0.0.1:3000/readyz
//! cargo run -q -p auth0-local -- fault jwks=500       # cached keys stay in use: still ready
//! ```
//!
//! ```yaml
//! livenessProbe:  { httpGet: { path: /livez,  port: 3000 } }
//! readinessProbe: { httpGet: { path: /readyz, port: 3000 }, periodSeconds: 5, timeoutSeconds: 6 }
//! ```
use actix_web::{App, HttpResponse, HttpServer, Responder, get, web};
use auth0_actix::{AccessToken, Auth0, Health};
use std::error::Error;

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

/// Says that the process runs. An outage of the issuer is no reason to restart it: a restart would
/// throw away the cached keys.
#[get("/livez")]
async fn livez() -> impl Responder {
    HttpResponse::Ok()
}

/// Says whether tokens can be verified. `warm_up` asks the issuer only if there are no keys, and no
/// more often than its back-off allows. So a new instance becomes ready before its first request.
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
    // As `Data`, so that handlers can extract it.
    let auth = web::Data::new(Auth0::from_env()?);
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
