//! The device authorization grant (RFC 8628), with the statuses of Auth0.
use super::{Members, audience, polling::Polling};
use crate::{
    client::{Client, Shared},
    error::{Error, Purpose},
    parameters::{Mistake, Parameters, Scopes},
    server::{Body, Call, Endpoint, Repeat},
    token::Tokens,
};
use std::{fmt, sync::Arc, time::Duration};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The parameters that this request sets.
const RESERVED: [&str; 3] = ["audience", "device_code", "scope"];

/// The settings of a device flow: see [`Client::device`].
#[must_use = "`start` sends the request"]
pub struct DeviceRequest {
    client: Client,
    audience: Option<String>,
    scopes: Scopes,
    extra: Parameters,
    deadline: Duration,
    mistake: Mistake,
}

/// A device flow that waits for its user.
pub struct PendingDevice {
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    polling: Polling,
}

impl Client {
    /// Starts the login of a user on a device without a browser or keyboard, or in a program on a command line.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, approve_device, device};
    /// # run(async {
    /// # let client = device();
    /// let login = client.device().scopes(["openid"]).start().await?;
    /// println!("Open {} and enter {}", login.verification_uri(), login.user_code());
    /// # approve_device(login.user_code());
    /// let tokens = login.wait().await?;
    /// assert!(tokens.id_token().is_some());
    /// # Ok(())
    /// # });
    /// ```
    pub fn device(&self) -> DeviceRequest {
        DeviceRequest {
            client: self.clone(),
            audience: None,
            scopes: Scopes::default(),
            extra: Parameters::default(),
            deadline: self.0.deadline,
            mistake: Mistake::default(),
        }
    }
}

impl DeviceRequest {
    /// Sets the API that the access token is for.
    pub fn audience(mut self, api: impl AsRef<str>) -> Self {
        match audience(api.as_ref()) {
            Ok(audience) => self.audience = Some(audience),
            Err(error) => self.mistake.note(Err(error)),
        }
        self
    }

    /// Requests these scopes.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
        self.mistake.note(result);
        self
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the limit of each request, not of the wait for the user: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Requests the codes.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn start(self) -> Result<PendingDevice, Error> {
        self.mistake.check()?;
        let scope = self.scopes.text();
        let mut parameters = Parameters::default();
        parameters.set_some("scope", scope.clone());
        parameters.set_some("audience", self.audience);
        parameters.append(self.extra);
        let shared: Arc<Shared> = self.client.0;
        let call =
            Call::to(Endpoint::DeviceAuthorization, "device_authorization", Body::Form(parameters));
        let answer = Members::read(&shared.answer(call, self.deadline).await?)?;
        let code = answer.text("device_code")?;
        let parameters = Parameters::of_grant(GRANT).with("device_code", code);
        let call = Call::token("device_code", parameters, Repeat::UnseenNow, Purpose::Other);
        let times = (answer.seconds("interval"), answer.seconds("expires_in"));
        Ok(PendingDevice {
            user_code: answer.text("user_code")?,
            verification_uri: answer.text("verification_uri")?,
            verification_uri_complete: answer
                .optional("verification_uri_complete")
                .map(str::to_owned),
            polling: Polling::new(shared, call, scope.unwrap_or_default(), times, self.deadline),
        })
    }
}

impl PendingDevice {
    /// Returns the code that the user enters.
    #[must_use]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Returns the page that the user opens.
    #[must_use]
    pub fn verification_uri(&self) -> &str {
        &self.verification_uri
    }

    /// Returns the page with the code, for a link or a QR code.
    #[must_use]
    pub fn verification_uri_complete(&self) -> Option<&str> {
        self.verification_uri_complete.as_deref()
    }

    /// Returns how long the codes are still valid.
    #[must_use]
    pub fn expires_in(&self) -> Duration {
        self.polling.left()
    }

    /// Returns the pause between polls.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.polling.interval()
    }

    /// Polls once, for an application that keeps its own time.
    ///
    /// # Errors
    /// [`Pending`](crate::ErrorKind::Pending) and [`SlowDown`](crate::ErrorKind::SlowDown): poll again after
    /// [`interval`](Self::interval). Others as for [`wait`](Self::wait).
    pub async fn poll(&mut self) -> Result<Tokens, Error> {
        self.polling.poll().await
    }

    /// Polls until the user has answered. Dropping the future ends the polls.
    ///
    /// # Errors
    /// [`Denied`](crate::ErrorKind::Denied): the user refused. [`Expired`](crate::ErrorKind::Expired): the user did not
    /// answer in time. Others as for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn wait(self) -> Result<Tokens, Error> {
        self.polling.wait().await
    }
}

impl fmt::Debug for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRequest").field("audience", &self.audience).finish_non_exhaustive()
    }
}

/// Omits the codes.
impl fmt::Debug for PendingDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingDevice")
            .field("verification_uri", &self.verification_uri)
            .finish_non_exhaustive()
    }
}
