//! A type without `policy!` in a handler of actix-web.
use actix_web::{App, web};
use auth0_actix::Authorized;

struct ReadMessages;

async fn list(_: Authorized<ReadMessages>) -> &'static str {
    "messages"
}

fn main() {
    let _ = App::new().route("/messages", web::get().to(list));
}
