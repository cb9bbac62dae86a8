//! Login for web applications: routes, a layer with the session of each request, and extractors of the user.
//!
//! This is the crate [`auth0_login`], and what it needs of axum.
//!
//! ```
//! use auth0_axum::login::{self, Login, LoginError, LoginLayer, Profile, Session, User};
//! use axum::{Router, response::Html, routing::get};
//!
//! /// Everybody may see it.
//! async fn home(user: Option<User>) -> Html<String> {
//!     Html(match user {
//!         Some(user) => format!("<a href=/auth/logout>Log out {}</a>", user.subject()),
//!         None => "<a href=/auth/login>Log in</a>".into(),
//!     })
//! }
//!
//! /// A browser without a session is sent to the login and comes back; a script gets 401.
//! async fn me(user: User<Profile>) -> String {
//!     user.claims().name.clone().unwrap_or_default()
//! }
//!
//! /// Calls an API on behalf of the user.
//! async fn invoices(session: Session) -> Result<String, LoginError> {
//!     let token = session.access_token("https://billing.acme.com").scopes(["read:invoices"]).await?;
//!     Ok(format!("a token with {} scopes", token.scopes().count()))
//! }
//!
//! fn app(login: &Login) -> Router {
//!     Router::new()
//!         .route("/", get(home))
//!         .route("/me", get(me))
//!         .route("/invoices", get(invoices))
//!         .merge(login::routes(login))
//!         .layer(LoginLayer::new(login))
//! }
//! # fn main() -> Result<(), auth0_axum::ConfigError> {
//! # let login = Login::builder().domain("acme.eu.auth0.com").client_id("web").client_secret("s")
//! #     .secret("0123456789abcdef0123456789abcdef").base_url("https://app.acme.com").build()?;
//! # let _ = app(&login);
//! # Ok(())
//! # }
//! ```
mod extract;
mod layer;
mod reply;
mod routes;

pub use auth0_login::{
    CompletedLogin, ConnectRequest, ConnectedAccount, Error, ErrorKind, InMemorySessionStore,
    Login, LoginBuilder, LoginOptions, LoginRejected, LogoutTarget, NewSession, Profile, Reply,
    SessionKey, SessionStore, SessionStoreError, Site, SiteResolver, StoredSession, TokenRequest,
    Updated,
};
pub use extract::{Session, Signed, User};
pub use layer::{LoginLayer, LoginService};
pub use reply::{LoginError, LoginReply};
pub use routes::routes;
