//! Extractors.
use crate::{
    AuthError,
    once::{authorize, verifier, verify_once, verify_once_now},
};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use auth0_core::{AccessToken as Verified, Auth0, Error, ErrorCode, Policy, policy};
use serde::de::DeserializeOwned;
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

/// A verified access token, as an extractor: `401` without a valid one. Everything that
/// [`auth0_core::AccessToken`] tells, this does. `AccessToken<MyClaims>` brings claims of your
/// own, any `DeserializeOwned`.
///
/// The verifier is the one registered with `App::app_data` (or with `app_data` of the scope).
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
/// **Do not write `Option<AccessToken>`**: actix turns *every* error of an extractor into `None`,
/// so a forged token would pass as an anonymous request. Use [`MaybeAccessToken`].
#[derive(Clone)]
pub struct AccessToken<C = ()>(Verified<C>);

/// A verified access token, or `None` where no credentials came at all. An invalid token is
/// refused.
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

/// A verified access token that also meets the policy `P`, as an extractor: `403` where it does
/// not.
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
/// `Authorized<(A, B)>` requires both, and `Authorized<P, MyClaims>` brings claims of your own. The
/// policy is asked first: a token that neither meets it nor has the claims gets `403`.
pub struct Authorized<P, C = ()>(AccessToken<C>, PhantomData<fn() -> P>);

/// The organization that the user logged in through, as an extractor: `401` without a valid token,
/// `403` where the token is of no organization. Keep data by its
/// [`id`](auth0_core::Organization::id).
///
/// ```
/// use actix_web::{Responder, get};
/// use auth0_actix::Organization;
///
/// #[get("/reports")]
/// async fn reports(organization: Organization) -> impl Responder {
///     format!("reports of {}", organization.id())
/// }
/// ```
///
/// Where the path names an organization, require that it is this one:
/// [`policy::organization_in_path`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Organization(auth0_core::Organization);

impl Organization {
    /// The organization without the extractor around it.
    #[must_use]
    pub fn into_inner(self) -> auth0_core::Organization {
        self.0
    }
}

impl Deref for Organization {
    type Target = auth0_core::Organization;

    fn deref(&self) -> &auth0_core::Organization {
        &self.0
    }
}

/// The issuer of the token, as an extractor: which tenant a request is of, where
/// several are trusted. `401` without a valid token. Keep data by its text.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth0_actix::Issuer;
///
/// #[get("/reports")]
/// async fn reports(issuer: Issuer) -> impl Responder {
///     format!("reports of {}", issuer.as_str())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(auth0_core::Issuer);

impl Issuer {
    /// The issuer without the extractor around it.
    #[must_use]
    pub fn into_inner(self) -> auth0_core::Issuer {
        self.0
    }
}

impl Deref for Issuer {
    type Target = auth0_core::Issuer;

    fn deref(&self) -> &auth0_core::Issuer {
        &self.0
    }
}

impl<C> AccessToken<C> {
    /// The token without the extractor around it, to hand on to code that knows no framework.
    #[must_use]
    pub fn into_inner(self) -> Verified<C> {
        self.0
    }
}

impl<P, C> Authorized<P, C> {
    /// The token, without the policy.
    #[must_use]
    pub fn into_token(self) -> AccessToken<C> {
        self.0
    }
}

impl<C> From<Verified<C>> for AccessToken<C> {
    fn from(token: Verified<C>) -> Self {
        Self(token)
    }
}

impl<C> Deref for AccessToken<C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<P, C> Deref for Authorized<P, C> {
    type Target = Verified<C>;

    fn deref(&self) -> &Verified<C> {
        &self.0
    }
}

impl<C> fmt::Debug for AccessToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extraction::new(request, |auth, verdict, _| Ok(Self(auth.with_claims(&verdict?)?)))
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for MaybeAccessToken<C> {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extraction::new(request, |auth, verdict, _| match verdict {
            Ok(token) => Ok(Self(Some(AccessToken(auth.with_claims(&token)?)))),
            Err(error) if error.code() == ErrorCode::TokenMissing => Ok(Self(None)),
            Err(error) => Err(error),
        })
    }
}

impl<P: Policy, C: DeserializeOwned + 'static> FromRequest for Authorized<P, C> {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extraction::new(request, |auth, verdict, request| {
            let token = verdict?;
            authorize(auth, &token, policy::of::<P>(), request)?;
            Ok(Self(AccessToken(auth.with_claims(&token)?), PhantomData))
        })
    }
}

impl FromRequest for Organization {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extraction::new(request, |auth, verdict, _| Ok(Self(auth.organization_of(&verdict?)?)))
    }
}

impl FromRequest for Issuer {
    type Error = AuthError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        Extraction::new(request, |_, verdict, _| Ok(Self(auth0_core::Issuer::from(&verdict?))))
    }
}

/// What an extractor of this crate brings. With the issuer's keys at hand, which is nearly always, it
/// is there at once.
pub struct Extraction<T>(Step<T>);

/// From a verdict to what the handler takes.
type Extract<T> = fn(&Auth0, Result<Verified, Error>, &HttpRequest) -> Result<T, Error>;

enum Step<T> {
    /// Until it is taken.
    Ready(Option<Result<T, AuthError>>),
    Waiting(Pin<Box<dyn Future<Output = Result<T, AuthError>>>>),
}

impl<T: 'static> Extraction<T> {
    fn new(request: &HttpRequest, extract: Extract<T>) -> Self {
        let auth = match verifier(request) {
            Ok(auth) => auth,
            Err(error) => return Self(Step::Ready(Some(Err(error.into())))),
        };
        if let Some(verdict) = verify_once_now(&auth, request) {
            let extracted = extract(&auth, verdict, request).map_err(AuthError::from);
            return Self(Step::Ready(Some(extracted)));
        }
        let request = request.clone();
        Self(Step::Waiting(Box::pin(async move {
            let verdict = verify_once(&auth, request.clone()).await;
            Ok(extract(&auth, verdict, &request)?)
        })))
    }
}

// What is extracted is never pinned.
impl<T> Unpin for Extraction<T> {}

impl<T> Future for Extraction<T> {
    type Output = Result<T, AuthError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Polled again after its end, against the contract of futures: it has no end then.
            Step::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            Step::Waiting(future) => future.as_mut().poll(context),
        }
    }
}

impl<T> fmt::Debug for Extraction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction").finish_non_exhaustive()
    }
}
