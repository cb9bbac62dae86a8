//! The client of these tests, and what it expects.
use auth0_axum::{
    Auth0, Dpop,
    testing::{ProofBuilder, Tenant},
};
use std::net::SocketAddr;
use wire_tests::{
    client::{Answer, get},
    refusals::Refusal,
    servers,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Allowed,
    Required,
    Disabled,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Allowed, Self::Required, Self::Disabled];

    pub(crate) fn settings(self) -> Dpop {
        match self {
            Self::Allowed => Dpop::allowed(),
            Self::Required => Dpop::required(),
            Self::Disabled => Dpop::disabled(),
        }
    }

    pub(crate) fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Allowed => &["Bearer", "DPoP"],
            Self::Required => &["DPoP"],
            Self::Disabled => &["Bearer"],
        }
    }
}

/// A client of one server, with a token that is bound to its key.
pub(crate) struct Client {
    pub(crate) tenant: Tenant,
    pub(crate) server: SocketAddr,
    pub(crate) token: String,
}

impl Client {
    fn new(tenant: &Tenant, server: SocketAddr) -> Self {
        let token = tenant.token().subject("auth0|ann").bound_to(&tenant.client_key()).mint();
        Self { tenant: tenant.clone(), server, token }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    pub(crate) fn proof(&self) -> ProofBuilder {
        self.proof_for("/token")
    }

    pub(crate) fn proof_for(&self, path: &str) -> ProofBuilder {
        self.tenant.proof("GET", &self.url(path)).for_token(&self.token)
    }

    pub(crate) async fn ask(&self, path: &str, scheme: &str, proofs: &[&[u8]]) -> Answer {
        self.ask_with(path, &format!("{scheme} {}", self.token), proofs).await
    }

    pub(crate) async fn ask_with(
        &self,
        path: &str,
        authorization: &str,
        proofs: &[&[u8]],
    ) -> Answer {
        let mut lines = vec![("authorization", authorization.as_bytes())];
        lines.extend(proofs.iter().map(|proof| ("dpop", *proof)));
        get(self.server, path, &lines).await
    }
}

/// Starts the servers, with a client for each.
pub(crate) async fn start(tenant: &Tenant, dpop: Dpop) -> [(&'static str, Client); 3] {
    let auth = || -> Auth0 { tenant.builder().dpop(dpop.clone()).build().unwrap() };
    servers::start(auth).await.map(|(name, server)| (name, Client::new(tenant, server)))
}

pub(crate) fn minted(proof: ProofBuilder) -> Vec<u8> {
    proof.mint().into_bytes()
}

/// Returns the JSON of a part of a token or proof.
pub(crate) fn decoded(part: &str) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Checks every byte of a refusal. `used` is the scheme of the request, `parameters` is what the challenge
/// has besides the standard ones.
pub(crate) fn check(
    case: &str,
    answer: &Answer,
    mode: Mode,
    used: &str,
    code: &str,
    parameters: &str,
) {
    let refusal = Refusal::of(code);
    let status = refusal.status;
    assert_eq!((answer.status, &*answer.body), (status, &*refusal.body()), "{case}: {answer:?}");
    let line = |scheme: &&str| {
        let mut all = Vec::new();
        if let Some(standard) = refusal.parameters().filter(|_| *scheme == used) {
            all.push(format!("{standard}{parameters}"));
        }
        if *scheme == "DPoP" {
            all.push("algs=\"ES256\"".to_owned());
        }
        format!("{scheme} {}", all.join(", ")).trim_end().to_owned()
    };
    let lines: Vec<String> = match status {
        503 => Vec::new(),
        _ => mode.schemes().iter().map(line).collect(),
    };
    assert_eq!(answer.lines("www-authenticate"), lines, "{case}");
    assert_eq!(answer.lines("cache-control"), ["no-store"], "{case}");
    assert_eq!(answer.lines("retry-after").len(), usize::from(status == 503), "{case}");
}
