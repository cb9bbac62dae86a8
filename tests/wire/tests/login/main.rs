//! Login for web applications: the same scenarios on axum and actix-web, over real sockets.
mod answers;
mod backchannel;
mod browser;
mod callback;
mod completion;
mod configuration;
mod connect;
mod cookies;
mod guards;
mod in_flight;
mod lifetime;
#[path = "../redis/log.rs"]
mod log;
mod logout;
mod middleware;
mod outages;
mod provider;
mod renewal;
mod revocations;
mod servers;
mod sites;
mod start;
mod stores;
mod world;
