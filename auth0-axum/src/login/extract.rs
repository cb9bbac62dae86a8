//! Extractors of the user and the session.
use super::reply::LoginError;
use crate::context::ContextAdapter;
use auth0_core::{Policy, VerifiedToken};
use auth0_login::Profile;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::de::DeserializeOwned;
use std::{fmt, marker::PhantomData, ops::Deref};

/// Extracts the session of the request, also without a user. It has all methods of [`auth0_login::Session`].
#[derive(Clone, Debug)]
pub struct Session(pub(super) auth0_login::Session);

/// Extracts the user who is signed in, with their claims. It has all methods of [`VerifiedToken`]: subject,
/// organization, claims.
///
/// - `User`: a browser that opens a page without a session is sent to the login and comes back; all other requests get
///   `401` with JSON.
/// - `Option<User>`: `None` without a session.
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
/// use auth0_axum::{login::Signed, policy::*};
///
/// policy!(pub Admins = claim("https://acme.com/roles").contains("admin"));
///
/// async fn admin(user: Signed<Admins>) -> String {
///     format!("hello {}", user.subject())
/// }
/// # fn app() -> axum::Router {
/// # axum::Router::new().route("/admin", axum::routing::get(admin))
/// # }
/// ```
pub struct Signed<P, C = Profile>(User<C>, PhantomData<fn() -> P>);

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

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = LoginError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LoginError> {
        session(parts)
    }
}

impl<C: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for User<C> {
    type Rejection = LoginError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LoginError> {
        let session = session(parts)?;
        let token = session.required_user().await?;
        let claims = session.required(session.claims().await?)?;
        Ok(Self { token, claims })
    }
}

impl<C: DeserializeOwned + Send, S: Send + Sync> OptionalFromRequestParts<S> for User<C> {
    type Rejection = LoginError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, LoginError> {
        let session = session(parts)?;
        let user = session.user().await?.zip(session.claims().await?);
        Ok(user.map(|(token, claims)| Self { token, claims }))
    }
}

impl<P: Policy, C: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Signed<P, C> {
    type Rejection = LoginError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, LoginError> {
        let session = session(parts)?;
        let token = session.required_user().await?;
        let checked = session.check(&token, &P::REQUIREMENT, &ContextAdapter::new(parts));
        if let Err(error) = checked {
            return Err(session.refuse(&error).await.into());
        }
        let claims = session.required(session.claims().await?)?;
        Ok(Self(User { token, claims }, PhantomData))
    }
}

fn session(parts: &Parts) -> Result<Session, LoginError> {
    parts.extensions.get::<Session>().cloned().ok_or_else(|| {
        LoginError(auth0_login::Error::misconfigured(
            "there is no session: put LoginLayer around the routes that have its extractors",
        ))
    })
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
