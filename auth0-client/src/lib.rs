#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The rooms are in floors: a room imports only rooms that stand before it in `tests/floors`.
mod authentication;
mod cache;
mod client;
mod error;
mod grant;
mod key;
mod limits;
mod metrics;
#[cfg(any(feature = "send", feature = "tower"))]
mod outgoing;
mod parameters;
mod proof;
mod secret;
mod server;
mod source;
#[doc(hidden)]
pub mod support;
mod token;

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, MfaRequirement, Reply};
pub use grant::{
    Authenticator, AuthorizationRequest, BackchannelRequest, Connection, Delegation,
    DelegationBuilder, DeviceRequest, Enrollment, Exchange, MachineBuilder, Mfa, MfaChallenge,
    OpenGrant, Passwordless, PasswordlessLogin, PasswordlessStart, PendingBackchannel,
    PendingDevice, PushedRequest, Refresh, Revocation,
};
pub use key::{ProofKey, SigningKey};
pub use limits::{Limits, Quota, RateLimit};
#[cfg(feature = "tower")]
pub use outgoing::{TokenLayer, TokenService};
pub use source::TokenSource;
pub use token::{Caller, Token, Tokens};
