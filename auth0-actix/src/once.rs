//! One verification per request and verifier. actix polls the extractors of a handler side by
//! side, so looking, verifying and then storing would verify twice: the cell is put down first.
use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{AUTHORIZATION, HeaderValue},
    web::Data,
};
use auth0_core::{AccessToken, Auth0, Error, RequestView};
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
#[derive(Default)]
struct Verdicts(Vec<Verdict>);

struct Verdict {
    by: Auth0,
    of: HeaderValue,
    cell: Cell,
}

impl Verdicts {
    fn cell(&mut self, auth: &Auth0, field: &HeaderValue) -> Cell {
        if let Some(verdict) = self.0.iter().find(|v| v.by.is(auth) && v.of == *field) {
            return Rc::clone(&verdict.cell);
        }
        let cell = Cell::default();
        self.0.push(Verdict { by: auth.clone(), of: field.clone(), cell: Rc::clone(&cell) });
        cell
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
    let lines = || request.headers().get_all(AUTHORIZATION);
    let view = RequestView::new().authorization(lines().map(HeaderValue::as_bytes));
    let mut fields = lines();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        // None or several: judged without looking at a token.
        return auth.authenticate(&view).await;
    };
    let cell = {
        let mut extensions = request.extensions_mut();
        match extensions.get_mut::<Verdicts>() {
            Some(verdicts) => verdicts.cell(auth, field),
            None => {
                let mut verdicts = Verdicts::default();
                let cell = verdicts.cell(auth, field);
                extensions.insert(verdicts);
                cell
            }
        }
    };
    cell.get_or_init(|| auth.authenticate(&view)).await.clone()
}
