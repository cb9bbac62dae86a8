//! Requirements and the application's own claims of a verified token, with the challenge of the verifier that
//! accepted the token.
use super::{Auth0, refusal_log::Refused};
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    policy::{Circumstances, RequestContext, Requirement, any_organization},
    telemetry::metrics,
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
        self.check(token, requirement, None, || None::<&dyn RequestContext>)
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
        self.check(token, requirement, None, || Some(request))
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
        let error = Error::new(ErrorCode::RequirementNotMet)
            .because(reason)
            .expecting("what the application requires")
            .advising("The application has refused the request with Auth0::forbid")
            .with_scheme(token.scheme());
        self.refuse(token, error, None, None, None)
    }

    /// Returns the organization of a verified token, which must have one. The error has the challenge of this
    /// verifier.
    ///
    /// # Errors
    /// `organization_mismatch` if the user did not log in through an organization.
    pub fn organization_of<C>(&self, token: &VerifiedToken<C>) -> Result<Organization, Error> {
        self.organization_for(token, || None::<&dyn RequestContext>)
    }

    /// As [`organization_of`](Self::organization_of), with the request for the log.
    pub(crate) fn organization_for<C, R: RequestContext>(
        &self,
        token: &VerifiedToken<C>,
        request: impl FnOnce() -> Option<R>,
    ) -> Result<Organization, Error> {
        self.check(token, &any_organization(), None, request)?;
        // The organization is there, because the requirement is met.
        token.organization().ok_or_else(|| {
            Error::new(ErrorCode::OrganizationMismatch)
                .with_scheme(token.scheme())
                .with_options(&token.accepted_by().challenge)
        })
    }

    /// Checks a requirement. `reason` says why it is so, for the log. `request` is called if the requirement needs the request, or for the log.
    pub(crate) fn check<C, R: RequestContext>(
        &self,
        token: &VerifiedToken<C>,
        requirement: &Requirement,
        reason: Option<&str>,
        request: impl FnOnce() -> Option<R>,
    ) -> Result<(), Error> {
        if requirement.is_authenticated() {
            return Ok(());
        }
        let mut request = Some(request);
        let mut known =
            if requirement.needs_request() { request.take().and_then(|read| read()) } else { None };
        let now = match requirement.needs_time() {
            false => Ok(Duration::ZERO),
            true => self.0.now().map(|now| now.unix_time),
        };
        let circumstances = Circumstances {
            now: now.clone().unwrap_or_default(),
            leeway: token.accepted_by().leeway,
            request: known.as_ref().map(|known| known as &dyn RequestContext),
        };
        let checked = now.and_then(|_| requirement.check_under(token, circumstances));
        let Err(error) = checked else { return Ok(()) };
        let hint = match error.kind() {
            ErrorKind::Unavailable => None,
            _ => requirement.hint(token, circumstances),
        };
        if let Some(read) = request {
            known = read();
        }
        let line = known.as_ref().and_then(RequestContext::request_line);
        let hint = reason.or(hint.as_deref()).or_else(|| self.hint_of_resource(token, &error));
        let error = self.refuse(token, error, Some(requirement), hint, line);
        Err(self.suggesting_scope_of(requirement, error))
    }

    /// As [`refuse`](Self::refuse), also of a request without a token.
    pub(crate) fn refuse_for<R: RequestContext>(
        &self,
        token: Option<&VerifiedToken>,
        error: Error,
        request: impl FnOnce() -> Option<R>,
    ) -> Error {
        let request = request();
        let line = request.as_ref().and_then(RequestContext::request_line);
        match token {
            Some(token) => self.refuse(token, error, None, None, line),
            None => self.0.refuse_without_token(error, line),
        }
    }

    /// Completes, counts and logs the refusal of a verified token.
    fn refuse<C>(
        &self,
        token: &VerifiedToken<C>,
        error: Error,
        requirement: Option<&Requirement>,
        hint: Option<&str>,
        request: Option<(&str, &str)>,
    ) -> Error {
        let accepted_by = token.accepted_by();
        let error =
            self.0.complete(error, self.0.issuers.named(token.issuer()).map(|known| &**known));
        metrics::refusal(&accepted_by.metrics_label, error.code().as_str());
        self.0.refusals.write(&Refused {
            message: match error.kind() {
                ErrorKind::Misconfigured => "authorization could not be evaluated",
                ErrorKind::TokenInvalid => "refused an access token",
                _ => "refused a request",
            },
            error: &error,
            label: &accepted_by.metrics_label,
            issuer: token.issuer(),
            client_id: token.client_id(),
            header: None,
            requirement,
            hint,
            request,
        });
        error.with_options(&accepted_by.challenge)
    }

    /// Returns why a client of a protected resource has none of its scopes: some request those of the
    /// authorization server instead.
    fn hint_of_resource<C>(&self, token: &VerifiedToken<C>, error: &Error) -> Option<&'static str> {
        const OF_OPENID: [&str; 6] =
            ["openid", "profile", "email", "address", "phone", "offline_access"];
        let of_this_api = |scope: &str| !OF_OPENID.contains(&scope);
        let is_unscoped =
            error.code() == ErrorCode::InsufficientScope && !token.scopes().any(of_this_api);
        (self.0.resource.is_some() && is_unscoped).then_some(
            "the client asked for no scope of this API: it should take them from the challenge, or from \
             scopes_supported of the resource metadata",
        )
    }

    /// Adds the scopes of a requirement to the refusal of a request behind it: a `401` names them if a
    /// [resource](crate::Builder::resource) is configured, so that the client requests a token that has
    /// them.
    pub(crate) fn suggesting_scope_of(&self, requirement: &Requirement, error: Error) -> Error {
        match &self.0.resource {
            Some(_) if error.status() == 401 => error.suggesting_scope(&requirement.first_scopes()),
            _ => error,
        }
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
        self.with_claims_for(token.clone(), || None::<&dyn RequestContext>)
    }

    /// As [`with_claims`](Self::with_claims), with the request for the log.
    pub(crate) fn with_claims_for<T: DeserializeOwned + 'static, R: RequestContext>(
        &self,
        token: VerifiedToken,
        request: impl FnOnce() -> Option<R>,
    ) -> Result<VerifiedToken<T>, Error> {
        match token.read_claims() {
            Ok(claims) => Ok(token.into_claims(claims)),
            Err(error) => {
                let known = request();
                let line = known.as_ref().and_then(RequestContext::request_line);
                Err(self.refuse(&token, error, None, None, line))
            }
        }
    }
}
