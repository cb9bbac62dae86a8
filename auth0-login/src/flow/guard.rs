//! Requests that need a user, or one who meets a requirement.
use super::start::LoginOptions;
use crate::{
    error::{Error, ErrorKind},
    session::{Live, Session},
};
use auth0_core::{
    ErrorCode, Requirement, VerifiedToken, policy::RequestContext, support::step_up_of,
};
use std::time::Duration;

/// A login that was to be a stronger one, and is as weak as before, is not repeated within this time.
const STEP_UP_PAUSE: Duration = Duration::from_secs(120);

impl Session {
    /// Returns the user, or the response that asks for one: a browser that opens a page is sent to the login and comes back;
    /// a script, and a form, get `401` with JSON.
    ///
    /// # Errors
    /// [`LoginRequired`](ErrorKind::LoginRequired), and as for [`user`](Self::user).
    pub async fn required_user(&self) -> Result<VerifiedToken, Error> {
        self.required(self.user().await?)
    }

    /// Returns what was found in the session, or the response that asks for a login.
    ///
    /// # Errors
    /// [`LoginRequired`](ErrorKind::LoginRequired) if there was nothing.
    pub fn required<T>(&self, found: Option<T>) -> Result<T, Error> {
        found.ok_or_else(|| self.login_required("there is no session"))
    }

    /// Checks a requirement on the user: the same as on access tokens, but of the claims of the ID token.
    ///
    /// # Errors
    /// The requirement is not met: [`refuse`](Self::refuse) returns the response.
    pub fn check(
        &self,
        user: &VerifiedToken,
        requirement: &Requirement,
        context: &dyn RequestContext,
    ) -> Result<(), auth0_core::Error> {
        self.login().site.auth.authorize_request(user, requirement, context)
    }

    /// Returns the response for a user who does not meet a requirement. A browser whose user needs a stronger or more recent
    /// login is sent there, and comes back; all others get `403`.
    pub async fn refuse(&self, error: &auth0_core::Error) -> Error {
        if error.code() == ErrorCode::StepUpRequired
            && self.request().is_navigation()
            && let Some(live) = self.live()
            && !self.has_just_stepped_up(&live)
        {
            let (acr_values, max_age) = step_up_of(error);
            let mut options = LoginOptions {
                is_step_up: true,
                return_to: Some(self.request().target().to_owned()),
                ..LoginOptions::new()
            };
            if !acr_values.is_empty() {
                options = options.acr_values(acr_values);
            }
            if let Some(seconds) = max_age {
                options = options.max_age(Duration::from_secs(seconds));
            }
            let reply = self.login().start_with(self.request(), options).await;
            return Error::new(ErrorKind::LoginRequired, error.to_string(), reply);
        }
        let kind = match error.code() {
            ErrorCode::Misconfigured => ErrorKind::Misconfigured,
            _ => ErrorKind::Forbidden,
        };
        self.error(kind, error.to_string())
    }

    fn has_just_stepped_up(&self, live: &Live) -> bool {
        let now = self.login().site.now().as_secs();
        live.record.stepped_up_at.is_some_and(|at| now < at.saturating_add(STEP_UP_PAUSE.as_secs()))
    }
}
