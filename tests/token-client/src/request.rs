//! The description of a request, which has the names of the Authentication API.
use crate::answer::{Answer, failure, mistake};
use auth0_client::{Client, Error, Mfa, Tokens};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Texts = BTreeMap<String, String>;

/// Reads what the user enters.
type Code<'a> = &'a mut dyn FnMut() -> Option<String>;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Machine(Parameters),
    OnBehalfOf(Parameters),
    Exchange(Parameters),
    Vault(Parameters),
    Refresh(Parameters),
    Revoke(Parameters),
    Device(Parameters),
    Backchannel(Parameters),
    PasswordlessStart(Parameters),
    Passwordless(Parameters),
    Par(Parameters),
    Authorize(Parameters),
    Mfa(Parameters),
    Grant(Parameters),
}

/// The parameters that a request reads are those of its branch in [`Request::send`].
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Parameters {
    grant_type: String,
    audience: Option<String>,
    scope: String,
    organization: Option<String>,
    resource: Option<String>,
    token: String,
    token_type: String,
    actor_token: Option<String>,
    actor_token_type: String,
    connection: String,
    login_hint: Option<String>,
    user: String,
    message: String,
    redirect_uri: String,
    authorization_details: Option<Value>,
    is_signed: bool,
    /// The factor to pass: `otp`, `oob`, `recovery-code`; with `enroll-` before it, the one to enroll.
    factor: String,
    code: String,
    more: Texts,
}

/// Calls a method of a builder for a parameter that is there.
macro_rules! set {
    ($builder:ident, $($method:ident = $value:expr),+ $(,)?) => {
        $(if let Some(value) = $value { $builder = $builder.$method(value); })+
    };
}

/// Adds the other parameters to a builder.
macro_rules! add {
    ($builder:ident, $texts:expr) => {
        for (name, value) in $texts {
            $builder = $builder.parameter(name, value);
        }
    };
}

impl Request {
    pub(crate) async fn send(self, client: &Client, code: Code<'_>) -> Answer {
        match self {
            Self::Machine(of) => {
                let audience = of.audience.unwrap_or_default();
                let mut machine = client.machine(audience).scopes([of.scope]);
                set!(machine, organization = of.organization, resource = of.resource);
                add!(machine, of.more);
                match machine.build() {
                    Ok(source) => source.token().await.into(),
                    Err(error) => mistake(&error),
                }
            }
            Self::OnBehalfOf(of) => {
                let mut delegation =
                    client.delegation(of.audience.unwrap_or_default()).scopes([of.scope]);
                add!(delegation, of.more);
                match delegation.build() {
                    Ok(delegation) => delegation.on_behalf_of(&*of.token).token().await.into(),
                    Err(error) => mistake(&error),
                }
            }
            Self::Exchange(of) => {
                let mut exchange = client.exchange(of.token_type, of.token).scopes([of.scope]);
                set!(exchange, audience = of.audience, organization = of.organization);
                if let Some(actor) = of.actor_token {
                    exchange = exchange.actor(actor, of.actor_token_type);
                }
                add!(exchange, of.more);
                exchange.send().await.into()
            }
            Self::Vault(of) => {
                let mut account = client.connection(of.connection);
                set!(account, login_hint = of.login_hint, organization = of.organization);
                match &*of.token_type {
                    "access_token" => account.for_caller(&*of.token).token().await.into(),
                    "refresh_token" => account.for_refresh_token(&of.token).token().await.into(),
                    _ => account.for_user(&of.user, &of.message).await.into(),
                }
            }
            Self::Refresh(of) => {
                let mut refresh = client.refresh(of.token).scopes([of.scope]);
                set!(refresh, audience = of.audience);
                add!(refresh, of.more);
                refresh.send().await.into()
            }
            Self::Revoke(of) => done(client.revoke(of.token).send().await, |()| json!({})),
            Self::Device(of) => {
                let mut device = client.device().scopes([of.scope]);
                set!(device, audience = of.audience);
                match device.start().await {
                    Ok(pending) => {
                        started(json!({
                            "user_code": pending.user_code(),
                            "verification_uri": pending.verification_uri(),
                            "verification_uri_complete": pending.verification_uri_complete(),
                            "expires_in": pending.expires_in().as_secs_f64().round(),
                        }));
                        pending.wait().await.into()
                    }
                    Err(error) => failure(&error),
                }
            }
            Self::Backchannel(of) => {
                let mut request = client.backchannel(of.user, of.message).scopes([of.scope]);
                let details = of.authorization_details.as_ref();
                set!(request, audience = of.audience, authorization_details = details);
                add!(request, of.more);
                match request.start().await {
                    Ok(pending) => {
                        started(json!({
                            "interval": pending.interval().as_secs(),
                            "expires_in": pending.expires_in().as_secs_f64().round(),
                        }));
                        pending.wait().await.into()
                    }
                    Err(error) => failure(&error),
                }
            }
            Self::PasswordlessStart(of) => {
                let user = match &*of.connection {
                    "sms" => client.passwordless_sms(of.user),
                    _ => client.passwordless(of.user),
                };
                let mut start = if of.code == "link" { user.send_link() } else { user.send_code() };
                add!(start, of.more);
                done(start.send().await, |()| json!({}))
            }
            Self::Passwordless(of) => {
                let user = match &*of.connection {
                    "sms" => client.passwordless_sms(of.user),
                    _ => client.passwordless(of.user),
                };
                let mut login = user.log_in(of.code).scopes([of.scope]);
                set!(login, audience = of.audience);
                login.send().await.into()
            }
            Self::Par(of) => {
                let pushed = of.authorization(client).push().await;
                done(pushed, |pushed| {
                    json!({
                        "url": pushed.url(),
                        "request_uri": pushed.request_uri(),
                        "expires_in": pushed.expires_in().as_secs(),
                    })
                })
            }
            Self::Authorize(of) => {
                done(of.authorization(client).url().await, |url| json!({ "url": url }))
            }
            Self::Mfa(of) => {
                let (factor, code_of_request) = (of.factor.clone(), of.code.clone());
                let error = match of.grant(client).await {
                    Err(error) if error.mfa().is_some() => error,
                    other => return other.into(),
                };
                let requirement = error.mfa().expect("a requirement");
                started(failure(&error).json()["error"].clone());
                pass(&client.mfa(requirement), &factor, &code_of_request, code).await.into()
            }
            Self::Grant(of) => of.grant(client).await.into(),
        }
    }
}

impl Parameters {
    async fn grant(self, client: &Client) -> Result<Tokens, Error> {
        let mut grant = client.grant(self.grant_type).scopes([self.scope]);
        set!(grant, audience = self.audience);
        add!(grant, self.more);
        grant.send().await
    }

    fn authorization(self, client: &Client) -> auth0_client::AuthorizationRequest {
        let mut request = client.authorization_request(self.redirect_uri).scopes([self.scope]);
        let details = self.authorization_details.as_ref();
        set!(request, audience = self.audience, authorization_details = details);
        add!(request, self.more);
        if self.is_signed { request.signed() } else { request }
    }
}

/// Passes or enrolls a factor. The user enters the code of a factor that sends one.
async fn pass(mfa: &Mfa, factor: &str, code: &str, entered: Code<'_>) -> Result<Tokens, Error> {
    match factor {
        "otp" => mfa.verify_otp(code).await,
        "recovery-code" => mfa.verify_recovery_code(code).await,
        "oob" => {
            let all = mfa.authenticators().await?;
            let known = all.iter().find(|known| known.authenticator_type == "oob");
            let challenge = mfa.challenge(known.map(|known| &*known.id)).await?;
            started(json!({
                "authenticators": all.iter().map(|known| json!({
                    "type": known.authenticator_type, "channel": known.oob_channel,
                    "name": known.name, "active": known.active,
                })).collect::<Vec<_>>(),
                "challenge_type": challenge.challenge_type(),
                "needs_code": challenge.needs_code(),
            }));
            let code = entered().filter(|code| !code.is_empty());
            mfa.verify_challenge(&challenge, code.as_deref()).await
        }
        "enroll-otp" => {
            let enrollment = mfa.enroll_otp().await?;
            started(json!({
                "secret": enrollment.secret(),
                "barcode_uri": enrollment.barcode_uri(),
                "recovery_codes": enrollment.recovery_codes().count(),
            }));
            mfa.verify_otp(&entered().unwrap_or_default()).await
        }
        _ => {
            let enrollment = mfa.enroll_oob("sms", Some(code)).await?;
            started(json!({ "recovery_codes": enrollment.recovery_codes().count() }));
            mfa.verify_enrollment(&enrollment, entered().as_deref()).await
        }
    }
}

fn started(json: Value) {
    println!("{}", json!({ "started": json }));
}

fn done<T>(result: Result<T, Error>, json: impl FnOnce(T) -> Value) -> Answer {
    match result {
        Ok(value) => json!({ "done": json(value) }).into(),
        Err(error) => failure(&error),
    }
}
