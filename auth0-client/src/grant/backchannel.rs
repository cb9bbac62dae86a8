//! Client-initiated backchannel authentication (OpenID Connect CIBA Core): a user approves on another device.
use super::{Members, audience, polling::Polling};
use crate::{
    client::Client,
    error::{Error, Purpose},
    parameters::{Mistake, Parameters, Scopes, required},
    server::{Body, Call, Endpoint, Repeat},
    token::Tokens,
};
use auth0_core::ConfigError;
use serde::Serialize;
use serde_json::{Value, json};
use std::{fmt, net::IpAddr, time::Duration};

const GRANT: &str = "urn:openid:params:grant-type:ciba";

/// The longest message that Auth0 accepts, in characters.
const MAX_MESSAGE_CHARS: usize = 64;

/// The longest life of a request: three days.
const MAX_EXPIRY: Duration = Duration::from_secs(259_200);

/// The settings of a backchannel request: see [`Client::backchannel`].
#[must_use = "`start` sends the request"]
pub struct BackchannelRequest {
    client: Client,
    user_id: String,
    message: String,
    audience: Option<String>,
    scopes: Scopes,
    details: Option<String>,
    expiry: Option<Duration>,
    extra: Parameters,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
    mistake: Mistake,
}

/// A backchannel request that waits for its user.
pub struct PendingBackchannel(Polling);

/// The parameters that this request sets.
const RESERVED: [&str; 7] = [
    "audience",
    "auth_req_id",
    "authorization_details",
    "binding_message",
    "login_hint",
    "requested_expiry",
    "scope",
];

impl Client {
    /// Asks a user to approve something on the user's own device (CIBA): for an agent that acts for a user who is not
    /// at its screen. `user_id` is the `sub` of the user; the message is what the user sees, in up to 64 characters:
    /// letters, digits, spaces and `+-_.,:#`.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, api, approve_backchannel};
    /// # run(async {
    /// # let client = api();
    /// let request = client.backchannel("auth0|ann", "Pay 2500 to Hanna").scopes(["openid"]);
    /// let pending = request.start().await?;
    /// # approve_backchannel("auth0|ann");
    /// let tokens = pending.wait().await?; // polls; stops if it is dropped
    /// assert!(tokens.id_token().is_some());
    /// # Ok(())
    /// # });
    /// ```
    pub fn backchannel(
        &self,
        user_id: impl Into<String>,
        message: impl Into<String>,
    ) -> BackchannelRequest {
        let (user_id, message) = (user_id.into(), message.into());
        let mut mistake = Mistake::default();
        mistake.note(required("the user id", &user_id));
        mistake.note(check_message(&message));
        BackchannelRequest {
            client: self.clone(),
            user_id,
            message,
            audience: None,
            scopes: Scopes::default(),
            details: None,
            expiry: None,
            extra: Parameters::default(),
            forwarded_for: None,
            deadline: self.0.deadline,
            mistake,
        }
    }
}

fn check_message(message: &str) -> Result<(), ConfigError> {
    let is_char = |c: char| c.is_ascii_alphanumeric() || " +-_.,:#".contains(c);
    let why = match message {
        message if message.trim().is_empty() => "is empty",
        message if message.chars().count() > MAX_MESSAGE_CHARS => "has more than 64 characters",
        message if !message.chars().all(is_char) => "has a character other than these",
        _ => return Ok(()),
    };
    Err(ConfigError::new(format!(
        "the message to the user {why}. Write up to 64 letters (a to z), digits, spaces and +-_.,:#"
    )))
}

impl BackchannelRequest {
    /// Requests these scopes; `openid` is always one of them.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
        self.mistake.note(result);
        self
    }

    /// Sets the API that the access token is for.
    pub fn audience(mut self, api: impl AsRef<str>) -> Self {
        match audience(api.as_ref()) {
            Ok(audience) => self.audience = Some(audience),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Sets what exactly the user approves (RFC 9396): a list of objects with a `type`.
    pub fn authorization_details(mut self, details: &impl Serialize) -> Self {
        match details_text(details) {
            Ok(details) => self.details = Some(details),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Sets how long the user may take: 300 seconds by default, three days at most. Auth0 sends a push notification up
    /// to 300 seconds, and an e-mail beyond.
    pub fn requested_expiry(mut self, time: Duration) -> Self {
        if time.as_secs() == 0 || time > MAX_EXPIRY {
            self.mistake.note(Err(ConfigError::new(
                "the requested expiry is not between 1 and 259200 seconds",
            )));
        }
        self.expiry = Some(time);
        self
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the address of the user (`auth0-forwarded-for`).
    pub const fn forwarded_for(mut self, address: IpAddr) -> Self {
        self.forwarded_for = Some(address);
        self
    }

    /// Sets the limit of each request, not of the wait for the user: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sends the request to the user.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn start(mut self) -> Result<PendingBackchannel, Error> {
        self.mistake.note(self.scopes.extend(["openid"]));
        self.mistake.check()?;
        let scope = self.scopes.text().unwrap_or_default();
        let shared = self.client.0;
        // The hint is JSON, with the issuer as tokens have it.
        let hint = json!({
            "format": "iss_sub", "iss": shared.issuer(self.deadline).await?, "sub": self.user_id,
        });
        let mut parameters = Parameters::default()
            .with("scope", scope.as_str())
            .with("login_hint", hint.to_string())
            .with("binding_message", self.message);
        parameters.set_some("audience", self.audience);
        parameters.set_some("authorization_details", self.details);
        parameters.set_some("requested_expiry", self.expiry.map(|time| time.as_secs().to_string()));
        parameters.append(self.extra);
        let body = Body::Form(parameters);
        let mut call = Call::to(Endpoint::BackchannelAuthentication, "backchannel_start", body);
        call.forwarded_for = self.forwarded_for;
        let answer = Members::read(&shared.answer(call, self.deadline).await?)?;
        let id = answer.text("auth_req_id")?;
        let parameters = Parameters::of_grant(GRANT).with("auth_req_id", id);
        let call = Call::token("backchannel", parameters, Repeat::UnseenNow, Purpose::Other);
        let times = (answer.seconds("interval"), answer.seconds("expires_in"));
        Ok(PendingBackchannel(Polling::new(shared, call, scope, times, self.deadline)))
    }
}

/// Writes authorization details as JSON.
pub(super) fn details_text(details: &impl Serialize) -> Result<String, ConfigError> {
    let value = serde_json::to_value(details).ok();
    let entries = value.as_ref().and_then(Value::as_array);
    let is_valid = entries.is_some_and(|entries| {
        entries.iter().all(|entry| entry.get("type").is_some_and(Value::is_string))
    });
    // In the order of the application's members.
    match serde_json::to_string(details) {
        Ok(text) if is_valid => Ok(text),
        _ => Err(ConfigError::new(
            "the authorization details are not a list of objects with a type (RFC 9396 §2). Write for example \
             [{\"type\": \"payment\", \"amount\": 2500}]",
        )),
    }
}

impl PendingBackchannel {
    /// Returns how long the user may still answer.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.0.left()
    }

    /// Returns the pause between polls.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.0.interval()
    }

    /// Polls once, for an application that keeps its own time.
    ///
    /// # Errors
    /// [`Pending`](crate::ErrorKind::Pending) and [`SlowDown`](crate::ErrorKind::SlowDown): poll again after
    /// [`interval`](Self::interval). Others as for [`wait`](Self::wait).
    pub async fn poll(&mut self) -> Result<Tokens, Error> {
        self.0.poll().await
    }

    /// Polls until the user has answered. Dropping the future ends the polls.
    ///
    /// # Errors
    /// [`Denied`](crate::ErrorKind::Denied): the user refused or, with Auth0, did not answer in time.
    /// [`Expired`](crate::ErrorKind::Expired): the user did not answer in time. Others as for
    /// [`TokenSource::token`](crate::TokenSource::token).
    pub async fn wait(self) -> Result<Tokens, Error> {
        self.0.wait().await
    }
}

impl fmt::Debug for BackchannelRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackchannelRequest")
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PendingBackchannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingBackchannel")
            .field("expires_in", &self.expires_in())
            .finish_non_exhaustive()
    }
}
