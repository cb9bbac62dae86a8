//! Shows a web application whose users log in with Auth0.
//!
//! ```sh
//! cargo run -p actix-login
//! ```
//!
//! It starts with a tenant and an API of its own, and prints the URL to open. For your own tenant, set `AUTH0_DOMAIN`,
//! `AUTH0_CLIENT_ID`, `AUTH0_CLIENT_SECRET` and `AUTH0_SECRET`, in the environment or in `.env`; `AUTH0_LOGIN_AUDIENCE` is the
//! API of the page `/invoices`. Sessions are in cookies, or with `SESSION_STORE=memory` or `REDIS_URL` in a store. It listens on
//! `HOST` (127.0.0.1) and `PORT` (3000); `APP_BASE_URL` is its URL behind a proxy.
use actix_web::{
    App, HttpResponse, HttpServer, get,
    web::{Data, Html},
};
use auth0_actix::{
    login::{self, LoginError, LoginMiddleware, MaybeUser, Profile, Session, Signed, User},
    policy::*,
};
use login_site::{Member, NoInvoices, Site};
use std::{error::Error, net::TcpListener};
use tracing_subscriber::EnvFilter;

policy!(WithFactor = amr("mfa"));
policy!(Admins = claim("https://acme.com/roles").contains("admin"));

/// What the pages show of a user.
fn member(user: &User) -> Member<'_> {
    let Profile { sub, name, email, picture, .. } = user.claims();
    Member { sub, name: name.as_deref(), email: email.as_deref(), picture: picture.as_deref() }
}

#[get("/")]
async fn home(MaybeUser(user): MaybeUser) -> Html {
    Html::new(login_site::home(user.as_ref().map(member)))
}

#[get("/me")]
async fn me(user: User) -> Html {
    Html::new(login_site::member(&member(&user)))
}

#[get("/admin")]
async fn admin(user: Signed<Admins>) -> Html {
    Html::new(login_site::admin(&member(&user)))
}

#[get("/security")]
async fn security(user: Signed<WithFactor>) -> Html {
    Html::new(login_site::security(&member(&user)))
}

#[get("/invoices")]
async fn invoices(
    user: User,
    session: Session,
    site: Data<Site>,
) -> Result<HttpResponse, LoginError> {
    let member = member(&user);
    let (mut response, page) = match site.invoices(&session).await {
        Ok(invoices) => (HttpResponse::Ok(), login_site::invoices(&member, &invoices)),
        Err(NoInvoices::Login(error)) => return Err(error.into()),
        Err(NoInvoices::WithoutApi) => {
            (HttpResponse::NotImplemented(), login_site::without_api(&member))
        }
        Err(NoInvoices::Api(cause)) => {
            eprintln!("the billing API: {cause}");
            (HttpResponse::BadGateway(), login_site::failure(&member))
        }
    };
    Ok(response.content_type("text/html; charset=utf-8").body(page))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let listener = TcpListener::bind(auth0_local::address()?)?;
    let site = login_site::site(listener.local_addr()?).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = move || {
        App::new()
            .app_data(Data::new(site.clone()))
            .wrap(LoginMiddleware::new(&site.login))
            .configure(login::routes(&site.login))
            .service(home)
            .service(me)
            .service(admin)
            .service(security)
            .service(invoices)
    };
    Ok(HttpServer::new(app).listen(listener)?.run().await?)
}
