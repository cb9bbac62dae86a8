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
    Status {
        status: u16,
        retry_after: Option<Duration>,
        url: Box<str>,
    },
    /// The document begins with this text.
    NotJson {
        begins: String,
        url: Box<str>,
    },
    TooLong,
    /// There is no metadata at the URL of OpenID Connect, nor at that of OAuth.
    NoMetadata {
        status: u16,
        url: Box<str>,
        oauth_url: Box<str>,
    },
    NotMetadata(String),
    OtherIssuer {
        stated: String,
        configured: Issuer,
    },
    KeySetUri(&'static str),
    NotKeySet,
    /// The entries of the set, and why they cannot be used.
    NoUsableKey(String),
    Deadline,
    /// Fetches from other issuers have taken the time, and this one was not asked.
    Crowded,
    Panicked,
    Abandoned,
}

impl FetchError {
    /// Returns the kind of the error, for metrics.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::Http(_) | Self::Panicked => "unreachable",
            Self::Deadline | Self::Crowded => "timeout",
            Self::Status { .. } | Self::NoMetadata { .. } => "status",
            _ => "invalid",
        }
    }

    /// Returns whether the key set may have moved, so that the metadata is read again.
    pub(crate) const fn suggests_move(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 300..=499) && *status != 429,
            Self::NotJson { .. } | Self::NotKeySet | Self::NoUsableKey(_) => true,
            _ => false,
        }
    }

    /// Returns whether a document was not answered, or another one was answered for it, as by a proxy.
    pub(super) const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Http(_)
                | Self::Status { .. }
                | Self::NotJson { .. }
                | Self::TooLong
                | Self::Deadline
        )
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
            Self::Status { status, url, .. } if (300..400).contains(status) => {
                write!(f, "status {status} at {url}: redirects are not followed")
            }
            Self::Status { status, url, .. } => write!(f, "status {status} at {url}"),
            Self::NotJson { begins, url } if begins.is_empty() => {
                write!(f, "the answer of {url} is not JSON, it is empty")
            }
            Self::NotJson { begins, url } => {
                write!(f, "the answer of {url} is not JSON, it begins with {}", Escaped(begins))
            }
            Self::NoMetadata { status, url, oauth_url } => write!(
                f,
                "status {status} at {url}, and there is no metadata at {oauth_url} either. Compare the \
                 issuer with the iss claim of its tokens; for an issuer without metadata, set \
                 TrustedIssuer::key_set_url"
            ),
            Self::TooLong => write!(f, "the body is longer than {MAX_BODY_BYTES} bytes"),
            Self::NotMetadata(error) => {
                write!(f, "the metadata cannot be read: {}", Escaped(error))
            }
            Self::OtherIssuer { stated, configured } => {
                let hint = if stated.contains('{') {
                    "; it is a template: configure the issuer of one tenant, as its tokens name it"
                } else if stated.trim_end_matches('/') == configured.as_str().trim_end_matches('/')
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
            Self::NoUsableKey(entries) if entries.is_empty() => f.write_str("the key set is empty"),
            Self::NoUsableKey(entries) => {
                write!(f, "the key set has no key that can be used: {entries}")
            }
            Self::Deadline => f.write_str("it took too long"),
            Self::Crowded => {
                f.write_str("it had no turn: too many fetches from other issuers were pending")
            }
            Self::Panicked => f.write_str("the transport panicked"),
            Self::Abandoned => f.write_str("the fetch was abandoned"),
        }
    }
}

impl std::error::Error for FetchError {}
