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

type Verdict = Rc<OnceCell<Result<AccessToken, Error>>>;

/// What each verifier said about this request: scopes of one app may be registered with different
/// ones, and a token that one audience accepts must not reach a route that trusts another.
#[derive(Default)]
struct Verdicts(Vec<(Auth0, Verdict)>);

impl Verdicts {
    fn of(&mut self, auth: &Auth0) -> Verdict {
        if let Some((_, verdict)) = self.0.iter().find(|(by, _)| by.is(auth)) {
            return Rc::clone(verdict);
        }
        let verdict = Verdict::default();
        self.0.push((auth.clone(), Rc::clone(&verdict)));
        verdict
    }
}

/// The verifier of the innermost scope that has one, registered as it is or as `web::Data`.
pub(crate) fn verifier(request: &HttpRequest) -> Result<Auth0, Error> {
    static REPORTED: AtomicBool = AtomicBool::new(false);
    if let Some(auth) = request.app_data::<Auth0>() {
        return Ok(auth.clone());
    }
    if let Some(auth) = request.app_data::<Data<Auth0>>() {
        return Ok(Auth0::clone(auth));
    }
    if !REPORTED.swap(true, Ordering::Relaxed) {
        tracing::error!(target: "auth0", "{NO_VERIFIER}");
    }
    Err(Error::misconfigured(NO_VERIFIER))
}

pub(crate) async fn verify_once(auth: &Auth0, request: HttpRequest) -> Result<AccessToken, Error> {
    let view = RequestView::new()
        .authorization(request.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes));
    if !view.has_credentials() {
        // Not remembered: a middleware further in may still add the field, from a cookie say.
        return auth.authenticate(&view).await;
    }
    let verdict = {
        let mut extensions = request.extensions_mut();
        match extensions.get_mut::<Verdicts>() {
            Some(verdicts) => verdicts.of(auth),
            None => {
                let mut verdicts = Verdicts::default();
                let verdict = verdicts.of(auth);
                extensions.insert(verdicts);
                verdict
            }
        }
    };
    verdict.get_or_init(|| auth.authenticate(&view)).await.clone()
}
