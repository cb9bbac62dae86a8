use super::{SigningKey, Tenant};
use crate::{clock::Clock, crypto::Algorithm};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// What Auth0 gives a token to live unless the API says otherwise.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The shape of a token: an API of Auth0 has one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Auth0's own: `typ: JWT`, `azp`, no `jti`.
    Auth0,
    /// That of RFC 9068: `typ: at+jwt`, `client_id`, `jti`.
    Rfc9068,
}

/// A token in the making: begun by [`Tenant::token`], ended by [`mint`](Self::mint).
///
/// It begins as a good token of a user. Each setter changes one thing, so that a test can have a
/// token that is wrong in one way:
///
/// ```
/// # use auth0_core::testing::Tenant;
/// # let tenant = Tenant::new();
/// let good = tenant.token().machine("reporting").scope("read:reports").mint();
/// let other_api = tenant.token().audience("https://other.test").mint();
/// let no_expiry = tenant.token().without("exp").mint();
/// let forged = tenant.token().signed_by(&tenant.stranger()).mint();
/// # assert!([good, other_api, no_expiry, forged].iter().all(|t| t.split('.').count() == 3));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a token is made by `mint`"]
pub struct TokenBuilder {
    profile: Profile,
    client_id: String,
    machine: bool,
    key: SigningKey,
    signature: Signature,
    now: Duration,
    issuer: String,
    /// What replaces or removes (`None`) a member of the header or the payload.
    header: Vec<(String, Option<Value>)>,
    claims: Vec<(String, Option<Value>)>,
    raw_header: Option<String>,
    raw_payload: Option<String>,
}

#[derive(Clone, Debug)]
enum Signature {
    Good,
    Broken,
    Absent,
    Symmetric,
}

impl TokenBuilder {
    pub(super) fn new(tenant: &Tenant) -> Self {
        let now = Duration::from_secs(tenant.clock().unix_time().as_secs());
        let builder = Self {
            profile: Profile::Auth0,
            client_id: "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345".into(),
            machine: false,
            key: tenant.signing_key(),
            signature: Signature::Good,
            now,
            issuer: tenant.issuer().into(),
            header: Vec::new(),
            claims: Vec::new(),
            raw_header: None,
            raw_payload: None,
        };
        builder.audience(tenant.audience()).expires_in(LIFETIME)
    }

    /// The profile: Auth0's unless set.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The `sub` claim: the user.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// A token that a machine got for itself (client credentials): `sub` is `{client}@clients`.
    pub fn machine(self, client_id: &str) -> Self {
        Self { machine: true, ..self.client(client_id) }
    }

    /// The client that asked for the token: `azp` or `client_id`, as the profile has it.
    pub fn client(mut self, client_id: &str) -> Self {
        self.client_id = client_id.into();
        self
    }

    /// The scopes, with spaces between them, instead of any set before.
    pub fn scope(self, scope: &str) -> Self {
        self.claim("scope", scope)
    }

    /// The permissions of role-based access control, instead of any set before.
    pub fn permissions<P: Into<String>>(self, permissions: impl IntoIterator<Item = P>) -> Self {
        let permissions: Vec<String> = permissions.into_iter().map(Into::into).collect();
        self.claim("permissions", permissions)
    }

    /// The organization that the user logged in through.
    pub fn organization(self, id: &str, name: &str) -> Self {
        self.claim("org_id", id).claim("org_name", name)
    }

    /// The `iss` claim, where it is to be another than the tenant.
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// The `aud` claim, as one string.
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `exp`, in whole seconds from now.
    pub fn expires_in(self, time: Duration) -> Self {
        let expiry = (self.now + time).as_secs();
        self.claim("exp", expiry)
    }

    /// Expired an hour ago.
    pub fn expired(self) -> Self {
        let (issued, expiry) = (self.now - LIFETIME, self.now - Duration::from_secs(3600));
        self.claim("iat", issued.as_secs()).claim("exp", expiry.as_secs())
    }

    /// Valid only in an hour.
    pub fn not_yet_valid(self) -> Self {
        let begin = self.now + Duration::from_secs(3600);
        self.claim("nbf", begin.as_secs())
    }

    /// Sets a claim, of whatever type.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.claims.push((name.into(), Some(json!(value))));
        self
    }

    /// Leaves a claim out.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.push((name.into(), None));
        self
    }

    /// Sets a member of the header, of whatever type.
    pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
        self.header.push((name.into(), Some(json!(value))));
        self
    }

    /// Leaves a member of the header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.push((name.into(), None));
        self
    }

    /// Replaces the header's JSON, byte for byte. It is signed as it is.
    pub fn raw_header(mut self, json: impl Into<String>) -> Self {
        self.raw_header = Some(json.into());
        self
    }

    /// Replaces the payload's JSON, byte for byte. It is signed as it is.
    pub fn raw_payload(mut self, json: impl Into<String>) -> Self {
        self.raw_payload = Some(json.into());
        self
    }

    /// Signs with another key; the header goes on naming this tenant's.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        let named = self.key.id().to_owned();
        self.key = key.clone().with_id(named);
        self
    }

    /// Signs with another algorithm, and says so. The key must be able to.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        self.header("alg", algorithm.as_str())
    }

    /// One bit of the signature is wrong.
    pub fn broken_signature(mut self) -> Self {
        self.signature = Signature::Broken;
        self
    }

    /// `alg: none`, and no signature.
    pub fn unsigned(mut self) -> Self {
        self.signature = Signature::Absent;
        self.header("alg", "none")
    }

    /// `alg: HS256`, keyed with the public key: the classic confusion.
    pub fn symmetric(mut self) -> Self {
        self.signature = Signature::Symmetric;
        self.header("alg", "HS256")
    }

    /// The payload as JSON, as it will be minted.
    #[must_use]
    pub fn payload_json(&self) -> String {
        self.raw_payload.clone().unwrap_or_else(|| Value::Object(self.payload()).to_string())
    }

    /// Makes the token.
    #[must_use]
    pub fn mint(&self) -> String {
        let header = self.header_members();
        let algorithm = header
            .get("alg")
            .and_then(Value::as_str)
            .and_then(Algorithm::named)
            .unwrap_or_else(|| self.key.algorithm());
        let header = self.raw_header.clone().unwrap_or_else(|| Value::Object(header).to_string());
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let message =
            format!("{}.{}", encode(header.as_bytes()), encode(self.payload_json().as_bytes()));
        let mut signature = match self.signature {
            Signature::Absent => Vec::new(),
            Signature::Symmetric => self.hmac(message.as_bytes()),
            Signature::Good | Signature::Broken => self.key.sign(algorithm, message.as_bytes()),
        };
        if let (Signature::Broken, Some(last)) = (&self.signature, signature.last_mut()) {
            *last ^= 1;
        }
        format!("{message}.{}", encode(&signature))
    }

    fn header_members(&self) -> Map<String, Value> {
        let typ = match self.profile {
            Profile::Auth0 => "JWT",
            Profile::Rfc9068 => "at+jwt",
        };
        let members = json!({
            "alg": self.key.algorithm().as_str(), "typ": typ, "kid": self.key.id(),
        });
        changed(members, &self.header)
    }

    fn payload(&self) -> Map<String, Value> {
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
        changed(members, &self.claims)
    }

    fn hmac(&self, message: &[u8]) -> Vec<u8> {
        use aws_lc_rs::hmac;
        let public = self.key.jwk().to_string();
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), message).as_ref().into()
    }
}

impl Tenant {
    /// A key that this tenant never had.
    #[must_use]
    pub fn stranger(&self) -> SigningKey {
        SigningKey::stranger()
    }
}

fn changed(members: Value, changes: &[(String, Option<Value>)]) -> Map<String, Value> {
    let Value::Object(mut members) = members else { return Map::new() };
    for (name, value) in changes {
        match value {
            Some(value) => members.insert(name.clone(), value.clone()),
            None => members.remove(name),
        };
    }
    members
}
