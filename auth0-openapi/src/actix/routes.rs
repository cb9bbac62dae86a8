//! Handlers with their documentation.
use actix_web::{
    FromRequest, Handler, Responder, Route,
    dev::{AppService, HttpServiceFactory},
    guard,
    http::Method,
    web,
};
use auth0_actix::RequireAuth;
use std::fmt;
use utoipa::openapi::{HttpMethod, RefOr, Schema, path::Paths};
use utoipa_actix_web::OpenApiFactory;

/// Handlers of `utoipa::path`, with their documentation: see [`routes!`](crate::actix::routes).
#[must_use = "add it with `service`"]
#[derive(Default)]
pub struct Routes {
    resources: Vec<(String, Vec<(Method, Route)>)>,
    paths: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
    guard: Option<RequireAuth>,
}

/// Collects handlers, as the macro of the same name in `utoipa-axum` does: functions with `#[utoipa::path(get, path =
/// "…")]`, without a macro of actix-web.
///
/// ```
/// use auth0_openapi::actix::routes;
///
/// #[utoipa::path(get, path = "/messages", responses((status = OK)))]
/// async fn list() -> &'static str {
///     "messages"
/// }
///
/// let _ = routes!(list);
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __actix_routes {
    ($($($part:ident)::+),+ $(,)?) => {{
        let routes = $crate::actix::Routes::default();
        $(let routes = $crate::__actix_routes!(@add routes [] $($part)::+);)+
        routes
    }};
    (@add $routes:ident [$($module:tt)*] $handler:ident) => {
        $crate::actix::paste! {
            $routes.add($($module)* [<__path_ $handler>], $($module)* $handler)
        }
    };
    (@add $routes:ident [$($module:tt)*] $part:ident :: $($rest:tt)+) => {
        $crate::__actix_routes!(@add $routes [$($module)* $part ::] $($rest)+)
    };
}

impl Routes {
    /// Adds a handler.
    #[doc(hidden)]
    pub fn add<P, H, Args>(mut self, path: P, handler: H) -> Self
    where
        P: utoipa::Path + OpenApiFactory,
        H: Handler<Args>,
        Args: FromRequest + 'static,
        H::Output: Responder + 'static,
    {
        let routes = P::methods().into_iter().map(method).map(|method| {
            let route = web::route().method(method.clone()).to(handler.clone());
            (method, route)
        });
        match self.resources.iter_mut().find(|(known, _)| *known == P::path()) {
            Some((_, known)) => known.extend(routes),
            None => self.resources.push((P::path(), routes.collect())),
        }
        self.paths.merge(path.paths());
        path.schemas(&mut self.schemas);
        self
    }

    pub(super) fn guarded(self, guard: RequireAuth) -> Self {
        Self { guard: Some(guard), ..self }
    }
}

impl HttpServiceFactory for Routes {
    fn register(self, config: &mut AppService) {
        for (path, routes) in self.resources {
            let methods: Vec<Method> = routes.iter().map(|(method, _)| method.clone()).collect();
            // Other methods are left to other resources of the path.
            let is_here = guard::fn_guard(move |request| methods.contains(&request.head().method));
            let resource = web::resource(path).guard(is_here);
            let resource =
                routes.into_iter().fold(resource, |resource, (_, route)| resource.route(route));
            match &self.guard {
                Some(guard) => resource.wrap(guard.clone()).register(config),
                None => resource.register(config),
            }
        }
    }
}

fn method(method: HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

impl OpenApiFactory for Routes {
    fn paths(&self) -> Paths {
        self.paths.clone()
    }

    fn schemas(&self, schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend(self.schemas.iter().cloned());
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<&String> = self.resources.iter().map(|(path, _)| path).collect();
        f.debug_struct("Routes")
            .field("paths", &paths)
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
