//! `VerifiedToken` belongs to code that does not depend on the framework. A handler takes `AccessToken`.
use actix_web::{App, web};
use auth0_actix::VerifiedToken;

async fn me(_: VerifiedToken) -> &'static str {
    "me"
}

fn main() {
    let _ = App::new().route("/me", web::get().to(me));
}
