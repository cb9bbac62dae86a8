//! Whom a token says that it is of, nobody has verified: it cannot become the name of an issuer that is trusted.
use auth0_axum::{ResolverContext, TrustedIssuer};

fn trusted(request: &ResolverContext<'_>) -> TrustedIssuer {
    TrustedIssuer::new(request.issuer().to_string())
}

fn main() {}
