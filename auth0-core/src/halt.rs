//! Why there is no token: a refusal, or something that has to be asked for first.
use crate::{
    binding::Proven,
    dpop::{Insertion, ReplayStoreError},
    error::{Error, ErrorCode},
    issuers::Trusted,
    jwks::{Snapshot, Verdict, cache::Unavailable},
    jws::Header,
    resolver::Asking,
    token::AccessToken,
};
use std::{sync::Arc, time::Duration};

/// When to ask again while the store of used proofs does not answer.
const REPLAY_RETRY: Duration = Duration::from_secs(1);

/// Why there is no token.
pub(crate) enum Halt {
    Refused(Box<Refused>),
    /// It is not known whether the issuer is trusted for this request.
    IssuerUnknown {
        header: Header,
        asking: Asking,
    },
    /// There are no keys that may be used without asking for them.
    KeysMissing {
        trusted: Arc<Trusted>,
        header: Header,
    },
    /// These keys have none of the name that the token gives.
    KeyUnknown {
        trusted: Arc<Trusted>,
        header: Header,
        keys: Arc<Snapshot>,
    },
    /// The proof is good, if a store elsewhere does not know it.
    ProofPending {
        token: AccessToken,
        proven: Box<Proven>,
    },
}

/// A refusal, and what the log may say of the token.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) header: Option<Header>,
    /// The issuer, if it is one that is trusted.
    pub(crate) trusted: Option<Arc<Trusted>>,
    pub(crate) client_id: Option<Box<str>>,
}

impl Halt {
    pub(crate) fn refused(
        error: Error,
        header: &Header,
        trusted: Option<&Arc<Trusted>>,
        client_id: Option<Box<str>>,
    ) -> Self {
        let (header, trusted) = (Some(header.clone()), trusted.map(Arc::clone));
        Self::Refused(Box::new(Refused { error, header, trusted, client_id }))
    }

    /// A refusal of a token that is genuine.
    pub(crate) fn of_token(error: Error, token: &AccessToken) -> Self {
        let client_id = token.client_id().map(Into::into);
        let trusted = token.trusted().map(Arc::clone);
        Self::Refused(Box::new(Refused { error, header: None, trusted, client_id }))
    }

    pub(crate) fn into_refused(self) -> Box<Refused> {
        let (error, header, trusted) = match self {
            Self::Refused(refused) => return refused,
            // Not said to anybody: the resolver is asked first.
            Self::IssuerUnknown { header, .. } => {
                return match Self::refused(
                    Error::new(ErrorCode::IssuersUnavailable),
                    &header,
                    None,
                    None,
                ) {
                    Self::Refused(refused) => refused,
                    other => other.into_refused(),
                };
            }
            // Nor is this: the keys are fetched first.
            Self::KeysMissing { header, trusted } => {
                (Error::new(ErrorCode::KeysUnavailable), header, trusted)
            }
            Self::KeyUnknown { header, trusted, .. } => {
                (refusal(&Verdict::UnknownKey), header, trusted)
            }
            // Nor this: the store is asked first.
            Self::ProofPending { token, .. } => {
                return match Self::of_token(Error::new(ErrorCode::ReplayStoreUnavailable), &token) {
                    Self::Refused(refused) => refused,
                    other => other.into_refused(),
                };
            }
        };
        let (header, trusted) = (Some(header), Some(trusted));
        Box::new(Refused { error, header, trusted, client_id: None })
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Refused(Box::new(Refused { error, header: None, trusted: None, client_id: None }))
    }
}

/// What the store of used proofs said, last of all.
pub(crate) fn used(
    token: AccessToken,
    proven: Proven,
    outcome: Result<Insertion, ReplayStoreError>,
) -> Result<AccessToken, Halt> {
    let error = match outcome {
        Ok(Insertion::New) => return Ok(token.proven(proven.next_nonce)),
        Ok(Insertion::Seen) => Error::new(ErrorCode::DpopProofReplayed),
        Err(why) => Error::new(ErrorCode::ReplayStoreUnavailable)
            .because(why.to_string())
            .retry_after(REPLAY_RETRY),
    };
    Err(Halt::of_token(error, &token))
}

pub(crate) fn refusal(verdict: &Verdict) -> Error {
    let (code, cause) = match verdict {
        Verdict::Valid(_) | Verdict::Invalid => {
            (ErrorCode::SignatureInvalid, "the signature does not verify")
        }
        Verdict::OtherAlgorithm => (
            ErrorCode::AlgorithmUnsupported,
            "the key of this kid is not one for the token's alg, or cannot be used",
        ),
        Verdict::UnknownKey => (ErrorCode::KeyUnknown, "the issuer publishes no key of this kid"),
        Verdict::AmbiguousKey => (
            ErrorCode::KeyUnknown,
            "the token has no kid, and not exactly one of the issuer's keys fits its alg",
        ),
    };
    Error::new(code).because(cause)
}

pub(crate) fn unavailable(reason: &Unavailable) -> Error {
    Error::new(ErrorCode::KeysUnavailable)
        .because(reason.cause.to_string())
        .retry_after(reason.retry_in)
}
