//! The verifier that the application has registered.
use actix_web::{HttpRequest, web::Data};
use auth0_core::{Auth0, Error};
use std::sync::atomic::{AtomicBool, Ordering};

const NO_VERIFIER: &str =
    "no verifier is registered. Add .app_data(auth.clone()) to the App, with an auth0_actix::Auth0";

const TWO_FORMS: &str = "different verifiers are registered in two forms, as Auth0 and as \
                         web::Data<Auth0>. Use one form in the App and in all its scopes";

/// Returns the verifier of the innermost scope that has one, registered as `Auth0` or as `web::Data<Auth0>`.
/// actix does not report which of the two forms is further in, so with two different verifiers the request is
/// refused.
pub(crate) fn verifier(request: &HttpRequest) -> Result<Auth0, Error> {
    static NO_VERIFIER_REPORTED: AtomicBool = AtomicBool::new(false);
    static TWO_FORMS_REPORTED: AtomicBool = AtomicBool::new(false);
    match (request.app_data::<Auth0>(), request.app_data::<Data<Auth0>>()) {
        (Some(auth), None) => Ok(auth.clone()),
        (None, Some(auth)) => Ok(Auth0::clone(auth)),
        (Some(auth), Some(same)) if auth.is(same) => Ok(auth.clone()),
        (Some(_), Some(_)) => Err(misconfigured(TWO_FORMS, &TWO_FORMS_REPORTED)),
        (None, None) => Err(misconfigured(NO_VERIFIER, &NO_VERIFIER_REPORTED)),
    }
}

/// Creates the error of a mistake, which is logged once, not for every request.
fn misconfigured(cause: &'static str, reported: &AtomicBool) -> Error {
    if !reported.swap(true, Ordering::Relaxed) {
        tracing::error!(target: "auth0", "{cause}");
    }
    Error::misconfigured(cause)
}
