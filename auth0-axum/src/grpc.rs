//! What a token needs for the methods of gRPC services.
use auth0_core::{Ended, ErrorCode, Requirement, policy::authenticated};
use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use std::{borrow::Cow, collections::HashMap, fmt, sync::Arc};

/// What a token needs for the methods of gRPC services, for [`AuthLayer::grpc_methods`](crate::AuthLayer::grpc_methods):
/// by default, for all methods of a service, and for one method. The most specific one counts, beside what the layer
/// requires. Below a prefix, as of a router inside the layer, a method needs what the default says, too.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, GrpcMethods, policy::*};
///
/// # fn layer(auth: Auth0) -> AuthLayer {
/// AuthLayer::new(auth).grpc_methods(
///     GrpcMethods::new()
///         .default(scope("read:messages"))
///         .service("acme.Messages", scope("write:messages"))
///         .method("/acme.Messages/Purge", permission("messages:purge"))
///         .open("grpc.health.v1.Health"),
/// )
/// # }
/// ```
///
/// A method that is not named needs what the default says, and without a default a valid token: nothing is open that
/// is not named with [`open`](Self::open), neither health checks nor reflection.
#[derive(Clone)]
#[must_use]
pub struct GrpcMethods(Arc<Methods>);

#[derive(Clone)]
struct Methods {
    default: Requirement,
    /// By path: `/package.Service/Method`.
    methods: HashMap<Box<str>, Access>,
    /// By name: `package.Service`.
    services: HashMap<Box<str>, Access>,
}

#[derive(Clone, Debug)]
enum Access {
    Open,
    Required(Requirement),
}

impl GrpcMethods {
    /// Creates requirements under which a valid token is enough for every method.
    pub fn new() -> Self {
        let (methods, services) = Default::default();
        Self(Arc::new(Methods { default: authenticated(), methods, services }))
    }

    /// Sets what methods need that are not named.
    pub fn default(self, requirement: Requirement) -> Self {
        self.map(|all| all.default = requirement)
    }

    /// Sets what all methods of a service need, by its name (`package.Service`), instead of the default.
    pub fn service(self, name: impl Into<String>, requirement: Requirement) -> Self {
        self.map(|all| all.add(name.into(), Access::Required(requirement)))
    }

    /// Sets what a method needs, by its path (`/package.Service/Method`), instead of what its service needs.
    pub fn method(self, path: impl Into<String>, requirement: Requirement) -> Self {
        self.service(path, requirement)
    }

    /// Opens a service, by its name, or a method, by its path, to callers without a token. A token is not looked at
    /// there.
    pub fn open(self, name_or_path: impl Into<String>) -> Self {
        self.map(|all| all.add(name_or_path.into(), Access::Open))
    }

    fn map(mut self, change: impl FnOnce(&mut Methods)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Returns what a call needs; `None` if it is open. The path is compared as text, as gRPC servers do.
    ///
    /// Below a prefix, which a router inside may take off, it needs what the rest of the path needs, and the default.
    pub(crate) fn requirement(&self, path: &str) -> Option<Cow<'_, Requirement>> {
        let Methods { default, methods, services } = &*self.0;
        let of = |path: &str| {
            let of_service = || {
                let (service, _) = path.strip_prefix('/')?.split_once('/')?;
                services.get(service)
            };
            methods.get(path).or_else(of_service)
        };
        match (of(path), below_prefix(path).and_then(of)) {
            (Some(Access::Open), _) => None,
            (Some(Access::Required(requirement)), _) => Some(Cow::Borrowed(requirement)),
            (None, Some(Access::Required(requirement))) => {
                Some(Cow::Owned(default.clone().and(requirement.clone())))
            }
            (None, Some(Access::Open) | None) => Some(Cow::Borrowed(default)),
        }
    }
}

impl Methods {
    /// Adds a method if the name has a slash, otherwise a service.
    fn add(&mut self, name: String, access: Access) {
        let name = name.trim_end_matches('/');
        match name.trim_start_matches('/') {
            service if !service.contains('/') => self.services.insert(service.into(), access),
            method => self.methods.insert(format!("/{method}").into(), access),
        };
    }
}

impl Default for GrpcMethods {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for GrpcMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcMethods")
            .field("default", &self.0.default)
            .field("methods", &self.0.methods)
            .field("services", &self.0.services)
            .finish()
    }
}

/// Returns the service and the method of a longer path.
fn below_prefix(path: &str) -> Option<&str> {
    let path = path.trim_end_matches('/');
    let (service, _) = path.rmatch_indices('/').nth(1)?;
    path.get(service..).filter(|_| service > 0)
}

/// The form in which a client reads a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Http,
    /// gRPC, with the media type of the answer.
    Grpc(&'static str),
}

impl Form {
    /// Returns the form by the media type of the request. Each call of gRPC is a `POST`.
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Self {
        const FORMS: [&str; 3] =
            ["application/grpc-web-text", "application/grpc-web", "application/grpc"];
        if *method != Method::POST {
            return Self::Http;
        }
        let stated = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(stated) = stated else { return Self::Http };
        let essence = stated.split(';').next().unwrap_or_default().trim_end();
        let is = |form: &&str| {
            let start = essence.get(..form.len());
            let is_start = start.is_some_and(|start| start.eq_ignore_ascii_case(form));
            is_start && matches!(essence.as_bytes().get(form.len()), None | Some(b'+'))
        };
        FORMS.into_iter().find(is).map_or(Self::Http, Self::Grpc)
    }

    /// Returns the trailers of a stream that ends with its token.
    pub(crate) fn end_of_token(self, token: &Ended) -> Option<HeaderMap> {
        let Self::Grpc(_) = self else { return None };
        let code = token.reason().unwrap_or(ErrorCode::TokenExpired);
        let mut trailers = HeaderMap::new();
        for (name, value) in [
            ("grpc-status", "16"),
            ("grpc-message", code.description()),
            ("error-code", code.as_str()),
        ] {
            trailers.insert(name, HeaderValue::from_static(value));
        }
        Some(trailers)
    }
}
