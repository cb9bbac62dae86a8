//! An identity provider in the process: its documents and its token endpoint, with answers that a test chooses.
use auth0_axum::auth0_core::{
    BoxFuture,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_axum::testing::{Tenant, TokenBuilder};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub(crate) const CLIENT: &str = "web";
pub(crate) const API: &str = "https://billing.test";

/// A form that the provider has received.
pub(crate) type Form = HashMap<String, String>;

/// Changes an ID token, or the answer of the token endpoint.
type Change<T> = Arc<dyn Fn(T) -> T + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Provider(Arc<Shared>);

struct Shared {
    tenant: Tenant,
    forms: Mutex<Vec<(String, Form)>>,
    /// The nonces of the logins that have begun, by their codes.
    logins: Mutex<HashMap<String, Form>>,
    /// The refresh token that is good for each user.
    refresh_tokens: Mutex<HashMap<String, String>>,
    issued: AtomicUsize,
    id_token: Mutex<Change<TokenBuilder>>,
    answer: Mutex<Change<Value>>,
    status: Mutex<Option<(u16, Value)>>,
    is_down: AtomicBool,
    has_no_logout: AtomicBool,
    has_no_push: AtomicBool,
    is_not_auth0: AtomicBool,
    key_set_fails: AtomicBool,
    /// Answers of the token endpoint wait while this is held: those to forms with this text.
    held: tokio::sync::watch::Sender<Option<&'static str>>,
}

/// Holds answers of the token endpoint back.
pub(crate) struct Hold(Provider);

impl Hold {
    pub(crate) fn release(self) {
        self.0.0.held.send_replace(None);
    }
}

impl Provider {
    pub(crate) fn new() -> Self {
        Self::named("acme")
    }

    pub(crate) fn named(name: &str) -> Self {
        Self(Arc::new(Shared {
            tenant: Tenant::named(name),
            forms: Mutex::default(),
            logins: Mutex::default(),
            refresh_tokens: Mutex::default(),
            issued: AtomicUsize::new(0),
            id_token: Mutex::new(Arc::new(|token| token)),
            answer: Mutex::new(Arc::new(|answer| answer)),
            status: Mutex::default(),
            is_down: AtomicBool::new(false),
            has_no_logout: AtomicBool::new(false),
            has_no_push: AtomicBool::new(false),
            is_not_auth0: AtomicBool::new(false),
            key_set_fails: AtomicBool::new(false),
            held: tokio::sync::watch::Sender::new(None),
        }))
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.0.tenant
    }

    /// Changes the ID tokens from now on.
    pub(crate) fn id_tokens(
        &self,
        change: impl Fn(TokenBuilder) -> TokenBuilder + Send + Sync + 'static,
    ) {
        *self.0.id_token.lock().unwrap() = Arc::new(change);
    }

    /// Changes the answers of the token endpoint from now on.
    pub(crate) fn answers(&self, change: impl Fn(Value) -> Value + Send + Sync + 'static) {
        *self.0.answer.lock().unwrap() = Arc::new(change);
    }

    /// Refuses requests at the token endpoint with this status, or stops to.
    pub(crate) fn refuse(&self, status: Option<(u16, Value)>) {
        *self.0.status.lock().unwrap() = status;
    }

    pub(crate) fn down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::SeqCst);
    }

    pub(crate) fn without_logout_endpoint(&self) {
        self.0.has_no_logout.store(true, Ordering::SeqCst);
    }

    pub(crate) fn key_set_fails(&self, fails: bool) {
        self.0.key_set_fails.store(fails, Ordering::SeqCst);
    }

    pub(crate) fn hold(&self) -> Hold {
        self.0.held.send_replace(Some(""));
        Hold(self.clone())
    }

    /// Holds the answers to renewals back, while logins go on.
    pub(crate) fn hold_renewals(&self) -> Hold {
        self.0.held.send_replace(Some("grant_type=refresh_token"));
        Hold(self.clone())
    }

    /// Lets its metadata be those of another product.
    pub(crate) fn not_auth0(&self) {
        self.0.is_not_auth0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn without_push_endpoint(&self) {
        self.0.has_no_push.store(true, Ordering::SeqCst);
    }

    /// Returns the forms that an endpoint has received.
    pub(crate) fn forms(&self, path: &str) -> Vec<Form> {
        let forms = self.0.forms.lock().unwrap();
        forms.iter().filter(|(known, _)| known == path).map(|(_, form)| form.clone()).collect()
    }

    pub(crate) fn refreshes(&self) -> usize {
        let is_refresh =
            |form: &&Form| form.get("grant_type").is_some_and(|grant| grant == "refresh_token");
        self.forms("oauth/token").iter().filter(is_refresh).count()
    }

    /// Logs a user in: returns the parameters with which the browser comes back from `/authorize`.
    pub(crate) fn authorize(&self, authorize: &str, user: &str) -> String {
        let (_, query) = authorize.split_once('?').unwrap();
        let asked: Form = parse(query);
        let code = format!("code-{}-{user}", self.0.issued.fetch_add(1, Ordering::SeqCst));
        let state = asked["state"].clone();
        self.0.logins.lock().unwrap().insert(code.clone(), asked);
        format!("code={code}&state={state}&iss={}", encoded(self.0.tenant.issuer()))
    }

    /// A logout token, which a test can change.
    pub(crate) fn logout_token(&self) -> TokenBuilder {
        let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        let number = self.0.issued.fetch_add(1, Ordering::SeqCst);
        let token = self.0.tenant.token().audience(CLIENT).without("azp").without("scope");
        token
            .claim("events", event)
            .claim("jti", format!("logout-{number}"))
            .expires_in(Duration::from_secs(120))
    }

    fn answer(&self, request: &HttpRequest<'_>) -> HttpResponse {
        let tenant = &self.0.tenant;
        let path = request.url.strip_prefix(tenant.issuer()).unwrap_or(request.url);
        if let Some(path) = path.strip_prefix("me/v1/connected-accounts/") {
            return self.my_account(request, path);
        }
        if request.method == "GET" {
            let mut metadata: Value = serde_json::from_str(&tenant.metadata_json()).unwrap();
            let keys = metadata["jwks_uri"].as_str().unwrap().to_owned();
            let endpoint = |path: &str| json!(format!("{}{path}", tenant.issuer()));
            metadata["authorization_endpoint"] = match self.0.is_not_auth0.load(Ordering::SeqCst) {
                true => endpoint("o/oauth2/v2/auth"),
                false => endpoint("authorize"),
            };
            metadata["revocation_endpoint"] = endpoint("oauth/revoke");
            if !self.0.has_no_push.load(Ordering::SeqCst) {
                metadata["pushed_authorization_request_endpoint"] = endpoint("oauth/par");
            }
            if !self.0.has_no_logout.load(Ordering::SeqCst) {
                metadata["end_session_endpoint"] = endpoint("oidc/logout");
            }
            return match request.url == keys {
                true if self.0.key_set_fails.load(Ordering::SeqCst) => HttpResponse::new(500, ""),
                true => HttpResponse::json(tenant.key_set_json()),
                false => HttpResponse::json(metadata.to_string()),
            };
        }
        let form = parse(std::str::from_utf8(request.body).unwrap());
        self.0.forms.lock().unwrap().push((path.to_owned(), form.clone()));
        match path {
            "oauth/token" => self.tokens(&form),
            "oauth/par" => match &*self.0.status.lock().unwrap() {
                Some((status, body)) => json_response(*status, body),
                None => {
                    let answer = json!({ "request_uri": "urn:pushed:1", "expires_in": 30 });
                    json_response(201, &answer)
                }
            },
            _ => HttpResponse::new(200, ""),
        }
    }

    /// The My Account API.
    fn my_account(&self, request: &HttpRequest<'_>, path: &str) -> HttpResponse {
        let authorization =
            request.headers.iter().find(|(name, _)| *name == "authorization").unwrap().1;
        assert!(
            authorization.ends_with(&format!("{}me/", self.0.tenant.issuer())),
            "{authorization}"
        );
        let mut form = Form::new();
        if let Ok(Value::Object(members)) = serde_json::from_slice(request.body) {
            form.extend(members.into_iter().map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (name, text)
            }));
        }
        let called = format!("{} {path}", request.method);
        self.0.forms.lock().unwrap().push((called.clone(), form));
        if let Some((status, body)) = &*self.0.status.lock().unwrap() {
            return json_response(*status, body);
        }
        match called.as_str() {
            "POST connect" => json_response(
                201,
                &json!({
                    "auth_session": "session-of-the-connection",
                    "connect_uri": format!("{}connect", self.0.tenant.issuer()),
                    "connect_params": { "ticket": "t1" },
                    "expires_in": 300,
                }),
            ),
            "POST complete" => {
                json_response(201, &json!({ "id": "cac_1", "connection": "github" }))
            }
            "GET accounts" => json_response(
                200,
                &json!({ "accounts": [{ "id": "cac_1", "connection": "github", "scopes": ["repo"] }], "next": "p2" }),
            ),
            "GET accounts?from=p2" => json_response(
                200,
                &json!({ "accounts": [{ "id": "cac_2", "connection": "google-oauth2" }] }),
            ),
            "DELETE accounts/cac_1" => HttpResponse::new(204, ""),
            other => panic!("{other}"),
        }
    }

    fn tokens(&self, form: &Form) -> HttpResponse {
        if let Some((status, body)) = &*self.0.status.lock().unwrap() {
            return json_response(*status, body);
        }
        let invalid = || json_response(400, &json!({ "error": "invalid_grant" }));
        let number = self.0.issued.fetch_add(1, Ordering::SeqCst);
        let (user, nonce) = match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some(login) = self.0.logins.lock().unwrap().remove(&form["code"]) else {
                    return invalid();
                };
                let user = form["code"].splitn(3, '-').nth(2).unwrap().to_owned();
                (user, login.get("nonce").cloned())
            }
            "refresh_token" => {
                let known = self.0.refresh_tokens.lock().unwrap();
                let user = known.iter().find(|(_, token)| **token == form["refresh_token"]);
                match user {
                    Some((user, _)) => (user.split('/').next().unwrap().to_owned(), None),
                    None => return invalid(),
                }
            }
            // Token Vault.
            grant if grant.ends_with("federated-connection-access-token") => {
                let token = format!("vault-{number}-{}", form["connection"]);
                return json_response(
                    200,
                    &json!({ "access_token": token, "expires_in": 3600, "token_type": "Bearer" }),
                );
            }
            other => panic!("{other}"),
        };
        // Each login, and each of its refreshes, has one refresh token that is good: rotation without overlap.
        let mut known = self.0.refresh_tokens.lock().unwrap();
        let family = match form.get("refresh_token") {
            Some(old) => {
                known.iter().find(|(_, token)| *token == old).map(|(key, _)| key.clone()).unwrap()
            }
            None => format!("{user}/{number}"),
        };
        let refresh_token = format!("refresh-{number}");
        known.insert(family, refresh_token.clone());
        drop(known);
        let audience = form.get("audience").map_or(API, String::as_str);
        let mut id_token = self
            .0
            .tenant
            .token()
            .subject(&user)
            .audience(CLIENT)
            .without("azp")
            .claim("sid", format!("sid-{user}"))
            .claim("name", format!("Name of {user}"));
        if let Some(nonce) = nonce {
            id_token = id_token.claim("nonce", nonce);
        }
        let id_token = self.0.id_token.lock().unwrap()(id_token).mint();
        let answer = json!({
            "access_token": format!("access-{number}-{user}-{audience}"),
            "refresh_token": refresh_token,
            "id_token": id_token,
            "token_type": "Bearer",
            "expires_in": 600,
            "scope": form.get("scope").map_or("openid profile email offline_access read:invoices", String::as_str),
        });
        json_response(200, &self.0.answer.lock().unwrap()(answer))
    }
}

impl HttpClient for Provider {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            if self.0.is_down.load(Ordering::SeqCst) {
                return Err(HttpError::new("connection refused"));
            }
            let answer = self.answer(&request);
            if request.url.ends_with("oauth/token") {
                let mut held = self.0.held.subscribe();
                let form = std::str::from_utf8(request.body).unwrap();
                held.wait_for(|held| held.is_none_or(|text| !form.contains(text))).await.unwrap();
            }
            Ok(answer)
        })
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Provider")
    }
}

fn json_response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse::new(status, body.to_string())
}

pub(crate) fn parse(form: &str) -> Form {
    url::form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}

pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
