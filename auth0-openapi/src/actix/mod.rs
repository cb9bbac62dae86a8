//! Guards and documents routes of actix-web, with [`utoipa_actix_web`].
mod documented;
mod protect;
mod routes;

#[doc(inline)]
pub use crate::__actix_routes as routes;
pub use documented::Documented;
pub use protect::Protect;
pub use routes::Routes;

#[doc(hidden)]
pub use pastey::paste;
