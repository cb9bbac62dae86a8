//! Builder of valid and invalid access tokens.
use super::Tenant;
use crate::{
    draft::{Draft, setters},
    key::SigningKey,
};
use auth0_core::{Auth0, time::Clock};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::Duration;

/// The default lifetime of Auth0's tokens.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The profile of a token: an API of Auth0 uses one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Auth0's own: `typ: JWT`, `azp`, no `jti`.
    Auth0,
    /// That of RFC 9068: `typ: at+jwt`, `client_id`, `jti`.
    Rfc9068,
}

/// The builder of a token: [`Tenant::token`] starts it, [`mint`](Self::mint) ends it.
///
/// It starts as a valid token of a user. Each setter changes one thing, so that a test can have a token that
/// is wrong in one way:
///
/// ```
/// # use auth0_testing::Tenant;
/// # let tenant = Tenant::new();
/// let good = tenant.token().machine("reporting").scope("read:reports").mint();
/// let other_api = tenant.token().audience("https://other.test").mint();
/// let no_expiry = tenant.token().without("exp").mint();
/// let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
/// assert!(good != other_api && no_expiry != forged);
/// ```
#[derive(Clone, Debug)]
#[must_use = "`mint` creates the token"]
pub struct TokenBuilder {
    profile: Profile,
    client_id: String,
    machine: bool,
    draft: Draft,
    /// The `kid`: that of the key that signs, unless another one was set.
    key_id: String,
    now: Duration,
    issuer: String,
    tenant: Tenant,
}

impl TokenBuilder {
    pub(super) fn new(tenant: &Tenant) -> Self {
        let now = Duration::from_secs(tenant.clock().unix_time().as_secs());
        let key = tenant.signing_key();
        let builder = Self {
            profile: Profile::Auth0,
            client_id: "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345".into(),
            machine: false,
            key_id: key.id().to_owned(),
            draft: Draft::new(key),
            now,
            issuer: tenant.issuer().into(),
            tenant: tenant.clone(),
        };
        builder.audience(tenant.audience()).expires_in(LIFETIME)
    }

    /// Sets the profile: Auth0's by default.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sets the `sub` claim: the user.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Makes it a token of a machine (client credentials, RFC 6749 §4.4): `sub` is `{client}@clients`.
    pub fn machine(self, client_id: &str) -> Self {
        Self { machine: true, ..self.client(client_id) }
    }

    /// Sets the client that requested the token: `azp` or `client_id`, depending on the profile.
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = client_id.into();
        self
    }

    /// Sets the scopes, separated by spaces. They replace those set before.
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// Sets the permissions of role-based access control. They replace those set before.
    pub fn permissions<P: Into<String>>(self, permissions: impl IntoIterator<Item = P>) -> Self {
        let permissions: Vec<String> = permissions.into_iter().map(Into::into).collect();
        self.claim("permissions", permissions)
    }

    /// Sets the organization through which the user logged in.
    pub fn organization(self, id: &str, name: &str) -> Self {
        self.claim("org_id", id).claim("org_name", name)
    }

    /// Sets the `iss` claim: the tenant by default.
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Sets the `aud` claim, as one string.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `exp`, in whole seconds from now.
    pub fn expires_in(self, time: Duration) -> Self {
        let expiry = (self.now + time).as_secs();
        self.claim("exp", expiry)
    }

    /// Sets `exp` to an hour ago.
    pub fn expired(self) -> Self {
        let (issued, expiry) = (self.now - LIFETIME, self.now - Duration::from_secs(3600));
        self.claim("iat", issued.as_secs()).claim("exp", expiry.as_secs())
    }

    /// Sets `nbf` to an hour from now.
    pub fn not_yet_valid(self) -> Self {
        let begin = self.now + Duration::from_secs(3600);
        self.claim("nbf", begin.as_secs())
    }

    /// Signs with another key; the header still names that of this tenant.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        self.draft.key = key.clone();
        self
    }

    /// Binds the token to a client's key (`cnf.jkt`, RFC 9449 §6.1): it is refused without a proof of the
    /// key, see [`Tenant::proof`].
    pub fn bound_to(self, key: &SigningKey) -> Self {
        self.bound_to_thumbprint(&key.thumbprint())
    }

    /// Binds the token to a client's key by its thumbprint: see
    /// [`ProofVerifier::verify`](auth0_core::dpop::ProofVerifier::verify).
    pub fn bound_to_thumbprint(self, thumbprint: &str) -> Self {
        self.confirmed_by("jkt", thumbprint.to_owned())
    }

    /// Binds the token to a client's certificate in DER (`cnf["x5t#S256"]`, RFC 8705 §3.1).
    pub fn bound_to_certificate(self, der: &[u8]) -> Self {
        self.confirmed_by("x5t#S256", URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, der)))
    }

    fn confirmed_by(self, member: &str, thumbprint: String) -> Self {
        let mut members = self.draft.claim("cnf").cloned().unwrap_or_else(|| json!({}));
        members[member] = thumbprint.into();
        self.claim("cnf", members)
    }

    setters!();

    /// Returns a verifier for the tenant of the token.
    pub(crate) fn auth0(&self) -> Auth0 {
        self.tenant.auth0()
    }

    /// Returns the payload as JSON, as `mint` will sign it.
    #[must_use]
    pub fn payload_json(&self) -> String {
        self.draft.payload_json(self.payload())
    }

    /// Creates the token.
    #[must_use]
    pub fn mint(&self) -> String {
        let typ = match self.profile {
            Profile::Auth0 => "JWT",
            Profile::Rfc9068 => "at+jwt",
        };
        let algorithm = self.draft.key.algorithm().as_str();
        let header = json!({ "alg": algorithm, "typ": typ, "kid": self.key_id });
        self.draft.mint(header, self.payload())
    }

    fn payload(&self) -> Value {
        let client = &self.client_id;
        let subject =
            if self.machine { format!("{client}@clients") } else { "auth0|65f1c0ffee".into() };
        let mut members = json!({ "iss": self.issuer, "sub": subject, "iat": self.now.as_secs() });
        match self.profile {
            Profile::Auth0 => {
                members["azp"] = client.as_str().into();
                if self.machine {
                    members["gty"] = "client-credentials".into();
                }
            }
            Profile::Rfc9068 => {
                members["client_id"] = client.as_str().into();
                members["jti"] = "Yy0rTz8kQ1m2b3n4v5c6x7".into();
            }
        }
        members
    }
}

impl Tenant {
    /// Returns a key that this tenant never publishes.
    #[must_use]
    pub fn unknown_key(&self) -> SigningKey {
        SigningKey::unknown()
    }
}
