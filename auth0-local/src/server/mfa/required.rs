//! The answer of a grant that needs a second factor.
use crate::{
    directory::{Client, User},
    mfa_answer::MfaAnswer,
    running::RunningTenant,
    secret::random_text,
    server::{refusal::Refusal, target::Target},
    store::{MFA_LIFETIME, MfaLogin},
};
use axum::http::StatusCode;
use serde_json::{Value, json};

/// The factors that a user can enroll.
const TO_ENROLL: [&str; 4] = ["otp", "phone", "email", "push-notification"];

/// Refuses the login of a user with a second factor: its client continues with the `mfa_token`.
pub(in crate::server) fn check(
    running: &RunningTenant,
    client: &Client,
    user: &User,
    target: &Target,
) -> Result<(), Refusal> {
    let mut types: Vec<&str> = Vec::new();
    let token = random_text()?;
    let expires = running.now() + MFA_LIFETIME;
    {
        let mut store = running.store();
        for own in store.mfa.authenticators.of(user).iter().filter(|own| own.is_active) {
            if !types.contains(&own.factor.requirement()) {
                types.push(own.factor.requirement());
            }
        }
        if types.is_empty() && !user.must_enroll() {
            return Ok(());
        }
        let login = MfaLogin {
            client_id: client.id().to_owned(),
            subject: user.subject().to_owned(),
            audience: target.audience.clone(),
            scopes: target.scopes.clone(),
            expires,
            attempts: 0,
        };
        store.mfa.begin(&token, login);
    }
    let refusal =
        Refusal::new(StatusCode::FORBIDDEN, "mfa_required", "Multifactor authentication required");
    let refusal = refusal.with_member("mfa_token", token);
    let listed = |types: &[&str]| -> Value {
        types.iter().map(|factor| json!({ "type": factor })).collect()
    };
    Err(match running.settings().mfa_answer {
        MfaAnswer::TokenOnly => refusal,
        MfaAnswer::ChallengeTypes => refusal.with_member("challenge_types", types),
        MfaAnswer::Requirements if types.is_empty() => {
            refusal.with_member("mfa_requirements", json!({ "enroll": listed(&TO_ENROLL) }))
        }
        MfaAnswer::Requirements => {
            refusal.with_member("mfa_requirements", json!({ "challenge": listed(&types) }))
        }
    })
}
