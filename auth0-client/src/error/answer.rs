//! Errors from answers: each shape that Auth0 documents, and what is not one of them.
use super::{Error, ErrorKind, Inner, MfaRequirement};
use crate::limits::Limits;
use auth0_core::transport::HttpResponse;
use serde_json::{Map, Value};
use std::time::Duration;

/// Longer codes and descriptions are cut: they are kept as long as the error, and shared.
const MAX_TEXT_CHARS: usize = 1000;

/// The longest interval between polls that a server may ask for.
const MAX_INTERVAL: Duration = Duration::from_secs(300);

/// The headers that name a request, in Auth0 and at its edge.
const REQUEST_IDS: [&str; 3] = ["x-auth0-requestid", "x-request-id", "cf-ray"];

/// The description of a refusal of the client, whose code is that of a refusal of the user.
const WRONG_SECRET: &str = "Unauthorized";

/// The purpose of a request, on which the meaning of a refusal depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A token for the client itself: no user can correct a refusal.
    Machine,
    /// A token in exchange for a subject token.
    Exchange,
    /// A token of an account in Token Vault.
    Vault,
    /// Anything else.
    Other,
}

impl Error {
    /// Creates an error from an answer that is not a success.
    pub(crate) fn of_answer(answer: &HttpResponse, limits: Limits, purpose: Purpose) -> Self {
        let status = answer.status();
        let members = match serde_json::from_slice(answer.body()) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let (code, description) = texts(&members);
        let kind = kind(status, code, description, purpose);
        let mut inner = Inner::new(kind, advice(kind, status, code).map(Into::into));
        inner.status = Some(status);
        inner.code = code.map(cut);
        inner.description = description.map(cut);
        inner.interval = interval(&members);
        inner.request_id = REQUEST_IDS.iter().find_map(|name| answer.header(name)).map(cut);
        if kind == ErrorKind::MfaRequired {
            inner.mfa = MfaRequirement::read(&members);
        }
        inner.limits = limits;
        inner.is_of_whole_client = kind == ErrorKind::InvalidClient
            && (code == Some("invalid_client")
                || purpose == Purpose::Machine && description == Some(WRONG_SECRET));
        inner.is_of_operator = purpose == Purpose::Machine && kind == ErrorKind::Denied;
        Self::from_inner(inner)
    }
}

/// Returns the code and the description, whichever members have them.
fn texts(members: &Map<String, Value>) -> (Option<&str>, Option<&str>) {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let nested = |name: &str, inner: &str| members.get(name)?.get(inner)?.as_str();
    // `{statusCode, error: "Too Many Requests", message, errorCode}` has the sentence of the status in `error`.
    let is_of_status = members.contains_key("statusCode");
    let code = match is_of_status {
        true => text("errorCode").or_else(|| text("error")),
        false => text("error").or_else(|| text("code")).or_else(|| text("type")),
    };
    let description = ["error_description", "message", "description", "detail", "title"]
        .into_iter()
        .find_map(text)
        .or_else(|| nested("description", "message"))
        .or_else(|| nested("description", "code"));
    (code, description)
}

fn kind(status: u16, code: Option<&str>, description: Option<&str>, purpose: Purpose) -> ErrorKind {
    let code = code.unwrap_or_default();
    match code {
        "authorization_pending" => return ErrorKind::Pending,
        // Auth0 answers a poll that is too early with 429.
        "slow_down" if purpose == Purpose::Other => return ErrorKind::SlowDown,
        "expired_token" => return ErrorKind::Expired,
        "mfa_required" => return ErrorKind::MfaRequired,
        "too_many_requests" => return ErrorKind::Throttled,
        "invalid_client" | "unauthorized_client" => return ErrorKind::InvalidClient,
        "invalid_grant" => return ErrorKind::InvalidGrant,
        _ if status == 429 => return ErrorKind::Throttled,
        _ if status >= 500 || status == 408 => return ErrorKind::Unavailable,
        _ if purpose == Purpose::Vault && code.starts_with("federated_connection") => {
            return ErrorKind::AccountNotConnected;
        }
        "invalid_token" => return ErrorKind::InvalidGrant,
        "temporarily_unavailable" | "server_error" => return ErrorKind::Unavailable,
        // Auth0 has no other description for a wrong secret.
        "access_denied" if status == 401 && description == Some(WRONG_SECRET) => {
            return ErrorKind::InvalidClient;
        }
        "access_denied" if purpose == Purpose::Vault && status == 401 => {
            return ErrorKind::AccountNotConnected;
        }
        "access_denied" | "consent_required" | "login_required" | "interaction_required" => {
            return ErrorKind::Denied;
        }
        // The chain of delegations is too long, which the caller has made.
        "invalid_request" if description.is_some_and(|text| text.contains("Delegation chain")) => {
            return ErrorKind::Denied;
        }
        // The account is what a user has chosen, and no mistake of the operator.
        "invalid_request"
            if purpose == Purpose::Vault
                && description.is_some_and(|text| text.contains("login_hint")) =>
        {
            return ErrorKind::AccountNotConnected;
        }
        _ => {}
    }
    match (status, purpose) {
        (401, Purpose::Vault) => ErrorKind::AccountNotConnected,
        (401, Purpose::Exchange) => ErrorKind::InvalidGrant,
        (401, _) => ErrorKind::InvalidClient,
        // Without a code, it is the answer of something in between.
        (403, _) if !code.is_empty() => ErrorKind::Denied,
        (400..=499, _) if !code.is_empty() => ErrorKind::Misconfigured,
        // Not JSON, or a redirect: not an answer of this endpoint.
        (404, _) => ErrorKind::Misconfigured,
        _ => ErrorKind::Malformed,
    }
}

/// Returns what to do about an error.
fn advice(kind: ErrorKind, status: u16, code: Option<&str>) -> Option<&'static str> {
    Some(match (kind, code) {
        (ErrorKind::InvalidClient, Some("unauthorized_client")) => {
            "Allow the grant, and the API, for this application: Dashboard > Applications > APIs, and \
             Applications > Settings > Advanced > Grant Types"
        }
        (ErrorKind::InvalidClient, _) => {
            "Compare AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, or the registered public key of \
             AUTH0_CLIENT_ASSERTION_SIGNING_KEY, with Dashboard > Applications > Settings and Credentials"
        }
        (ErrorKind::AccountNotConnected, _) => {
            "Let the user connect the account, and check the connection's name and the login hint"
        }
        (ErrorKind::Malformed, _) if (300..400).contains(&status) => {
            "Redirects are not followed. Use the domain at which the tenant answers itself"
        }
        (ErrorKind::Misconfigured, None) if status == 404 => {
            "There is no such endpoint. Compare AUTH0_DOMAIN with Dashboard > Applications > Settings"
        }
        (ErrorKind::Misconfigured, Some("invalid_target" | "invalid_scope")) => {
            "Compare audience and scopes with Dashboard > Applications > APIs"
        }
        _ => return None,
    })
}

/// Reads the interval between polls: `interval`, in seconds.
fn interval(members: &Map<String, Value>) -> Option<Duration> {
    let seconds = members.get("interval")?.as_f64().filter(|seconds| *seconds >= 0.0)?;
    Some(Duration::try_from_secs_f64(seconds).ok()?.min(MAX_INTERVAL))
}

fn cut(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => text.get(..end).unwrap_or(text).into(),
        None => text.into(),
    }
}
