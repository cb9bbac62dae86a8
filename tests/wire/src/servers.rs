//! The same API three times.
//!
//! | path | needs |
//! |---|---|
//! | `/token` | a valid token |
//! | `/nested/token` | the same, below a prefix that the router removes |
//! | `/customers/{customer}/token` | the same, below a prefix with a parameter |
//! | `/maybe` | a valid token or none |
//! | `/scope` | the scope `read:messages` |
//! | `/permission` | the permission `messages:purge` |
//! | `/all` | both |
//! | `/any` | either |
//! | `/check` | that a function accepts the token: the subject is `auth0\|ann` |
//! | `/claims` | a claim that the application defines |
//! | `/layer` | the scope `read:messages`, required by the layer or middleware |
//! | `/any-scope` | the scope `read:messages` or `admin:messages` |
//! | `/role` | `admin` among the roles, a claim that the application defines |
//! | `/organization` | the organization `org_a1` |
//! | `/organization-name` | the organization `acme`, by its name |
//! | `/any-organization` | some organization |
//! | `/orgs/{org}/data` | the organization that the path names |
//! | `/twice/{org}/in/{org}` | the same, with a path that names two |
//! | `/orgs/{org}/layer` | the same, required by the layer or middleware |
//! | `/organization-header` | the organization that the header `x-organization` names |
//! | `/no-parameter` | the organization of a path parameter that the route does not have |
//! | `/mfa` | a login with several factors |
//! | `/recent` | a login in the last five minutes |
//! | `/transfer` | both, and the scope `write:transfers` |
//! | `/mcp` | a valid token, and `a` for the tool `purge` of at most 100 bytes |
//! | `/renew` | a valid token, and one in the header `x-renewal` that renews its lease |
//! | `/backchannel-logout` | nothing: logout tokens for the clients `app` and `web`, if the verifier has revocations |
//! | `/machine`, `/person`, `/client` | a machine, a user who is not anonymous, the client `spa` |
use auth0_axum::{Auth0, Requirement, policy::*};
use serde::Deserialize;
use std::net::SocketAddr;

/// Claims that the application defines.
#[derive(Debug, Deserialize)]
pub struct Roles {
    #[serde(rename = "https://acme.com/roles")]
    roles: Vec<String>,
}

policy!(Scope = scope("read:messages"));
policy!(Permission = permission("messages:purge"));
policy!(All = all_of![scope("read:messages write:messages"), permission("messages:purge")]);
policy!(Any = any_of![permission("messages:purge"), scope("read:messages")]);
policy!(AnyScope = any_scope(&["read:messages", "admin:messages"]));
policy!(Role = claim("https://acme.com/roles").contains("admin"));
policy!(OfAcme = organization("org_a1"));
policy!(OfAcmeByName = organization_name("acme"));
policy!(OfAny = any_organization());
policy!(OfPath = organization_in_path("org"));
policy!(OfHeader = organization_in_header("x-organization"));
policy!(Mfa = any_of![acr(MFA), amr("mfa")]);
policy!(Recent = max_age(300));
policy!(Transfer = all_of![scope("write:transfers"), acr(MFA), max_age(300)]);
policy!(Machine = machine());
policy!(Person = all_of![user(), not_anonymous()]);
policy!(Spa = client("spa"));
policy!(Check = check("is ann", |token| token.subject() == "auth0|ann"));

/// The clients whose logout tokens are accepted.
const LOGOUT_CLIENTS: [&str; 2] = ["app", "web"];

/// Starts one server of each kind, each with its own verifier.
pub async fn start(verifier: impl Fn() -> Auth0) -> [(&'static str, SocketAddr); 3] {
    [
        ("axum", with_axum::start(verifier()).await),
        ("actix", with_actix::start(verifier())),
        ("tower", with_tower::start(verifier()).await),
    ]
}

mod with_axum {
    use super::{
        All, Any, AnyScope, Check, Machine, Mfa, OfAcme, OfAcmeByName, OfAny, OfHeader, OfPath,
        Permission, Person, Recent, Role, Roles, Scope, Spa, Transfer,
    };
    use auth0_axum::{
        AccessToken, Auth0, AuthLayer, AuthRejection, Authorized, BackchannelLogout, McpSessions,
        McpTools, Organization, backchannel_logout,
        policy::{organization_in_path, scope},
    };
    use axum::{Router, extract::State, http::HeaderMap, routing::get};
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    async fn token(token: AccessToken) -> String {
        token.subject().to_owned()
    }
    async fn maybe(token: Option<AccessToken>) -> String {
        token.map_or("anonymous".into(), |token| token.subject().to_owned())
    }
    async fn authorized<P>(token: Authorized<P>) -> String {
        token.subject().to_owned()
    }
    async fn claims(token: AccessToken<Roles>) -> String {
        token.claims().roles.join(" ")
    }

    async fn organization(token: AccessToken, _: Organization) -> String {
        token.subject().to_owned()
    }

    async fn renew(
        State(auth): State<Auth0>,
        token: AccessToken,
        headers: HeaderMap,
    ) -> Result<String, AuthRejection> {
        let newer = headers["x-renewal"].to_str().unwrap();
        Ok(auth.lease(&token).renew(newer).await?.subject().to_owned())
    }

    pub(super) async fn start(auth: Auth0) -> SocketAddr {
        let by = auth.clone();
        let protect = AuthLayer::new(auth.clone());
        let of_path = protect.require(organization_in_path("org"));
        let protect = protect.require(scope("read:messages"));
        let app = Router::new()
            .route("/any-scope", get(authorized::<AnyScope>))
            .route("/role", get(authorized::<Role>))
            .route("/organization", get(authorized::<OfAcme>))
            .route("/organization-name", get(authorized::<OfAcmeByName>))
            .route("/any-organization", get(authorized::<OfAny>))
            .route("/organization-extractor", get(organization))
            .route("/orgs/{org}/data", get(authorized::<OfPath>))
            .route("/orgs/{org}/layer", get(token).layer(of_path))
            .nest("/twice/{org}", Router::new().route("/in/{org}", get(authorized::<OfPath>)))
            .route("/organization-header", get(authorized::<OfHeader>))
            .route("/no-parameter", get(authorized::<OfPath>))
            .route("/mfa", get(authorized::<Mfa>))
            .route("/recent", get(authorized::<Recent>))
            .route("/transfer", get(authorized::<Transfer>))
            .route("/machine", get(authorized::<Machine>))
            .route("/person", get(authorized::<Person>))
            .route("/client", get(authorized::<Spa>))
            .route("/token", get(token))
            .nest("/nested", Router::new().route("/token", get(token)))
            .nest("/customers/{customer}", Router::new().route("/token", get(token)))
            .route("/maybe", get(maybe))
            .route("/scope", get(authorized::<Scope>))
            .route("/permission", get(authorized::<Permission>))
            .route("/all", get(authorized::<All>))
            .route("/any", get(authorized::<Any>))
            .route("/check", get(authorized::<Check>))
            .route("/claims", get(claims))
            .route("/layer", get(token).layer(protect))
            .route("/renew", get(renew))
            .with_state(auth);
        let tools = McpTools::new().tool("purge", scope("a")).max_body_bytes(100);
        let mcp = Router::new().route("/mcp", get(|| async {}));
        let mcp = mcp.layer(tools).layer(McpSessions::default());
        let logout = BackchannelLogout::new(&by, super::LOGOUT_CLIENTS);
        let mut app = app.merge(mcp.layer(AuthLayer::new(by)));
        if let Ok(logout) = logout {
            app = app.route("/backchannel-logout", backchannel_logout(logout));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }
}

mod with_actix {
    use super::{
        All, Any, AnyScope, Check, Machine, Mfa, OfAcme, OfAcmeByName, OfAny, OfHeader, OfPath,
        Permission, Person, Recent, Role, Roles, Scope, Spa, Transfer,
    };
    use actix_web::{App, HttpRequest, HttpServer, web};
    use auth0_actix::{
        AccessToken, Auth0, AuthError, Authorized, BackchannelLogout, MaybeAccessToken,
        McpSessions, McpTools, Organization, RequireAuth, backchannel_logout,
        policy::{organization_in_path, scope},
        require,
    };
    use std::{net::SocketAddr, sync::mpsc, thread};

    async fn token(token: AccessToken) -> String {
        token.subject().to_owned()
    }
    async fn maybe(MaybeAccessToken(token): MaybeAccessToken) -> String {
        token.map_or("anonymous".into(), |token| token.subject().to_owned())
    }
    async fn authorized<P>(token: Authorized<P>) -> String {
        token.subject().to_owned()
    }
    async fn claims(token: AccessToken<Roles>) -> String {
        token.claims().roles.join(" ")
    }

    async fn organization(token: AccessToken, _: Organization) -> String {
        token.subject().to_owned()
    }

    async fn renew(token: AccessToken, request: HttpRequest) -> Result<String, AuthError> {
        let auth = request.app_data::<Auth0>().unwrap();
        let newer = request.headers().get("x-renewal").unwrap().to_str().unwrap();
        Ok(auth.lease(&token).renew(newer).await?.subject().to_owned())
    }

    fn more(config: &mut web::ServiceConfig) {
        config
            .route("/renew", web::get().to(renew))
            .service(web::scope("/nested").route("/token", web::get().to(token)))
            .service(web::scope("/customers/{customer}").route("/token", web::get().to(token)))
            .route("/any-scope", web::get().to(authorized::<AnyScope>))
            .route("/role", web::get().to(authorized::<Role>))
            .route("/organization", web::get().to(authorized::<OfAcme>))
            .route("/organization-name", web::get().to(authorized::<OfAcmeByName>))
            .route("/any-organization", web::get().to(authorized::<OfAny>))
            .route("/organization-extractor", web::get().to(organization))
            .route("/orgs/{org}/data", web::get().to(authorized::<OfPath>))
            .service(
                web::scope("/orgs/{org}")
                    .wrap(require(organization_in_path("org")))
                    .route("/layer", web::get().to(token)),
            )
            .service(
                web::scope("/twice/{org}").route("/in/{org}", web::get().to(authorized::<OfPath>)),
            )
            .route("/organization-header", web::get().to(authorized::<OfHeader>))
            .route("/no-parameter", web::get().to(authorized::<OfPath>))
            .route("/mfa", web::get().to(authorized::<Mfa>))
            .route("/recent", web::get().to(authorized::<Recent>))
            .route("/transfer", web::get().to(authorized::<Transfer>))
            .route("/machine", web::get().to(authorized::<Machine>))
            .route("/person", web::get().to(authorized::<Person>))
            .route("/client", web::get().to(authorized::<Spa>));
    }

    /// actix runs on its own runtime and threads.
    pub(super) fn start(auth: Auth0) -> SocketAddr {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let logout = BackchannelLogout::new(&auth, super::LOGOUT_CLIENTS).ok();
                let server = HttpServer::new(move || {
                    let logout = logout.clone();
                    App::new()
                        .app_data(auth.clone())
                        .configure(more)
                        .configure(|config| {
                            if let Some(logout) = logout {
                                config.route("/backchannel-logout", backchannel_logout(logout));
                            }
                        })
                        .route("/token", web::get().to(token))
                        .route("/maybe", web::get().to(maybe))
                        .route("/scope", web::get().to(authorized::<Scope>))
                        .route("/permission", web::get().to(authorized::<Permission>))
                        .route("/all", web::get().to(authorized::<All>))
                        .route("/any", web::get().to(authorized::<Any>))
                        .route("/check", web::get().to(authorized::<Check>))
                        .route("/claims", web::get().to(claims))
                        .service(
                            web::resource("/mcp")
                                .wrap(McpTools::new().tool("purge", scope("a")).max_body_bytes(100))
                                .wrap(McpSessions::default())
                                .wrap(RequireAuth::new())
                                .to(async || ""),
                        )
                        .service(
                            web::resource("/layer")
                                .wrap(require(scope("read:messages")))
                                .route(web::get().to(token)),
                        )
                })
                .workers(1)
                .disable_signals()
                .bind_auto_h2c("127.0.0.1:0")
                .unwrap();
                sender.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        receiver.recv().unwrap()
    }
}

mod with_tower {
    use super::{Requirement, Roles, of};
    use auth0_axum::{
        AccessToken, Auth0, AuthLayer, AuthRejection, BackchannelLogout, Connection, McpSessions,
        McpTools, backchannel_logout, policy::scope,
    };
    use axum::{
        http::{Request, Response},
        response::IntoResponse,
    };
    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto,
        service::TowerToHyperService,
    };
    use std::{convert::Infallible, net::SocketAddr};
    use tokio::net::TcpListener;
    use tower::{Layer, ServiceExt};

    /// A plain service, without router and extractor. It reads the token from the extensions.
    async fn subject<B>(request: Request<B>) -> Result<Response<axum::body::Body>, Infallible> {
        let token = request.extensions().get::<AccessToken>();
        let text = token.map_or("anonymous".into(), |token| token.subject().to_owned());
        Ok(Response::new(text.into()))
    }

    async fn answer<B>(
        auth: Auth0,
        request: Request<B>,
    ) -> Result<Response<axum::body::Body>, Infallible>
    where
        B: axum::body::HttpBody<Data = axum::body::Bytes, Error: Into<axum::BoxError>>
            + Send
            + 'static,
    {
        let protect = AuthLayer::new(auth.clone());
        let requirement = |name: &Requirement| protect.require(name.clone());
        let layer = match request.uri().path() {
            "/maybe" => protect.optional(),
            "/scope" | "/layer" => requirement(of::<super::Scope>()),
            "/permission" => requirement(of::<super::Permission>()),
            "/all" => requirement(of::<super::All>()),
            "/any" => requirement(of::<super::Any>()),
            "/check" => requirement(of::<super::Check>()),
            "/any-scope" => requirement(of::<super::AnyScope>()),
            "/role" => requirement(of::<super::Role>()),
            "/organization" => requirement(of::<super::OfAcme>()),
            "/organization-name" => requirement(of::<super::OfAcmeByName>()),
            "/any-organization" | "/organization-extractor" => requirement(of::<super::OfAny>()),
            "/organization-header" => requirement(of::<super::OfHeader>()),
            "/no-parameter" => requirement(of::<super::OfPath>()),
            "/mfa" => requirement(of::<super::Mfa>()),
            "/recent" => requirement(of::<super::Recent>()),
            "/transfer" => requirement(of::<super::Transfer>()),
            "/machine" => requirement(of::<super::Machine>()),
            "/person" => requirement(of::<super::Person>()),
            "/client" => requirement(of::<super::Spa>()),
            path if path.starts_with("/twice/") => {
                let layer = requirement(of::<super::OfPath>());
                let service = layer.layer(tower::service_fn(subject));
                let router = axum::Router::new().route_service("/in/{org}", service);
                let router = axum::Router::new().nest("/twice/{org}", router);
                return router.oneshot(request.map(|_| axum::body::Body::empty())).await;
            }
            path if path.starts_with("/orgs/") => {
                // Only a router knows path parameters. This one takes any service as a route.
                let layer = requirement(of::<super::OfPath>());
                let service = layer.layer(tower::service_fn(subject));
                let router = axum::Router::new().route_service("/orgs/{org}/{what}", service);
                return router.oneshot(request.map(|_| axum::body::Body::empty())).await;
            }
            "/backchannel-logout" => {
                let service = match BackchannelLogout::new(&auth, super::LOGOUT_CLIENTS) {
                    Ok(logout) => backchannel_logout(logout),
                    Err(_) => axum::routing::any(|| async { axum::http::StatusCode::NOT_FOUND }),
                };
                return service.oneshot(request.map(axum::body::Body::new)).await;
            }
            "/mcp" => {
                let tools = McpTools::new().tool("purge", scope("a")).max_body_bytes(100);
                let mcp = tools.layer(tower::service_fn(subject));
                let service = protect.layer(McpSessions::default().layer(mcp));
                let answer = service.oneshot(request.map(axum::body::Body::new)).await?;
                return Ok(answer.map(axum::body::Body::new));
            }
            "/renew" => {
                let service = tower::service_fn(move |request: Request<B>| {
                    let auth = auth.clone();
                    async move {
                        let token = request.extensions().get::<AccessToken>().unwrap();
                        let newer = request.headers()["x-renewal"].to_str().unwrap();
                        Ok::<_, Infallible>(match auth.lease(token).renew(newer).await {
                            Ok(token) => token.subject().to_owned().into_response(),
                            Err(error) => AuthRejection::from(error).into_response(),
                        })
                    }
                });
                return Ok(protect
                    .layer(service)
                    .oneshot(request)
                    .await?
                    .map(axum::body::Body::new));
            }
            "/claims" => {
                let service = tower::service_fn(move |request: Request<B>| {
                    let auth = auth.clone();
                    async move {
                        let token = request.extensions().get::<AccessToken>().unwrap();
                        Ok::<_, Infallible>(
                            match auth.with_claims::<Roles>(&token.clone().into_inner()) {
                                Ok(token) => token.claims().roles.join(" ").into_response(),
                                Err(error) => AuthRejection::from(error).into_response(),
                            },
                        )
                    }
                });
                return Ok(protect
                    .layer(service)
                    .oneshot(request)
                    .await?
                    .map(axum::body::Body::new));
            }
            _ => protect.clone(),
        };
        Ok(layer
            .layer(tower::service_fn(subject))
            .oneshot(request)
            .await?
            .map(axum::body::Body::new))
    }

    pub(super) async fn start(auth: Auth0) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let auth = auth.clone();
                let service = tower::service_fn(move |mut request: Request<_>| {
                    request.extensions_mut().insert(Connection::new().peer(peer.ip()));
                    answer(auth.clone(), request)
                });
                tokio::spawn(async move {
                    auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
                        .await
                });
            }
        });
        address
    }
}
