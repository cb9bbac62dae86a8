//! Several issuers: each has its own keys and rules, and none gets in the way of another.
mod bounds;
mod outage;
mod plain_http;
mod provider;
mod providers;
mod registry;
mod resolver;
mod rules;
mod spelling;

use auth0_core::resolver::{IssuerResolver, ResolverContext};
use auth0_core::{Algorithm, Auth0, Builder, Error, ErrorCode, TrustedIssuer};
use auth0_testing::{SigningKey, Tenant, TokenBuilder};

const API: &str = "https://api.acme.com";

/// Returns tenants with keys of their own, some under the same id.
fn tenants(count: usize) -> Vec<Tenant> {
    (0..count)
        .map(|number| {
            let tenant = Tenant::named(&format!("tenant-{number}"));
            let key = SigningKey::generate(Algorithm::ES256).unwrap();
            let id = tenant.signing_key().id().to_owned();
            tenant.add_key(if number % 2 == 0 { key.with_id("shared") } else { key });
            tenant.withdraw_key(&id).unwrap();
            tenant
        })
        .collect()
}

/// Returns a token for the API.
fn token(tenant: &Tenant) -> TokenBuilder {
    tenant.token().audience(API)
}

/// Returns a builder that reaches the tenants and trusts none.
fn builder(tenants: &[Tenant]) -> Builder {
    let builder = tenants[0].builder_with(&tenants[1..]).audience(API);
    builder.algorithms([Algorithm::RS256, Algorithm::ES256])
}

/// Returns a verifier that trusts all tenants.
fn all(tenants: &[Tenant]) -> Auth0 {
    let trusted = tenants.iter().map(|tenant| TrustedIssuer::new(tenant.issuer()));
    trusted.fold(builder(tenants), Builder::issuer).build().unwrap()
}

async fn code(auth: &Auth0, token: &TokenBuilder) -> ErrorCode {
    refusal(auth, token).await.code()
}

async fn refusal(auth: &Auth0, token: &TokenBuilder) -> Error {
    auth.verify(&token.mint()).await.expect_err("refused")
}

fn total_fetches(tenants: &[Tenant]) -> usize {
    tenants.iter().map(|tenant| tenant.fetches().metadata + tenant.fetches().key_set).sum()
}

/// A resolver that trusts one issuer for every request.
struct One(String);

impl IssuerResolver for One {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(
        &self,
        (): (),
    ) -> Result<Vec<TrustedIssuer>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(vec![TrustedIssuer::new(&*self.0)])
    }
}
