//! The reasons why the documents of an issuer could not be fetched.
use crate::{
    identifier::Issuer,
    telemetry::Escaped,
    transport::{HttpError, MAX_BODY_BYTES, NotPublic},
};
use std::{fmt, time::Duration};

/// The reason why an issuer's documents could not be fetched, for the log.
#[derive(Clone, Debug)]
pub(crate) enum FetchError {
    Http(HttpError),
    NotPublic(NotPublic),
    Status { status: u16, retry_after: Option<Duration> },
    NotJson(Option<String>),
    TooLong,
    NotMetadata(String),
    OtherIssuer { stated: String, configured: Issuer },
    KeySetUri(&'static str),
    NotKeySet,
    NoUsableKey,
    Deadline,
    Panicked,
    Abandoned,
}

impl FetchError {
    /// Returns the kind of the error, for metrics.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Http(_) | Self::Panicked => "unreachable",
            Self::Deadline => "timeout",
            Self::Status { .. } => "status",
            _ => "invalid",
        }
    }

    /// Returns whether the key set may have moved, so that the metadata is read again.
    pub(crate) const fn suggests_move(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 300..=499) && *status != 429,
            Self::NotJson(_) | Self::NotKeySet | Self::NoUsableKey => true,
            _ => false,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => write!(f, "{:?}", error.to_string()),
            Self::NotPublic(NotPublic(host)) => write!(
                f,
                "{} is not a public host, which an issuer that a resolver found must be, unless it is \
                 among ResolvedIssuers::private_hosts",
                Escaped(host)
            ),
            Self::Status { status, .. } if (300..400).contains(status) => {
                write!(f, "status {status}: redirects are not followed")
            }
            Self::Status { status, .. } => write!(f, "status {status}"),
            Self::NotJson(Some(other)) => write!(f, "not JSON, but {}", Escaped(other)),
            Self::NotJson(None) => f.write_str("the answer has no content type"),
            Self::TooLong => write!(f, "the body is longer than {MAX_BODY_BYTES} bytes"),
            Self::NotMetadata(error) => {
                write!(f, "the metadata cannot be read: {}", Escaped(error))
            }
            Self::OtherIssuer { stated, configured } => {
                let hint = if stated.trim_end_matches('/')
                    == configured.as_str().trim_end_matches('/')
                {
                    "; they differ in the slash at the end: configure the issuer as the metadata has it"
                } else {
                    ""
                };
                let stated = Escaped(stated);
                write!(f, "the metadata is of the issuer {stated}, not of {configured}{hint}")
            }
            Self::KeySetUri(reason) => write!(f, "the jwks_uri cannot be used: {reason}"),
            Self::NotKeySet => f.write_str("the key set cannot be read"),
            Self::NoUsableKey => f.write_str("the key set holds no key that can be used"),
            Self::Deadline => f.write_str("it took too long"),
            Self::Panicked => f.write_str("the transport panicked"),
            Self::Abandoned => f.write_str("the fetch was abandoned"),
        }
    }
}

impl std::error::Error for FetchError {}
