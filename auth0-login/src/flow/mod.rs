//! The routes of a login, and what happens to requests without one.
mod backchannel;
mod callback;
mod guard;
mod logout;
mod start;

pub use start::LoginOptions;
