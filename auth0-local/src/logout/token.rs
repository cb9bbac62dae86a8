use crate::secret::Names;
use auth0_core::time::Clock;
use auth0_testing::{SigningKey, Tenant, TokenBuilder};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// Auth0's lifetime of a logout token.
const LIFETIME: Duration = Duration::from_secs(2 * 60);

/// The member of `events` that makes a JWT a logout token.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The builder of a logout token: [`LocalTenant::logout_token`](crate::LocalTenant::logout_token) starts it,
/// [`mint`](Self::mint) ends it. The token is sent to no client.
///
/// It starts as a valid token, as Auth0 sends it: `typ: JWT`, with `iss`, `sub`, `aud`, `iat`, `exp` (two minutes
/// later), `jti`, `events`, `sid` and `trace_id`. Each setter changes one thing, so that a test can send its own
/// endpoint a token that is wrong in one way:
///
/// ```
/// use auth0_local::LocalTenant;
/// use serde_json::json;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = LocalTenant::start().await?;
/// let good = tenant.logout_token("web").subject("auth0|ann").session_id("s1");
/// let claims = tenant.tenant().signed_claims(&good.mint()).expect("a token of the tenant");
/// assert_eq!((&claims["aud"], &claims["sub"]), (&json!("web"), &json!("auth0|ann")));
/// assert_eq!(good.mint(), good.mint(), "the same `jti`: a replay");
///
/// let with_nonce = good.clone().claim("nonce", "n").mint();
/// let of_no_one = good.clone().without_subject().without_session_id().mint();
/// let forged = good.clone().signed_by(&tenant.tenant().unknown_key()).mint();
/// assert!(with_nonce != of_no_one && of_no_one != forged);
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug)]
#[must_use = "`mint` creates the token"]
pub struct LogoutTokenBuilder {
    token: TokenBuilder,
    now: Duration,
}

impl LogoutTokenBuilder {
    pub(super) fn new(tenant: &Tenant, names: &Names, client_id: &str) -> Self {
        let token = tenant.token().without("azp").audience(client_id);
        let token = token
            .claim("jti", names.next())
            .claim("sid", names.next())
            .claim("trace_id", names.next())
            .claim("events", json!({ EVENT: {} }));
        let builder =
            Self { token, now: Duration::from_secs(tenant.clock().unix_time().as_secs()) };
        builder.expires_in(LIFETIME)
    }

    /// Sets `sub`: the user.
    pub fn subject(self, subject: &str) -> Self {
        self.claim("sub", subject)
    }

    /// Removes `sub`.
    pub fn without_subject(self) -> Self {
        self.without_claim("sub")
    }

    /// Sets `sid`: the session that ended. By default it is that of no session.
    pub fn session_id(self, id: &str) -> Self {
        self.claim("sid", id)
    }

    /// Removes `sid`.
    pub fn without_session_id(self) -> Self {
        self.without_claim("sid")
    }

    /// Sets `iss`: the tenant by default.
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", issuer)
    }

    /// Sets `exp`, in whole seconds from now.
    pub fn expires_in(self, time: Duration) -> Self {
        let expiry = self.now.saturating_add(time).as_secs();
        self.claim("exp", expiry)
    }

    /// Sets `iat` this long ago, and `exp` two minutes after it.
    pub fn aged(self, age: Duration) -> Self {
        let issued = self.now.saturating_sub(age);
        self.claim("iat", issued.as_secs()).claim("exp", (issued + LIFETIME).as_secs())
    }

    /// Makes it a token of an hour ago, which has expired.
    pub fn expired(self) -> Self {
        self.aged(Duration::from_secs(60 * 60))
    }

    /// Sets a claim, of any type.
    pub fn claim(mut self, name: &str, value: impl Serialize) -> Self {
        self.token = self.token.claim(name, value);
        self
    }

    /// Removes a claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.token = self.token.without(name);
        self
    }

    /// Sets `typ` of the header: `JWT` by default, as Auth0 does. Others send `logout+jwt`.
    pub fn typ(self, typ: &str) -> Self {
        self.header("typ", typ)
    }

    /// Removes `typ` of the header.
    pub fn without_typ(self) -> Self {
        self.without_header("typ")
    }

    /// Sets a member of the header, of any type.
    pub fn header(mut self, name: &str, value: impl Serialize) -> Self {
        self.token = self.token.header(name, value);
        self
    }

    /// Removes a member of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.token = self.token.without_header(name);
        self
    }

    /// Signs with another key; the header still names that of this tenant.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        self.token = self.token.signed_by(key);
        self
    }

    /// Changes one bit of the signature.
    pub fn broken_signature(mut self) -> Self {
        self.token = self.token.broken_signature();
        self
    }

    /// Sets `alg: none`, and removes the signature.
    pub fn unsigned(mut self) -> Self {
        self.token = self.token.unsigned();
        self
    }

    /// Creates the token. Each call returns one with the same `jti`.
    #[must_use]
    pub fn mint(&self) -> String {
        self.token.mint()
    }
}
