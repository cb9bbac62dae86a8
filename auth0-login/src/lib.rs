#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The rooms are in floors: a room imports only rooms that stand before it in `tests/floors`.
mod cookie;
mod error;
mod exchanges;
mod flow;
mod login;
mod names;
mod page;
mod record;
mod renewals;
mod reply;
mod request;
mod return_to;
mod seal;
mod session;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tokens;
mod transaction;

pub use error::{Error, ErrorKind};
pub use flow::{ConnectRequest, ConnectedAccount, LoginOptions};
pub use login::{CompletedLogin, Login, LoginBuilder, LoginRejected, Site, SiteResolver};
pub use record::Profile;
pub use reply::Reply;
pub use request::Request;
pub use session::Session;
pub use store::{
    InMemorySessionStore, LogoutTarget, NewSession, SessionKey, SessionStore, SessionStoreError,
    StoredSession, Updated,
};
pub use tokens::TokenRequest;
