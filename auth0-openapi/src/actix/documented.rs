//! Services whose operations are documented.
use crate::documentation::Documentation;
use actix_web::dev::{AppService, HttpServiceFactory};
use std::fmt;
use utoipa::openapi::{RefOr, Schema, path::Paths};
use utoipa_actix_web::OpenApiFactory;

/// A service with what is documented of its operations. Add it to a `UtoipaApp`, a
/// [`scope`](utoipa_actix_web::scope()) or a `ServiceConfig`.
#[must_use = "add it with `service`"]
pub struct Documented<F> {
    factory: F,
    documentation: Documentation,
}

impl Documentation {
    /// Documents a service, whose handlers check the token themselves: a handler with a macro of actix-web such as
    /// `get`, the handlers of [`routes!`](crate::actix::routes), or a [`scope`](utoipa_actix_web::scope()).
    pub fn service<F: HttpServiceFactory + OpenApiFactory>(self, factory: F) -> Documented<F> {
        Documented { factory, documentation: self }
    }
}

impl<F: HttpServiceFactory> HttpServiceFactory for Documented<F> {
    fn register(self, config: &mut AppService) {
        self.factory.register(config);
    }
}

impl<F: OpenApiFactory> OpenApiFactory for Documented<F> {
    fn paths(&self) -> Paths {
        let mut paths = self.factory.paths();
        self.documentation.apply_to(&mut paths);
        paths
    }

    fn schemas(&self, schemas: &mut Vec<(String, RefOr<Schema>)>) {
        self.factory.schemas(schemas);
    }
}

impl<F> fmt::Debug for Documented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documented")
            .field("documentation", &self.documentation)
            .finish_non_exhaustive()
    }
}
