//! Passwordless login, embedded in the application: a code by e-mail or SMS.
use super::audience;
use crate::{
    client::Client,
    error::{Error, Purpose},
    parameters::{Mistake, Parameters, Scopes, required},
    secret::Secret,
    server::{Body, Call, Endpoint, Repeat},
    token::Tokens,
};
use serde_json::{Map, Value, json};
use std::{fmt, net::IpAddr, time::Duration};

const GRANT: &str = "http://auth0.com/oauth/grant-type/passwordless/otp";

/// The parameters that the login sets.
const RESERVED: [&str; 5] = ["audience", "otp", "realm", "scope", "username"];

/// The user of a passwordless login: see [`Client::passwordless`].
#[must_use = "a user is sent nothing until `start` is called"]
pub struct Passwordless {
    client: Client,
    connection: Connection,
    user: String,
    mistake: Mistake,
}

#[derive(Clone, Copy)]
enum Connection {
    Email,
    Sms,
}

impl Connection {
    /// Returns the name of the connection, and of the member with the user's address.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Email => ("email", "email"),
            Self::Sms => ("sms", "phone_number"),
        }
    }
}

/// A code or a link that is sent to a user.
#[must_use = "`send` sends the request"]
pub struct PasswordlessStart {
    user: Passwordless,
    is_link: bool,
    parameters: Map<String, Value>,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
}

/// A login with a code.
#[must_use = "`send` sends the request"]
pub struct PasswordlessLogin {
    user: Passwordless,
    code: Secret,
    audience: Option<String>,
    scopes: Scopes,
    extra: Parameters,
    forwarded_for: Option<IpAddr>,
    deadline: Duration,
}

impl Client {
    /// Starts a login with a code by e-mail; [`passwordless_sms`](Self::passwordless_sms) sends it by SMS.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, passwordless_code, web};
    /// # run(async {
    /// # let client = web();
    /// let ann = client.passwordless("ann@acme.com");
    /// ann.send_code().send().await?;
    /// # let code = passwordless_code("ann@acme.com");
    /// let tokens = ann.log_in(&code).scopes(["openid"]).send().await?;
    /// assert!(tokens.id_token().is_some());
    /// # Ok(())
    /// # });
    /// ```
    pub fn passwordless(&self, email: impl Into<String>) -> Passwordless {
        self.passwordless_user(Connection::Email, email.into())
    }

    /// Starts a login with a code by SMS, to a number in the format E.164, for example `+4915112345678`.
    pub fn passwordless_sms(&self, phone_number: impl Into<String>) -> Passwordless {
        self.passwordless_user(Connection::Sms, phone_number.into())
    }

    fn passwordless_user(&self, connection: Connection, user: String) -> Passwordless {
        let mut mistake = Mistake::default();
        mistake.note(required("the address of the user", &user));
        Passwordless { client: self.clone(), connection, user, mistake }
    }
}

impl Passwordless {
    /// Sends the user a code.
    pub fn send_code(&self) -> PasswordlessStart {
        self.start(false)
    }

    /// Sends the user a link, which logs the user in when it is opened.
    pub fn send_link(&self) -> PasswordlessStart {
        self.start(true)
    }

    fn start(&self, is_link: bool) -> PasswordlessStart {
        PasswordlessStart {
            user: self.copy(),
            is_link,
            parameters: Map::new(),
            forwarded_for: None,
            deadline: self.client.0.deadline,
        }
    }

    /// Logs the user in with the code.
    pub fn log_in(&self, code: impl AsRef<str>) -> PasswordlessLogin {
        let mut user = self.copy();
        user.mistake.note(required("the code", code.as_ref()));
        PasswordlessLogin {
            deadline: user.client.0.deadline,
            user,
            code: Secret::new(code.as_ref()),
            audience: None,
            scopes: Scopes::default(),
            extra: Parameters::default(),
            forwarded_for: None,
        }
    }

    fn copy(&self) -> Self {
        Self {
            client: self.client.clone(),
            connection: self.connection,
            user: self.user.clone(),
            mistake: self.mistake.clone(),
        }
    }
}

impl PasswordlessStart {
    /// Adds a parameter of the login that a link leads to (`authParams`): `scope`, `redirect_uri`, `state` and others.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), Value::String(value.into()));
        self
    }

    /// Sets the address of the user (`auth0-forwarded-for`). Auth0 limits codes for each address: without it, all users
    /// share that of this server.
    pub const fn forwarded_for(mut self, address: IpAddr) -> Self {
        self.forwarded_for = Some(address);
        self
    }

    /// Sets the limit of the call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn send(self) -> Result<(), Error> {
        let Passwordless { client, connection, user, mistake } = self.user;
        mistake.check()?;
        let (name, member) = connection.names();
        let mut body = Map::new();
        body.insert("connection".into(), name.into());
        body.insert(member.into(), user.into());
        body.insert("send".into(), json!(if self.is_link { "link" } else { "code" }));
        if !self.parameters.is_empty() {
            body.insert("authParams".into(), self.parameters.into());
        }
        let mut call =
            Call::to(Endpoint::PasswordlessStart, "passwordless_start", Body::Json(body));
        call.forwarded_for = self.forwarded_for;
        client.0.answer(call, self.deadline).await.map(drop)
    }
}

impl PasswordlessLogin {
    /// Sets the API that the access token is for.
    pub fn audience(mut self, api: impl AsRef<str>) -> Self {
        match audience(api.as_ref()) {
            Ok(audience) => self.audience = Some(audience),
            Err(error) => self.user.mistake.note(Err(error)),
        }
        self
    }

    /// Requests these scopes.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
        self.user.mistake.note(result);
        self
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.user.mistake.note(result);
        self
    }

    /// Sets the address of the user (`auth0-forwarded-for`).
    pub const fn forwarded_for(mut self, address: IpAddr) -> Self {
        self.forwarded_for = Some(address);
        self
    }

    /// Sets the limit of the call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sends the request.
    ///
    /// # Errors
    /// [`InvalidGrant`](crate::ErrorKind::InvalidGrant): the code is wrong, used or too old.
    /// [`MfaRequired`](crate::ErrorKind::MfaRequired): the user has to pass another factor. Others as for
    /// [`TokenSource::token`](crate::TokenSource::token).
    pub async fn send(self) -> Result<Tokens, Error> {
        let Passwordless { client, connection, user, mistake } = self.user;
        mistake.check()?;
        let scope = self.scopes.text();
        let mut parameters = Parameters::of_grant(GRANT)
            .with("username", user)
            .with("otp", self.code)
            .with("realm", connection.names().0);
        parameters.set_some("audience", self.audience);
        parameters.set_some("scope", scope.clone());
        parameters.append(self.extra);
        let mut call = Call::token("passwordless", parameters, Repeat::UnseenNow, Purpose::Other);
        call.forwarded_for = self.forwarded_for;
        client.0.tokens_once(call, scope.unwrap_or_default(), None, self.deadline).await
    }
}

/// Omits the address of the user.
impl fmt::Debug for Passwordless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (connection, _) = self.connection.names();
        f.debug_struct("Passwordless").field("connection", &connection).finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordlessStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordlessStart").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Omits the code.
impl fmt::Debug for PasswordlessLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordlessLogin").field("user", &self.user).finish_non_exhaustive()
    }
}
