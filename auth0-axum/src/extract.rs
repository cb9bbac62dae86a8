//! Extractors.
use crate::{
    context::ContextAdapter,
    rejection::AuthRejection,
    request::{Head, RequestAdapter, only_authorization},
    verdict::{Verdict, verify_once_now, verify_waiting},
};
use auth0_core::{Auth0, Error, Policy, VerifiedToken, adapter, policy};
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::{HeaderValue, request::Parts};
use serde::de::DeserializeOwned;
use std::{fmt, marker::PhantomData, ops::Deref};

/// Extracts a verified access token. It has all methods of [`VerifiedToken`].
///
/// - `AccessToken`: `401` without a valid token.
/// - `Option<AccessToken>`: `None` only if the request has no credentials; an invalid token is refused.
/// - `Result<AccessToken, AuthRejection>`: the handler decides. If it drops the refusal without reading it, the
///   log has a warning.
/// - `AccessToken<MyClaims>`: with your own claims, any `DeserializeOwned`.
///
/// The verifier comes from the router's state: the state *is* an [`Auth0`], or a struct with
/// `#[derive(FromRef)]` that has one as a field. Without a verifier, the program does not compile.
///
/// ```
/// use auth0_axum::{AccessToken, Auth0};
/// use axum::{Router, routing::get};
///
/// async fn me(token: AccessToken) -> String {
///     token.subject().to_owned()
/// }
///
/// async fn feed(token: Option<AccessToken>) -> String {
///     token.map_or("anonymous".into(), |token| token.subject().to_owned())
/// }
///
/// # fn app(auth: Auth0) -> Router {
/// Router::new().route("/me", get(me)).route("/feed", get(feed)).with_state(auth)
/// # }
/// ```
#[derive(Clone)]
pub struct AccessToken<C = ()> {
    token: VerifiedToken<C>,
    /// The header of the token, which shares its memory with the request.
    header: Option<HeaderValue>,
}

/// Extracts a verified access token that also meets the policy `P`: `403` if it does not.
///
/// ```
/// use auth0_axum::{Authorized, policy::*};
///
/// policy!(pub ReadMessages = scope("read:messages"));
///
/// async fn list(token: Authorized<ReadMessages>) -> String {
///     format!("messages of {}", token.subject())
/// }
/// # fn app(auth: auth0_axum::Auth0) -> axum::Router {
/// # axum::Router::new().route("/messages", axum::routing::get(list)).with_state(auth)
/// # }
/// ```
///
/// `Authorized<(A, B)>` requires both policies, and `Authorized<P, MyClaims>` has your own claims. The
/// policy is evaluated first: a token that neither meets it nor has the claims gets `403`.
pub struct Authorized<P, C = ()>(AccessToken<C>, PhantomData<fn() -> P>);

/// Extracts the organization through which the user logged in: `401` without a valid token, `403` if the
/// token has no organization. Store data by its [`id`](auth0_core::Organization::id).
///
/// ```
/// use auth0_axum::Organization;
///
/// async fn reports(organization: Organization) -> String {
///     format!("reports of {organization}") // or organization.id()
/// }
/// # fn app(auth: auth0_axum::Auth0) -> axum::Router {
/// # axum::Router::new().route("/reports", axum::routing::get(reports)).with_state(auth)
/// # }
/// ```
///
/// If the path names an organization, require that it is that of the token:
/// [`policy::organization_in_path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Organization(pub(crate) auth0_core::Organization);

impl Organization {
    /// Returns the organization without the extractor around it.
    #[must_use]
    pub fn into_inner(self) -> auth0_core::Organization {
        self.0
    }
}

impl fmt::Display for Organization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for Organization {
    type Target = auth0_core::Organization;

    fn deref(&self) -> &auth0_core::Organization {
        &self.0
    }
}

/// Extracts the issuer of the token, which is the tenant of a request if several are trusted: `401` without a
/// valid token. Store data by its text.
///
/// ```
/// use auth0_axum::Issuer;
///
/// async fn reports(issuer: Issuer) -> String {
///     format!("reports of {issuer}") // or issuer.as_str()
/// }
/// # fn app(auth: auth0_axum::Auth0) -> axum::Router {
/// # axum::Router::new().route("/reports", axum::routing::get(reports)).with_state(auth)
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(pub(crate) auth0_core::Issuer);

impl Issuer {
    /// Returns the issuer without the extractor around it.
    #[must_use]
    pub fn into_inner(self) -> auth0_core::Issuer {
        self.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Deref for Issuer {
    type Target = auth0_core::Issuer;

    fn deref(&self) -> &auth0_core::Issuer {
        &self.0
    }
}

impl<C> AccessToken<C> {
    pub(crate) const fn new(token: VerifiedToken<C>, header: Option<HeaderValue>) -> Self {
        Self { token, header }
    }

    /// Returns the token without the extractor around it, for code that does not depend on the framework.
    #[must_use]
    pub fn into_inner(self) -> VerifiedToken<C> {
        self.token
    }

    /// Returns the encoded token as the client sent it, to call another API on behalf of the user. It is a
    /// secret until it expires, and must not reach a log. Empty if the token did not come from a request.
    #[must_use]
    pub fn encoded(&self) -> &str {
        self.header.as_ref().map_or("", |header| adapter::encoded_token(header.as_bytes()))
    }
}

impl<P, C> Authorized<P, C> {
    pub(crate) const fn new(token: AccessToken<C>) -> Self {
        Self(token, PhantomData)
    }

    /// Returns the token, without the policy.
    #[must_use]
    pub fn into_token(self) -> AccessToken<C> {
        self.0
    }

    /// Returns the encoded token as the client sent it: see [`AccessToken::encoded`].
    #[must_use]
    pub fn encoded(&self) -> &str {
        self.0.encoded()
    }
}

impl<C> From<VerifiedToken<C>> for AccessToken<C> {
    fn from(token: VerifiedToken<C>) -> Self {
        Self::new(token, None)
    }
}

impl<C> Deref for AccessToken<C> {
    type Target = VerifiedToken<C>;

    fn deref(&self) -> &VerifiedToken<C> {
        &self.token
    }
}

impl<P, C> Deref for Authorized<P, C> {
    type Target = VerifiedToken<C>;

    fn deref(&self) -> &VerifiedToken<C> {
        &self.0
    }
}

/// Omits the text of the token.
impl<C> fmt::Debug for AccessToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token.fmt(f)
    }
}

impl<P, C> fmt::Debug for Authorized<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Authorized").field(&self.0).finish()
    }
}

impl<S, C> FromRequestParts<S> for AccessToken<C>
where
    S: Send + Sync,
    Auth0: FromRef<S>,
    C: DeserializeOwned + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let auth = Auth0::from_ref(state);
        let token = access_token(&auth, parts).await;
        token.map_err(|error| AuthRejection::of_extractor(&auth, error, parts))
    }
}

impl<S, C> OptionalFromRequestParts<S> for AccessToken<C>
where
    S: Send + Sync,
    Auth0: FromRef<S>,
    C: DeserializeOwned + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, AuthRejection> {
        let auth = Auth0::from_ref(state);
        let token = adapter::optional(access_token(&auth, parts).await);
        token.map_err(|error| AuthRejection::of_extractor(&auth, error, parts))
    }
}

async fn access_token<C: DeserializeOwned + 'static>(
    auth: &Auth0,
    parts: &mut Parts,
) -> Result<AccessToken<C>, Error> {
    let (token, header) = verified(auth, parts).await?;
    let token = adapter::with_claims(auth, token, || ContextAdapter::new(parts))?;
    Ok(AccessToken::new(token, header))
}

impl<S, P, C> FromRequestParts<S> for Authorized<P, C>
where
    S: Send + Sync,
    Auth0: FromRef<S>,
    P: Policy,
    C: DeserializeOwned + 'static,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let auth = Auth0::from_ref(state);
        let token = authorized::<P, C>(&auth, parts).await;
        token.map_err(|error| AuthRejection::of_extractor(&auth, error, parts))
    }
}

async fn authorized<P: Policy, C: DeserializeOwned + 'static>(
    auth: &Auth0,
    parts: &mut Parts,
) -> Result<Authorized<P, C>, Error> {
    let requirement = policy::of::<P>();
    let (verdict, header) = match verified(auth, parts).await {
        Ok((token, header)) => (Ok(token), header),
        Err(error) => (Err(error), None),
    };
    let token = adapter::require(auth, verdict, requirement, || ContextAdapter::new(parts))?;
    let token = adapter::with_claims(auth, token, || ContextAdapter::new(parts));
    let token = token.map_err(|error| adapter::behind(auth, requirement, error))?;
    Ok(Authorized::new(AccessToken::new(token, header)))
}

impl<S> FromRequestParts<S> for Organization
where
    S: Send + Sync,
    Auth0: FromRef<S>,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let auth = Auth0::from_ref(state);
        let organization = match verified(&auth, parts).await {
            Ok((token, _)) => {
                adapter::organization_of(&auth, &token, || ContextAdapter::new(parts))
            }
            Err(error) => Err(error),
        };
        organization.map(Self).map_err(|error| AuthRejection::of_extractor(&auth, error, parts))
    }
}

impl<S> FromRequestParts<S> for Issuer
where
    S: Send + Sync,
    Auth0: FromRef<S>,
{
    type Rejection = AuthRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthRejection> {
        let auth = Auth0::from_ref(state);
        match verified(&auth, parts).await {
            Ok((token, _)) => Ok(Self(auth0_core::Issuer::from(&token))),
            Err(error) => Err(AuthRejection::of_extractor(&auth, error, parts)),
        }
    }
}

/// Returns the token of a request, and its header.
async fn verified(
    auth: &Auth0,
    parts: &mut Parts,
) -> Result<(VerifiedToken, Option<HeaderValue>), Error> {
    let (verdict, header) = match verified_now(auth, parts) {
        Some(known) => known,
        // In a box, because nearly no request needs it, and the future of each handler would have room for it.
        None => Box::pin(verify_waiting(auth, parts)).await,
    };
    Ok((verdict?, header))
}

/// Returns the verdict of an [`AuthLayer`](crate::AuthLayer) or a new one, and the header, without waiting: `None` as
/// by [`verify_once_now`].
#[inline(never)] // so that a handler's future is short
pub(crate) fn verified_now(
    auth: &Auth0,
    head: &mut impl Head,
) -> Option<(Verdict, Option<HeaderValue>)> {
    match of_layer(auth, head.adapter()) {
        Some(AccessToken { token, header }) => Some((Ok(token), header)),
        None => verify_once_now(auth, head),
    }
}

/// Returns the token that an [`AuthLayer`](crate::AuthLayer) with this verifier has admitted, unless the header was
/// replaced since.
fn of_layer(auth: &Auth0, request: RequestAdapter<'_>) -> Option<AccessToken> {
    let admitted = request.extensions.get::<AccessToken>()?;
    let header = only_authorization(request.headers)?;
    let is_the_same = admitted.header.as_ref() == Some(header);
    (is_the_same && adapter::has_verified(auth, &admitted.token)).then(|| admitted.clone())
}
