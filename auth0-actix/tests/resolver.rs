//! Issuers that a resolver finds, by what a middleware may change.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use actix_web::{
    App,
    dev::Service,
    http::header::{HeaderName, HeaderValue},
    test::{TestRequest, call_service, init_service},
    web,
};
use auth0_actix::{
    AccessToken, RequireAuth, TrustedIssuer,
    resolver::{IssuerResolver, ResolverContext},
    testing::Tenant,
};
use std::error::Error;

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

#[actix_web::test]
async fn a_request_has_one_verdict_whether_its_token_was_seen_before_or_not() {
    let (acme, globex) = (Tenant::named("acme"), Tenant::named("globex"));
    let customers =
        Customers(vec![("acme", acme.issuer().into()), ("globex", globex.issuer().into())]);
    let auth = acme.builder_with([&globex]).issuer_resolver(customers).build().unwrap();
    let app = App::new()
        .app_data(auth)
        .wrap_fn(|mut request, next| {
            let customer = HeaderValue::from_static("globex");
            request.headers_mut().insert(HeaderName::from_static("x-customer"), customer);
            next.call(request)
        })
        .wrap(RequireAuth::new())
        .route("/", web::get().to(me));
    let app = init_service(app).await;
    let token = format!("Bearer {}", acme.token().mint());
    for _ in 0..3 {
        let request = TestRequest::with_uri("/").insert_header(("x-customer", "acme"));
        let request = request.insert_header(("authorization", &*token)).to_request();
        assert_eq!(call_service(&app, request).await.status(), 200);
    }
}
