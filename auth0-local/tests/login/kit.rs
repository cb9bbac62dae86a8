//! A browser without pages, and a client.
use auth0_local::{Builder, Client, LocalTenant, Membership, User};
use auth0_testing::{ProofBuilder, SigningKey};
use reqwest::{RequestBuilder, Response, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock, time::UNIX_EPOCH};
use url::{Url, form_urlencoded::Serializer};

pub(crate) const CALLBACK: &str = "http://localhost:3000/callback";
pub(crate) const HOME: &str = "http://localhost:3000/";
/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const API: &str = "https://api.local.test";

/// Returns a tenant with two users, a web application and a single-page application.
pub(crate) fn acme() -> Builder {
    let acme = Membership::new("org_acme", "acme").permissions(["read:invoices"]);
    LocalTenant::builder()
        .user(User::new("auth0|ann").name("Ann").email("ann@acme.com").member_of(acme))
        .user(User::new("auth0|bob").name("Bob").scopes(["read:messages"]))
        .client(Client::confidential("web", "s3cret").callback(CALLBACK).logout_url(HOME))
        .client(Client::public("spa").callback(CALLBACK).logout_url(HOME))
}

pub(crate) async fn start() -> LocalTenant {
    acme().start().await.unwrap()
}

/// Parameters of a request, of which a test changes some.
#[derive(Clone, Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn new(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    /// Those of a login of the single-page application.
    pub(crate) fn of_login() -> Self {
        Self::new(&[
            ("response_type", "code"),
            ("client_id", "spa"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid profile email offline_access read:messages"),
            ("audience", API),
            ("state", "s t&te"),
            ("nonce", "n0nce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    /// Those of the exchange of this code.
    pub(crate) fn of_code(code: &str) -> Self {
        Self::new(&[
            ("grant_type", "authorization_code"),
            ("client_id", "spa"),
            ("redirect_uri", CALLBACK),
            ("code", code),
            ("code_verifier", VERIFIER),
        ])
    }

    pub(crate) fn of_refresh(token: &str) -> Self {
        Self::new(&[
            ("grant_type", "refresh_token"),
            ("client_id", "spa"),
            ("refresh_token", token),
        ])
    }

    /// Sets a parameter, or removes it.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Option<&'static str>>) -> Self {
        let before = self.0.iter().position(|(known, _)| known == name);
        let value = value.into().map(|value| (name.to_owned(), value.to_owned()));
        match (before, value) {
            (Some(index), Some(pair)) => self.0[index] = pair,
            (Some(index), None) => drop(self.0.remove(index)),
            (None, pair) => self.0.extend(pair),
        }
        self
    }

    /// Adds a parameter, even if it is there already.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub(crate) fn encoded(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

/// A browser that keeps the cookie of one tenant and follows no redirect.
#[derive(Default)]
pub(crate) struct Browser {
    cookie: Option<String>,
}

/// A response, as a browser or a client sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the target of a redirect with the parameters that were added to it.
    pub(crate) fn redirect(&self) -> (String, BTreeMap<String, String>) {
        assert_eq!(self.status, 302, "{self:?}");
        let url = Url::parse(self.header("location")).unwrap();
        let parameters = url.query_pairs().into_owned().collect();
        (self.header("location").split('?').next().unwrap().to_owned(), parameters)
    }

    /// Returns one parameter of a redirect.
    pub(crate) fn parameter(&self, name: &str) -> String {
        self.redirect().1.remove(name).unwrap_or_default()
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, tenant: &LocalTenant, path: &str) -> Answer {
        self.send(client().get(url(tenant, path))).await
    }

    pub(crate) async fn post(
        &mut self,
        tenant: &LocalTenant,
        path: &str,
        form: &Parameters,
    ) -> Answer {
        let request = client().post(url(tenant, path)).body(form.encoded());
        self.send(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// Sends a request to `/authorize`.
    pub(crate) async fn authorize(
        &mut self,
        tenant: &LocalTenant,
        parameters: &Parameters,
    ) -> Answer {
        self.get(tenant, &format!("authorize?{}", parameters.encoded())).await
    }

    pub(crate) fn has_cookie(&self) -> bool {
        self.cookie.is_some()
    }

    async fn send(&mut self, mut request: RequestBuilder) -> Answer {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; {cookie}"));
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        let set = answer.header("set-cookie");
        if !set.is_empty() {
            assert!(set.contains("; HttpOnly; SameSite=Lax"), "{set}");
            let cookie = set.split(';').next().unwrap().to_owned();
            self.cookie = Some(cookie).filter(|_| !set.contains("Max-Age=0"));
        }
        answer
    }
}

/// Logs in with a new browser and returns the code.
pub(crate) async fn code(tenant: &LocalTenant, parameters: &Parameters) -> String {
    let code = Browser::default().authorize(tenant, parameters).await.parameter("code");
    assert_eq!(code.len(), 43);
    code
}

/// Sends a form to the token endpoint or another one of clients.
pub(crate) async fn send(tenant: &LocalTenant, path: &str, form: &Parameters) -> Answer {
    Browser::default().post(tenant, path, form).await
}

pub(crate) async fn token(tenant: &LocalTenant, form: &Parameters) -> Answer {
    send(tenant, "oauth/token", form).await
}

/// The same with a proof of a key, with the nonce that the tenant asks for.
pub(crate) async fn token_with_proof(
    tenant: &LocalTenant,
    form: &Parameters,
    key: &SigningKey,
) -> Answer {
    let answer = token_with(tenant, form, &proof(tenant, key, "POST", "oauth/token")).await;
    if answer.status != 400 || answer.text("error") != "use_dpop_nonce" {
        return answer;
    }
    let proof = proof(tenant, key, "POST", "oauth/token").nonce(answer.header("dpop-nonce"));
    token_with(tenant, form, &proof).await
}

/// The same with this proof.
pub(crate) async fn token_with(
    tenant: &LocalTenant,
    form: &Parameters,
    proof: &ProofBuilder,
) -> Answer {
    let request = client().post(url(tenant, "oauth/token")).body(form.encoded());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    Answer::of(request.header("dpop", proof.mint()).send().await.unwrap()).await
}

pub(crate) fn proof(
    tenant: &LocalTenant,
    key: &SigningKey,
    method: &str,
    path: &str,
) -> ProofBuilder {
    use auth0_core::time::Clock;
    let now = UNIX_EPOCH + tenant.tenant().clock().unix_time();
    ProofBuilder::new(key, method, &url(tenant, path), now)
}

/// Logs in and exchanges the code.
pub(crate) async fn log_in(tenant: &LocalTenant, parameters: &Parameters) -> Answer {
    let code = code(tenant, parameters).await;
    let answer = token(tenant, &Parameters::of_code(&code)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Requests `/userinfo` with this `Authorization`.
pub(crate) async fn user_info(tenant: &LocalTenant, authorization: &str) -> Answer {
    let request = client().get(url(tenant, "userinfo")).header("authorization", authorization);
    Answer::of(request.send().await.unwrap()).await
}

/// Returns the claims of a token that the tenant signed.
pub(crate) fn claims(tenant: &LocalTenant, token: &str) -> Value {
    tenant.tenant().signed_claims(token).unwrap()
}

/// Returns a client that keeps no connection, because each test has a runtime of its own.
pub(crate) fn client() -> reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let client = reqwest::Client::builder().no_proxy().redirect(Policy::none());
        client.pool_max_idle_per_host(0).build().unwrap()
    });
    CLIENT.clone()
}

pub(crate) fn url(tenant: &LocalTenant, path: &str) -> String {
    format!("{}{path}", tenant.issuer())
}
