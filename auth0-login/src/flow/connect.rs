//! Connected accounts: accounts of the user at other providers, whose tokens Token Vault has (My Account API).
use super::callback::NOT_VALID;
use crate::{
    error::{Error, ErrorKind, RETRY},
    login::Login,
    page::Notice,
    record::Secret,
    reply::Reply,
    request::Request,
    return_to::return_to,
    session::Session,
    transaction::{Connecting, Transaction, new_state, random},
};
use auth0_client::{
    Token,
    support::{at_issuer, call_api},
};
use auth0_core::transport::HttpResponse;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};
use url::{Url, form_urlencoded};

/// The limit for a call of the My Account API: a person waits for it.
const LIMIT: Duration = Duration::from_secs(5);

/// Accounts come in pages of at most 20; more pages than a person has accounts are not read.
const MAX_PAGES: usize = 50;

const CREATE: &str = "create:me:connected_accounts";
const READ: &str = "read:me:connected_accounts";
const DELETE: &str = "delete:me:connected_accounts";

/// An account of the user at another provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectedAccount {
    /// Its id: `cac_…`.
    pub id: String,
    /// The connection, for example `google-oauth2`.
    pub connection: String,
    /// The scopes that the user has granted.
    pub scopes: Vec<String>,
}

/// The start of a connection: see [`Session::connect_account`]. Await it.
#[must_use = "a request does nothing until it is awaited"]
pub struct ConnectRequest {
    session: Session,
    connection: String,
    scopes: Vec<String>,
    parameters: Map<String, Value>,
    return_to: String,
}

impl Session {
    /// Connects an account of the user at another provider, such as `google-oauth2`, so that
    /// [`connection_token`](Self::connection_token) has tokens for it. The future returns the response that sends the browser
    /// there; it comes back to the callback, and then to [`return_to`](ConnectRequest::return_to).
    ///
    /// The application needs the My Account API, and a refresh token for it (MRRT).
    pub fn connect_account(&self, connection: impl Into<String>) -> ConnectRequest {
        ConnectRequest {
            session: self.clone(),
            connection: connection.into(),
            scopes: Vec::new(),
            parameters: Map::new(),
            return_to: String::new(),
        }
    }

    /// Returns the connected accounts of the user.
    ///
    /// # Errors
    /// As for [`access_token`](Self::access_token).
    pub async fn connected_accounts(&self) -> Result<Vec<ConnectedAccount>, Error> {
        let token = self.my_account_token(READ).await?;
        let mut found = Vec::new();
        let mut from = None::<String>;
        for _ in 0..MAX_PAGES {
            let mut url = self.my_account("accounts");
            if let Some(from) = &from {
                let query: String = form_urlencoded::Serializer::new(String::new())
                    .append_pair("from", from)
                    .finish();
                url = format!("{url}?{query}");
            }
            let answer = self.call(&token, "GET", url, None).await?;
            let answer = self.members(&answer)?;
            let accounts = answer.get("accounts").and_then(Value::as_array);
            found.extend(accounts.into_iter().flatten().filter_map(account));
            match answer.get("next").and_then(Value::as_str).filter(|next| !next.is_empty()) {
                Some(next) => from = Some(next.to_owned()),
                None => break,
            }
        }
        Ok(found)
    }

    /// Disconnects an account, and drops its tokens. It is no error if it is not connected any more.
    ///
    /// # Errors
    /// As for [`access_token`](Self::access_token).
    pub async fn disconnect_account(&self, account: &ConnectedAccount) -> Result<(), Error> {
        let token = self.my_account_token(DELETE).await?;
        let id: String = form_urlencoded::byte_serialize(account.id.as_bytes()).collect();
        let answer =
            self.call(&token, "DELETE", self.my_account(&format!("accounts/{id}")), None).await?;
        if answer.status() != 404 {
            self.accepted(&answer)?;
        }
        self.forget_account(&account.connection);
        Ok(())
    }

    async fn my_account_token(&self, scope: &str) -> Result<Token, Error> {
        self.access_token(at_issuer(&self.login().site.client, "me/")).scopes([scope]).await
    }

    fn my_account(&self, path: &str) -> String {
        at_issuer(&self.login().site.client, &format!("me/v1/connected-accounts/{path}"))
    }

    async fn call(
        &self,
        token: &Token,
        method: &'static str,
        url: String,
        body: Option<&Value>,
    ) -> Result<HttpResponse, Error> {
        let client = &self.login().site.client;
        let body = body.map(Value::to_string);
        call_api(client, token, method, url, body, LIMIT).await.map_err(|error| {
            tracing::error!(target: "auth0", %error, "the My Account API does not answer");
            let reply = self.error(ErrorKind::Unavailable, "").reply();
            Error::of_client(error, ErrorKind::Unavailable, reply)
        })
    }

    fn accepted(&self, answer: &HttpResponse) -> Result<(), Error> {
        let status = answer.status();
        if (200..300).contains(&status) {
            return Ok(());
        }
        tracing::error!(target: "auth0", status, "the My Account API has refused a request");
        let kind = match status {
            401 | 403 => ErrorKind::Forbidden,
            429 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Misconfigured,
        };
        Err(self.error(kind, format!("the My Account API has answered {status}")))
    }

    fn members(&self, answer: &HttpResponse) -> Result<Map<String, Value>, Error> {
        self.accepted(answer)?;
        serde_json::from_slice(answer.body()).map_err(|_| {
            self.error(ErrorKind::Unavailable, "the My Account API has not answered with an object")
        })
    }
}

impl ConnectRequest {
    /// Requests these scopes of the provider.
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds a parameter for the provider, such as `login_hint`.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into().into());
        self
    }

    /// Sets the path of this application to which the browser comes back: the start page by default.
    pub fn return_to(mut self, path: impl Into<String>) -> Self {
        self.return_to = path.into();
        self
    }

    async fn send(self) -> Result<Reply, Error> {
        let Self { session, connection, scopes, parameters, return_to: target } = self;
        let user = session.required_user().await?;
        let token = session.my_account_token(CREATE).await?;
        let site = &session.login().site;
        let no_randomness =
            || session.error(ErrorKind::Misconfigured, "the system has no randomness");
        let state = new_state(false).ok_or_else(no_randomness)?;
        let verifier = Secret::new(random().ok_or_else(no_randomness)?);
        let redirect_uri = site.callback_url();
        let challenge = digest::digest(&digest::SHA256, verifier.text().as_bytes());
        let mut body = Map::new();
        for (name, value) in [
            ("connection", connection.as_str()),
            ("redirect_uri", &redirect_uri),
            ("state", &state),
            ("code_challenge", &URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ] {
            body.insert(name.to_owned(), value.into());
        }
        if !scopes.is_empty() {
            body.insert("scopes".into(), scopes.into());
        }
        if !parameters.is_empty() {
            body.insert("authorization_params".into(), parameters.into());
        }
        let body = Value::from(body);
        let answer =
            session.call(&token, "POST", session.my_account("connect"), Some(&body)).await?;
        let answer = session.members(&answer)?;
        let malformed = || {
            session.error(ErrorKind::Unavailable, "the answer of the My Account API lacks members")
        };
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let auth_session = text("auth_session").ok_or_else(malformed)?;
        let ticket = answer.get("connect_params").and_then(|params| params.get("ticket"));
        let ticket = ticket.and_then(Value::as_str).ok_or_else(malformed)?;
        let url = text("connect_uri").and_then(|url| Url::parse(url).ok());
        let mut url =
            url.filter(|url| is_of_issuer(url, site.client.issuer())).ok_or_else(malformed)?;
        url.query_pairs_mut().append_pair("ticket", ticket);
        let transaction = Transaction {
            nonce: String::new(),
            verifier,
            issuer: site.client.issuer().to_owned(),
            redirect_uri,
            return_to: return_to(&target, &site.base),
            organization: None,
            max_age: None,
            step_up: None,
            connecting: Some(Connecting {
                subject: user.subject().to_owned(),
                auth_session: Secret::new(auth_session),
                connection,
            }),
            began_at: site.now().as_secs(),
        };
        let cookies = site.open_transaction(&state, &transaction, &site.cookies(session.request()));
        Ok(Reply::redirect(url.as_str()).cookies(cookies.ok_or_else(no_randomness)?))
    }
}

impl IntoFuture for ConnectRequest {
    type Output = Result<Reply, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Login {
    /// Completes the connection of an account, for the user who has begun it.
    pub(super) async fn connected(
        &self,
        session: &Session,
        transaction: &Transaction,
        connecting: &Connecting,
        request: &Request,
    ) -> Result<(), Notice> {
        let failed = |error: Error| error.kind().notice();
        let user = session.user().await.map_err(failed)?;
        if user.is_none_or(|user| {
            user.subject() != connecting.subject || user.issuer() != transaction.issuer
        }) {
            return Err(OTHER_USER);
        }
        let query = request.query();
        let parameter =
            |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if let Some(code) = parameter("error") {
            let code = auth0_core::support::Escaped(code);
            tracing::warn!(target: "auth0", error = %code, "an account was not connected");
            return Err(NOT_CONNECTED);
        }
        let code = parameter("connect_code").filter(|code| !code.is_empty()).ok_or(NOT_VALID)?;
        let token = session.my_account_token(CREATE).await.map_err(failed)?;
        let body = json!({
            "auth_session": connecting.auth_session.text(),
            "connect_code": code,
            "redirect_uri": transaction.redirect_uri,
            "code_verifier": transaction.verifier.text(),
        });
        let url = session.my_account("complete");
        let answer = session.call(&token, "POST", url, Some(&body)).await.map_err(failed)?;
        match answer.status() {
            200..=299 => {
                // A token of before may be that of another account.
                session.forget_account(&connecting.connection);
                Ok(())
            }
            409 => Err(CONNECTED_ALREADY),
            400 | 401 | 403 | 404 => Err(NOT_CONNECTED),
            status => {
                tracing::error!(target: "auth0", status, "an account was not connected");
                Err(ErrorKind::Unavailable.notice().retry_after(RETRY))
            }
        }
    }
}

fn account(value: &Value) -> Option<ConnectedAccount> {
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let scopes = value.get("scopes").and_then(Value::as_array);
    let scopes = scopes.into_iter().flatten().filter_map(|scope| scope.as_str().map(str::to_owned));
    Some(ConnectedAccount {
        id: text("id")?,
        connection: text("connection")?,
        scopes: scopes.collect(),
    })
}

/// Returns whether the browser may be sent there: by https, as the tenant has answered, or to a tenant on this machine.
fn is_of_issuer(url: &Url, issuer: &str) -> bool {
    url.scheme() == "https"
        || Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == url.origin())
}

const OTHER_USER: Notice = Notice::new(
    403,
    "other_user",
    "The account was not connected",
    "Another user is logged in now than the one who has begun.",
);

const NOT_CONNECTED: Notice = Notice::new(
    403,
    "not_connected",
    "The account was not connected",
    "The other provider, or you, have not agreed. Your login here is unchanged.",
);

const CONNECTED_ALREADY: Notice = Notice::new(
    409,
    "already_connected",
    "The account is connected already",
    "This account is connected. Disconnect it first to connect it anew.",
);

impl fmt::Debug for ConnectRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectRequest")
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
