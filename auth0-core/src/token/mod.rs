//! Access tokens: their claims, the conditions that these must meet, and verified tokens.
mod actor;
mod authentication;
pub(crate) mod binding;
pub(crate) mod claim_mapping;
pub(crate) mod claims;
mod clock_check;
mod confirmation;
mod ended;
mod id_claims;
mod logout_claims;
mod organization;
pub(crate) mod payload_text;
mod revoked;
mod subject_kind;
mod times;
mod type_error;
mod validation;
pub(crate) mod verified;
mod verified_token;
mod withdrawn;

pub use actor::Actor;
pub use authentication::{Authentication, MFA};
pub(crate) use binding::Binding;
pub(crate) use claims::Claims;
pub(crate) use clock_check::ClockCheck;
pub use confirmation::Confirmation;
pub use ended::{Ended, UntilEnded};
pub(crate) use id_claims::IdClaims;
pub use id_claims::IdTokenExpectations;
pub(crate) use logout_claims::LogoutClaims;
pub use organization::Organization;
pub use subject_kind::SubjectKind;
pub(crate) use subject_kind::SubjectKinds;
pub(crate) use times::Times;
pub(crate) use validation::Validation;
pub(crate) use verified::{AcceptedBy, CacheMark, Revocable, Verified};
pub use verified_token::VerifiedToken;
pub(crate) use withdrawn::{PublishedKeys, SigningKey};

use crate::{
    error::{Error, ErrorCode},
    identifier::Issuer,
    jose::jws::JwsError,
};

/// Maps an error in the form of a token to its refusal.
impl From<JwsError> for Error {
    fn from(error: JwsError) -> Self {
        let code = match error {
            JwsError::Malformed(_) => ErrorCode::TokenMalformed,
            JwsError::Opaque(_) => ErrorCode::TokenOpaque,
            JwsError::Algorithm(_) => ErrorCode::AlgorithmUnsupported,
        };
        Self::new(code).because(error.into_cause())
    }
}

/// Returns the issuer of a token, which its verifier trusts.
impl<C> From<&VerifiedToken<C>> for Issuer {
    fn from(token: &VerifiedToken<C>) -> Self {
        Self::from_trusted(token.issuer())
    }
}
