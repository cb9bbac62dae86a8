//! The adapter of `auth0-core` for rocket.
use auth0_core::{Auth0, Error, Policy, VerifiedToken, adapter::*, policy::*};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Response, fairing::AdHoc, http::Status, tokio::sync::Mutex};
use std::{io::Cursor, marker::PhantomData};

policy!(pub(crate) Valid = authenticated());
/// A verified token: 401 without a valid one.
pub(crate) type AccessToken = Authorized<Valid>;
/// A verified token that meets the policy: 403 if it does not.
pub(crate) struct Authorized<P>(pub(crate) VerifiedToken, PhantomData<fn() -> P>);
/// A verified token, or none if the request has no credentials: an invalid one is refused.
pub(crate) struct MaybeAccessToken(pub(crate) Option<VerifiedToken>);

// Both are kept with the request: the verdict about its token, and the refusal of a guard.
struct Verdict(Result<VerifiedToken, Error>);
type Refusal = Mutex<Option<(Error, RefusalWatch)>>;

/// Attach it to the application: it has the verifier for the guards, and sends their refusals.
pub(crate) fn protect(auth: Auth0) -> AdHoc {
    let refusals = AdHoc::on_response("auth0", |req, res| Box::pin(send_refusal(req, res)));
    AdHoc::on_ignite("auth0", |rocket| async { rocket.manage(auth).attach(refusals) })
}

async fn send_refusal<'r>(request: &'r Request<'_>, response: &mut Response<'r>) {
    let refusal = request.local_cache(Refusal::default).lock().await.take();
    if let Some((error, watch)) = refusal.filter(|(e, _)| e.status() == response.status().code) {
        watch.stop();
        let challenge = error.challenge();
        challenge.headers().for_each(|(name, _)| response.remove_header(name));
        challenge.headers().for_each(|(name, v)| response.adjoin_raw_header(name, v.to_owned()));
        response.set_sized_body(challenge.body().len(), Cursor::new(challenge.into_body()));
    }
}

/// Verifies a request, once for all of its guards.
async fn guard<T>(
    request: &Request<'_>,
    admit: impl FnOnce(&Auth0, Result<VerifiedToken, Error>, &RequestParts<'_>) -> Result<T, Error>,
) -> Outcome<T, Error> {
    let Some(auth) = request.rocket().state::<Auth0>() else {
        let error = Error::misconfigured("no verifier: write rocket.attach(protect(auth))");
        return Outcome::Error((Status::InternalServerError, error));
    };
    let header = |name: &str| HeaderLines::of(request.headers().get(name).map(str::as_bytes));
    let host = request.host().map(ToString::to_string);
    let connection = Connection::new().tls(request.rocket().config().tls_enabled());
    let connection = request.remote().map_or(connection, |peer| connection.peer(peer.ip()));
    let sent = RequestParts::new(request.method().as_str(), request.uri().path().as_str(), &header);
    let sent = sent.authority(host.as_deref()).connection(connection);
    let verify = async { Verdict(auth.authenticate(&sent.view()).await) };
    let verdict = request.local_cache_async(verify).await.0.clone();
    let error = match admit(auth, verdict, &sent) {
        Ok(admitted) => return Outcome::Success(admitted),
        Err(error) => error,
    };
    let watch = RefusalWatch::new(auth, &error, &sent, "Use MaybeAccessToken, not Option");
    watch.start();
    *request.local_cache(Refusal::default).lock().await = Some((error.clone(), watch));
    Outcome::Error((Status::new(error.status()), error))
}

#[rocket::async_trait]
impl<'r, P: Policy> FromRequest<'r> for Authorized<P> {
    type Error = Error;
    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        let token = guard(request, |auth, it, sent| require(auth, it, of::<P>(), || sent));
        token.await.map(|token| Self(token, PhantomData))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for MaybeAccessToken {
    type Error = Error;
    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        guard(request, |_, verdict, _| optional(verdict).map(Self)).await
    }
}
