//! The verification of DPoP proofs, with the nonces that clients need.
use crate::error::LocalError;
use auth0_core::{
    Algorithm, Dpop,
    dpop::{DpopNonces, ProofVerifier},
};
use auth0_testing::ManualClock;
use url::Url;

/// Which clients need a nonce.
#[derive(Clone, Debug)]
pub(crate) enum NonceUse {
    None,
    /// As with Auth0.
    PublicClients,
    All(DpopNonces),
}

#[derive(Debug)]
pub(crate) struct Proofs {
    verifier: ProofVerifier,
    of_public_clients: Option<ProofVerifier>,
    is_nonce_for_all: bool,
}

impl Proofs {
    pub(crate) fn new(nonces: NonceUse, clock: &ManualClock) -> Result<Self, LocalError> {
        let is_nonce_for_all = matches!(nonces, NonceUse::All(_));
        let new = |dpop| ProofVerifier::new(dpop, clock.clone());
        let dpop = || Dpop::required().algorithms(Algorithm::ALL);
        let (verifier, of_public_clients) = match nonces {
            NonceUse::None => (new(dpop())?, None),
            NonceUse::PublicClients => {
                (new(dpop())?, Some(new(dpop().nonces(DpopNonces::per_process()))?))
            }
            NonceUse::All(nonces) => (new(dpop().nonces(nonces))?, None),
        };
        Ok(Self { verifier, of_public_clients, is_nonce_for_all })
    }

    /// Returns the verifier for requests that no client makes as such.
    pub(crate) const fn verifier(&self) -> &ProofVerifier {
        &self.verifier
    }

    /// Returns the verifier for requests of a client.
    pub(crate) fn of_client(&self, is_public: bool) -> &ProofVerifier {
        self.of_public_clients.as_ref().filter(|_| is_public).unwrap_or(&self.verifier)
    }

    pub(crate) const fn needs_nonce(&self, is_public: bool) -> bool {
        self.is_nonce_for_all || is_public && self.of_public_clients.is_some()
    }
}

/// Removes query and fragment, which `htu` does not contain (RFC 9449 §4.2). The rest stays as
/// written.
pub(crate) fn request_url(text: &str) -> Result<String, String> {
    let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if !Url::parse(text).is_ok_and(is_http) {
        return Err("this is not the URL of a request. Write the whole URL, for example \
                    http://127.0.0.1:3000/api/private"
            .into());
    }
    Ok(text.split(['?', '#']).next().unwrap_or(text).to_owned())
}
