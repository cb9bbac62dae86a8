//! The reasons why verification has no token: a refusal, or something that is pending.
use crate::{
    error::{Error, ErrorCode},
    issuer::{Trusted, resolver::Question},
    jose::jws::{Header, JwsError},
    keys::{SignatureCheck, Snapshot, Unavailable},
    possession::{
        Proven,
        dpop::{Insertion, ReplayStoreError, USED_BEFORE},
    },
    telemetry::EscapedMessage,
    token::VerifiedToken,
};
use std::{sync::Arc, time::Duration};

/// The time to retry while the store of used proofs does not answer.
const REPLAY_RETRY: Duration = Duration::from_secs(1);

/// The reason why there is no token.
pub(super) enum Stop {
    Refused(Box<Refusal>),
    /// In a box, so that the result of a cached token is short.
    Pending(Box<Pending>),
}

/// Something that must be fetched or called before a verdict is possible.
pub(super) enum Pending {
    /// The answer of the resolver whether the issuer is trusted for this request.
    Issuer { header: Header, question: Question },
    /// The keys of the issuer, of which none may be used without a fetch.
    Keys { trusted: Arc<Trusted>, header: Header },
    /// A key that these keys lack, or with which their check of the signature may have another result.
    Key { trusted: Arc<Trusted>, header: Header, keys: Arc<Snapshot>, check: SignatureCheck },
    /// A recent answer of the store of revocations.
    Revocations { trusted: Arc<Trusted>, client_id: Option<Box<str>> },
    /// The answer of the store whether the proof, which is valid, was used before.
    ReplayStore { token: VerifiedToken, trusted: Arc<Trusted>, proven: Box<Proven> },
}

/// A refusal, and the properties of the token for the log.
pub(super) struct Refusal {
    pub(super) error: Error,
    pub(super) header: Option<Header>,
    /// The issuer, if it is trusted.
    pub(super) trusted: Option<Arc<Trusted>>,
    pub(super) client_id: Option<Box<str>>,
}

impl Refusal {
    pub(super) fn new(
        error: impl Into<Error>,
        header: &Header,
        trusted: Option<&Arc<Trusted>>,
        client_id: Option<Box<str>>,
    ) -> Box<Self> {
        let (header, trusted) = (Some(header.clone()), trusted.map(Arc::clone));
        Box::new(Self { error: error.into(), header, trusted, client_id })
    }

    /// Returns whether the form of the token is refused. Other refusals come after all of its parts were
    /// decoded.
    pub(super) fn is_of_form(&self) -> bool {
        matches!(
            self.error.code(),
            ErrorCode::TokenMalformed | ErrorCode::TokenOpaque | ErrorCode::AlgorithmUnsupported
        )
    }

    /// Refuses a token whose signature is good.
    pub(super) fn of_token(
        error: Error,
        token: &VerifiedToken,
        trusted: &Arc<Trusted>,
    ) -> Box<Self> {
        let client_id = token.client_id().map(Into::into);
        Box::new(Self { error, header: None, trusted: Some(Arc::clone(trusted)), client_id })
    }

    /// Refuses a token whose signature is not good.
    pub(super) fn of_signature(
        check: &SignatureCheck,
        header: &Header,
        trusted: &Arc<Trusted>,
    ) -> Box<Self> {
        Self::new(signature_error(check), header, Some(trusted), None)
    }
}

impl Stop {
    /// Stops at a signature that is not good. The issuer may have rotated its keys, also under the id of an
    /// old one.
    pub(super) fn of_signature(
        check: SignatureCheck,
        trusted: &Arc<Trusted>,
        header: &Header,
        keys: &Arc<Snapshot>,
    ) -> Self {
        let may_differ = matches!(check, SignatureCheck::UnknownKey | SignatureCheck::Invalid);
        if !may_differ || trusted.keys.source().is_fixed() {
            return Self::Refused(Refusal::of_signature(&check, header, trusted));
        }
        let (trusted, header, keys) = (Arc::clone(trusted), header.clone(), Arc::clone(keys));
        Pending::Key { trusted, header, keys, check }.into()
    }
}

impl From<Pending> for Stop {
    fn from(pending: Pending) -> Self {
        Self::Pending(Box::new(pending))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, header: None, trusted: None, client_id: None }
    }
}

impl From<Error> for Box<Refusal> {
    fn from(error: Error) -> Self {
        Self::new(error.into())
    }
}

impl From<Box<Refusal>> for Stop {
    fn from(refusal: Box<Refusal>) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<JwsError> for Stop {
    fn from(error: JwsError) -> Self {
        Error::from(error).into()
    }
}

/// Applies the answer of the store of used proofs, which is the last check.
pub(super) fn record_use(
    token: VerifiedToken,
    trusted: &Arc<Trusted>,
    next_nonce: Option<Arc<str>>,
    outcome: Result<Insertion, ReplayStoreError>,
) -> Result<VerifiedToken, Box<Refusal>> {
    let error = match outcome {
        Ok(Insertion::New) => return Ok(token.proven(next_nonce)),
        Ok(Insertion::Seen) => Error::new(ErrorCode::DpopProofReplayed).because(USED_BEFORE),
        Err(why) => Error::new(ErrorCode::ReplayStoreUnavailable)
            .because(EscapedMessage(&why.to_string()).to_string())
            .retry_after(REPLAY_RETRY),
    };
    Err(Refusal::of_token(error, &token, trusted))
}

pub(super) fn signature_error(check: &SignatureCheck) -> Error {
    let (code, cause) = match check {
        SignatureCheck::Valid { .. } | SignatureCheck::Invalid => {
            (ErrorCode::SignatureInvalid, "the signature does not verify")
        }
        SignatureCheck::OtherAlgorithm(None) => {
            (ErrorCode::AlgorithmUnsupported, "the key of this kid is not one for the token's alg")
        }
        SignatureCheck::OtherAlgorithm(Some(reason)) => {
            return Error::new(ErrorCode::AlgorithmUnsupported)
                .because(format!("the key of this kid cannot be used: {reason}"));
        }
        SignatureCheck::UnknownKey => {
            (ErrorCode::KeyUnknown, "the issuer publishes no key of this kid")
        }
        SignatureCheck::AmbiguousKey => (
            ErrorCode::KeyUnknown,
            "the token has no kid, and not exactly one of the issuer's keys fits its alg",
        ),
    };
    Error::new(code).because(cause)
}

/// Refuses a token because the keys of its issuer cannot be fetched.
pub(super) fn keys_unavailable(reason: &Unavailable, trusted: &Trusted) -> Error {
    let error = unavailable(reason);
    match trusted.keys.source().first_url() {
        None => error,
        Some(url) => error.expecting(format!("the keys of {}, from {url}", trusted.name())).advising(
            "Open this URL on this machine. If there is nothing, correct AUTH0_DOMAIN or AUTH0_ISSUER, or set \
             TrustedIssuer::key_set_url. If it cannot be reached, check DNS, proxies and certificates",
        ),
    }
}

pub(super) fn unavailable(reason: &Unavailable) -> Error {
    Error::new(ErrorCode::KeysUnavailable)
        .because(reason.cause.to_string())
        .retry_after(reason.retry_in)
}
