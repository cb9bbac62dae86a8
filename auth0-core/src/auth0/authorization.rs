//! Requirements and the application's own claims of a verified token, with the challenge of the verifier that
//! accepted the token.
use super::Auth0;
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    policy::{Circumstances, RequestContext, Requirement, any_organization},
    telemetry::{escaped, metrics},
    token::{Organization, VerifiedToken},
};
use serde::de::DeserializeOwned;
use std::time::Duration;

impl Auth0 {
    /// Checks that a verified token meets a requirement. The error has the challenge of this verifier.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// use auth0_core::policy::scope;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let tenant = Tenant::new();
    /// # let auth = tenant.auth0();
    /// let token = auth.verify(&tenant.token().scope("read:messages").mint()).await?;
    /// assert!(auth.authorize(&token, &scope("read:messages")).is_ok());
    /// assert_eq!(auth.authorize(&token, &scope("write:messages")).unwrap_err().status(), 403);
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    ///
    /// # Errors
    /// `insufficient_scope`, `insufficient_permissions`, `organization_mismatch`, `step_up_required` or
    /// `requirement_not_met`. `misconfigured` if the requirement needs a value of the request: use
    /// [`authorize_request`](Self::authorize_request).
    pub fn authorize<C>(
        &self,
        token: &VerifiedToken<C>,
        requirement: &Requirement,
    ) -> Result<(), Error> {
        self.check(token, requirement, None)
    }

    /// Checks a requirement that may also need a value of the request, such as
    /// [`organization_in_path`](crate::policy::organization_in_path).
    ///
    /// # Errors
    /// As for [`authorize`](Self::authorize). `misconfigured` if the request has no such path
    /// parameter.
    pub fn authorize_request<C>(
        &self,
        token: &VerifiedToken<C>,
        requirement: &Requirement,
        request: &dyn RequestContext,
    ) -> Result<(), Error> {
        self.check(token, requirement, Some(request))
    }

    /// Creates and logs the refusal of a decision by the application, for example after a query of its
    /// database or of an authorization service: `403` with the `error_code` `requirement_not_met`, and the
    /// challenge of this verifier. `reason` is for the log.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// use auth0_core::{Auth0, Error, VerifiedToken};
    ///
    /// # async fn is_member(_: &str, _: u64) -> bool { false }
    /// async fn may_open(auth: &Auth0, token: &VerifiedToken, project: u64) -> Result<(), Error> {
    ///     if is_member(token.subject(), project).await {
    ///         return Ok(());
    ///     }
    ///     Err(auth.forbid(token, "not a member of the project"))
    /// }
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # let tenant = Tenant::new();
    /// # let auth = tenant.auth0();
    /// # let token = auth.verify(&tenant.token().mint()).await?;
    /// let refused = may_open(&auth, &token, 7).await.unwrap_err();
    /// assert_eq!(refused.status(), 403);
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    pub fn forbid<C>(&self, token: &VerifiedToken<C>, reason: &'static str) -> Error {
        let error =
            Error::new(ErrorCode::RequirementNotMet).because(reason).with_scheme(token.scheme());
        metrics::refusal(&token.accepted_by().metrics_label, error.code().as_str());
        tracing::info!(
            target: "auth0", error_code = error.code().as_str(),
            client_id = token.client_id().map(escaped), cause = reason, "refused a request"
        );
        error.with_options(&token.accepted_by().challenge)
    }

    /// Returns the organization of a verified token, which must have one. The error has the challenge of this
    /// verifier.
    ///
    /// # Errors
    /// `organization_mismatch` if the user did not log in through an organization.
    pub fn organization_of<C>(&self, token: &VerifiedToken<C>) -> Result<Organization, Error> {
        self.authorize(token, &any_organization())?;
        // The organization is there, because the requirement is met.
        token.organization().ok_or_else(|| {
            Error::new(ErrorCode::OrganizationMismatch)
                .with_scheme(token.scheme())
                .with_options(&token.accepted_by().challenge)
        })
    }

    fn check<C>(
        &self,
        token: &VerifiedToken<C>,
        requirement: &Requirement,
        request: Option<&dyn RequestContext>,
    ) -> Result<(), Error> {
        let now = if requirement.needs_time() {
            let now = self.0.now().map_err(|error| {
                metrics::refusal(&token.accepted_by().metrics_label, error.code().as_str());
                error.with_options(&token.accepted_by().challenge)
            })?;
            now.unix_time
        } else {
            Duration::ZERO
        };
        let circumstances = Circumstances { now, leeway: token.accepted_by().leeway, request };
        requirement.check_under(token, circumstances).map_err(|error| {
            metrics::refusal(&token.accepted_by().metrics_label, error.code().as_str());
            let (error_code, hint) =
                (error.code().as_str(), requirement.hint(token, circumstances));
            if error.kind() == ErrorKind::Misconfigured {
                tracing::error!(
                    target: "auth0", error_code, %requirement, cause = error.cause(),
                    "authorization could not be evaluated"
                );
            } else {
                tracing::info!(
                    target: "auth0", error_code, client_id = token.client_id().map(escaped),
                    %requirement, cause = error.cause(), hint = hint.as_deref(),
                    "refused a request"
                );
            }
            error.with_options(&token.accepted_by().challenge)
        })
    }

    /// Returns a verified token with the application's own claims. The error has the challenge of this
    /// verifier.
    ///
    /// # Errors
    /// `claims_invalid` if the payload is not a `T`.
    pub fn with_claims<T: DeserializeOwned + 'static>(
        &self,
        token: &VerifiedToken,
    ) -> Result<VerifiedToken<T>, Error> {
        token.with_claims().map_err(|error| {
            metrics::refusal(&token.accepted_by().metrics_label, error.code().as_str());
            tracing::info!(
                target: "auth0",
                error_code = error.code().as_str(),
                client_id = token.client_id().map(escaped),
                cause = error.cause(),
                "refused an access token"
            );
            error.with_options(&token.accepted_by().challenge)
        })
    }
}
