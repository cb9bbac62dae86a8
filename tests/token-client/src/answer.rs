//! What the program prints.
use auth0_client::{Error, Token, Tokens};
use auth0_core::ConfigError;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::time::SystemTime;

/// A result, with the access token if there is one.
pub(crate) struct Answer {
    json: Value,
    token: Option<Token>,
}

impl Answer {
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }
}

impl From<Value> for Answer {
    fn from(json: Value) -> Self {
        Self { json, token: None }
    }
}

impl From<Result<Token, Error>> for Answer {
    fn from(result: Result<Token, Error>) -> Self {
        result.map_or_else(
            |error| failure(&error),
            |token| Self { json: json!({ "tokens": members(&token) }), token: Some(token) },
        )
    }
}

impl From<Result<Tokens, Error>> for Answer {
    fn from(result: Result<Tokens, Error>) -> Self {
        let tokens = match result {
            Ok(tokens) => tokens,
            Err(error) => return failure(&error),
        };
        let token = tokens.access_token();
        let mut all = members(&token);
        let details = tokens.authorization_details().map(|text| {
            serde_json::from_str::<Value>(text).expect("authorization details are JSON")
        });
        for (name, value) in [
            ("expires_in", json!(tokens.expires_in().map(|time| time.as_secs()))),
            ("refresh_token", json!(tokens.refresh_token())),
            ("id_token", json!(tokens.id_token())),
            ("issued_token_type", json!(tokens.issued_token_type())),
            ("authorization_details", json!(details)),
            ("recovery_code", json!(tokens.recovery_code())),
        ] {
            all[name] = value;
        }
        Self { json: json!({ "tokens": all }), token: Some(token) }
    }
}

fn members(token: &Token) -> Value {
    let left = token.expires_at().map(|end| {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        left.as_secs_f64().round()
    });
    json!({
        "access_token": token.encoded(),
        "token_type": if token.is_dpop() { "DPoP" } else { "Bearer" },
        "scope": token.scopes().collect::<Vec<_>>().join(" "),
        "expires_in": left,
    })
}

pub(crate) fn failure(error: &Error) -> Answer {
    let mfa = error.mfa().map(|mfa| {
        let [challenge, enroll]: [Vec<_>; 2] =
            [mfa.challenge_types().collect(), mfa.enrollment_types().collect()];
        json!({ "challenge": challenge, "enroll": enroll })
    });
    let reply = error.reply();
    json!({ "error": {
        "kind": format!("{:?}", error.kind()),
        "status": error.status(),
        "code": error.code(),
        "description": error.description(),
        "retry_after": error.retry_after().map(|wait| wait.as_secs_f64().round()),
        "mfa": mfa,
        "reply": reply.status(),
        "text": error.to_string(),
    } })
    .into()
}

pub(crate) fn mistake(error: &ConfigError) -> Answer {
    json!({ "mistake": error.to_string() }).into()
}

/// Calls an API with the access token, and once more if it requires a nonce. Adds its answer to the result.
pub(crate) async fn with_call(mut answer: Answer, api: &str) -> Answer {
    let Some(token) = &answer.token else { return answer };
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let call = || async {
        let headers: HeaderMap = token.headers_for("GET", api).expect("headers");
        http.get(api).headers(headers).send().await.expect("an answer")
    };
    let mut response = call().await;
    let line = |name: &str| {
        response.headers().get(name).map(|value| value.to_str().expect("text").to_owned())
    };
    if let Some(nonce) = line("dpop-nonce") {
        token.keep_nonce(api, &nonce);
    }
    let needs_nonce = line("www-authenticate").is_some_and(|line| line.contains("use_dpop_nonce"));
    let mut calls = 1;
    if needs_nonce {
        response = call().await;
        calls = 2;
    }
    let status = response.status().as_u16();
    let body = response.text().await.expect("a body");
    answer.json["api"] = json!({ "status": status, "body": body, "calls": calls });
    answer
}
