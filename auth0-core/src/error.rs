//! Why a request was refused: one opaque error, a small kind, a stable code.
use crate::{
    challenge::{Challenge, ChallengeOptions},
    credentials::Scheme,
};
use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

/// Why a request is not let through.
///
/// It says three things to three readers: [`kind`](Self::kind) to the code that handles it,
/// [`challenge`](Self::challenge) to the client, and [`cause`](Self::cause) to whoever reads the
/// log. It never holds a token, and its `Display` text is safe to send to a client.
///
/// ```
/// # #[cfg(feature = "testing")] {
/// # use auth0_core::{ErrorCode, ErrorKind, RequestView, testing::Tenant};
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let auth = Tenant::new().auth0();
/// let error = auth.authenticate(&RequestView::new()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::CredentialsMissing);
/// assert_eq!(error.code().as_str(), "token_missing");
/// assert_eq!(error.challenge().status(), 401);
/// # }) }
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: ErrorCode,
    cause: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    /// What the `scope` parameter of the challenge lists, separated by spaces.
    scope: String,
    step_up: Option<StepUp>,
    /// The scheme that the client used.
    scheme: Scheme,
    /// A nonce for the client's next proof.
    nonce: Option<Box<str>>,
    options: Option<Arc<ChallengeOptions>>,
}

/// The login that is asked for (RFC 9470 §3).
#[derive(Clone, Debug, Default)]
pub(crate) struct StepUp {
    /// Separated by spaces.
    pub(crate) acr_values: String,
    /// In seconds.
    pub(crate) max_age: Option<u64>,
}

/// Whose fault it is, and what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client sent no credentials that this service looks at: `401` without an error code.
    CredentialsMissing,
    /// The request is not well formed: `400`.
    RequestMalformed,
    /// The token does not verify: `401 invalid_token`. A new token helps.
    TokenInvalid,
    /// The proof that the client holds the token's key is missing or does not verify (RFC 9449):
    /// `401 invalid_dpop_proof` or `use_dpop_nonce`. A new proof helps.
    ProofInvalid,
    /// The token is good, but not for this: `403 insufficient_scope`.
    Forbidden,
    /// The token is good, but the login behind it too weak or too old:
    /// `401 insufficient_user_authentication`. Another login helps.
    LoginInsufficient,
    /// What is needed to judge the token cannot be had now: `503`. The token may be good.
    Unavailable,
    /// The application is wired wrongly; no client can mend it: `500`.
    Misconfigured,
}

/// A stable machine code for one cause of refusal: the `error_code` of the body.
///
/// | `error_code` | status | when |
/// |---|---|---|
/// | `token_missing` | 401 | there is no `Authorization` field |
/// | `scheme_unsupported` | 401 | the scheme is neither `Bearer` nor `DPoP`, or one that is not enabled: see [`Dpop`](crate::Dpop) |
/// | `request_malformed` | 400 | no token or several, several fields, characters outside token68, over the size limit, a proof with a `Bearer` token |
/// | `token_malformed` | 401 | not a compact JWS: parts, base64url, JSON, duplicate members, `crit`, `b64` |
/// | `token_opaque` | 401 | an encrypted token of five parts, or `alg: dir`: no audience was asked for |
/// | `algorithm_unsupported` | 401 | `alg` is not on the list, or not the key's |
/// | `key_unknown` | 401 | the issuer publishes no such key |
/// | `signature_invalid` | 401 | the signature does not fit |
/// | `issuer_mismatch` | 401 | `iss` is missing or not trusted |
/// | `audience_mismatch` | 401 | `aud` is missing or names other APIs |
/// | `token_expired` | 401 | `exp` is past |
/// | `token_not_yet_valid` | 401 | `nbf` or `iat` is in the future |
/// | `claims_invalid` | 401 | a required claim is missing, or one has the wrong JSON type |
/// | `token_type_invalid` | 401 | `typ` is not an access token's, or it is an ID token |
/// | `token_binding_mismatch` | 401 | the token is bound to another key or certificate than the client's, came as `Bearer`, or is not bound and came as `DPoP` |
/// | `dpop_proof_missing` | 401 | the scheme is `DPoP`, and there is no proof |
/// | `dpop_proof_invalid` | 401 | the proof does not verify, or is not one for this request and token |
/// | `dpop_proof_replayed` | 401 | the proof was used before |
/// | `dpop_nonce_required` | 401 | the proof has no [nonce](crate::DpopNonces), or an old one |
/// | `organization_mismatch` | 403 | the user did not log in through the required [organization](crate::policy::organization) |
/// | `insufficient_scope` | 403 | a scope is missing |
/// | `insufficient_permissions` | 403 | a permission (RBAC) is missing |
/// | `requirement_not_met` | 403 | a claim, the kind of client, or a [`check`](crate::policy::check) of the application says no |
/// | `step_up_required` | 401 | the login is too weak or too old: see [`acr`](crate::policy::acr) |
/// | `keys_unavailable` | 503 | the issuer's keys cannot be fetched |
/// | `issuers_unavailable` | 503 | the [resolver](crate::IssuerResolver) does not say which issuers are trusted |
/// | `replay_store_unavailable` | 503 | the [store of used proofs](crate::ReplayStore) cannot be reached, or is full |
/// | `misconfigured` | 500 | the application is wired wrongly |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above says it once")]
pub enum ErrorCode {
    TokenMissing,
    SchemeUnsupported,
    RequestMalformed,
    TokenMalformed,
    TokenOpaque,
    AlgorithmUnsupported,
    KeyUnknown,
    SignatureInvalid,
    IssuerMismatch,
    AudienceMismatch,
    TokenExpired,
    TokenNotYetValid,
    ClaimsInvalid,
    TokenTypeInvalid,
    TokenBindingMismatch,
    DpopProofMissing,
    DpopProofInvalid,
    DpopProofReplayed,
    DpopNonceRequired,
    OrganizationMismatch,
    InsufficientScope,
    InsufficientPermissions,
    RequirementNotMet,
    StepUpRequired,
    KeysUnavailable,
    IssuersUnavailable,
    ReplayStoreUnavailable,
    Misconfigured,
}

impl ErrorCode {
    /// The code as it stands in the body of a refusal, for example `token_expired`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The category.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.row().1
    }

    /// One sentence for the client: what is wrong and what to do next.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, ErrorKind, &'static str) {
        use ErrorKind::{
            CredentialsMissing, Forbidden, LoginInsufficient, Misconfigured, ProofInvalid,
            RequestMalformed, TokenInvalid, Unavailable,
        };
        match self {
            Self::TokenMissing => (
                "token_missing",
                CredentialsMissing,
                "No access token was sent. Send one in the Authorization header, after a scheme that the challenge names.",
            ),
            Self::SchemeUnsupported => (
                "scheme_unsupported",
                CredentialsMissing,
                "The authorization scheme is not supported here. Use a scheme that the challenge names.",
            ),
            Self::RequestMalformed => (
                "request_malformed",
                RequestMalformed,
                "The request must carry exactly one access token, in one well-formed Authorization header; and a DPoP header once at the most, beside a token that is bound to a key.",
            ),
            Self::TokenMalformed => (
                "token_malformed",
                TokenInvalid,
                "The access token is not a well-formed JSON Web Token.",
            ),
            Self::TokenOpaque => (
                "token_opaque",
                TokenInvalid,
                "The access token is encrypted for somebody else. Ask the authorization server for a token with the audience of this API.",
            ),
            Self::AlgorithmUnsupported => (
                "algorithm_unsupported",
                TokenInvalid,
                "The access token is not signed with an algorithm that is accepted here.",
            ),
            Self::KeyUnknown => (
                "key_unknown",
                TokenInvalid,
                "The access token is signed with a key that its issuer does not publish.",
            ),
            Self::SignatureInvalid => (
                "signature_invalid",
                TokenInvalid,
                "The signature of the access token is not valid.",
            ),
            Self::IssuerMismatch => (
                "issuer_mismatch",
                TokenInvalid,
                "The issuer of the access token is not trusted here.",
            ),
            Self::AudienceMismatch => (
                "audience_mismatch",
                TokenInvalid,
                "The access token was issued for another audience. Ask for a token with the audience of this API.",
            ),
            Self::TokenExpired => (
                "token_expired",
                TokenInvalid,
                "The access token has expired. Get a new one and try again.",
            ),
            Self::TokenNotYetValid => {
                ("token_not_yet_valid", TokenInvalid, "The access token is not valid yet.")
            }
            Self::ClaimsInvalid => (
                "claims_invalid",
                TokenInvalid,
                "The access token lacks a claim that is needed here, or has one of the wrong type.",
            ),
            Self::TokenTypeInvalid => (
                "token_type_invalid",
                TokenInvalid,
                "This is not an access token. Send the access token, not the ID token or another one.",
            ),
            Self::TokenBindingMismatch => (
                "token_binding_mismatch",
                TokenInvalid,
                "The access token is bound to a key or a certificate, and the request does not prove that the client holds it.",
            ),
            Self::DpopProofMissing => (
                "dpop_proof_missing",
                ProofInvalid,
                "The access token came without a proof that the client holds its key. Send one in the DPoP header.",
            ),
            Self::DpopProofInvalid => (
                "dpop_proof_invalid",
                ProofInvalid,
                "The DPoP proof is not valid for this request. Make a new one for its method, its URL and its access token.",
            ),
            Self::DpopProofReplayed => (
                "dpop_proof_replayed",
                ProofInvalid,
                "The DPoP proof was used before. Make a new one for each request.",
            ),
            Self::DpopNonceRequired => (
                "dpop_nonce_required",
                ProofInvalid,
                "The DPoP proof needs the nonce of the DPoP-Nonce header. Make a new one with it.",
            ),
            Self::OrganizationMismatch => (
                "organization_mismatch",
                Forbidden,
                "The access token is not of the organization that is needed here.",
            ),
            Self::InsufficientScope => (
                "insufficient_scope",
                Forbidden,
                "The access token lacks a scope that is needed here.",
            ),
            Self::InsufficientPermissions => (
                "insufficient_permissions",
                Forbidden,
                "The access token lacks a permission that is needed here.",
            ),
            Self::RequirementNotMet => (
                "requirement_not_met",
                Forbidden,
                "The access token does not meet what is required here.",
            ),
            Self::StepUpRequired => (
                "step_up_required",
                LoginInsufficient,
                "The login is too weak or too old for this. Log in again, as the challenge says.",
            ),
            Self::KeysUnavailable => (
                "keys_unavailable",
                Unavailable,
                "The access token cannot be checked at the moment. Try again later.",
            ),
            Self::IssuersUnavailable => (
                "issuers_unavailable",
                Unavailable,
                "The access token cannot be checked at the moment. Try again later.",
            ),
            Self::ReplayStoreUnavailable => (
                "replay_store_unavailable",
                Unavailable,
                "The DPoP proof cannot be checked at the moment. Try again later, with a new one.",
            ),
            Self::Misconfigured => (
                "misconfigured",
                Misconfigured,
                "The service is not set up to check access tokens.",
            ),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Error {
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self(Box::new(Inner {
            code,
            cause: None,
            retry_after: None,
            scope: String::new(),
            step_up: None,
            scheme: Scheme::default(),
            nonce: None,
            options: None,
        }))
    }

    /// The application has no verifier where one is needed. For adapters; `cause` says in the log
    /// what to write.
    #[must_use]
    pub fn misconfigured(cause: &'static str) -> Self {
        Self::new(ErrorCode::Misconfigured).because(cause)
    }

    /// Adds what the log should say. Anything of a client's must have been escaped.
    pub(crate) fn because(mut self, cause: impl Into<Cow<'static, str>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    pub(crate) fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    pub(crate) fn needing_scope(mut self, scope: String) -> Self {
        self.0.scope = scope;
        self
    }

    pub(crate) fn needing_login(mut self, step_up: StepUp) -> Self {
        self.0.step_up = Some(step_up);
        self
    }

    pub(crate) fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.0.scheme = scheme;
        self
    }

    pub(crate) fn with_nonce(mut self, nonce: Box<str>) -> Self {
        self.0.nonce = Some(nonce);
        self
    }

    pub(crate) fn with_options(mut self, options: &Arc<ChallengeOptions>) -> Self {
        self.0.options = Some(Arc::clone(options));
        self
    }

    /// The category: whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.code.kind()
    }

    /// The precise, stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What only the log should say: which member, which host, which library error. Client input
    /// in it is escaped. Not for clients.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Status, headers and body to answer with: the same bytes in every framework.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge::new(self, self.0.options.as_deref())
    }

    pub(crate) fn scope(&self) -> &str {
        &self.0.scope
    }

    pub(crate) fn step_up(&self) -> Option<&StepUp> {
        self.0.step_up.as_ref()
    }

    pub(crate) fn scheme(&self) -> Scheme {
        self.0.scheme
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.0.nonce.as_deref()
    }

    pub(crate) fn delay(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.description())
    }
}

impl std::error::Error for Error {}
