//! `/mfa/authenticators`: the second factors of a user.
use super::bearer::Bearer;
use crate::{
    directory::FactorKind,
    running::RunningTenant,
    server::refusal::{Refusal, uncached},
    store::Authenticator,
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

pub(super) async fn list(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Bearer { user, .. } = Bearer::read(&running, &headers, "read:authenticators")?;
    let mut store = running.store();
    let shown: Vec<Value> = store.mfa.authenticators.of(&user).iter().map(shown).collect();
    Ok(uncached(StatusCode::OK, &Value::Array(shown)))
}

pub(super) async fn remove(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let Bearer { user, login } = Bearer::read(&running, &headers, "remove:authenticators")?;
    let mut store = running.store();
    let own = store.mfa.authenticators.of(&user);
    if login.is_some() && own.iter().any(|own| own.id == id && own.is_active) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "access_denied",
            "an mfa_token removes no second factor that is confirmed. Send an access token with the scope \
             remove:authenticators",
        ));
    }
    match store.mfa.authenticators.remove(&user, &id) {
        true => Ok((StatusCode::NO_CONTENT, [(CACHE_CONTROL, "no-store")]).into_response()),
        false => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "the user has no such authenticator. See the ids at /mfa/authenticators",
        )),
    }
}

fn shown(own: &Authenticator) -> Value {
    let name = match &own.factor {
        FactorKind::Sms { phone_number } => Some(masked(phone_number, 0)),
        FactorKind::Email { email } => Some(masked(email, 1)),
        _ => None,
    };
    let mut shown = Map::from_iter([
        ("id".to_owned(), json!(own.id)),
        ("authenticator_type".to_owned(), json!(own.factor.authenticator_type())),
        ("active".to_owned(), json!(own.is_active)),
    ]);
    shown
        .extend(own.factor.oob_channel().map(|channel| ("oob_channel".to_owned(), json!(channel))));
    shown.extend(name.map(|name| ("name".to_owned(), json!(name))));
    Value::Object(shown)
}

/// Shows the first characters and the last four.
fn masked(text: &str, first: usize) -> String {
    let count = text.chars().count();
    let is_shown = |index: usize| index < first || index + 4 >= count;
    text.chars().enumerate().map(|(index, it)| if is_shown(index) { it } else { 'X' }).collect()
}
