//! The guard.
use super::{documented::Documented, routes::Routes};
use crate::documentation::Documentation;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
};
use auth0_actix::RequireAuth;
use auth0_core::{Requirement, policy::authenticated};
use utoipa_actix_web::scope::Scope;

/// Guards services with [`RequireAuth`] and documents them, in one call. The verifier is registered with `app_data`.
///
/// ```
/// use actix_web::{App, HttpResponse, web};
/// use auth0_actix::{Auth0, ConfigError, policy::*};
/// use auth0_openapi::{SecuritySchemes, actix::{Protect, routes}, public};
/// use utoipa_actix_web::AppExt;
///
/// #[utoipa::path(get, path = "/messages", responses((status = OK)))]
/// async fn list() -> &'static str {
///     "messages"
/// }
///
/// #[utoipa::path(get, path = "/status", responses((status = OK)))]
/// async fn status() -> &'static str {
///     "up"
/// }
///
/// # fn app(auth: Auth0) -> Result<(), ConfigError> {
/// let protect = Protect::new();
/// let (app, mut api) = App::new()
///     .into_utoipa_app()
///     .app_data(auth.clone())
///     .service(protect.routes(scope("read:messages"), routes!(list)))
///     .service(public().service(routes!(status)))
///     .split_for_parts();
/// SecuritySchemes::of(&auth).apply_to(&mut api)?;
/// let json = web::get().to(move || { let api = api.clone(); async { web::Json(api) } });
/// let app = app.route("/openapi.json", json);
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Protect {
    middleware: RequireAuth,
    requirement: Requirement,
    optional: bool,
}

impl Protect {
    /// Creates a guard that requires a valid token.
    pub const fn new() -> Self {
        Self { middleware: RequireAuth::new(), requirement: authenticated(), optional: false }
    }

    /// Returns a guard with one more requirement: see [`RequireAuth::require`].
    pub fn require(&self, requirement: Requirement) -> Self {
        Self {
            middleware: self.middleware.clone().require(requirement.clone()),
            requirement: self.requirement.clone().and(requirement),
            optional: self.optional,
        }
    }

    /// Returns a guard with optional authentication: see [`RequireAuth::optional`].
    pub fn optional(&self) -> Self {
        Self { middleware: self.middleware.clone().optional(), optional: true, ..self.clone() }
    }

    /// Returns a guard that ends responses with the token: see [`RequireAuth::end_responses_with_token`].
    pub fn end_responses_with_token(&self) -> Self {
        Self { middleware: self.middleware.clone().end_responses_with_token(), ..self.clone() }
    }

    /// Guards and documents the handlers of [`routes!`](crate::actix::routes), with one more requirement.
    pub fn routes(&self, requirement: Requirement, routes: Routes) -> Documented<Routes> {
        let guard = self.require(requirement);
        guard.documentation().service(routes.guarded(guard.middleware))
    }

    /// Guards and documents all services of a [`scope`](utoipa_actix_web::scope()), with one more requirement: also
    /// paths that none of them matches. A service that has a guard of its own needs both.
    pub fn scope<T, B>(
        &self,
        requirement: Requirement,
        scope: Scope<T>,
    ) -> Documented<
        Scope<
            impl ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<impl MessageBody + use<T, B>>,
                Error = Error,
                InitError = (),
            > + use<T, B>,
        >,
    >
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse<B>,
                Error = Error,
                InitError = (),
            > + 'static,
        B: MessageBody + 'static,
    {
        let guard = self.require(requirement);
        guard.documentation().service(scope.wrap(guard.middleware))
    }

    fn documentation(&self) -> Documentation {
        let documentation = Documentation::of(&self.requirement);
        if self.optional { documentation.optional() } else { documentation }
    }
}

impl Default for Protect {
    fn default() -> Self {
        Self::new()
    }
}
