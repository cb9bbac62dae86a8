//! Shows DPoP with several instances (RFC 9449): each proof is accepted once, by one of them,
//! because they remember used proofs in the same Redis.
//!
//! ```sh
//! redis-server                                        # in one terminal
//! cargo run -p auth0-local -- serve --port 4400       # in another
//! REDIS_URL=redis://127.0.0.1:6379/ AUTH0_PUBLIC_URL=https://api.local.test \
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p axum-dpop-redis                    # in a third
//!
//! token=$(cargo run -q -p auth0-local -- token \
//!     --audience https://api.local.test --dpop-key client.pem)
//! proof=$(cargo run -q -p auth0-local -- proof \
//!     --dpop-key client.pem --url https://api.local.test/me --token "$token")
//! curl -i http://127.0.0.1:3000/me -H "Authorization: DPoP $token" -H "DPoP: $proof"  # 200
//! curl -i http://127.0.0.1:3001/me -H "Authorization: DPoP $token" -H "DPoP: $proof"  # 401
//! ```
//!
//! The second answer is `dpop_proof_replayed`. While Redis is stopped, a new proof gets `503`
//! `replay_store_unavailable` with `Retry-After`. The log says once that the replay store cannot be
//! reached, and once that it is back.
use auth0_axum::{AccessToken, Auth0, Builder, ConfigError, Dpop};
use auth0_redis::RedisReplayStore;
use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo, routing::get};
use std::{env, error::Error, net::SocketAddr};
use tokio::net::TcpListener;

async fn me(token: AccessToken) -> String {
    format!("{}\n", token.subject())
}

/// Makes the verifier of one instance. Instances share only Redis, and the URL that clients use.
fn instance(builder: Builder, redis: &str) -> Result<Auth0, ConfigError> {
    let store = RedisReplayStore::new(redis)?.prefix("messages-api:dpop:");
    builder.dpop(Dpop::required().replay_store(store)).build()
}

fn app(auth: Auth0) -> Router {
    Router::new().route("/me", get(me)).with_state(auth)
}

/// The service of one instance, which knows the peer of each request.
fn service(auth: Auth0) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    app(auth).into_make_service_with_connect_info()
}

/// Serves two instances on two ports, to need one command only. In production, these are two
/// processes.
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let redis = env::var("REDIS_URL").map_err(|_| "set REDIS_URL, for example to redis://host/")?;
    let address = auth0_local::address()?;
    let next = address.port().checked_add(1).ok_or("PORT must leave room for the port after it")?;
    let one = TcpListener::bind(address).await?;
    let other = TcpListener::bind((address.ip(), next)).await?;
    tokio::try_join!(
        axum::serve(one, service(instance(Builder::from_env()?, &redis)?)).into_future(),
        axum::serve(other, service(instance(Builder::from_env()?, &redis)?)).into_future(),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
