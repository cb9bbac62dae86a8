//! `POST /mfa/challenge`: asks for a second factor.
use super::refusal as refused;
use crate::{
    directory::{FactorKind, User},
    error::LocalError,
    running::RunningTenant,
    secret::{random_of, random_text},
    server::{
        client_parameters::ClientParameters,
        form::{self, non_empty},
        refusal::{Refusal, uncached},
    },
    store::{Channel, Decision, MFA_LIFETIME, Message, MfaRefusal, Pace, Pending, RequestKind},
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    client: ClientParameters,
    mfa_token: Option<String>,
    challenge_type: Option<String>,
    authenticator_id: Option<String>,
}

pub(super) async fn challenge(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let asked: Asked = form::read(&headers, &body?, "mfa_token, client_id and challenge_type")?;
    let client = asked.client.identified(&running, &headers)?;
    let token = non_empty(asked.mfa_token.as_ref())
        .ok_or_else(|| Refusal::invalid_request("Missing required parameter: mfa_token"))?;
    let now = running.now();
    let login = running.store().mfa.login(token, now).cloned();
    let login = login.map_err(|why| refused(why, ""))?;
    let unknown = || refused(MfaRefusal::Unknown, "");
    if login.client_id != client.id() {
        return Err(unknown());
    }
    let user = running.user(&login.subject).ok_or_else(unknown)?;
    let (id, factor) = chosen(&running, &asked, &user)?;
    if factor.authenticator_type() == "otp" {
        return Ok(uncached(StatusCode::OK, &json!({ "challenge_type": "otp" })));
    }
    let mut answer = send(&running, token, client.id(), &user, &id, &factor)?;
    answer.insert("challenge_type".into(), json!("oob"));
    Ok(uncached(StatusCode::OK, &Value::Object(answer)))
}

/// Returns the authenticator that the request names, or the first one that the client can challenge.
fn chosen(
    running: &RunningTenant,
    asked: &Asked,
    user: &User,
) -> Result<(String, FactorKind), Refusal> {
    let types = non_empty(asked.challenge_type.as_ref()).unwrap_or("otp oob");
    let can_challenge = |factor: &FactorKind| {
        let own = factor.authenticator_type();
        own != "recovery-code" && types.split(' ').any(|one| one == own)
    };
    let mut store = running.store();
    let mut active = store.mfa.authenticators.of(user).iter().filter(|own| own.is_active);
    let found = match non_empty(asked.authenticator_id.as_ref()) {
        Some(id) => {
            let named = active.find(|own| own.id == id).ok_or_else(|| {
                Refusal::new(
                    StatusCode::NOT_FOUND,
                    "invalid_request",
                    "the user has no such authenticator that is confirmed. See /mfa/authenticators",
                )
            })?;
            Some(named).filter(|own| can_challenge(&own.factor))
        }
        None if active.clone().next().is_none() => {
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "association_required",
                "the user has no second factor. Associate one at /mfa/associate",
            ));
        }
        None => active.find(|own| can_challenge(&own.factor)),
    };
    let found = found.ok_or_else(|| {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "unsupported_challenge_type",
            format!("the user has no such second factor for challenge_type {types:?}"),
        )
    })?;
    Ok((found.id.clone(), found.factor.clone()))
}

/// Sends a code to the user, or asks in the user's app. Returns the members of the answer.
pub(super) fn send(
    running: &RunningTenant,
    token: &str,
    client_id: &str,
    user: &User,
    authenticator: &str,
    factor: &FactorKind,
) -> Result<Map<String, Value>, LocalError> {
    let oob_code = random_text()?;
    let sent = match factor {
        FactorKind::Sms { phone_number } => Some((Channel::Sms, phone_number)),
        FactorKind::Email { email } => Some((Channel::Email, email)),
        _ => None,
    };
    let Some((channel, to)) = sent else {
        ask(running, token, &oob_code, client_id, user, authenticator);
        return Ok(Map::from_iter([("oob_code".to_owned(), json!(oob_code))]));
    };
    let code = random_of(b"0123456789", 6)?;
    let message = Message {
        to: to.clone(),
        channel,
        client_id: client_id.to_owned(),
        code: code.clone(),
        link: None,
    };
    let mut store = running.store();
    store.messages.keep(message);
    store.mfa.challenge(token, &oob_code, authenticator.to_owned(), Some(code));
    Ok(Map::from_iter([
        ("oob_code".to_owned(), json!(oob_code)),
        ("binding_method".to_owned(), json!("prompt")),
    ]))
}

fn ask(
    running: &RunningTenant,
    token: &str,
    oob_code: &str,
    client_id: &str,
    user: &User,
    authenticator: &str,
) {
    let now = running.now();
    let mut store = running.store();
    let request = Pending {
        kind: RequestKind::Mfa,
        id: store.pending.next_id(),
        client_id: client_id.to_owned(),
        subject: Some(user.subject().to_owned()),
        scopes: Vec::new(),
        audience: None,
        binding_message: None,
        authorization_details: None,
        expires: now + MFA_LIFETIME,
        decision: Decision::Waiting,
        pace: Pace::default(),
    };
    store.pending.keep(oob_code, request);
    store.mfa.challenge(token, oob_code, authenticator.to_owned(), None);
}
