//! `POST /mfa/associate`: a user who has no second factor gets one. The next grant with it confirms it.
use super::{bearer::Bearer, challenge::send};
use crate::{
    directory::{FactorKind, User},
    running::RunningTenant,
    secret::{Hidden, random_of},
    server::{
        body::object,
        passwordless::Recipient,
        refusal::{Refusal, uncached},
    },
    totp,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded::byte_serialize;

/// The length of a recovery code.
const RECOVERY_CODE: usize = 24;

/// The length of a secret: 20 bytes in base32.
const SECRET: usize = 32;

#[derive(Deserialize)]
struct Association {
    #[serde(default)]
    authenticator_types: Vec<String>,
    #[serde(default)]
    oob_channels: Vec<String>,
    phone_number: Option<String>,
    email: Option<String>,
}

pub(super) async fn associate(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let sent: Association = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!(
            "the body cannot be read: {error}. Send authenticator_types and, for oob, oob_channels in JSON"
        ))
    })?;
    let bearer = Bearer::read(&running, &headers, "enroll")?;
    let Some((client_id, token)) = bearer.login else {
        return Err(refused("a local tenant associates with an mfa_token only. Log in first"));
    };
    let user = bearer.user;
    let factor = factor(&sent, &user)?;
    let recovery_code = recovery_code()?;
    let id = {
        let mut store = running.store();
        let authenticators = &mut store.mfa.authenticators;
        if authenticators.of(&user).iter().any(|own| own.is_active) {
            return Err(refused("the user has a second factor. Prove it with the mfa_token"));
        }
        let id = authenticators.associate(&user, factor.clone());
        // A code of an association that was not confirmed is replaced.
        authenticators
            .of(&user)
            .retain(|own| !matches!(own.factor, FactorKind::RecoveryCode { .. }));
        let code = FactorKind::RecoveryCode { code: Hidden::new(&recovery_code) };
        id.filter(|_| authenticators.associate(&user, code).is_some())
    };
    let id = id.ok_or_else(|| refused("the user has too many authenticators. Remove some"))?;
    let mut answer = match &factor {
        FactorKind::Otp { secret } => Map::from_iter([
            ("secret".to_owned(), json!(secret.reveal())),
            ("barcode_uri".to_owned(), json!(barcode_uri(user.label(), secret.reveal()))),
        ]),
        _ => send(&running, &token, &client_id, &user, &id, &factor)?,
    };
    answer.insert("authenticator_type".into(), json!(factor.authenticator_type()));
    answer.insert("recovery_codes".into(), json!([recovery_code]));
    answer.extend(factor.oob_channel().map(|channel| ("oob_channel".to_owned(), json!(channel))));
    Ok(uncached(StatusCode::OK, &Value::Object(answer)))
}

pub(in crate::server) fn recovery_code() -> Result<String, Refusal> {
    Ok(random_of(b"ABCDEFGHJKLMNPQRSTUVWXYZ123456789", RECOVERY_CODE)?)
}

fn factor(sent: &Association, user: &User) -> Result<FactorKind, Refusal> {
    let types: Vec<&str> = sent.authenticator_types.iter().map(String::as_str).collect();
    let channels: Vec<&str> = sent.oob_channels.iter().map(String::as_str).collect();
    let address = |realm: &str, text: Option<&str>| {
        let recipient = Recipient::read(realm, text.unwrap_or_default());
        recipient.map(|recipient| recipient.address().to_owned())
    };
    match (types.as_slice(), channels.as_slice()) {
        (["otp"], []) => {
            Ok(FactorKind::Otp { secret: Hidden::new(random_of(totp::ALPHABET, SECRET)?) })
        }
        (["oob"], ["auth0"]) => Ok(FactorKind::Push {}),
        (["oob"], ["sms"]) => match address("sms", sent.phone_number.as_deref()) {
            Some(phone_number) => Ok(FactorKind::Sms { phone_number }),
            None => {
                Err(Refusal::invalid_request("phone_number is missing, or not as in +15550100"))
            }
        },
        (["oob"], ["email"]) => {
            match address("email", sent.email.as_deref().or(user.own_email())) {
                Some(email) => Ok(FactorKind::Email { email }),
                None => Err(Refusal::invalid_request("email is missing, or no e-mail address")),
            }
        }
        _ => Err(Refusal::invalid_request(
            "authenticator_types must be [\"otp\"], or [\"oob\"] with one of oob_channels: sms, email or auth0",
        )),
    }
}

/// Returns what an authenticator app reads from a QR code.
fn barcode_uri(label: &str, secret: &str) -> String {
    let label: String = byte_serialize(label.as_bytes()).collect();
    format!("otpauth://totp/auth0-local:{label}?secret={secret}&issuer=auth0-local")
}

fn refused(why: &str) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "access_denied", why)
}
