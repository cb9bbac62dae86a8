//! The parts of a cause that only the verifier knows: what is expected by its configuration, and what to do if
//! the check that refused has no better advice.
use super::verifier::Verifier;
use crate::{
    error::{AuthScheme, DpopMode, Error, ErrorCode},
    identifier::Audience,
    issuer::Trusted,
    jose::{Algorithm, AlgorithmSet},
    telemetry::{listed, listed_escaped},
    token::Validation,
};
use std::borrow::Cow;

type Text = Cow<'static, str>;

impl Verifier {
    /// Completes the cause of a refusal. `trusted` is the issuer of the token, if it is known.
    pub(super) fn complete(&self, error: Error, trusted: Option<&Trusted>) -> Error {
        let first = || self.issuers.iter().next().map(|trusted| &trusted.validation);
        let validation = trusted.map(|trusted| &trusted.validation).or_else(first);
        let advice = |code| match code {
            ErrorCode::TokenOpaque if self.resource.is_some() => OPAQUE_WITH_RESOURCE.into(),
            _ => next_step(code),
        };
        error.or_expecting(|code| self.expected(code, trusted, validation)).or_advising(advice)
    }

    fn expected(
        &self,
        code: ErrorCode,
        trusted: Option<&Trusted>,
        validation: Option<&Validation>,
    ) -> Text {
        let issuer = || match trusted {
            Some(trusted) => trusted.name().to_owned(),
            None => self.trusted_issuers(),
        };
        let audiences = || validation.map_or_else(default_audience, |v| audiences(&v.audiences));
        let leeway = validation.map_or(0, |validation| validation.leeway.as_secs());
        let algorithms = || match validation {
            Some(validation) => names(validation.algorithms),
            None => names(self.issuers.algorithms),
        };
        match code {
            ErrorCode::TokenMissing | ErrorCode::SchemeUnsupported => self.header(),
            ErrorCode::RequestMalformed => {
                format!("{}, once, with at most {} bytes", self.header(), self.max_token_bytes)
            }
            ErrorCode::TokenMalformed | ErrorCode::TokenOpaque => {
                format!("an access token in the form of a JWT, for the audience {}", audiences())
            }
            ErrorCode::AlgorithmUnsupported => format!("the alg {}", algorithms()),
            ErrorCode::KeyUnknown => format!("a key that {} publishes", issuer()),
            ErrorCode::SignatureInvalid => format!("the signature of {}", issuer()),
            ErrorCode::IssuerMismatch => self.trusted_issuers(),
            ErrorCode::AudienceMismatch => audiences(),
            ErrorCode::TokenExpired => {
                format!("an exp that is not past, with {leeway} s for clocks that differ")
            }
            ErrorCode::TokenNotYetValid => {
                format!("a time that is not ahead, with {leeway} s for clocks that differ")
            }
            ErrorCode::ClaimsInvalid => {
                format!("the claims of an access token of {}", issuer())
            }
            ErrorCode::TokenRevoked => {
                "a token whose subject, client, organization and session are not revoked".to_owned()
            }
            ErrorCode::TokenTypeInvalid => {
                let types = match validation {
                    Some(Validation { rfc9068_only: true, .. }) => "at+jwt",
                    _ => "JWT or at+jwt",
                };
                format!("an access token, with the typ {types}, for the audience {}", audiences())
            }
            ErrorCode::TokenBindingMismatch => {
                "the scheme, and a proof or a certificate, that belong to the cnf claim of the token".to_owned()
            }
            ErrorCode::DpopProofMissing => {
                format!("a DPoP header with a proof that is signed with {}", self.dpop.algorithm_names)
            }
            ErrorCode::DpopProofInvalid => format!(
                "a proof for this request, signed with {}, at most {} s old and {} s ahead",
                self.dpop.algorithm_names,
                self.dpop.max_age.as_secs(),
                self.dpop.max_ahead.as_secs()
            ),
            ErrorCode::DpopProofReplayed => format!(
                "a jti that was not used in the last {} s",
                self.dpop.max_age.saturating_add(self.dpop.max_ahead).as_secs()
            ),
            ErrorCode::DpopNonceRequired => {
                "the nonce of the header DPoP-Nonce of this response".to_owned()
            }
            ErrorCode::KeysUnavailable => format!("the keys of {}", issuer()),
            ErrorCode::IssuersUnavailable => "the issuers of the resolver".to_owned(),
            ErrorCode::ReplayStoreUnavailable => {
                "an answer of the store of used proofs, and room in it".to_owned()
            }
            ErrorCode::RevocationsUnavailable => {
                "an answer of the store of revocations that is recent".to_owned()
            }
            ErrorCode::OrganizationMismatch
            | ErrorCode::InsufficientScope
            | ErrorCode::InsufficientPermissions
            | ErrorCode::RequirementNotMet
            | ErrorCode::StepUpRequired => "what the requirement says".to_owned(),
            ErrorCode::McpHeaderMismatch => "the method and name of the body".to_owned(),
            ErrorCode::McpSessionUnknown => "a session of this issuer, subject and client".to_owned(),
            ErrorCode::RenewalRefused => {
                "a newer token of the issuer, subject, client and organization of the connection".to_owned()
            }
            ErrorCode::BodyIncomplete => "the whole body".to_owned(),
            ErrorCode::RequestTooLarge => "a body within the limit".to_owned(),
            ErrorCode::Misconfigured => "a complete setup of the application".to_owned(),
        }
        .into()
    }

    /// Logs what the verifier trusts, so that the first line of a service's log shows its configuration.
    pub(super) fn introduce(&self, dpop: DpopMode) {
        let all = || self.issuers.iter().map(|trusted| &trusted.validation);
        let mut of_all: Vec<&str> = Vec::new();
        for audience in all().flat_map(|validation| &validation.audiences) {
            if !of_all.contains(&audience.as_str()) {
                of_all.push(audience.as_str());
            }
        }
        tracing::info!(
            target: "auth0",
            issuers = self.trusted_issuers(),
            audiences = without_passwords(of_all.into_iter()),
            algorithms = names(self.issuers.algorithms),
            dpop = %dpop,
            public_url = self.origin.public_url().as_deref().unwrap_or("as each request says"),
            "verifying access tokens"
        );
    }

    /// Returns the headers with which a token may come.
    fn header(&self) -> String {
        let bearer = format!("\"Authorization: {} <access token>\"", AuthScheme::Bearer.as_str());
        let dpop = "\"Authorization: DPoP <access token>\" with a proof";
        match self.schemes {
            DpopMode::Disabled => bearer,
            DpopMode::Required => dpop.to_owned(),
            DpopMode::Allowed => format!("{bearer}, or {dpop}"),
        }
    }

    fn trusted_issuers(&self) -> String {
        let names = listed(self.issuers.iter().map(|trusted| trusted.name()));
        match (names.is_empty(), self.issuers.resolver.is_some()) {
            (true, _) => "an issuer of the resolver".to_owned(),
            (false, true) => format!("{names}, or an issuer of the resolver"),
            (false, false) => names,
        }
    }
}

/// Clients that find the API by its metadata send `resource` and no `audience`.
const OPAQUE_WITH_RESOURCE: &str = "Turn on the Resource Parameter Compatibility Profile (Dashboard > Settings > Advanced): \
    without it, Auth0 ignores the resource parameter of the client, and issues a token for its own API";

/// Returns what to do about a refusal.
fn next_step(code: ErrorCode) -> Text {
    match code {
        ErrorCode::TokenMissing => {
            "Let the client send its access token, and proxies pass the Authorization header on"
        }
        ErrorCode::SchemeUnsupported | ErrorCode::RequestMalformed => {
            "Let the client send the header in this form"
        }
        ErrorCode::TokenMalformed => {
            "Let the client request a token with this audience, and send it unchanged"
        }
        ErrorCode::TokenOpaque => {
            "Let the client request a token with this audience: without one, Auth0 issues a token for its own API"
        }
        ErrorCode::AlgorithmUnsupported => {
            "For an API of Auth0, set Dashboard > Applications > APIs > Settings > Signing Algorithm to RS256. \
             For other issuers, set Builder::algorithms"
        }
        ErrorCode::KeyUnknown => {
            "Check that the client uses the tenant of this service. After a rotation, wait a few seconds"
        }
        ErrorCode::SignatureInvalid => {
            "Check that nothing changes or cuts the token on its way, and let the client get a new one"
        }
        ErrorCode::IssuerMismatch => {
            "Set AUTH0_DOMAIN, AUTH0_ISSUER, Builder::domain or Builder::issuer to the iss of your tokens, \
             including a custom domain, or let the client use this tenant"
        }
        ErrorCode::AudienceMismatch => {
            "Let the client request this audience, or set AUTH0_AUDIENCE or Builder::audience to the identifier \
             of the API (Dashboard > Applications > APIs)"
        }
        ErrorCode::TokenExpired => {
            "Let the client get a new token in time, and compare the clocks of this machine and of the issuer"
        }
        ErrorCode::TokenNotYetValid => "Compare the clocks of this machine and of the issuer",
        ErrorCode::ClaimsInvalid => {
            "Check the issuer's settings and Actions, which write the claims, and what the code reads"
        }
        ErrorCode::TokenRevoked => "Let the client get a new token, after a new login of its user",
        ErrorCode::TokenTypeInvalid => {
            "Let the client send the access token, not the ID token, and request it with this audience"
        }
        ErrorCode::TokenBindingMismatch => {
            "Let the client send the token with the key or certificate with which it requested the token"
        }
        ErrorCode::DpopProofMissing => {
            "Let the client create a proof for each request, and proxies pass the DPoP header on"
        }
        ErrorCode::DpopProofInvalid => {
            "Let the client create a proof for each request, as RFC 9449 §4.2 says"
        }
        ErrorCode::DpopProofReplayed => {
            "Let the client create a proof for each request, also for a repeated one"
        }
        ErrorCode::DpopNonceRequired => {
            "Let the client repeat the request with it. Instances of a service must share the secret \
             (DpopNonces::with_secret)"
        }
        ErrorCode::KeysUnavailable => {
            "Check that this machine reaches the issuer, and AUTH0_DOMAIN or AUTH0_ISSUER"
        }
        ErrorCode::IssuersUnavailable => {
            "Check the resolver (Builder::issuer_resolver) and what it calls"
        }
        ErrorCode::ReplayStoreUnavailable => {
            "Check the store (Dpop::replay_store), or raise Dpop::replay_capacity or Dpop::replay_share"
        }
        ErrorCode::RevocationsUnavailable => {
            "Check the store (Revocations::with_store), or continue without it (Revocations::on_unavailable)"
        }
        ErrorCode::OrganizationMismatch
        | ErrorCode::InsufficientScope
        | ErrorCode::InsufficientPermissions
        | ErrorCode::RequirementNotMet
        | ErrorCode::StepUpRequired => {
            "Let the client get a token that meets it, or change the requirement of the route"
        }
        ErrorCode::McpHeaderMismatch => {
            "Let the client copy method and params.name or params.uri of its message, or leave the headers out"
        }
        ErrorCode::McpSessionUnknown => {
            "Let the client start a new session. After a restart, the sessions of before are forgotten"
        }
        ErrorCode::RenewalRefused => {
            "Let the client request a new token for the same user and client before the old one ends. For others, \
             let it connect again"
        }
        ErrorCode::BodyIncomplete => {
            "Look for what has closed the connection: the client, a proxy, a time limit"
        }
        ErrorCode::RequestTooLarge => {
            "Let the client send less, or raise McpTools::max_body_bytes"
        }
        ErrorCode::Misconfigured => "Correct the setup of the application",
    }
    .into()
}

fn audiences(audiences: &[Audience]) -> String {
    without_passwords(audiences.iter().map(Audience::as_str))
}

fn without_passwords<'a>(audiences: impl Iterator<Item = &'a str>) -> String {
    let audiences: Vec<String> = audiences.map(without_password).collect();
    listed_escaped(audiences.iter().map(String::as_str))
}

/// Returns an audience without the user information that it has if it is a URL of that kind.
fn without_password(audience: &str) -> String {
    let parts = audience.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://***@{host}{path}"))
    });
    parts.unwrap_or_else(|| audience.to_owned())
}

fn default_audience() -> String {
    "of this API".to_owned()
}

fn names(algorithms: AlgorithmSet) -> String {
    listed(algorithms.iter().map(Algorithm::as_str))
}
