//! The same application in both frameworks.
use actix_web::{
    App, HttpMessage, HttpRequest, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    error::InternalError,
    middleware::Next,
    web as actix,
};
use auth0_actix::login::{LoginMiddleware, MaybeUser};
use auth0_axum::{
    login::{self, Login, LoginError, LoginLayer, LoginReply, Session, Signed, User},
    policy::*,
};
use axum::{
    Router,
    body::Bytes,
    extract::{FromRequestParts, Query},
    response::IntoResponse,
    routing::{get, post},
};
use std::{collections::HashMap, net::SocketAddr, sync::mpsc, thread};
use tokio::net::TcpListener;

policy!(pub Admins = claim("https://acme.com/roles").contains("admin"));
policy!(pub OfOrganization = organization_in_path("org"));
policy!(pub WithFactor = amr("mfa"));
policy!(pub Recent = max_age(300));

type Parameters = HashMap<String, String>;

/// Does what a request asks of the session.
async fn use_session(
    session: &auth0_login::Session,
    asked: Parameters,
) -> Result<String, auth0_login::Error> {
    let asked_for = |name: &str| asked.get(name).cloned();
    if let Some(size) = asked_for("size") {
        let data = "x".repeat(size.parse().unwrap());
        session.set_data("data", Some(&data)).await?;
    }
    if let Some(connection) = asked_for("vault") {
        return Ok(session.connection_token(connection).await?.encoded().to_owned());
    }
    if asked_for("accounts").is_some() {
        let accounts = session.connected_accounts().await?;
        let names = accounts.iter().map(|account| format!("{} {}", account.id, account.connection));
        return Ok(names.collect::<Vec<_>>().join(", "));
    }
    if asked_for("disconnect").is_some() {
        let accounts = session.connected_accounts().await?;
        session.disconnect_account(&accounts[0]).await?;
        return Ok("disconnected".to_owned());
    }
    if let Some(audience) = asked_for("audience") {
        let scopes = asked_for("scope").unwrap_or_default();
        let token = session.access_token(audience).scopes(scopes.split(' ')).await?;
        return Ok(token.encoded().to_owned());
    }
    let data: Option<String> = session.data("data").await?;
    Ok(data.unwrap_or_default().len().to_string())
}

/// Middleware of an application that reads the session of some requests, also of the routes of the login, and refuses some.
async fn read_first(
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> axum::response::Response {
    let (mut parts, body) = request.into_parts();
    if parts.headers.contains_key("x-read-first") {
        let session = Session::from_request_parts(&mut parts, &()).await.unwrap();
        let _ = session.user().await;
    }
    if parts.headers.contains_key("x-refused") {
        return (http::StatusCode::IM_A_TEAPOT, "refused").into_response();
    }
    next.run(axum::extract::Request::from_parts(parts, body)).await
}

pub(crate) async fn axum(login: &Login) -> SocketAddr {
    async fn home(user: Option<User>) -> String {
        user.map_or("nobody".into(), |user| user.subject().to_owned())
    }
    async fn me(user: User) -> String {
        user.claims().name.clone().unwrap_or_default()
    }
    async fn session(
        session: Session,
        Query(asked): Query<Parameters>,
    ) -> Result<String, LoginError> {
        Ok(use_session(&session, asked).await?)
    }
    async fn connect(session: Session) -> Result<LoginReply, LoginError> {
        let request = session.connect_account("github").scopes(["repo"]);
        Ok(LoginReply(request.return_to("/accounts").await?))
    }
    async fn cached(_: User) -> impl IntoResponse {
        ([("cache-control", "public, max-age=60")], "cached")
    }
    async fn form(user: User, body: Bytes) -> String {
        format!("{} {}", user.subject(), body.len())
    }
    async fn admin(user: Signed<Admins>) -> String {
        user.subject().to_owned()
    }
    async fn of_organization(user: Signed<OfOrganization>) -> String {
        user.subject().to_owned()
    }
    async fn with_factor(user: Signed<WithFactor>) -> String {
        user.subject().to_owned()
    }
    async fn recent(user: Signed<Recent>) -> String {
        user.subject().to_owned()
    }
    let app: Router = Router::new()
        .route("/", get(home))
        .route("/me", get(me))
        .route("/session", get(session))
        .route("/connect", get(connect))
        .route("/cached", get(cached))
        .route("/form", post(form))
        .route("/admin", get(admin))
        .route("/orgs/{org}", get(of_organization))
        .route("/factor", get(with_factor))
        .route("/recent", get(recent))
        .route("/plain", get(|| async { "plain" }))
        .nest(
            "/admins",
            Router::new()
                .route("/users", get(|| async { "users" }))
                .layer(axum::middleware::from_extractor::<Signed<Admins>>()),
        )
        .merge(login::routes(login))
        .layer(axum::middleware::from_fn(read_first))
        .layer(LoginLayer::new(login));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

pub(crate) fn actix(login: &Login) -> SocketAddr {
    type ActixUser = auth0_actix::login::User;
    type ActixSigned<P> = auth0_actix::login::Signed<P>;
    async fn home(MaybeUser(user): MaybeUser) -> String {
        user.map_or("nobody".into(), |user| user.subject().to_owned())
    }
    async fn me(user: ActixUser) -> String {
        user.claims().name.clone().unwrap_or_default()
    }
    async fn session(
        session: auth0_actix::login::Session,
        request: HttpRequest,
    ) -> Result<String, auth0_actix::login::LoginError> {
        let asked = crate::provider::parse(request.query_string());
        Ok(use_session(&session, asked).await?)
    }
    async fn connect(
        session: auth0_actix::login::Session,
    ) -> Result<auth0_actix::login::LoginReply, auth0_actix::login::LoginError> {
        let request = session.connect_account("github").scopes(["repo"]);
        Ok(auth0_actix::login::LoginReply(request.return_to("/accounts").await?))
    }
    async fn cached(_: ActixUser) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header(("cache-control", "public, max-age=60"))
            .insert_header(("content-type", "text/plain; charset=utf-8"))
            .body("cached")
    }
    async fn form(user: ActixUser, body: actix::Bytes) -> String {
        format!("{} {}", user.subject(), body.len())
    }
    async fn admin(user: ActixSigned<Admins>) -> String {
        user.subject().to_owned()
    }
    async fn of_organization(user: ActixSigned<OfOrganization>) -> String {
        user.subject().to_owned()
    }
    async fn with_factor(user: ActixSigned<WithFactor>) -> String {
        user.subject().to_owned()
    }
    async fn recent(user: ActixSigned<Recent>) -> String {
        user.subject().to_owned()
    }
    async fn admins_only<B: MessageBody>(
        _: ActixSigned<Admins>,
        request: ServiceRequest,
        next: Next<B>,
    ) -> Result<ServiceResponse<B>, actix_web::Error> {
        next.call(request).await
    }
    let (sender, receiver) = mpsc::channel();
    let login = login.clone();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .wrap_fn(|request, service| {
                        let session =
                            request.extensions().get::<auth0_actix::login::Session>().cloned();
                        let reads = request.headers().contains_key("x-read-first");
                        let is_refused = request.headers().contains_key("x-refused");
                        let answer = service.call(request);
                        async move {
                            if let (true, Some(session)) = (reads, session) {
                                let _ = session.user().await;
                            }
                            if is_refused {
                                let refusal = HttpResponse::ImATeapot()
                                    .content_type("text/plain; charset=utf-8")
                                    .body("refused");
                                return Err(InternalError::from_response("refused", refusal).into());
                            }
                            answer.await
                        }
                    })
                    .wrap(LoginMiddleware::new(&login))
                    .configure(auth0_actix::login::routes(&login))
                    .route("/", actix::get().to(home))
                    .route("/me", actix::get().to(me))
                    .route("/session", actix::get().to(session))
                    .route("/connect", actix::get().to(connect))
                    .route("/cached", actix::get().to(cached))
                    .route("/form", actix::post().to(form))
                    .route("/admin", actix::get().to(admin))
                    .route("/orgs/{org}", actix::get().to(of_organization))
                    .route("/factor", actix::get().to(with_factor))
                    .route("/recent", actix::get().to(recent))
                    .route("/plain", actix::get().to(async || "plain"))
                    .service(
                        actix::scope("/admins")
                            .wrap(actix_web::middleware::from_fn(admins_only))
                            .route("/users", actix::get().to(async || "users")),
                    )
            };
            let server = HttpServer::new(app).workers(2).disable_signals();
            let server = server.bind("127.0.0.1:0").unwrap();
            sender.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    receiver.recv().unwrap()
}
