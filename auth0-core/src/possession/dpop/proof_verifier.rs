//! Verification of proofs without an access token.
use super::{Dpop, DpopRules, Expected, Insertion, Proof, USED_BEFORE};
use crate::{
    config_error::ConfigError,
    error::{Error, ErrorCode},
    jose::{Thumbprint, TokenHash},
    request::HttpUri,
    runtime::Clock,
    telemetry::EscapedMessage,
    token::ClockCheck,
};
use std::sync::Arc;

/// Verifies DPoP proofs that come without an access token, as at a token endpoint (RFC 9449 §5). An API does
/// not need it: [`Auth0`](crate::Auth0) verifies proofs together with their tokens.
///
/// ```
/// use auth0_core::{Dpop, ErrorCode, dpop::ProofVerifier};
/// use auth0_testing::Tenant;
///
/// let tenant = Tenant::new();
/// let verifier = ProofVerifier::new(Dpop::allowed(), tenant.clock().clone())?;
/// let url = "https://tenant.test/oauth/token";
/// let proof = tenant.proof("POST", url).mint();
/// assert_eq!(verifier.verify("POST", url, proof.as_bytes()).unwrap(), tenant.client_key().thumbprint());
/// let again = verifier.verify("POST", url, proof.as_bytes()).unwrap_err();
/// assert_eq!(again.code(), ErrorCode::DpopProofReplayed);
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct ProofVerifier {
    rules: DpopRules,
    clock: Arc<dyn Clock>,
    clock_check: ClockCheck,
}

impl ProofVerifier {
    /// Creates a verifier that remembers used proofs in this process. The mode of [`Dpop`] has no meaning
    /// here.
    ///
    /// # Errors
    /// The settings are not valid, or contain a store for used proofs.
    pub fn new(dpop: Dpop, clock: impl Clock) -> Result<Self, ConfigError> {
        let rules = dpop.rules()?;
        if !rules.replay.is_in_process() {
            return Err(ConfigError::new(
                "proofs without a token are remembered in this process only. Leave .replay_store(…) out",
            ));
        }
        Ok(Self { rules, clock: Arc::new(clock), clock_check: ClockCheck::default() })
    }

    /// Verifies a proof of a request with this method and URL, and records its use. Returns the thumbprint of
    /// its key (RFC 7638), as `cnf.jkt` has it.
    ///
    /// # Errors
    /// `dpop_proof_invalid`, `dpop_proof_replayed`, `replay_store_unavailable`, `keys_unavailable` if the clock
    /// is not set, or `dpop_nonce_required`, whose challenge has the nonce among its headers.
    pub fn verify(&self, method: &str, url: &str, proof: &[u8]) -> Result<String, Error> {
        self.verify_for(method, url, proof, None, None)
    }

    /// As [`verify`](Self::verify), for a request with this access token, which is bound to this key.
    pub(crate) fn verify_for(
        &self,
        method: &str,
        url: &str,
        proof: &[u8],
        token: Option<&str>,
        key: Option<&Thumbprint>,
    ) -> Result<String, Error> {
        let moment = self.clock.moment();
        self.clock_check.check(moment)?;
        let now = moment.unix_time;
        let token = token.map(|token| TokenHash::of(token.as_bytes()));
        let expected = Expected { method, token, key, now };
        let new = Proof(proof).check(&self.rules, &expected, |signed| {
            let ours = HttpUri::parse(url).ok_or("the URL of the request is not an http(s) URL")?;
            Ok(if ours.equals(signed) { Ok(()) } else { Err(url.to_owned()) })
        })?;
        match self.rules.replay.record_now(&new.used) {
            Some(Ok(Insertion::New)) => Ok(new.used.key.encode()),
            Some(Ok(Insertion::Seen)) => {
                Err(Error::new(ErrorCode::DpopProofReplayed).because(USED_BEFORE))
            }
            Some(Err(why)) => {
                let why = EscapedMessage(&why.to_string()).to_string();
                Err(Error::new(ErrorCode::ReplayStoreUnavailable).because(why))
            }
            None => Err(Error::new(ErrorCode::ReplayStoreUnavailable)),
        }
    }
}
