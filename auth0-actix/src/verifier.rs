//! The verifier that the application has registered.
use actix_web::{HttpRequest, web::Data};
use auth0_core::{Auth0, Error};
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const NO_VERIFIER: &str = "no verifier is registered; expected an auth0_actix::Auth0 in the app data. Add \
                           .app_data(auth.clone()) to the App";

const IN_A_POINTER: &str = "the verifier is registered in an Arc or Rc; expected an auth0_actix::Auth0 in the app \
                            data, or a web::Data<Auth0>. Add .app_data(auth.clone()) to the App, without the \
                            Arc: clones of an Auth0 share everything";

const TWO_FORMS: &str = "different verifiers are registered in two forms, as Auth0 and as web::Data<Auth0>; \
                         expected one form. Add .app_data(auth.clone()) to the App and to all its scopes";

/// Returns the verifier of the innermost scope that has one, registered as `Auth0` or as `web::Data<Auth0>`.
/// actix does not report which of the two forms is further in, so with two different verifiers the request is
/// refused.
pub(crate) fn verifier(request: &HttpRequest) -> Result<Auth0, Error> {
    static NO_VERIFIER_REPORTED: AtomicBool = AtomicBool::new(false);
    static POINTER_REPORTED: AtomicBool = AtomicBool::new(false);
    static TWO_FORMS_REPORTED: AtomicBool = AtomicBool::new(false);
    match (request.app_data::<Auth0>(), request.app_data::<Data<Auth0>>()) {
        (Some(auth), None) => Ok(auth.clone()),
        (None, Some(auth)) => Ok(Auth0::clone(auth)),
        (Some(auth), Some(same)) if auth.is(same) => Ok(auth.clone()),
        (Some(_), Some(_)) => Err(misconfigured(TWO_FORMS, &TWO_FORMS_REPORTED)),
        (None, None) if is_in_a_pointer(request) => {
            Err(misconfigured(IN_A_POINTER, &POINTER_REPORTED))
        }
        (None, None) => Err(misconfigured(NO_VERIFIER, &NO_VERIFIER_REPORTED)),
    }
}

/// Returns whether the verifier is registered in a pointer, which is another type for actix.
fn is_in_a_pointer(request: &HttpRequest) -> bool {
    request.app_data::<Arc<Auth0>>().is_some()
        || request.app_data::<Rc<Auth0>>().is_some()
        || request.app_data::<Data<Arc<Auth0>>>().is_some()
        || request.app_data::<Data<Rc<Auth0>>>().is_some()
        || request.app_data::<Arc<Data<Auth0>>>().is_some()
}

/// Creates the error of a mistake, which is logged once, not for every request.
fn misconfigured(cause: &'static str, reported: &AtomicBool) -> Error {
    if !reported.swap(true, Ordering::Relaxed) {
        tracing::error!(target: "auth0", "{cause}");
    }
    Error::misconfigured(cause)
}
