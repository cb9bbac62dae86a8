//! The issuer that a token names is not verified: it cannot become the name of a trusted issuer.
use auth0_axum::{TrustedIssuer, resolver::ResolverContext};

fn trusted(request: &ResolverContext<'_>) -> TrustedIssuer {
    TrustedIssuer::new(request.issuer().to_string())
}

fn main() {}
