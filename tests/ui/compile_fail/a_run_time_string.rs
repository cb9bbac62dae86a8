//! `all_of!` makes a constant. Requirements that are known at run time are joined with `and`.
use auth0_axum::policy::*;

fn main() {
    let region = std::env::args().next().unwrap_or_default();
    let _ = all_of![scope("read:reports"), Requirement::permission_named(region)];
}
