//! Handlers that call another API: what their callers get if there is no token, the same bytes from axum and actix-web.
mod errors;
mod servers;
mod world;
