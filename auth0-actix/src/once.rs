//! One verification per request and verifier. What the verifier itself remembers need not be kept
//! here as well. actix polls the extractors of a handler side by side, so looking, verifying and then
//! storing would verify twice: the cell is put down first.
use crate::{context::Asked, request::Sent};
use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{AUTHORIZATION, HeaderValue},
    web::Data,
};
use auth0_core::{AccessToken, Auth0, Error, Requirement};
use std::{
    rc::Rc,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::sync::OnceCell;

const NO_VERIFIER: &str =
    "no verifier is registered. Add .app_data(auth.clone()) to the App, with an auth0_actix::Auth0";

const TWO_FORMS: &str = "different verifiers are registered in two forms, as Auth0 and as \
                         web::Data<Auth0>. Use one form in the App and in all its scopes";

type Cell = Rc<OnceCell<Result<AccessToken, Error>>>;

/// What each verifier said about this request. Keyed by verifier: scopes of one app may be
/// registered with different ones, and a token that one audience accepts must not reach a route that
/// trusts another. And by the field: a middleware further in may put another token into it.
struct Verdicts {
    first: Verdict,
    /// Where there are several verifiers or fields, which is rare.
    more: Vec<Verdict>,
}

struct Verdict {
    by: Auth0,
    of: HeaderValue,
    state: State,
}

#[derive(Clone)]
enum State {
    Known(Result<AccessToken, Error>),
    /// The issuer is being asked.
    Awaited(Cell),
}

/// What was said already, to this verifier and field.
fn known(auth: &Auth0, field: &HeaderValue, request: &HttpRequest) -> Option<State> {
    let extensions = request.extensions();
    let Verdicts { first, more } = extensions.get::<Verdicts>()?;
    let mut verdicts = std::iter::once(first).chain(more);
    verdicts.find(|known| known.by.is(auth) && known.of == *field).map(|known| known.state.clone())
}

fn remember(auth: &Auth0, field: &HeaderValue, state: State, request: &HttpRequest) {
    let verdict = Verdict { by: auth.clone(), of: field.clone(), state };
    let mut extensions = request.extensions_mut();
    match extensions.get_mut::<Verdicts>() {
        Some(verdicts) => verdicts.more.push(verdict),
        None => drop(extensions.insert(Verdicts { first: verdict, more: Vec::new() })),
    }
}

/// The verifier of the innermost scope that has one, registered as it is or as `web::Data`. actix
/// does not tell which of the two forms stands further in, so with both in sight it is refused to
/// guess.
pub(crate) fn verifier(request: &HttpRequest) -> Result<Auth0, Error> {
    match (request.app_data::<Auth0>(), request.app_data::<Data<Auth0>>()) {
        (Some(auth), None) => Ok(auth.clone()),
        (None, Some(auth)) => Ok(Auth0::clone(auth)),
        (Some(auth), Some(same)) if auth.is(same) => Ok(auth.clone()),
        (Some(_), Some(_)) => Err(misconfigured(TWO_FORMS)),
        (None, None) => Err(misconfigured(NO_VERIFIER)),
    }
}

/// Logged once, not for every request.
fn misconfigured(cause: &'static str) -> Error {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if !REPORTED.swap(true, Ordering::Relaxed) {
        tracing::error!(target: "auth0", "{cause}");
    }
    Error::misconfigured(cause)
}

pub(crate) async fn verify_once(auth: &Auth0, request: HttpRequest) -> Result<AccessToken, Error> {
    let Some(field) = only_field(&request) else {
        // None or several: judged without looking at a token.
        return auth.authenticate(&Sent::of(&request).view()).await;
    };
    let cell = match known(auth, field, &request) {
        Some(State::Known(result)) => return result,
        Some(State::Awaited(cell)) => cell,
        None => {
            let cell = Cell::default();
            remember(auth, field, State::Awaited(Rc::clone(&cell)), &request);
            cell
        }
    };
    let sent = Sent::of(&request);
    let view = sent.view();
    cell.get_or_init(|| auth.authenticate(&view)).await.clone()
}

/// The same without waiting: `None` if the issuer, or a store of used proofs, has to be asked first.
pub(crate) fn verify_once_now(
    auth: &Auth0,
    request: &HttpRequest,
) -> Option<Result<AccessToken, Error>> {
    let Some(field) = only_field(request) else {
        return auth.authenticate_now(&Sent::of(request).view());
    };
    match known(auth, field, request) {
        Some(State::Known(result)) => return Some(result),
        Some(State::Awaited(cell)) => return cell.get().cloned(),
        None => {}
    }
    let result = auth.authenticate_now(&Sent::of(request).view())?;
    if !result.as_ref().is_ok_and(|token| auth.remembers(token)) {
        remember(auth, field, State::Known(result.clone()), request);
    }
    Some(result)
}

/// Asks the token, and the request where the requirement does.
pub(crate) fn authorize(
    auth: &Auth0,
    token: &AccessToken,
    requirement: &Requirement,
    request: &HttpRequest,
) -> Result<(), Error> {
    if requirement.needs_request() {
        auth.authorize_request(token, requirement, &Asked::of(request))
    } else {
        auth.authorize(token, requirement)
    }
}

fn only_field(request: &HttpRequest) -> Option<&HeaderValue> {
    let mut lines = request.headers().get_all(AUTHORIZATION);
    match (lines.next(), lines.next()) {
        (Some(field), None) => Some(field),
        _ => None,
    }
}
