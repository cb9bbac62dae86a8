//! Login for web applications: routes, a middleware with the session of each request, and extractors of the user.
//!
//! This is the crate [`auth0_login`], and what it needs of actix-web.
//!
//! ```
//! use actix_web::{App, HttpResponse, get, web::Html};
//! use auth0_actix::login::{self, Login, LoginError, LoginMiddleware, MaybeUser, Session, User};
//!
//! /// Everybody may see it.
//! #[get("/")]
//! async fn home(MaybeUser(user): MaybeUser) -> Html {
//!     Html::new(match user {
//!         Some(user) => format!("<a href=/auth/logout>Log out {}</a>", user.subject()),
//!         None => "<a href=/auth/login>Log in</a>".into(),
//!     })
//! }
//!
//! /// A browser without a session is sent to the login and comes back; a script gets 401.
//! #[get("/me")]
//! async fn me(user: User) -> String {
//!     user.claims().name.clone().unwrap_or_default()
//! }
//!
//! /// Calls an API on behalf of the user.
//! #[get("/invoices")]
//! async fn invoices(session: Session) -> Result<String, LoginError> {
//!     let token = session.access_token("https://billing.acme.com").scopes(["read:invoices"]).await?;
//!     Ok(format!("a token with {} scopes", token.scopes().count()))
//! }
//!
//! # fn app(login: Login) {
//! App::new()
//!     .wrap(LoginMiddleware::new(&login))
//!     .configure(login::routes(&login))
//!     .service(home)
//!     .service(me)
//!     .service(invoices)
//! # ; }
//! ```
mod extract;
mod middleware;
mod reply;
mod routes;

pub use auth0_login::{
    CompletedLogin, ConnectRequest, ConnectedAccount, Error, ErrorKind, InMemorySessionStore,
    Login, LoginBuilder, LoginOptions, LoginRejected, LogoutTarget, NewSession, Profile, Reply,
    SessionKey, SessionStore, SessionStoreError, Site, SiteResolver, StoredSession, TokenRequest,
    Updated,
};
pub use extract::{MaybeUser, Session, Signed, User};
pub use middleware::{LoginMiddleware, LoginMiddlewareService, MiddlewareError};
pub use reply::{LoginError, LoginReply};
pub use routes::routes;
