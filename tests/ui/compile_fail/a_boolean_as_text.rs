//! `equals` compares text. The compiler shows its signature, and the documentation names the other two.
use auth0_axum::policy::*;

fn main() {
    policy!(Verified = claim("email_verified").equals(true));
}
