//! JWTs that clients sign.
use auth0_core::{Algorithm, time::Clock};
use auth0_local::LocalTenant;
use auth0_testing::SigningKey;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// Two keys, because the generation of RSA keys is slow.
pub(crate) static KEYS: LazyLock<[SigningKey; 2]> =
    LazyLock::new(|| [(); 2].map(|()| SigningKey::generate(Algorithm::RS256).unwrap()));

pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A JWT of a client, of which a test changes some parts.
#[derive(Clone)]
pub(crate) struct Jwt {
    key: SigningKey,
    algorithm: Algorithm,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

pub(crate) fn now(tenant: &LocalTenant) -> u64 {
    tenant.tenant().clock().unix_time().as_secs()
}

/// Returns a text that differs each time.
pub(crate) fn unique() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("jti-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

impl Jwt {
    /// A good assertion of this client.
    pub(crate) fn assertion(tenant: &LocalTenant, client: &str) -> Self {
        let (now, jti) = (now(tenant), unique());
        let claims = json!({
            "iss": client, "sub": client, "aud": tenant.issuer(), "jti": jti, "iat": now, "exp": now + 60,
        });
        Self {
            key: KEYS[0].clone(),
            algorithm: Algorithm::RS256,
            header: Map::new(),
            claims: claims.as_object().unwrap().clone(),
        }
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.claims.remove(name).unwrap();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.into(), value.into());
        self
    }

    pub(crate) fn key(self, key: &SigningKey) -> Self {
        Self { key: key.clone(), ..self }
    }

    pub(crate) fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    pub(crate) fn signed(&self, tenant: &LocalTenant) -> String {
        let payload = Value::Object(self.claims.clone()).to_string();
        let token = tenant.token().signed_by(&self.key).without_header("kid").raw_payload(payload);
        let token = token.algorithm(self.algorithm);
        self.header.iter().fold(token, |token, (name, value)| token.header(name, value)).mint()
    }
}
