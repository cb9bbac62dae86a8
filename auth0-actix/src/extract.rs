//! Extractors.
use crate::{context::ContextAdapter, error::AuthError, extraction::Extraction};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header::HeaderValue};
use auth0_core::{Auth0, Policy, VerifiedToken, adapter, policy};
use serde::de::DeserializeOwned;
use std::{fmt, marker::PhantomData, ops::Deref};

/// Extracts a verified access token: `401` without a valid one. It has all methods of [`VerifiedToken`].
/// `AccessToken<MyClaims>` has your own claims, any `DeserializeOwned`.
///
/// The verifier is registered with `App::app_data` (or with `app_data` of the scope).
///
/// ```
/// use actix_web::{App, Responder, get};
/// use auth0_actix::{AccessToken, Auth0};
///
/// #[get("/me")]
/// async fn me(token: AccessToken) -> impl Responder {
///     token.subject().to_owned()
/// }
///
/// # fn app(auth: Auth0) {
/// App::new().app_data(auth.clone()).service(me)
/// # ; }
/// ```
///
/// **Do not use `Option<AccessToken>`**: actix converts *every* error of an extractor to `None`, so a request
/// with a forged token would count as anonymous. Use [`MaybeAccessToken`]. The log has a warning for each such
/// request.
///
/// **The token stands first** among the parameters of a handler. actix extracts them in order, so with a body
/// before the token, a client without a token gets `413` or `400` for its body instead of `401`.
#[derive(Clone)]
pub struct AccessToken<C = ()> {
    token: VerifiedToken<C>,
    /// The header of the token, which shares its memory with the request.
    header: Option<HeaderValue>,
}

/// Extracts a verified access token, or `None` if the request has no credentials: a missing token is allowed,
/// an invalid one is rejected.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth0_actix::MaybeAccessToken;
///
/// #[get("/feed")]
/// async fn feed(MaybeAccessToken(token): MaybeAccessToken) -> impl Responder {
///     token.map_or("anonymous".into(), |token| token.subject().to_owned())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct MaybeAccessToken<C = ()>(pub Option<AccessToken<C>>);

/// Extracts a verified access token that also meets the policy `P`: `403` if it does not.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth0_actix::{Authorized, policy::*};
///
/// policy!(pub ReadMessages = scope("read:messages"));
///
/// #[get("/messages")]
/// async fn list(token: Authorized<ReadMessages>) -> impl Responder {
///     format!("messages of {}", token.subject())
/// }
/// ```
///
/// `Authorized<(A, B)>` requires both policies, and `Authorized<P, MyClaims>` has your own claims. The
/// policy is evaluated first: a token that neither meets it nor has the claims gets `403`.
pub struct Authorized<P, C = ()>(AccessToken<C>, PhantomData<fn() -> P>);

/// Extracts the organization through which the user logged in: `401` without a valid token, `403` if the
/// token has no organization. Store data by its [`id`](auth0_core::Organization::id).
///
/// ```
/// use actix_web::{Responder, get};
/// use auth0_actix::Organization;
///
/// #[get("/reports")]
/// async fn reports(organization: Organization) -> impl Responder {
///     format!("reports of {organization}") // or organization.id()
/// }
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
/// use actix_web::{Responder, get};
/// use auth0_actix::Issuer;
///
/// #[get("/reports")]
/// async fn reports(issuer: Issuer) -> impl Responder {
///     format!("reports of {issuer}") // or issuer.as_str()
/// }
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

impl<C: DeserializeOwned + 'static> FromRequest for AccessToken<C> {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Extraction::new(request, payload, of_middleware, |auth, verdict, request, header| {
            let context = || ContextAdapter::new(request);
            let token = adapter::with_claims(auth, verdict?, context)?;
            Ok(Self::new(token, header.cloned()))
        })
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for MaybeAccessToken<C> {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Extraction::new(request, payload, of_middleware, |auth, verdict, request, header| {
            let Some(token) = adapter::optional(verdict)? else { return Ok(Self(None)) };
            let context = || ContextAdapter::new(request);
            let token = adapter::with_claims(auth, token, context)?;
            Ok(Self(Some(AccessToken::new(token, header.cloned()))))
        })
    }
}

impl<P: Policy, C: DeserializeOwned + 'static> FromRequest for Authorized<P, C> {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Extraction::new(request, payload, of_middleware, |auth, verdict, request, header| {
            let requirement = policy::of::<P>();
            let context = || ContextAdapter::new(request);
            let token = adapter::require(auth, verdict, requirement, context)?;
            let token = adapter::with_claims(auth, token, context)
                .map_err(|error| adapter::behind(auth, requirement, error))?;
            Ok(Self::new(AccessToken::new(token, header.cloned())))
        })
    }
}

impl FromRequest for Organization {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Extraction::new(request, payload, of_middleware, |auth, verdict, request, _| {
            let context = || ContextAdapter::new(request);
            Ok(Self(adapter::organization_of(auth, &verdict?, context)?))
        })
    }
}

impl FromRequest for Issuer {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Extraction::new(request, payload, of_middleware, |_, verdict, _, _| {
            Ok(Self(auth0_core::Issuer::from(&verdict?)))
        })
    }
}

/// Returns the token that a [`RequireAuth`](crate::RequireAuth) with this verifier has admitted, unless the header was
/// replaced since.
pub(crate) fn of_middleware(
    auth: &Auth0,
    request: &HttpRequest,
    header: Option<&HeaderValue>,
) -> Option<VerifiedToken> {
    let extensions = request.extensions();
    let admitted = extensions.get::<AccessToken>()?;
    let is_the_same = admitted.header.as_ref() == Some(header?);
    (is_the_same && adapter::has_verified(auth, &admitted.token)).then(|| admitted.token.clone())
}
