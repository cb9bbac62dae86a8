use crate::error::LocalError;
use std::str::FromStr;

/// The form of the answer `mfa_required`, of which Auth0 documents several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MfaAnswer {
    /// With `mfa_requirements`: the factors to be challenged, or to be enrolled.
    #[default]
    Requirements,
    /// With `mfa_token` only, as a custom token exchange answers.
    TokenOnly,
    /// With `challenge_types`, as a passwordless login to a database answers.
    ChallengeTypes,
}

/// Reads it as the option `--mfa-answer` has it.
impl FromStr for MfaAnswer {
    type Err = LocalError;

    fn from_str(text: &str) -> Result<Self, LocalError> {
        match text {
            "requirements" => Ok(Self::Requirements),
            "token-only" => Ok(Self::TokenOnly),
            "challenge-types" => Ok(Self::ChallengeTypes),
            _ => Err(LocalError::new("write requirements, token-only or challenge-types")),
        }
    }
}
