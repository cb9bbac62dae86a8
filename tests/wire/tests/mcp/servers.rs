//! The same MCP server three times. `/mcp` and `/sessions` need the scope `mcp:read`, and answer with what they were
//! sent; `/open` works without a token, but for its tools.
use auth0_axum::{Auth0, policy::*};
use serde_json::Value;
use std::net::SocketAddr;

pub(crate) const READ: Requirement = scope("mcp:read");
/// The sizes of bodies up to which tools are read.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Declares the tools of one framework.
macro_rules! tools {
    ($McpTools:ty) => {
        <$McpTools>::new()
            .default(super::READ)
            .tool("purge", auth0_axum::policy::scope("mcp:purge"))
            .tool(
                "transfer",
                auth0_axum::all_of![
                    auth0_axum::policy::scope("transfer"),
                    auth0_axum::policy::acr(auth0_axum::policy::MFA)
                ],
            )
            .tool("report", auth0_axum::policy::permission("reports"))
            .tool("acme", auth0_axum::policy::organization("org_a1"))
            .tool(
                "either",
                auth0_axum::any_of![auth0_axum::policy::scope("a"), auth0_axum::policy::scope("b")],
            )
            .prompt("review", auth0_axum::policy::scope("mcp:review"))
            .resource_prefix("file:///secret/", auth0_axum::policy::scope("mcp:secret"))
            .max_body_bytes(super::LIMIT)
    };
}

/// Starts one server of each kind, each with its own verifier.
pub(crate) async fn start(verifier: impl Fn() -> Auth0) -> [(&'static str, SocketAddr); 3] {
    [
        ("axum", with_axum::start(verifier()).await),
        ("actix", with_actix::start(verifier())),
        ("tower", with_tower::start(verifier()).await),
    ]
}

/// What a server does with a body: it returns the body, the method and the name, as `serde_json` reads them.
fn run(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (method, name) = (text(&value["method"]), text(&value["params"]["name"]));
    format!("{method} {name}\n{}", String::from_utf8_lossy(body))
}

/// The session that a server answers with: a new one for `initialize`.
fn new_session(body: &[u8]) -> Option<&'static str> {
    run(body).starts_with("initialize ").then_some("4d1f")
}

mod with_axum {
    use super::{READ, new_session, run};
    use auth0_axum::{Auth0, AuthLayer, McpSessions, McpTools, metadata_routes, policy::scope};
    use axum::{
        Router,
        body::Bytes,
        response::{AppendHeaders, IntoResponse},
        routing::any,
    };
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    async fn mcp(body: Bytes) -> String {
        run(&body)
    }

    async fn session(body: Bytes) -> impl IntoResponse {
        let session = new_session(&body).map(|id| ("mcp-session-id", id));
        (AppendHeaders(session), run(&body))
    }

    pub(super) fn app(auth: &Auth0) -> Router {
        let protect = AuthLayer::new(auth.clone()).require(READ);
        let metadata = auth.resource_metadata().unwrap();
        let metadata = metadata.requirement(&READ).scopes(["offline_access"]).name("Acme \"MCP\"");
        let inner = Router::new().route("/inner", any(mcp)).layer(tools!(McpTools));
        let open = McpTools::new().tool("purge", scope("mcp:purge"));
        let mcp_routes = Router::new().route("/mcp", any(mcp)).layer(tools!(McpTools));
        let open = Router::new().route("/open", any(mcp)).layer(open);
        let sessions = Router::new().route("/sessions", any(session)).layer(McpSessions::default());
        Router::new()
            .merge(mcp_routes.merge(sessions).layer(protect.clone()))
            .nest("/nested", inner.layer(protect))
            .merge(open.layer(AuthLayer::new(auth.clone()).optional()))
            .merge(Router::new().route("/bare", any(mcp)).layer(tools!(McpTools)))
            .merge(metadata_routes(metadata))
    }

    pub(super) async fn start(auth: Auth0) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app(&auth)).await });
        address
    }
}

mod with_actix {
    use super::{READ, new_session, run};
    use actix_web::{App, HttpResponse, HttpServer, web};
    use auth0_actix::{
        Auth0, McpSessions, McpTools, RequireAuth, metadata_service, policy::scope, require,
    };
    use std::{net::SocketAddr, sync::mpsc, thread};

    async fn mcp(body: web::Bytes) -> String {
        run(&body)
    }

    async fn session(body: web::Bytes) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        if let Some(id) = new_session(&body) {
            response.insert_header(("mcp-session-id", id));
        }
        response.content_type("text/plain; charset=utf-8").body(run(&body))
    }

    pub(super) fn start(auth: Auth0) -> SocketAddr {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let sessions = McpSessions::default();
                let server = HttpServer::new(move || {
                    let metadata = auth.resource_metadata().unwrap();
                    let metadata =
                        metadata.requirement(&READ).scopes(["offline_access"]).name("Acme \"MCP\"");
                    let open = McpTools::new().tool("purge", scope("mcp:purge"));
                    let resource = |path: &str| web::resource(path.to_owned()).to(mcp);
                    App::new()
                        .app_data(auth.clone())
                        .service(metadata_service(metadata))
                        .service(resource("/mcp").wrap(tools!(McpTools)).wrap(require(READ)))
                        .service(
                            web::scope("/nested")
                                .wrap(tools!(McpTools))
                                .wrap(require(READ))
                                .service(resource("/inner")),
                        )
                        .service(resource("/open").wrap(open).wrap(RequireAuth::new().optional()))
                        .service(resource("/bare").wrap(tools!(McpTools)))
                        .service(
                            web::resource("/sessions")
                                .wrap(sessions.clone())
                                .wrap(require(READ))
                                .to(session),
                        )
                })
                .workers(1)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
                sender.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        receiver.recv().unwrap()
    }
}

mod with_tower {
    use super::{READ, new_session, run};
    use auth0_axum::{Auth0, AuthLayer, McpSessions, McpTools, policy::scope};
    use axum::{
        body::{Body, to_bytes},
        http::{HeaderValue, Request, Response, header::CONTENT_TYPE},
    };
    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto,
        service::TowerToHyperService,
    };
    use std::{convert::Infallible, net::SocketAddr};
    use tokio::net::TcpListener;
    use tower::{Layer, ServiceExt, service_fn};

    /// A plain service, without router and extractor.
    async fn mcp(request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let is_session = request.uri().path() == "/sessions";
        let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
        let mut response = Response::new(run(&body).into());
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if let Some(id) = new_session(&body).filter(|_| is_session) {
            response.headers_mut().insert("mcp-session-id", HeaderValue::from_static(id));
        }
        Ok(response)
    }

    async fn answer(
        auth: Auth0,
        sessions: McpSessions,
        request: Request<hyper::body::Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let protect = AuthLayer::new(auth.clone()).require(READ);
        let request = request.map(Body::new);
        let mcp = service_fn(mcp);
        let response = match request.uri().path() {
            "/mcp" | "/nested/inner" => {
                protect.layer(tools!(McpTools).layer(mcp)).oneshot(request).await?
            }
            "/open" => {
                let open = McpTools::new().tool("purge", scope("mcp:purge"));
                let protect = AuthLayer::new(auth.clone()).optional();
                protect.layer(open.layer(mcp)).oneshot(request).await?
            }
            "/bare" => return tools!(McpTools).layer(mcp).oneshot(request).await,
            "/sessions" => protect.layer(sessions.layer(mcp)).oneshot(request).await?,
            // The routes of the metadata are a service, too.
            _ => return super::with_axum::app(&auth).oneshot(request).await,
        };
        Ok(response.map(Body::new))
    }

    pub(super) async fn start(auth: Auth0) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sessions = McpSessions::default();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (auth, sessions) = (auth.clone(), sessions.clone());
                let service =
                    service_fn(move |request| answer(auth.clone(), sessions.clone(), request));
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let service = TowerToHyperService::new(service);
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        address
    }
}
