//! Shows a web application whose users log in with Auth0.
//!
//! ```sh
//! cargo run -p axum-login
//! ```
//!
//! It starts with a tenant and an API of its own, and prints the URL to open. For your own tenant, set `AUTH0_DOMAIN`,
//! `AUTH0_CLIENT_ID`, `AUTH0_CLIENT_SECRET` and `AUTH0_SECRET`, in the environment or in `.env`; `AUTH0_LOGIN_AUDIENCE` is the
//! API of the page `/invoices`. Sessions are in cookies, or with `SESSION_STORE=memory` or `REDIS_URL` in a store. It listens on
//! `HOST` (127.0.0.1) and `PORT` (3000); `APP_BASE_URL` is its URL behind a proxy.
use auth0_axum::{
    login::{self, LoginError, LoginLayer, Profile, Session, Signed, User},
    policy::*,
};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use login_site::{Member, NoInvoices, Site};
use std::error::Error;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

policy!(WithFactor = amr("mfa"));
policy!(Admins = claim("https://acme.com/roles").contains("admin"));

/// What the pages show of a user.
fn member(user: &User) -> Member<'_> {
    let Profile { sub, name, email, picture, .. } = user.claims();
    Member { sub, name: name.as_deref(), email: email.as_deref(), picture: picture.as_deref() }
}

async fn home(user: Option<User>) -> Html<String> {
    Html(login_site::home(user.as_ref().map(member)))
}

async fn me(user: User) -> Html<String> {
    Html(login_site::member(&member(&user)))
}

async fn admin(user: Signed<Admins>) -> Html<String> {
    Html(login_site::admin(&member(&user)))
}

async fn security(user: Signed<WithFactor>) -> Html<String> {
    Html(login_site::security(&member(&user)))
}

async fn invoices(
    user: User,
    session: Session,
    State(site): State<Site>,
) -> Result<Response, LoginError> {
    let member = member(&user);
    Ok(match site.invoices(&session).await {
        Ok(invoices) => Html(login_site::invoices(&member, &invoices)).into_response(),
        Err(NoInvoices::Login(error)) => return Err(error.into()),
        Err(NoInvoices::WithoutApi) => {
            (StatusCode::NOT_IMPLEMENTED, Html(login_site::without_api(&member))).into_response()
        }
        Err(NoInvoices::Api(cause)) => {
            eprintln!("the billing API: {cause}");
            (StatusCode::BAD_GATEWAY, Html(login_site::failure(&member))).into_response()
        }
    })
}

fn app(site: Site) -> Router {
    let login = site.login.clone();
    Router::new()
        .route("/", get(home))
        .route("/me", get(me))
        .route("/invoices", get(invoices))
        .route("/admin", get(admin))
        .route("/security", get(security))
        .merge(login::routes(&login))
        .layer(LoginLayer::new(&login))
        .with_state(site)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let site = login_site::site(listener.local_addr()?).await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app(site)).await?)
}
