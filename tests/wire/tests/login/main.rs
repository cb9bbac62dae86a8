//! Login for web applications: the same scenarios on axum and actix-web, over real sockets.
mod backchannel;
mod browser;
mod callback;
mod completion;
mod configuration;
mod connect;
mod cookies;
mod guards;
mod lifetime;
mod logout;
mod provider;
mod renewal;
mod servers;
mod sites;
mod start;
mod stores;
mod world;
