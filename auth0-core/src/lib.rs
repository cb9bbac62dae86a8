#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actor;
mod auth0;
mod authentication;
mod base64url;
mod builder;
mod challenge;
mod claims;
mod clock;
mod confirmation;
mod credentials;
mod crypto;
mod discovery;
mod domain;
mod error;
mod health;
mod http;
mod json;
mod jwks;
mod jws;
mod measure;
mod organization;
pub mod policy;
mod request;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod token_cache;
mod verifier;

pub use actor::Actor;
pub use auth0::Auth0;
pub use authentication::Authentication;
pub use builder::{Builder, ConfigError};
pub use challenge::{Challenge, RefusalBody};
pub use clock::{Clock, Moment};
pub use confirmation::Confirmation;
pub use crypto::Algorithm;
pub use domain::{Audience, Domain, Issuer};
pub use error::{Error, ErrorCode, ErrorKind};
pub use health::Health;
pub use http::{BoxFuture, HttpClient, HttpError, HttpRequest, HttpResponse};
pub use organization::Organization;
pub use policy::{Policy, RequestContext, Requirement};
pub use request::RequestView;
pub use token::AccessToken;
