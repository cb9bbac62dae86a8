//! The URL that a request was sent to, behind proxies. Proofs show which URL a verifier takes it for.
mod forwarded;
mod properties;
mod public_url;

use crate::common::{Request, runtime};
use auth0_core::{Auth0, Builder, ErrorCode, adapter::Connection};
use auth0_testing::Tenant;
use tokio::runtime::Runtime;

const PROXY: &str = "10.0.0.7";
const CLIENT: &str = "203.0.113.9";

/// Returns a request for `http://api.test/me`, over plain HTTP from this peer.
fn from(peer: &str) -> Request {
    let connection = Connection::new().tls(false);
    Request::to("api.test").connection(connection).from(peer)
}

/// A verifier, and a client with a token that is bound to its key.
struct Kit {
    runtime: Runtime,
    tenant: Tenant,
    auth: Auth0,
    token: String,
}

impl Kit {
    fn new(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let runtime = runtime();
        let tenant = Tenant::new();
        let auth = configure(tenant.builder()).build().unwrap();
        let token = tenant.token().bound_to(&tenant.client_key()).mint();
        Self { runtime, tenant, auth, token }
    }

    fn behind_a_proxy() -> Self {
        Self::new(|builder| builder.trusted_proxies([PROXY]))
    }

    /// Returns whether a proof for this URL is accepted with the request.
    fn is_url(&self, request: &Request, url: &str) -> bool {
        let proof = self.tenant.proof("GET", url).for_token(&self.token).mint();
        let request = request.clone().authorized("DPoP", &self.token).with("dpop", proof);
        match self.runtime.block_on(request.authenticate(&self.auth)) {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::DpopProofInvalid => false,
            Err(error) => panic!("{url}: {error:?}"),
        }
    }

    /// Returns the candidate that the verifier takes for the URL of the request.
    fn url_of(&self, request: &Request) -> Option<&'static str> {
        let mut urls = CANDIDATES.into_iter().filter(|url| self.is_url(request, url));
        let url = urls.next();
        assert_eq!(urls.next(), None, "it has one URL");
        url
    }
}

const CANDIDATES: [&str; 9] = [
    "http://api.test/me",
    "https://api.test/me",
    "http://public.test/me",
    "https://public.test/me",
    "https://public.test:8443/me",
    "https://[2001:db8::1]:8443/me",
    "http://evil.test/me",
    "https://evil.test/me",
    "https://public.test/api/me",
];

const FORWARDED: &str = "forwarded";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";
