//! Requests that need a user, or one who meets a requirement.
use super::start::LoginOptions;
use crate::{
    error::{Error, ErrorKind},
    reply::Reply,
    session::Session,
};
use auth0_core::{
    ErrorCode, Requirement, VerifiedToken, policy::RequestContext, support::step_up_of,
};
use std::time::Duration;

impl Session {
    /// Returns the user, or the response that asks for one: a browser that opens a page is sent to the login and comes back;
    /// a script, and a form, get `401` with JSON.
    ///
    /// # Errors
    /// [`LoginRequired`](ErrorKind::LoginRequired), and as for [`user`](Self::user).
    pub async fn required_user(&self) -> Result<VerifiedToken, Error> {
        self.required(self.user().await?)
    }

    /// Starts a login that the application has decided on: with another organization, `prompt`, `acr_values`. The response
    /// sends the browser to Auth0.
    pub async fn log_in(&self, options: LoginOptions) -> Reply {
        self.login().start_with(self.request(), options).await
    }

    /// Logs the user out, as the route of the logout does. The application has to know that the user wants it: no check of the
    /// origin is made.
    pub async fn log_out(&self) -> Reply {
        match self.login().at(self.request()).await {
            Ok(login) => login.ended(self.request()).await,
            Err(error) => error.reply(),
        }
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
            && let (acr_values, max_age) = step_up_of(error)
            && let wanted = format!("{acr_values} {}", max_age.unwrap_or(u64::MAX))
            && !(live.record.stepped_up_for.as_ref() == Some(&wanted) && self.has_just_begun())
        {
            let mut options = LoginOptions {
                step_up: Some(wanted),
                return_to: Some(self.login().site.target_of(self.request()).into_owned()),
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
}
