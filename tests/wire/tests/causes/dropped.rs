//! A handler that runs although its token was refused is reported, and correct ones are not.
use super::log::{Line, Log};
use auth0_axum::testing::Tenant;
use std::net::SocketAddr;
use tracing::Level;
use wire_tests::client::get;

mod with_axum {
    use auth0_axum::{AccessToken, Auth0, AuthRejection};
    use axum::{Router, routing::get};
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    async fn dropped(token: Result<AccessToken, AuthRejection>) -> &'static str {
        if token.is_ok() { "token" } else { "ran" }
    }
    async fn read(token: Result<AccessToken, AuthRejection>) -> String {
        token.map_or_else(|refusal| refusal.error().code().to_string(), |_| "token".to_owned())
    }
    async fn returned(token: Result<AccessToken, AuthRejection>) -> Result<String, AuthRejection> {
        Ok(token?.subject().to_owned())
    }
    async fn maybe(token: Option<AccessToken>) -> &'static str {
        if token.is_some() { "token" } else { "anonymous" }
    }

    pub(super) async fn start(auth: Auth0) -> SocketAddr {
        let app = Router::new()
            .route("/dropped", get(dropped))
            .route("/read", get(read))
            .route("/returned", get(returned))
            .route("/maybe", get(maybe))
            .with_state(auth);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }
}

mod with_actix {
    use actix_web::{App, HttpServer, web};
    use auth0_actix::{AccessToken, Auth0, AuthError, MaybeAccessToken, Organization};
    use std::{net::SocketAddr, sync::mpsc, thread};

    async fn dropped(token: Option<AccessToken>) -> &'static str {
        if token.is_some() { "token" } else { "ran" }
    }
    async fn read(token: Result<AccessToken, AuthError>) -> String {
        token.map_or_else(|refusal| refusal.error().code().to_string(), |_| "token".to_owned())
    }
    async fn returned(token: Result<AccessToken, AuthError>) -> Result<String, AuthError> {
        Ok(token?.subject().to_owned())
    }
    async fn maybe(MaybeAccessToken(token): MaybeAccessToken) -> &'static str {
        if token.is_some() { "token" } else { "anonymous" }
    }
    /// The second extractor is dropped with its refusal, after the first has refused.
    async fn two(_: AccessToken, _: Organization) -> &'static str {
        "token"
    }

    pub(super) fn start(auth: Auth0) -> SocketAddr {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(auth.clone())
                        .route("/dropped", web::get().to(dropped))
                        .route("/read", web::get().to(read))
                        .route("/returned", web::get().to(returned))
                        .route("/maybe", web::get().to(maybe))
                        .route("/two", web::get().to(two))
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

async fn warnings(log: &Log, server: SocketAddr, path: &str, token: Option<&str>) -> Vec<Line> {
    log.take();
    let line = token.map(|token| format!("Bearer {token}"));
    let lines: Vec<_> = line.iter().map(|line| ("authorization", line.as_bytes())).collect();
    get(server, path, &lines).await;
    log.take().into_iter().filter(|line| line.level <= Level::WARN).collect()
}

#[tokio::test]
async fn a_handler_that_runs_without_its_token_is_reported() {
    let log = Log::listen().await;
    let tenant = Tenant::new();
    let forged = tenant.token().header("alg", "HS256").mint();
    let good = tenant.token().mint();
    for (server, advice) in [
        (with_axum::start(tenant.auth0()).await, "Option<AccessToken>"),
        (with_actix::start(tenant.auth0()), "MaybeAccessToken"),
    ] {
        let lines = warnings(&log, server, "/dropped", Some(&forged)).await;
        let [line] = &*lines else { panic!("{advice}: {lines:?}") };
        assert!(line.get("message").contains("a handler ran although its token was refused"));
        assert!(line.get("message").contains(advice), "{line:?}");
        assert_eq!(line.get("error_code"), "algorithm_unsupported");
        assert_eq!((line.get("method"), line.get("path")), ("GET", "/dropped"));
        for (path, token) in [
            ("/dropped", None),
            ("/dropped", Some(&good)),
            ("/read", Some(&forged)),
            ("/returned", Some(&forged)),
            ("/maybe", Some(&forged)),
            ("/maybe", None),
            ("/two", Some(&forged)),
        ] {
            let lines = warnings(&log, server, path, token.map(|token| &**token)).await;
            assert!(lines.is_empty(), "{advice} {path}: {lines:?}");
        }
    }
}

#[tokio::test]
async fn each_mistake_of_an_actix_application_is_reported() {
    use actix_web::{App, HttpResponse, test, web, web::Data};
    use auth0_actix::AccessToken;
    use std::sync::Arc;

    async fn me(_: AccessToken) -> HttpResponse {
        HttpResponse::Ok().finish()
    }
    async fn status<T: Clone + 'static>(data: T) -> u16 {
        let app = App::new().app_data(data).route("/me", web::get().to(me));
        let app = test::init_service(app).await;
        test::call_service(&app, test::TestRequest::get().uri("/me").to_request())
            .await
            .status()
            .as_u16()
    }
    let log = Log::listen().await;
    let auth = Tenant::new().auth0();
    log.take();
    assert_eq!(status(0).await, 500);
    assert_eq!(status(Arc::new(auth.clone())).await, 500);
    assert_eq!(status(Data::new(Arc::new(auth.clone()))).await, 500);
    assert_eq!(status(Data::from(Arc::new(auth.clone()))).await, 401);
    let errors: Vec<_> = log.take().into_iter().filter(|line| line.level == Level::ERROR).collect();
    let [none, pointer] = &*errors else { panic!("one for each cause: {errors:?}") };
    assert!(none.get("message").contains("no verifier is registered"), "{none:?}");
    assert!(pointer.get("message").contains("without the Arc"), "{pointer:?}");
}
