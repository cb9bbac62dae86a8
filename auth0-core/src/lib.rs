#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actor;
mod auth0;
mod authentication;
mod authorization;
mod base64url;
mod binding;
mod builder;
mod certificate;
mod challenge;
mod claims;
mod clock;
mod confirmation;
mod connection;
mod credentials;
mod crypto;
mod discovery;
mod domain;
mod dpop;
mod environment;
mod error;
mod forwarded_element;
mod halt;
mod health;
mod http;
mod http_uri;
mod issuers;
mod json;
mod judgement;
mod jwks;
mod jws;
mod key_table;
mod mapping;
mod measure;
mod organization;
mod origin;
mod places;
pub mod policy;
mod reach;
mod request;
mod resolver;
#[cfg(feature = "testing")]
pub mod testing;
mod thumbprint;
mod token;
mod token_cache;
mod transports;
mod trusted_issuer;
mod upkeep;
mod verifier;

pub use actor::Actor;
pub use auth0::Auth0;
pub use authentication::Authentication;
pub use builder::{Builder, ConfigError};
pub use challenge::{Challenge, RefusalBody};
pub use clock::{Clock, Moment};
pub use confirmation::Confirmation;
pub use connection::Connection;
pub use crypto::Algorithm;
pub use domain::{Audience, Domain, Issuer};
pub use dpop::{
    Dpop, DpopMode, DpopNonces, InMemoryReplayStore, Insertion, ProofId, ReplayEntry, ReplayStore,
    ReplayStoreError,
};
#[cfg(feature = "redis")]
pub use dpop::{OnUnreachable, RedisReplayStore};
pub use error::{Error, ErrorCode, ErrorKind};
pub use health::Health;
pub use http::{BoxFuture, HttpClient, HttpError, HttpRequest, HttpResponse};
pub use organization::Organization;
pub use policy::{Policy, RequestContext, Requirement};
pub use reach::AddressRule;
pub use request::{FieldLines, HttpParts, RequestView};
pub use resolver::{IssuerResolver, ResolvedIssuers, ResolverContext, UnverifiedIssuer};
pub use token::AccessToken;
pub use trusted_issuer::TrustedIssuer;
