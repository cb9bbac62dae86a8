//! One verification per request and verifier. The verdict is not kept if the token is in the verifier's
//! cache. actix polls the extractors of a handler concurrently, so a lookup, a verification and an
//! insertion in this order would verify twice: the cell is stored first.
use crate::request::RequestAdapter;
use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{AUTHORIZATION, HeaderValue},
};
use auth0_core::{
    Auth0, Error, VerifiedToken,
    adapter::{Verdicts, is_to_be_kept, only},
};
use std::rc::Rc;
use tokio::sync::OnceCell;

pub(crate) type Verdict = Result<VerifiedToken, Error>;

#[derive(Clone)]
enum State {
    Known(Verdict),
    /// The verdict is pending.
    Awaited(Rc<OnceCell<Verdict>>),
}

pub(crate) async fn verify_once(auth: &Auth0, request: HttpRequest) -> Verdict {
    let Some(header) = only_header(&request) else {
        // No header or several: the verdict needs no token.
        return auth.authenticate(&RequestAdapter::new(&request).view(None)).await;
    };
    let cell = match known(auth, header, &request) {
        Some(State::Known(verdict)) => return verdict,
        Some(State::Awaited(cell)) => cell,
        None => {
            let cell = Rc::default();
            keep(auth, header, State::Awaited(Rc::clone(&cell)), &request);
            cell
        }
    };
    let adapter = RequestAdapter::new(&request);
    let view = adapter.view(Some(header));
    cell.get_or_init(|| auth.authenticate(&view)).await.clone()
}

/// Verifies the token of the only `Authorization` header of a request without waiting: `None` if keys must be fetched,
/// or a store or resolver must be called first.
pub(crate) fn verify_once_now(
    auth: &Auth0,
    request: &HttpRequest,
    header: Option<&HeaderValue>,
) -> Option<Verdict> {
    let Some(header) = header else {
        return auth.authenticate_now(&RequestAdapter::new(request).view(None));
    };
    match known(auth, header, request) {
        Some(State::Known(verdict)) => return Some(verdict),
        Some(State::Awaited(cell)) => return cell.get().cloned(),
        None => {}
    }
    let verdict = auth.authenticate_now(&RequestAdapter::new(request).view(Some(header)))?;
    if is_to_be_kept(auth, &verdict) {
        keep(auth, header, State::Known(verdict.clone()), request);
    }
    Some(verdict)
}

fn known(auth: &Auth0, header: &HeaderValue, request: &HttpRequest) -> Option<State> {
    request.extensions().get::<Verdicts<HeaderValue, State>>()?.get(auth, header).cloned()
}

fn keep(auth: &Auth0, header: &HeaderValue, state: State, request: &HttpRequest) {
    let mut extensions = request.extensions_mut();
    match extensions.get_mut::<Verdicts<HeaderValue, State>>() {
        Some(verdicts) => verdicts.push(auth, header.clone(), state),
        None => drop(extensions.insert(Verdicts::new(auth, header.clone(), state))),
    }
}

/// Returns the `Authorization` header of a request, if there is exactly one.
pub(crate) fn only_header(request: &HttpRequest) -> Option<&HeaderValue> {
    only(request.headers().get_all(AUTHORIZATION))
}
