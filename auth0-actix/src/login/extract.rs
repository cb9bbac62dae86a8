//! Extractors of the user and the session.
use super::reply::LoginError;
use crate::{context::ContextAdapter, unread_body::UnreadBody};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use auth0_core::{Policy, VerifiedToken};
use auth0_login::Profile;
use serde::de::DeserializeOwned;
use std::{
    fmt,
    future::{Future, Ready, ready},
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
};

/// Extracts the session of the request, also without a user. It has all methods of [`auth0_login::Session`].
#[derive(Clone, Debug)]
pub struct Session(pub(super) auth0_login::Session);

/// Extracts the user who is signed in, with their claims. It has all methods of [`VerifiedToken`]: subject,
/// organization, claims.
///
/// - `User`: a browser that opens a page without a session is sent to the login and comes back; all other requests get
///   `401` with JSON.
/// - [`MaybeUser`]: `None` without a session. (actix turns every error of an extractor in an `Option` into `None`, also that
///   of a store that does not answer.)
/// - `User<MyClaims>`: with claims in a type of yours, any `DeserializeOwned`; [`Profile`] has the usual ones.
#[derive(Clone)]
pub struct User<C = Profile> {
    token: VerifiedToken,
    claims: C,
}

/// Extracts the user, who also meets the policy `P`: `403` if they do not. If they need a stronger or more recent login, a
/// browser is sent there, and comes back.
///
/// ```
/// use actix_web::get;
/// use auth0_actix::{login::Signed, policy::*};
///
/// policy!(pub Admins = claim("https://acme.com/roles").contains("admin"));
///
/// #[get("/admin")]
/// async fn admin(user: Signed<Admins>) -> String {
///     format!("hello {}", user.subject())
/// }
/// ```
pub struct Signed<P, C = Profile>(User<C>, PhantomData<fn() -> P>);

/// Extracts the user, or `None` without a session.
#[derive(Clone, Debug)]
pub struct MaybeUser<C = Profile>(pub Option<User<C>>);

impl Deref for Session {
    type Target = auth0_login::Session;

    fn deref(&self) -> &auth0_login::Session {
        &self.0
    }
}

impl<C> User<C> {
    /// Returns the claims in their type.
    #[must_use]
    pub const fn claims(&self) -> &C {
        &self.claims
    }

    /// Returns the claims, without the extractor.
    #[must_use]
    pub fn into_claims(self) -> C {
        self.claims
    }
}

impl<C> Deref for User<C> {
    type Target = VerifiedToken;

    fn deref(&self) -> &VerifiedToken {
        &self.token
    }
}

impl<P, C> Signed<P, C> {
    /// Returns the user without the policy.
    #[must_use]
    pub fn into_user(self) -> User<C> {
        self.0
    }
}

impl<P, C> Deref for Signed<P, C> {
    type Target = User<C>;

    fn deref(&self) -> &User<C> {
        &self.0
    }
}

/// The future of an extractor.
type Extraction<T> = Pin<Box<dyn Future<Output = Result<T, LoginError>>>>;

impl FromRequest for Session {
    type Error = LoginError;
    type Future = Ready<Result<Self, LoginError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(session(request).map_err(|error| error.with_body(UnreadBody::share(payload))))
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for User<C> {
    type Error = LoginError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = session(request);
        extraction(payload, async move {
            let session = session?;
            let token = session.required_user().await?;
            let claims = session.required(session.claims().await?)?;
            Ok(Self { token, claims })
        })
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for MaybeUser<C> {
    type Error = LoginError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let session = session(request);
        extraction(payload, async move {
            let session = session?;
            let user = session.user().await?.zip(session.claims().await?);
            Ok(Self(user.map(|(token, claims)| User { token, claims })))
        })
    }
}

impl<P: Policy, C: DeserializeOwned + 'static> FromRequest for Signed<P, C> {
    type Error = LoginError;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        extraction(payload, async move {
            let session = session(&request)?;
            let token = session.required_user().await?;
            let checked = session.check(&token, &P::REQUIREMENT, &ContextAdapter::new(&request));
            if let Err(error) = checked {
                return Err(session.refuse(&error).await.into());
            }
            let claims = session.required(session.claims().await?)?;
            Ok(Self(User { token, claims }, PhantomData))
        })
    }
}

fn session(request: &HttpRequest) -> Result<Session, LoginError> {
    request.extensions().get::<Session>().cloned().ok_or_else(|| {
        LoginError::from(auth0_login::Error::misconfigured(
            "there is no session: wrap the routes that have its extractors with LoginMiddleware",
        ))
    })
}

fn extraction<T: 'static>(
    payload: &mut Payload,
    extract: impl Future<Output = Result<T, LoginError>> + 'static,
) -> Extraction<T> {
    let body = UnreadBody::share(payload);
    Box::pin(async move { extract.await.map_err(|error| error.with_body(body)) })
}

impl<C> fmt::Debug for User<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

impl<P, C> fmt::Debug for Signed<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}
