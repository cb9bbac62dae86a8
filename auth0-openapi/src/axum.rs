//! Guards and documents routes of axum, with [`utoipa_axum`].
use crate::documentation::Documentation;
use auth0_axum::AuthLayer;
use auth0_core::{Auth0, Requirement, policy::authenticated};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

/// Guards routes with an [`AuthLayer`] and documents them, in one call.
///
/// ```
/// use auth0_openapi::{SecuritySchemes, axum::Protect, public};
/// use auth0_axum::{Auth0, ConfigError, policy::*};
/// use utoipa_axum::{router::OpenApiRouter, routes};
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
/// fn app(auth: Auth0) -> Result<axum::Router, ConfigError> {
///     let protect = Protect::new(auth.clone());
///     let (router, mut api) = OpenApiRouter::new()
///         .routes(protect.routes(scope("read:messages"), routes!(list)))
///         .routes(public().routes(routes!(status)))
///         .split_for_parts();
///     SecuritySchemes::of(&auth).apply_to(&mut api)?;
///     Ok(router.route("/openapi.json", axum::routing::get(|| async { axum::Json(api) })))
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Protect {
    layer: AuthLayer,
    requirement: Requirement,
    optional: bool,
}

impl Protect {
    /// Creates a guard that requires a valid token.
    pub fn new(auth: Auth0) -> Self {
        Self { layer: AuthLayer::new(auth), requirement: authenticated(), optional: false }
    }

    /// Returns a guard with one more requirement: see [`AuthLayer::require`].
    pub fn require(&self, requirement: Requirement) -> Self {
        Self {
            layer: self.layer.require(requirement.clone()),
            requirement: self.requirement.clone().and(requirement),
            optional: self.optional,
        }
    }

    /// Returns a guard with optional authentication: see [`AuthLayer::optional`].
    pub fn optional(&self) -> Self {
        Self { layer: self.layer.optional(), optional: true, ..self.clone() }
    }

    /// Returns a guard that ends responses with the token: see [`AuthLayer::end_responses_with_token`].
    pub fn end_responses_with_token(&self) -> Self {
        Self { layer: self.layer.end_responses_with_token(), ..self.clone() }
    }

    /// Guards and documents the handlers of `routes!(…)`, with one more requirement.
    pub fn routes<S>(
        &self,
        requirement: Requirement,
        routes: UtoipaMethodRouter<S>,
    ) -> UtoipaMethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let guard = self.require(requirement);
        let (schemas, paths, router) = guard.documentation().routes(routes);
        (schemas, paths, router.layer(guard.layer))
    }

    /// Guards and documents all routes of a router, with one more requirement. An unknown path stays `404` without a
    /// token. A route that has a guard of its own needs both.
    ///
    /// # Panics
    /// The router has no route yet, as in axum's `route_layer`.
    #[must_use]
    pub fn router<S>(&self, requirement: Requirement, router: OpenApiRouter<S>) -> OpenApiRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let guard = self.require(requirement);
        guard.documentation().router(router).route_layer(guard.layer)
    }

    fn documentation(&self) -> Documentation {
        let documentation = Documentation::of(&self.requirement);
        if self.optional { documentation.optional() } else { documentation }
    }
}

impl Documentation {
    /// Documents the handlers of `routes!(…)`, which check the token themselves.
    pub fn routes<S, E>(&self, routes: UtoipaMethodRouter<S, E>) -> UtoipaMethodRouter<S, E> {
        let (schemas, mut paths, router) = routes;
        self.apply_to(&mut paths);
        (schemas, paths, router)
    }

    /// Documents all routes of a router, whose handlers check the token themselves.
    #[must_use]
    pub fn router<S>(&self, mut router: OpenApiRouter<S>) -> OpenApiRouter<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.apply_to(&mut router.get_openapi_mut().paths);
        router
    }
}
