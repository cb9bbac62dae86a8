//! What a verified token may do: requirements, and claims of the application's, with the challenge of
//! the verifier that accepted the token.
use crate::{
    auth0::{Auth0, escaped, label_of},
    error::{Error, ErrorCode, ErrorKind},
    measure,
    organization::Organization,
    policy::{Circumstances, RequestContext, Requirement, any_organization},
    token::AccessToken,
};
use serde::de::DeserializeOwned;
use std::time::Duration;

impl Auth0 {
    /// Checks that a verified token meets a requirement. The error's challenge is this verifier's.
    ///
    /// # Errors
    /// `insufficient_scope`, `insufficient_permissions`, `organization_mismatch`,
    /// `step_up_required` or `requirement_not_met`. `misconfigured` if the requirement asks the
    /// request for something: that takes [`authorize_request`](Self::authorize_request).
    pub fn authorize<C>(
        &self,
        token: &AccessToken<C>,
        requirement: &Requirement,
    ) -> Result<(), Error> {
        self.check(token, requirement, None)
    }

    /// The same for a requirement that may also ask for something of the request, such as
    /// [`organization_in_path`](crate::policy::organization_in_path).
    ///
    /// # Errors
    /// As for [`authorize`](Self::authorize). `misconfigured` if the request has no such path
    /// parameter.
    pub fn authorize_request<C>(
        &self,
        token: &AccessToken<C>,
        requirement: &Requirement,
        request: &dyn RequestContext,
    ) -> Result<(), Error> {
        self.check(token, requirement, Some(request))
    }

    /// Refuses what only the application can judge, after it has asked its database or an
    /// authorization service: `403` with the `error_code` `requirement_not_met`, and this verifier's
    /// challenge. `reason` is for the log.
    ///
    /// ```
    /// # #[cfg(feature = "testing")] {
    /// # use auth0_core::{AccessToken, Auth0, Error, testing::Tenant};
    /// # async fn is_member(_: &str, _: u64) -> bool { false }
    /// async fn may_open(auth: &Auth0, token: &AccessToken, project: u64) -> Result<(), Error> {
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
    /// assert_eq!(refused.challenge().status(), 403);
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap() }
    /// ```
    pub fn forbid<C>(&self, token: &AccessToken<C>, reason: &'static str) -> Error {
        let error =
            Error::new(ErrorCode::RequirementNotMet).because(reason).with_scheme(token.scheme());
        measure::refusal(label_of(token), error.code());
        tracing::info!(
            target: "auth0", error_code = error.code().as_str(),
            client_id = token.client_id().map(escaped), cause = reason, "refused a request"
        );
        error.with_options(self.challenge_for(token))
    }

    /// The organization of a verified token, which it has to have. The error's challenge is this
    /// verifier's.
    ///
    /// # Errors
    /// `organization_mismatch` if the user did not log in through an organization.
    pub fn organization_of<C>(&self, token: &AccessToken<C>) -> Result<Organization, Error> {
        self.authorize(token, &any_organization())?;
        // The requirement is met by what this reads.
        token.organization().ok_or_else(|| {
            Error::new(ErrorCode::OrganizationMismatch)
                .with_scheme(token.scheme())
                .with_options(self.challenge_for(token))
        })
    }

    fn check<C>(
        &self,
        token: &AccessToken<C>,
        requirement: &Requirement,
        request: Option<&dyn RequestContext>,
    ) -> Result<(), Error> {
        let circumstances = Circumstances {
            now: if requirement.needs_time() { self.0.clock.unix_time() } else { Duration::ZERO },
            leeway: token.trusted().map_or(Duration::ZERO, |trusted| trusted.rules.leeway),
            request,
        };
        requirement.check_under(token, circumstances).map_err(|error| {
            measure::refusal(label_of(token), error.code());
            let (error_code, hint) =
                (error.code().as_str(), requirement.hint(token, circumstances));
            if error.kind() == ErrorKind::Misconfigured {
                tracing::error!(
                    target: "auth0", error_code, %requirement, cause = error.cause(),
                    "cannot judge a request"
                );
            } else {
                tracing::info!(
                    target: "auth0", error_code, client_id = token.client_id().map(escaped),
                    %requirement, cause = error.cause(), hint = hint.as_deref(),
                    "refused a request"
                );
            }
            error.with_options(self.challenge_for(token))
        })
    }

    /// A verified token with claims of the application's. The error's challenge is this
    /// verifier's.
    ///
    /// # Errors
    /// `claims_invalid` if the payload is not a `T`.
    pub fn with_claims<T: DeserializeOwned + 'static>(
        &self,
        token: &AccessToken,
    ) -> Result<AccessToken<T>, Error> {
        token.with_claims().map_err(|error| {
            measure::refusal(label_of(token), error.code());
            tracing::info!(
                target: "auth0",
                error_code = error.code().as_str(),
                client_id = token.client_id().map(escaped),
                cause = error.cause(),
                "refused an access token"
            );
            error.with_options(self.challenge_for(token))
        })
    }
}
