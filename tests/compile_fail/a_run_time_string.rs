//! `all_of!` makes a constant. What is only known at run time is put together with `and`.
use auth0_axum::policy::*;

fn main() {
    let region = std::env::args().next().unwrap_or_default();
    let _ = all_of![scope("read:reports"), Requirement::permission_named(region)];
}
