//! `equals` compares text. The compiler shows its signature, and behind it the names of the others.
use auth0_axum::policy::*;

fn main() {
    policy!(Verified = claim("email_verified").equals(true));
}
