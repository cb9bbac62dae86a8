//! Issuers that a resolver finds, by what a middleware may change.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use auth0_axum::{
    AccessToken, AuthLayer, TrustedIssuer,
    resolver::{IssuerResolver, ResolverContext},
    testing::Tenant,
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::HeaderValue,
    middleware::{Next, from_fn},
    response::Response,
    routing::get,
};
use std::error::Error;
use tower::ServiceExt;

/// Customers and their issuers, by the field `X-Customer`.
struct Customers(Vec<(&'static str, String)>);

impl IssuerResolver for Customers {
    type Key = String;

    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        Some(request.header("x-customer")?.to_owned())
    }

    async fn resolve(
        &self,
        customer: String,
    ) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        let found = self.0.iter().filter(|(name, _)| *name == customer);
        Ok(found.map(|(_, issuer)| TrustedIssuer::new(issuer)).collect())
    }
}

async fn me(token: AccessToken) -> String {
    token.issuer().to_owned()
}

async fn rewrite(mut request: Request, next: Next) -> Response {
    request.headers_mut().insert("x-customer", HeaderValue::from_static("globex"));
    next.run(request).await
}

#[tokio::test]
async fn a_request_has_one_verdict_whether_its_token_was_seen_before_or_not() {
    let (acme, globex) = (Tenant::named("acme"), Tenant::named("globex"));
    let customers =
        Customers(vec![("acme", acme.issuer().into()), ("globex", globex.issuer().into())]);
    let auth = acme.builder_with([&globex]).issuer_resolver(customers).build().unwrap();
    let app = Router::new()
        .route("/", get(me))
        .layer(from_fn(rewrite))
        .layer(AuthLayer::new(auth.clone()))
        .with_state(auth);
    let token = format!("Bearer {}", acme.token().mint());
    for _ in 0..3 {
        let request = Request::get("/").header("x-customer", "acme");
        let request = request.header("authorization", &token).body(Body::empty()).unwrap();
        assert_eq!(app.clone().oneshot(request).await.unwrap().status(), 200);
    }
}
