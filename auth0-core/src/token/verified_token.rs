//! A verified access token.
use super::{
    Actor, Authentication, Confirmation, Organization, SubjectKind, Times, Verified,
    binding::Binding,
    payload_text::{PayloadStr, PayloadStrs, not_null},
    type_error::type_error,
    verified::AcceptedBy,
};
use crate::{
    error::{AuthScheme, CallerChallenge, Error},
    jose::json::{self, Value},
};
use serde::de::DeserializeOwned;
use std::{
    any::Any,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A verified access token.
///
/// Its signature, issuer, audience and times were checked: only a verifier creates one. It has methods for
/// the registered claims, and the application's own claims as `C`, any type that serde can read from the
/// payload.
///
/// Clones share their content. `Debug` shows issuer, subject and client. A verified token does not contain
/// the encoded token.
///
/// ```
/// # use auth0_testing::Tenant;
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// #[derive(serde::Deserialize)]
/// struct Claims {
///     #[serde(rename = "https://acme.com/roles")]
///     roles: Vec<String>,
/// }
///
/// let tenant = Tenant::new();
/// let token = tenant
///     .token()
///     .subject("auth0|ann")
///     .scope("read:messages write:messages")
///     .claim("https://acme.com/roles", ["admin"])
///     .mint();
/// let token = tenant.auth0().verify(&token).await?;
///
/// assert_eq!(token.subject(), "auth0|ann");
/// assert!(token.has_scope("read:messages"));
/// assert_eq!(token.with_claims::<Claims>()?.claims().roles, ["admin"]);
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Clone)]
pub struct VerifiedToken<C = ()> {
    verified: Arc<Verified>,
    presentation: Presentation,
    claims: C,
}

/// The properties of the token that belong to the request that it came with.
#[derive(Clone, Default)]
struct Presentation {
    scheme: AuthScheme,
    /// Whether a proof came with the token and was recorded as used.
    is_proven: bool,
    next_nonce: Option<Arc<str>>,
}

impl VerifiedToken {
    pub(crate) fn new(verified: Arc<Verified>, scheme: AuthScheme) -> Self {
        let presentation = Presentation { scheme, ..Presentation::default() };
        Self { verified, presentation, claims: () }
    }

    /// Marks a token whose proof was good and is recorded as used.
    pub(crate) fn proven(mut self, next_nonce: Option<Arc<str>>) -> Self {
        self.presentation.is_proven = true;
        self.presentation.next_nonce = next_nonce;
        self
    }

    pub(crate) fn binding(&self) -> Option<&Binding> {
        self.verified.binding.as_deref()
    }

    /// Returns whether it is in the token cache, so that verifying it again costs no signature check.
    pub(crate) fn is_cached(&self) -> bool {
        self.verified.cached.is_some() && !self.presentation.is_proven
    }
}

impl<C> VerifiedToken<C> {
    /// Returns the `sub` claim: the user (`auth0|…`), or `{client}@clients` for a machine. Never empty. For an
    /// issuer with [`TrustedIssuer::subject_claim`](crate::TrustedIssuer::subject_claim), another claim.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.text(&self.verified.subject)
    }

    /// Returns the `iss` claim: the issuer, which the verifier trusts.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.text(&self.verified.issuer)
    }

    /// Returns the `aud` claim: one string or several (RFC 7519 §4.1.3). One of them is an audience of the
    /// verifier.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.verified.audiences)
    }

    /// Returns the client that requested the token: `client_id` (RFC 9068 §2.2) or, in Auth0's own token
    /// profile, `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.optional(self.verified.client_id.as_ref())
    }

    /// Returns the `scope` claim unchanged: the granted scopes, separated by spaces. To check for one scope,
    /// use [`has_scope`](Self::has_scope).
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.optional(self.verified.scope.as_ref())
    }

    /// Returns the scopes that were granted: the `scope` claim, split at its spaces.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope().unwrap_or_default().split(' ').filter(|name| !name.is_empty())
    }

    /// Returns whether a scope was granted. To refuse a request without one, use a requirement:
    /// [`policy::scope`](crate::policy::scope).
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes().any(|scope| scope == name)
    }

    /// Returns the permissions of Auth0's role-based access control: the `permissions` claim. They are
    /// *not* filtered by the scopes that the client requested.
    #[doc(alias = "rbac")]
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.verified.permissions)
    }

    /// Returns whether the `permissions` claim lists a name. To refuse a request without one, use a
    /// requirement: [`policy::permission`](crate::policy::permission).
    #[must_use]
    pub fn has_permission(&self, name: &str) -> bool {
        self.permissions().any(|permission| permission == name)
    }

    /// Returns the time from which the token is not valid any more: the `exp` claim.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        moment(self.verified.times.expires_at)
    }

    /// Returns the time at which the token was issued: the `iat` claim.
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        self.verified.times.issued_at.map(moment)
    }

    /// Returns the `jti` claim, the unique id of this token. Auth0's own token profile has none.
    #[doc(alias = "jti")]
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.optional(self.verified.token_id.as_ref())
    }

    /// Returns the organization through which the user logged in, if there was one: `org_id` and `org_name`.
    #[must_use]
    pub fn organization(&self) -> Option<Organization> {
        let id = self.organization_id().filter(|id| !id.is_empty())?;
        Some(Organization::new(id, self.organization_name()))
    }

    pub(crate) fn organization_id(&self) -> Option<&str> {
        self.optional(self.verified.organization_id.as_ref())
    }

    pub(crate) fn organization_name(&self) -> Option<&str> {
        self.optional(self.verified.organization_name.as_ref())
    }

    /// Returns the login session: the `sid` claim.
    #[doc(alias = "sid")]
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.optional(self.verified.session_id.as_ref())
    }

    /// Returns the login: how strong it was, by which methods, and when.
    #[must_use]
    pub const fn authentication(&self) -> Authentication<'_, C> {
        Authentication::new(self)
    }

    /// Returns the party that acts for the subject: the `act` claim (RFC 8693 §4.1). Only this outermost
    /// actor may decide about access; see [`Actor::chain`] for those before it.
    ///
    /// # Errors
    /// `claims_invalid` if the claim is there and is not an actor.
    pub fn actor(&self) -> Result<Option<Actor>, Error> {
        self.claim("act")
    }

    /// Returns a nonce for the client's next proof if that of this proof expires soon (RFC 9449 §8.2). Send
    /// it as the header `DPoP-Nonce` of the response; the layers and middleware of the adapters do that.
    #[must_use]
    pub fn next_dpop_nonce(&self) -> Option<&str> {
        self.presentation.next_nonce.as_deref()
    }

    pub(super) fn times(&self) -> &Times {
        &self.verified.times
    }

    pub(crate) fn accepted_by(&self) -> &Arc<AcceptedBy> {
        &self.verified.accepted_by
    }

    pub(super) fn verified(&self) -> &Verified {
        &self.verified
    }

    pub(crate) fn scheme(&self) -> AuthScheme {
        self.presentation.scheme
    }

    pub(crate) fn caller_challenge(&self) -> CallerChallenge {
        CallerChallenge::new(Arc::clone(&self.verified.accepted_by.challenge), self.scheme())
    }

    /// Returns whether the client sent the token with the scheme `DPoP` (RFC 9449 §7.1), and not as a bearer token.
    #[must_use]
    pub fn is_dpop(&self) -> bool {
        self.scheme() == AuthScheme::Dpop
    }

    /// Returns the key or certificate that the token is bound to, and that the client has proved to hold: the
    /// `cnf` claim (RFC 7800 §3.1).
    ///
    /// # Errors
    /// `claims_invalid` if a member has the wrong JSON type.
    pub fn confirmation(&self) -> Result<Option<Confirmation>, Error> {
        self.claim("cnf")
    }

    /// Returns the details that the user has granted: the `authorization_details` claim (RFC 9396 §9.1),
    /// each entry as a type of the application. Auth0 writes an array or, for one entry, an object. Without
    /// the claim the list is empty.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # use serde_json::json;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// #[derive(serde::Deserialize)]
    /// struct Payment {
    ///     r#type: String,
    ///     amount: u64,
    /// }
    ///
    /// let tenant = Tenant::new();
    /// let details = json!([{ "type": "payment", "amount": 45 }]);
    /// let token = tenant.token().claim("authorization_details", details).mint();
    /// let token = tenant.auth0().verify(&token).await?;
    /// let payments: Vec<Payment> = token.authorization_details()?;
    /// assert_eq!((&*payments[0].r#type, payments[0].amount), ("payment", 45));
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    ///
    /// # Errors
    /// `claims_invalid` if an entry is not a `T`.
    pub fn authorization_details<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        match self.member("authorization_details") {
            None => Ok(Vec::new()),
            Some(value) if value.is_null() => Ok(Vec::new()),
            Some(value) if value.is_object() => {
                Ok(vec![self.read(value.raw(), Some("authorization_details"))?])
            }
            Some(value) => self.read(value.raw(), Some("authorization_details")),
        }
    }

    pub(crate) fn auth_time(&self) -> Option<SystemTime> {
        self.verified.authenticated_at.map(moment)
    }

    pub(crate) fn acr(&self) -> Option<&str> {
        self.optional(self.verified.authentication_class.as_ref())
    }

    pub(crate) fn amr(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.verified.authentication_methods)
    }

    /// Returns the application's own claims.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// Returns one claim by its name, which is taken literally: dots and slashes have no meaning. `null` counts
    /// as missing.
    ///
    /// # Errors
    /// `claims_invalid` if it is there and is not a `T`.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(value) = not_null(self.member(name)) else { return Ok(None) };
        self.read(value.raw(), Some(name)).map(Some)
    }

    /// Returns a claim as JSON.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'_>> {
        let mut found = None;
        let checked = json::check_object(&self.verified.payload, |key, value| {
            if key == name {
                found = Some(value);
            }
        });
        debug_assert!(checked.is_ok(), "the payload was checked before");
        found
    }

    /// Returns whether the token was issued for a person or to a machine, if its claims say so: what
    /// [`policy::user`](crate::policy::user) and [`policy::machine`](crate::policy::machine) check.
    ///
    /// In a token of Auth0, a subject that is not a machine is a person. At other providers, it is known for
    /// the signs that they document, or by
    /// [`TrustedIssuer::subject_kind`](crate::TrustedIssuer::subject_kind).
    ///
    /// ```
    /// use auth0_core::SubjectKind;
    /// use auth0_testing::Tenant;
    ///
    /// let token = Tenant::new().token().machine("reporting").verified();
    /// assert_eq!(token.subject_kind(), Some(SubjectKind::Machine));
    /// ```
    #[must_use]
    pub fn subject_kind(&self) -> Option<SubjectKind> {
        self.verified.accepted_by.subject_kinds.of(self)
    }

    pub(crate) fn payload(&self) -> &str {
        &self.verified.payload
    }

    pub(crate) fn authenticated_at(&self) -> Option<Duration> {
        self.verified.authenticated_at
    }

    /// Returns the same token with the application's own claims: all that `T` reads from the payload.
    ///
    /// # Errors
    /// `claims_invalid` if the payload is not a `T`. Mark as `Option` or `#[serde(default)]` what
    /// may be absent.
    pub fn with_claims<T: DeserializeOwned + 'static>(&self) -> Result<VerifiedToken<T>, Error> {
        Ok(self.with(self.read_claims()?))
    }

    pub(crate) fn read_claims<T: DeserializeOwned + 'static>(&self) -> Result<T, Error> {
        // `()` reads nothing. serde would expect `null` for it, but the payload is an object.
        let none_wanted = (&mut Some(()) as &mut dyn Any).downcast_mut().and_then(Option::take);
        match none_wanted {
            Some(none) => Ok(none),
            None => self.read(&self.verified.payload, None),
        }
    }

    pub(crate) fn into_claims<T>(self, claims: T) -> VerifiedToken<T> {
        let Self { verified, presentation, .. } = self;
        VerifiedToken { verified, presentation, claims }
    }

    pub(crate) fn without_claims(&self) -> VerifiedToken {
        self.with(())
    }

    fn with<T>(&self, claims: T) -> VerifiedToken<T> {
        let presentation = self.presentation.clone();
        VerifiedToken { verified: Arc::clone(&self.verified), presentation, claims }
    }

    /// Reads a value. An error is reported on the challenge line of the scheme that the client used.
    fn read<T: DeserializeOwned>(&self, json: &str, claim: Option<&str>) -> Result<T, Error> {
        serde_json::from_str(json)
            .map_err(|why| type_error::<T>(&why, json, claim).with_scheme(self.scheme()))
    }

    fn text<'a>(&'a self, text: &'a PayloadStr) -> &'a str {
        text.of(&self.verified.payload)
    }

    fn optional<'a>(&'a self, text: Option<&'a PayloadStr>) -> Option<&'a str> {
        text.map(|text| self.text(text))
    }

    fn texts<'a>(&'a self, texts: &'a PayloadStrs) -> impl Iterator<Item = &'a str> {
        texts.of(&self.verified.payload)
    }
}

impl<C> fmt::Debug for VerifiedToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

/// Converts a time. One that the system cannot express becomes the last one that RFC 3339 can write.
fn moment(since_1970: Duration) -> SystemTime {
    const YEAR_9999: Duration = Duration::from_secs(253_402_300_799);
    UNIX_EPOCH + since_1970.min(YEAR_9999)
}
