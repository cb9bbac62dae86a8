//! The routes of a login, and what happens to requests without one.
mod backchannel;
mod callback;
mod connect;
mod guard;
mod logout;
mod start;

pub use connect::{ConnectRequest, ConnectedAccount};
pub use start::LoginOptions;
