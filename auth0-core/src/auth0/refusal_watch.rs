//! A watch on a refusal that an extractor has returned: was it sent or read?
use super::Auth0;
use crate::{
    error::{Error, ErrorKind},
    policy::RequestContext,
    telemetry::RequestText,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// Warns if a refusal is dropped that was neither sent nor read. Then the handler has run although the token
/// was refused, or the application has sent an error of its own. A request without credentials is no reason
/// for a warning.
///
/// ```
/// # use auth0_testing::Tenant;
/// use auth0_core::adapter::{NoContext, RefusalWatch};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let auth = Tenant::new().auth0();
/// let refusal = auth.verify("forged").await.unwrap_err();
/// let watch = RefusalWatch::new(&auth, &refusal, &NoContext, "Return the error, or read it");
/// watch.start(); // the extractor returns the error to the framework
/// watch.stop(); // the framework sends the response
/// # })
/// ```
#[derive(Debug)]
pub struct RefusalWatch {
    by: Auth0,
    error_code: &'static str,
    method: String,
    path: String,
    advice: &'static str,
    is_watching: AtomicBool,
    is_refused_token: bool,
}

impl RefusalWatch {
    /// Creates a watch on a refusal by this verifier, which does not watch yet. `advice` says what to write in
    /// this framework.
    pub fn new(
        by: &Auth0,
        error: &Error,
        request: &dyn RequestContext,
        advice: &'static str,
    ) -> Self {
        let (method, path) = request.request_line().unwrap_or_default();
        Self {
            by: by.clone(),
            error_code: error.code().as_str(),
            method: RequestText(method).to_string(),
            path: RequestText(path).to_string(),
            advice,
            is_watching: AtomicBool::new(false),
            is_refused_token: error.kind() != ErrorKind::CredentialsMissing,
        }
    }

    /// Starts to watch, when the framework gets the refusal.
    pub fn start(&self) {
        self.is_watching.store(self.is_refused_token, Ordering::Relaxed);
    }

    /// Ends the watch, because the refusal was sent or read.
    pub fn stop(&self) {
        self.is_watching.store(false, Ordering::Relaxed);
    }
}

impl Drop for RefusalWatch {
    fn drop(&mut self) {
        if *self.is_watching.get_mut() && self.by.0.refusals.admits_warning() {
            let Self { error_code, method, path, advice, .. } = self;
            tracing::warn!(
                target: "auth0", error_code, method, path,
                "a refusal was dropped: a handler ran although its token was refused, or another response \
                 took the place of the refusal. {advice}"
            );
        }
    }
}
