//! The same routes twice: `/plain/{name}` with `AccessToken`, `/policy/{name}` with `Authorized`.
use crate::world::{Requests, page};
use auth0_axum::{Auth0, policy::*};
use std::net::SocketAddr;

policy!(Reader = scope("read:messages"));

/// Starts one server of each kind.
pub(crate) async fn start(
    verifier: impl Fn() -> Auth0,
    requests: impl Fn() -> Requests,
) -> [(&'static str, SocketAddr); 2] {
    [
        ("axum", with_axum::start(verifier(), requests()).await),
        ("actix", with_actix::start(verifier(), requests())),
    ]
}

mod with_axum {
    use super::{Reader, Requests, page};
    use auth0_axum::{
        AccessToken, Auth0, Authorized,
        client::{CallError, Error},
    };
    use axum::{
        Router,
        extract::{FromRef, Path, State},
        http::HeaderValue,
        middleware::{Next, from_fn},
        response::Response,
        routing::get,
    };
    use std::net::SocketAddr;
    use tokio::net::TcpListener;

    #[derive(Clone)]
    struct App {
        auth: Auth0,
        requests: Requests,
    }

    impl FromRef<App> for Auth0 {
        fn from_ref(app: &App) -> Self {
            app.auth.clone()
        }
    }

    impl FromRef<App> for Requests {
        fn from_ref(app: &App) -> Self {
            app.requests.clone()
        }
    }

    async fn plain(
        caller: AccessToken,
        Path(name): Path<String>,
        State(requests): State<Requests>,
    ) -> Result<String, CallError> {
        let token = requests.token(&name, (&caller).into()).await?;
        Ok(page(&token))
    }

    async fn policy(
        caller: Authorized<Reader>,
        Path(name): Path<String>,
        State(requests): State<Requests>,
    ) -> Result<String, CallError> {
        let token = requests.token(&name, (&caller).into()).await?;
        Ok(page(&token))
    }

    /// Shows that the error is in the extensions.
    async fn counted(request: axum::extract::Request, next: Next) -> Response {
        let mut response = next.run(request).await;
        let kind = response.extensions().get::<Error>().map(|error| format!("{:?}", error.kind()));
        if let Some(kind) = kind {
            response.headers_mut().insert("x-kind", HeaderValue::try_from(kind).unwrap());
        }
        response
    }

    pub(super) async fn start(auth: Auth0, requests: Requests) -> SocketAddr {
        let app = Router::new()
            .route("/plain/{name}", get(plain))
            .route("/policy/{name}", get(policy))
            .layer(from_fn(counted))
            .with_state(App { auth, requests });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        address
    }
}

mod with_actix {
    use super::{Reader, Requests, page};
    use actix_web::{
        App, Error as ActixError, HttpServer,
        body::MessageBody,
        dev::{ServiceRequest, ServiceResponse},
        http::header::{HeaderName, HeaderValue},
        middleware::{Next, from_fn},
        web,
    };
    use auth0_actix::{
        AccessToken, Auth0, Authorized,
        client::{CallError, Error},
    };
    use std::{net::SocketAddr, sync::mpsc, thread};

    async fn plain(
        caller: AccessToken,
        name: web::Path<String>,
        requests: web::Data<Requests>,
    ) -> Result<String, CallError> {
        let token = requests.token(&name, (&caller).into()).await?;
        Ok(page(&token))
    }

    async fn policy(
        caller: Authorized<Reader>,
        name: web::Path<String>,
        requests: web::Data<Requests>,
    ) -> Result<String, CallError> {
        let token = requests.token(&name, (&caller).into()).await?;
        Ok(page(&token))
    }

    /// Shows that the error is in the extensions.
    async fn counted(
        request: ServiceRequest,
        next: Next<impl MessageBody>,
    ) -> Result<ServiceResponse<impl MessageBody>, ActixError> {
        let mut response = next.call(request).await?;
        let of = |error: &Error| format!("{:?}", error.kind());
        let kind = response.response().extensions().get::<Error>().map(of);
        if let Some(kind) = kind {
            let name = HeaderName::from_static("x-kind");
            response.headers_mut().insert(name, HeaderValue::try_from(kind).unwrap());
        }
        Ok(response)
    }

    /// actix runs on its own runtime and threads.
    pub(super) fn start(auth: Auth0, requests: Requests) -> SocketAddr {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(auth.clone())
                        .app_data(web::Data::new(requests.clone()))
                        .wrap(from_fn(counted))
                        .route("/plain/{name}", web::get().to(plain))
                        .route("/policy/{name}", web::get().to(policy))
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
