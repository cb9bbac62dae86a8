//! A tenant, and what the two servers request of it.
use auth0_axum::{
    Auth0, Dpop,
    client::{Caller, Client, Delegation, Error, Token},
};
use auth0_local::{Api, Client as Registered, ConnectedAccount, Factor, LocalTenant, User};
use std::time::Duration;

const SECRET: &str = "s3cret";
const DOWN: &str = "https://down.test";
const CIBA: &str = "urn:openid:params:grant-type:ciba";

/// A tenant with the client of the API, a client of another API, and a user with an account.
pub(crate) async fn tenant() -> LocalTenant {
    let shop = Registered::confidential("shop", SECRET).grant_types(["password", CIBA]);
    LocalTenant::builder()
        .user(
            User::new("auth0|ann").account(ConnectedAccount::new("google-oauth2", "ann@work.test")),
        )
        .user(User::new("auth0|bob").email("bob@acme.com").password("pa55").factor(Factor::push()))
        .api(Api::new(auth0_local::DEFAULT_AUDIENCE).scopes(["read:messages"]))
        .api(Api::new(DOWN).scopes(["read:a"]))
        .client(
            Registered::confidential("api", SECRET).resource_server(auth0_local::DEFAULT_AUDIENCE),
        )
        .client(shop)
        .start()
        .await
        .unwrap()
}

/// The verifier of a server.
pub(crate) fn verifier(tenant: &LocalTenant) -> Auth0 {
    Auth0::builder()
        .issuer(tenant.issuer())
        .audience(tenant.audience())
        .clock(tenant.tenant().clock().clone())
        .dpop(Dpop::allowed())
        .build()
        .unwrap()
}

/// What a handler can request, by the last segment of its path.
#[derive(Clone)]
pub(crate) struct Requests {
    api: Client,
    shop: Client,
    unknown: Client,
    down: Delegation,
}

impl Requests {
    /// Each server has clients of its own, as each test has: a refusal of the client is repeated from memory.
    pub(crate) fn new(tenant: &LocalTenant) -> Self {
        let client = |id: &str, secret: &str| {
            let builder = Client::builder().issuer(tenant.issuer()).client_id(id);
            builder.client_secret(secret).clock(tenant.tenant().clock().clone()).build().unwrap()
        };
        let api = client("api", SECRET);
        Self {
            down: api.delegation(DOWN).build().unwrap(),
            api,
            shop: client("shop", SECRET),
            unknown: client("api", "wrong"),
        }
    }

    /// Requests a token on behalf of a caller.
    pub(crate) async fn token(&self, name: &str, caller: Caller<'_>) -> Result<Token, Error> {
        match name {
            "down" => self.down.on_behalf_of(caller).await,
            "unknown-api" => {
                let other = self.api.delegation("https://unknown.test").build().unwrap();
                other.on_behalf_of(caller).await
            }
            "wrong-secret" => {
                self.unknown.delegation(DOWN).build().unwrap().on_behalf_of(caller).await
            }
            "late" => {
                let short = self.api.delegation(DOWN).deadline(Duration::from_millis(30));
                short.build().unwrap().on_behalf_of(caller).await
            }
            "account" => self.api.connection("google-oauth2").for_caller(caller).await,
            "no-account" => self.api.connection("github").for_caller(caller).await,
            "factor" => {
                let grant = self.shop.grant("password").parameter("username", "bob@acme.com");
                let tokens = grant.parameter("password", "pa55").send().await?;
                Ok(tokens.access_token())
            }
            "waiting" => {
                let mut pending = self.shop.backchannel("auth0|ann", "Log in").start().await?;
                Ok(pending.poll().await?.access_token())
            }
            "refused-401" => Err(self.down.on_behalf_of(caller).refused(401, None)),
            "refused-403" => Err(self.down.on_behalf_of(caller).refused(403, None)),
            "refused-429" => Err(self.down.on_behalf_of(caller).refused(429, Some("30"))),
            "refused-500" => Err(self.down.on_behalf_of(caller).refused(500, None)),
            "refused-400" => Err(self.down.on_behalf_of(caller).refused(400, None)),
            "service-401" => {
                let own = self.api.machine(DOWN).build().unwrap();
                Err(own.refused(401, None))
            }
            other => panic!("no request is {other}"),
        }
    }
}

/// Returns what a handler answers if it has a token.
pub(crate) fn page(token: &Token) -> String {
    format!("{} {}", token.is_dpop(), token.scopes().collect::<Vec<_>>().join(" "))
}
