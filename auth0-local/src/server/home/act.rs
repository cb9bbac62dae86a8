//! What the forms of the page do, by the same functions as the endpoints below `/__local/`.
use super::html::text;
use crate::{
    endpoint::Endpoint,
    error::LocalError,
    fault::FaultChanges,
    inspect::{IssuerName, Kind, Report, Request, Settings, Unusable, inspect},
    logout::LogoutDelivery,
    proofs::request_url,
    running::RunningTenant,
    server::form::Query,
    token::{Organization, ProfileName, TokenDescription},
};
use auth0_core::support::parse_requirement;
use serde_json::{Map, Value};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Token,
    Proof,
    Inspect,
    Rotate,
    Withdraw,
    Fault,
    ClearFaults,
    Block,
    Unblock,
    Logout,
}

/// What an action has done.
pub(super) enum Acted {
    Minted { token: String, description: Box<TokenDescription>, proof: Option<String> },
    Proof(String),
    Inspected(Box<Report>),
    Unusable(Unusable),
    Done(String),
    LoggedOut(String, Vec<LogoutDelivery>),
    Refused(String),
}

impl Action {
    const ALL: [Self; 10] = [
        Self::Token,
        Self::Proof,
        Self::Inspect,
        Self::Rotate,
        Self::Withdraw,
        Self::Fault,
        Self::ClearFaults,
        Self::Block,
        Self::Unblock,
        Self::Logout,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Proof => "proof",
            Self::Inspect => "inspect",
            Self::Rotate => "rotate",
            Self::Withdraw => "withdraw",
            Self::Fault => "fault",
            Self::ClearFaults => "clear-faults",
            Self::Block => "block",
            Self::Unblock => "unblock",
            Self::Logout => "logout",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(super) async fn run(self, running: &RunningTenant, sent: &Query) -> Acted {
        let user = sent.value("user").unwrap_or_default();
        let tenant = running.tenant();
        let done = match self {
            Self::Token => return mint(running, sent).unwrap_or_else(Acted::refused),
            Self::Proof => return prove(running, sent).unwrap_or_else(Acted::refused),
            Self::Inspect => return look_at(running, sent).await,
            Self::Rotate => {
                running.rotate().await.map(|id| format!("The tenant signs with the new key {id}"))
            }
            Self::Withdraw => {
                tenant.withdraw_old_keys();
                Ok("All keys except the signing key are withdrawn".to_owned())
            }
            Self::Fault => set_fault(running, sent),
            Self::ClearFaults => Ok(format!("The faults are cleared: {}", running.clear_faults())),
            Self::Block => running.set_blocked(user, true).map(|()| format!("{user} is blocked")),
            Self::Unblock => {
                running.set_blocked(user, false).map(|()| format!("{user} is no longer blocked"))
            }
            Self::Logout => match running.log_out(user).await {
                Ok(deliveries) => return Acted::LoggedOut(user.to_owned(), deliveries),
                Err(error) => Err(error),
            },
        };
        done.map_or_else(|error| Acted::refused(error.to_string()), Acted::Done)
    }
}

impl Acted {
    pub(super) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    pub(super) const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unusable(_))
    }

    /// Returns what is said at the top of the page.
    pub(super) fn notice(&self) -> String {
        let said = |class: &str, what: &str| {
            format!("<p class=\"notice {class}\" role=\"status\">{}</p>", text(what))
        };
        match self {
            Self::Refused(why) => said("fail", why),
            Self::Done(what) => said("pass", what),
            Self::LoggedOut(user, deliveries) => {
                let answer = |delivery: &LogoutDelivery| {
                    let status = delivery.status.map(|status| status.to_string());
                    let answer = status.or_else(|| delivery.error.clone()).unwrap_or_default();
                    format!("{} {}: {answer}", delivery.client_id, delivery.url)
                };
                let answers: Vec<String> = deliveries.iter().map(answer).collect();
                match answers.is_empty() {
                    true => said(
                        "pass",
                        &format!("{user} is logged out. No client has a URL for logout tokens"),
                    ),
                    false => said("pass", &format!("{user} is logged out. {}", answers.join("; "))),
                }
            }
            Self::Minted { .. } | Self::Proof(_) | Self::Inspected(_) | Self::Unusable(_) => {
                String::new()
            }
        }
    }
}

fn mint(running: &RunningTenant, sent: &Query) -> Result<Acted, String> {
    let tenant = running.tenant();
    let owned = |name: &str| sent.value(name).map(str::to_owned);
    let claims: Map<String, Value> = match sent.value("claims") {
        Some(json) => serde_json::from_str(json).map_err(|error| {
            format!("the claims are no JSON object: {error}. Write {{\"plan\":\"pro\"}}")
        })?,
        None => Map::new(),
    };
    let words =
        |name: &str| sent.value(name).map(|it| it.split_whitespace().map(str::to_owned).collect());
    let is_bound = sent.value("bound").is_some();
    let description = TokenDescription {
        audience: owned("audience"),
        scope: owned("scope"),
        permissions: words("permissions"),
        organization: sent.value("organization").map(str::parse::<Organization>).transpose()?,
        subject: owned("subject"),
        client: owned("client"),
        machine: sent.value("machine").is_some(),
        profile: match sent.value("profile") {
            Some("rfc9068") => ProfileName::Rfc9068,
            _ => ProfileName::Auth0,
        },
        expired: sent.value("expired").is_some(),
        expires_in: match sent.value("expires_in") {
            Some(seconds) => Some(seconds.parse().map_err(|_| {
                format!("the lifetime {seconds:?} is no number of seconds. Write 3600")
            })?),
            None => None,
        },
        jkt: is_bound.then(|| tenant.client_key().thumbprint()),
        certificate: None,
        claims,
    };
    let token = description.token(tenant)?.mint();
    let url = request_url(sent.value("url").unwrap_or_default())?;
    let proof = is_bound.then(|| tenant.proof("GET", &url).for_token(&token).mint());
    Ok(Acted::Minted { token, description: Box::new(description), proof })
}

fn prove(running: &RunningTenant, sent: &Query) -> Result<Acted, String> {
    let tenant = running.tenant();
    let url = request_url(sent.value("url").unwrap_or_default())?;
    let mut proof = tenant.proof(sent.value("method").unwrap_or("GET"), &url);
    if let Some(token) = sent.value("token") {
        proof = proof.for_token(token.trim());
    }
    if let Some(nonce) = sent.value("nonce") {
        proof = proof.nonce(nonce.trim());
    }
    Ok(Acted::Proof(proof.mint()))
}

/// Inspects a token with the keys of this tenant.
async fn look_at(running: &RunningTenant, sent: &Query) -> Acted {
    let tenant = running.tenant();
    let owned = |name: &str| sent.value(name).map(|value| value.trim().to_owned());
    let requirements = sent.value("requirement").map(parse_requirement).transpose();
    let requirements = match requirements {
        Ok(requirement) => requirement.into_iter().collect(),
        Err(why) => return Acted::Refused(why),
    };
    let settings = Settings {
        issuer: Some(IssuerName::Url(tenant.issuer().to_owned())),
        key_set: Some(tenant.key_set_json()),
        audiences: owned("audience").into_iter().collect(),
        client_id: owned("client_id"),
        requirements,
        kind: sent.value("kind").and_then(Kind::named),
        request: Request {
            method: owned("method"),
            url: owned("url"),
            proof: owned("proof"),
            ..Request::default()
        },
        ..Settings::new(tenant.clock().clone())
    };
    match inspect(sent.value("pasted").unwrap_or_default().as_bytes(), &settings).await {
        Ok(report) => Acted::Inspected(Box::new(report)),
        Err(unusable) => Acted::Unusable(unusable),
    }
}

fn set_fault(running: &RunningTenant, sent: &Query) -> Result<String, LocalError> {
    let endpoint = sent.value("endpoint").and_then(Endpoint::named);
    let endpoint =
        endpoint.ok_or_else(|| LocalError::new("the form names no endpoint. Choose one"))?;
    let mut changes = FaultChanges::default();
    changes.set(endpoint, sent.value("fault").unwrap_or_default().trim().parse()?);
    Ok(format!("The faults are now {}", running.change_faults(&changes)?))
}
