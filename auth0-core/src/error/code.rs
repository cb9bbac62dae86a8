//! The table of refusals: a stable code for each cause, its kind, and the sentence for the client.
use std::fmt;

/// The category of a refusal: which party can correct it, and how.
///
/// ```
/// use auth0_core::{ErrorCode, ErrorKind};
///
/// assert_eq!(ErrorCode::TokenExpired.kind(), ErrorKind::TokenInvalid);
/// assert_eq!(ErrorCode::KeysUnavailable.kind(), ErrorKind::Unavailable);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client sent no credentials of a supported scheme: `401` without an error code.
    CredentialsMissing,
    /// The request is not well formed: `400`.
    RequestMalformed,
    /// The token is not valid: `401 invalid_token`. The client needs another token.
    TokenInvalid,
    /// The proof that the client holds the token's key is missing or not valid (RFC 9449):
    /// `401 invalid_dpop_proof` or `use_dpop_nonce`. The client needs another proof.
    ProofInvalid,
    /// The token is valid and does not meet the requirement: `403 insufficient_scope`.
    Forbidden,
    /// The body of the request is longer than it may be: `413`.
    TooLarge,
    /// What the request names does not exist for this client: `404`.
    NotFound,
    /// The token is valid, and the login behind it is too weak or too old:
    /// `401 insufficient_user_authentication`. The user has to log in again.
    LoginInsufficient,
    /// Something that verification needs is not available now: `503`. The token may be valid.
    Unavailable,
    /// The configuration of the application is wrong, which no client can correct: `500`.
    Misconfigured,
}

/// A stable machine code for one cause of refusal: the `error_code` of the body.
///
/// | `error_code` | status | when |
/// |---|---|---|
/// | `token_missing` | 401 | there is no `Authorization` header |
/// | `scheme_unsupported` | 401 | the scheme is neither `Bearer` nor `DPoP`, or one that is not enabled: see [`Dpop`](crate::Dpop) |
/// | `request_malformed` | 400 | no token or several, several headers, characters outside token68, over the size limit, a proof with a `Bearer` token |
/// | `token_malformed` | 401 | not a compact JWS: parts, base64url, JSON, duplicate members, `crit`, `b64` |
/// | `token_opaque` | 401 | an encrypted token of five parts, or `alg: dir`: the client requested no audience |
/// | `algorithm_unsupported` | 401 | `alg` is not on the list, or not the key's |
/// | `key_unknown` | 401 | the issuer publishes no such key |
/// | `signature_invalid` | 401 | the signature does not verify |
/// | `issuer_mismatch` | 401 | `iss` is missing or not trusted |
/// | `audience_mismatch` | 401 | `aud` is missing or names other APIs |
/// | `token_expired` | 401 | `exp` is past |
/// | `token_not_yet_valid` | 401 | `nbf` or `iat` is in the future |
/// | `claims_invalid` | 401 | a required claim is missing, or one has the wrong JSON type |
/// | `token_revoked` | 401 | the token, or its subject, client, organization or session, was [revoked](crate::revocation) |
/// | `token_type_invalid` | 401 | `typ` is not that of an access token, or the token is an ID token |
/// | `token_binding_mismatch` | 401 | the token is bound to another key or certificate than the client's, is bound and sent as `Bearer`, or is not bound and sent as `DPoP` |
/// | `dpop_proof_missing` | 401 | the scheme is `DPoP`, and there is no proof |
/// | `dpop_proof_invalid` | 401 | the proof is not valid for this request and token |
/// | `dpop_proof_replayed` | 401 | the proof was used before |
/// | `dpop_nonce_required` | 401 | the proof has no [nonce](crate::dpop::DpopNonces), or an old one |
/// | `organization_mismatch` | 403 | the user did not log in through the required [organization](crate::policy::organization) |
/// | `insufficient_scope` | 403 | a scope is missing |
/// | `insufficient_permissions` | 403 | a permission (RBAC) is missing |
/// | `requirement_not_met` | 403 | a required claim or kind of client is missing, or a [`check`](crate::policy::check) of the application fails |
/// | `step_up_required` | 401 | the login is too weak or too old: see [`acr`](crate::policy::acr) |
/// | `mcp_header_mismatch` | 400 | a header `Mcp-Method` or `Mcp-Name` says something else than the body (feature `mcp`) |
/// | `mcp_session_unknown` | 404 | the `Mcp-Session-Id` is not one of this client's (feature `mcp`) |
/// | `renewal_refused` | 401 | the token cannot renew the [lease](crate::Lease) of a connection |
/// | `body_incomplete` | 400 | the body did not arrive in full (feature `mcp`) |
/// | `request_too_large` | 413 | the body is longer than it may be (feature `mcp`) |
/// | `keys_unavailable` | 503 | the issuer's keys cannot be fetched, or the clock is not set |
/// | `issuers_unavailable` | 503 | the [resolver](crate::resolver::IssuerResolver) does not say which issuers are trusted |
/// | `replay_store_unavailable` | 503 | the [store of used proofs](crate::dpop::ReplayStore) cannot be reached or is full, or the client's share of it is used up |
/// | `revocations_unavailable` | 503 | the [store of revocations](crate::revocation::RevocationStore) cannot be read |
/// | `misconfigured` | 500 | the configuration of the application is wrong |
///
/// ```
/// use auth0_core::ErrorCode;
///
/// assert_eq!(ErrorCode::TokenExpired.as_str(), "token_expired");
/// assert_eq!(ErrorCode::TokenExpired.status(), 401);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above documents them")]
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
    TokenRevoked,
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
    McpHeaderMismatch,
    McpSessionUnknown,
    /// The token cannot renew the lease of a connection.
    RenewalRefused,
    BodyIncomplete,
    RequestTooLarge,
    KeysUnavailable,
    IssuersUnavailable,
    ReplayStoreUnavailable,
    RevocationsUnavailable,
    Misconfigured,
}

impl ErrorCode {
    /// Lists every code, in the order of the table.
    pub const ALL: [Self; 35] = [
        Self::TokenMissing,
        Self::SchemeUnsupported,
        Self::RequestMalformed,
        Self::TokenMalformed,
        Self::TokenOpaque,
        Self::AlgorithmUnsupported,
        Self::KeyUnknown,
        Self::SignatureInvalid,
        Self::IssuerMismatch,
        Self::AudienceMismatch,
        Self::TokenExpired,
        Self::TokenNotYetValid,
        Self::ClaimsInvalid,
        Self::TokenRevoked,
        Self::TokenTypeInvalid,
        Self::TokenBindingMismatch,
        Self::DpopProofMissing,
        Self::DpopProofInvalid,
        Self::DpopProofReplayed,
        Self::DpopNonceRequired,
        Self::OrganizationMismatch,
        Self::InsufficientScope,
        Self::InsufficientPermissions,
        Self::RequirementNotMet,
        Self::StepUpRequired,
        Self::McpHeaderMismatch,
        Self::McpSessionUnknown,
        Self::RenewalRefused,
        Self::BodyIncomplete,
        Self::RequestTooLarge,
        Self::KeysUnavailable,
        Self::IssuersUnavailable,
        Self::ReplayStoreUnavailable,
        Self::RevocationsUnavailable,
        Self::Misconfigured,
    ];

    /// Returns the code as the body of a refusal has it, for example `token_expired`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Returns the category.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.row().1
    }

    /// Returns the description for the client: what is wrong and what to do next.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.row().2
    }

    /// Returns the HTTP status: 400, 401, 403, 404, 413, 500 or 503.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self.kind() {
            ErrorKind::CredentialsMissing
            | ErrorKind::TokenInvalid
            | ErrorKind::ProofInvalid
            | ErrorKind::LoginInsufficient => 401,
            ErrorKind::RequestMalformed => 400,
            ErrorKind::Forbidden => 403,
            ErrorKind::NotFound => 404,
            ErrorKind::TooLarge => 413,
            ErrorKind::Unavailable => 503,
            ErrorKind::Misconfigured => 500,
        }
    }

    /// Returns the error code of RFC 6750 §3.1, RFC 9449 §7.1 and §9, RFC 9470 §3 (RFC 6749 §4.1.2.1 for
    /// failures that the client did not cause). `None` if the client sent no credentials.
    #[must_use]
    pub const fn oauth_error(self) -> Option<&'static str> {
        match self.kind() {
            ErrorKind::CredentialsMissing => None,
            ErrorKind::RequestMalformed | ErrorKind::TooLarge | ErrorKind::NotFound => {
                Some("invalid_request")
            }
            ErrorKind::TokenInvalid => Some("invalid_token"),
            ErrorKind::ProofInvalid => match self {
                Self::DpopNonceRequired => Some("use_dpop_nonce"),
                _ => Some("invalid_dpop_proof"),
            },
            ErrorKind::Forbidden => Some("insufficient_scope"),
            ErrorKind::LoginInsufficient => Some("insufficient_user_authentication"),
            ErrorKind::Unavailable => Some("temporarily_unavailable"),
            ErrorKind::Misconfigured => Some("server_error"),
        }
    }

    const fn row(self) -> (&'static str, ErrorKind, &'static str) {
        use ErrorKind::{
            CredentialsMissing, Forbidden, LoginInsufficient, Misconfigured, NotFound,
            ProofInvalid, RequestMalformed, TokenInvalid, TooLarge, Unavailable,
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
                "The request must carry exactly one access token, in one well-formed Authorization header; and at most one DPoP header, beside a token that is bound to a key.",
            ),
            Self::TokenMalformed => (
                "token_malformed",
                TokenInvalid,
                "The access token is not a well-formed JSON Web Token.",
            ),
            Self::TokenOpaque => (
                "token_opaque",
                TokenInvalid,
                "The token is encrypted and cannot be read by this API: request it with this API's audience.",
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
            Self::TokenRevoked => (
                "token_revoked",
                TokenInvalid,
                "The access token was revoked. Get a new one, after a new login if there is a user.",
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
            Self::InsufficientScope => {
                ("insufficient_scope", Forbidden, "The access token is missing a required scope.")
            }
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
                "A stronger or more recent login is required.",
            ),
            Self::McpHeaderMismatch => (
                "mcp_header_mismatch",
                RequestMalformed,
                "The headers Mcp-Method and Mcp-Name must say the same as the body of the request.",
            ),
            Self::McpSessionUnknown => {
                ("mcp_session_unknown", NotFound, "There is no such session. Start a new one.")
            }
            Self::RenewalRefused => {
                ("renewal_refused", TokenInvalid, "The access token cannot renew this connection.")
            }
            Self::BodyIncomplete => (
                "body_incomplete",
                RequestMalformed,
                "The body of the request did not arrive in full.",
            ),
            Self::RequestTooLarge => {
                ("request_too_large", TooLarge, "The body of the request is too large.")
            }
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
            Self::RevocationsUnavailable => (
                "revocations_unavailable",
                Unavailable,
                "The access token cannot be checked at the moment. Try again later.",
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
