//! Token Vault: access tokens of a user's account at another provider.
use super::{ACCESS_TOKEN, REFRESH_TOKEN, delegation::source};
use crate::{
    cache::KeyBuilder,
    client::Client,
    error::{Error, ErrorKind, Purpose},
    key::random_id,
    parameters::{Mistake, Parameters, required},
    server::{Body, Call, Repeat},
    source::{Party, TokenRequest, TokenSource},
    token::{Caller, Token},
};
use serde_json::json;
use std::{fmt, sync::Arc, time::Duration};

/// The grant of Token Vault, and its types of tokens: for a user who is there, and for a worker.
const GRANT: &str =
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";
const TOKEN_TYPE: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";

const WORKER_TOKEN_TYPE: &str = "http://auth0.com/oauth/token-type/token-vault-access-token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The type of the request of a privileged worker.
const WORKER_REQUEST: &str = "token-vault-req+jwt";

/// The life of a worker's request: Auth0 accepts those of the last minute.
const WORKER_LIFE: Duration = Duration::from_secs(60);

/// The longest audit context that Auth0 accepts, in characters.
const MAX_AUDIT_CHARS: usize = 256;

/// The parameters that this grant sets, and those that Auth0 refuses here.
const RESERVED: [&str; 8] = [
    "audience",
    "connection",
    "login_hint",
    "requested_token_type",
    "resource",
    "scope",
    "subject_token",
    "subject_token_type",
];

/// An account of a user at another provider, in Token Vault: see [`Client::connection`].
#[derive(Clone)]
#[must_use = "a connection requests nothing until a token is requested"]
pub struct Connection {
    client: Client,
    name: String,
    login_hint: Option<String>,
    organization: Option<String>,
    extra: Parameters,
    deadline: Duration,
    mistake: Mistake,
}

impl Client {
    /// Names a connection of Token Vault, for example `google-oauth2`: its tokens are those of the user's own account
    /// at that provider. They are bearer tokens.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, api, token_of};
    /// use auth0_client::ErrorKind;
    ///
    /// # run(async {
    /// # let client = api();
    /// # let caller = token_of("auth0|ann");
    /// let work = client.connection("google-oauth2").login_hint("work@acme.com");
    /// let token = work.for_caller(&caller).await?;
    /// assert!(!token.is_dpop());
    ///
    /// let other = client.connection("github").for_caller(&caller).await.unwrap_err();
    /// assert_eq!(other.kind(), ErrorKind::AccountNotConnected); // 403 to the caller
    /// # Ok(())
    /// # });
    /// ```
    pub fn connection(&self, name: impl Into<String>) -> Connection {
        let name = name.into();
        let mut mistake = Mistake::default();
        mistake.note(required("the name of the connection", &name));
        Connection {
            client: self.clone(),
            name,
            login_hint: None,
            organization: None,
            extra: Parameters::default(),
            deadline: self.0.deadline,
            mistake,
        }
    }
}

impl Connection {
    /// Names one of several accounts of the user, as Auth0 knows it: for example its e-mail address. Without a hint,
    /// Auth0 chooses; that is not the same as any of them, so such a token is kept apart.
    pub fn login_hint(mut self, hint: impl Into<String>) -> Self {
        self.login_hint = Some(hint.into());
        self
    }

    /// Sets the organization of the user, for [`for_user`](Self::for_user).
    pub fn organization(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.mistake.note(required("the organization", &id));
        self.organization = Some(id);
        self
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the limit of each call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Returns the source of the token for the caller of this API. The application is a Custom API client.
    pub fn for_caller<'a>(&self, caller: impl Into<Caller<'a>>) -> TokenSource {
        let request = self.request((ACCESS_TOKEN, TOKEN_TYPE), Repeat::Always);
        source(&self.client.0, &Arc::new(request), caller.into())
    }

    /// Returns the source of the token for the user of a session, by its refresh token. Auth0 does not rotate refresh
    /// tokens of an application with this grant.
    pub fn for_refresh_token(&self, refresh_token: &str) -> TokenSource {
        // The tenant may rotate it all the same: a second use would end the session.
        let request = self.request((REFRESH_TOKEN, TOKEN_TYPE), Repeat::Unseen);
        let caller = Caller::from(refresh_token);
        source(&self.client.0, &Arc::new(request), caller)
    }

    /// Requests the token of a user who is not there, for a privileged worker. `user_id` is the `sub` of the user;
    /// `audit_context` says why, for the tenant's log, in up to 256 characters without personal data. The request
    /// is signed with the signing key, or with [`ClientBuilder::request_key`](crate::ClientBuilder::request_key). The
    /// token is not kept.
    ///
    /// # Errors
    /// As for [`TokenSource::token`]. The client has no signing key, or a text is empty or too long.
    pub async fn for_user(&self, user_id: &str, audit_context: &str) -> Result<Token, Error> {
        let misconfigured = |cause: &str| Error::new(ErrorKind::Misconfigured, cause);
        let server = &self.client.0.server;
        let key = server.signing_key().ok_or_else(|| {
            misconfigured(
                "A privileged worker needs a signing key: AUTH0_CLIENT_ASSERTION_SIGNING_KEY",
            )
        })?;
        if user_id.trim().is_empty() {
            return Err(misconfigured("The user id is empty"));
        }
        if audit_context.is_empty() || audit_context.chars().count() > MAX_AUDIT_CHARS {
            return Err(misconfigured(
                "The audit context is empty, or has more than 256 characters",
            ));
        }
        let issued_at = server.clock.unix_time().as_secs();
        let mut payload = json!({
            "iss": server.client_id,
            "sub": user_id,
            "aud": self.client.0.issuer(self.deadline).await?,
            "iat": issued_at,
            "exp": issued_at + WORKER_LIFE.as_secs(),
            "jti": random_id().ok_or_else(no_randomness)?,
            "audit_context": audit_context,
        });
        if let (Some(organization), Some(members)) = (&self.organization, payload.as_object_mut()) {
            members.insert("org_id".into(), organization.as_str().into());
        }
        let subject = key.sign(WORKER_REQUEST, &payload).ok_or_else(no_randomness)?;
        let mut request = self.request((JWT, WORKER_TOKEN_TYPE), Repeat::Unseen);
        if let Some(mistake) = request.mistake {
            return Err(mistake);
        }
        if let Body::Form(parameters) = &mut request.call.body {
            parameters.set("subject_token", subject);
        }
        let tokens = self.client.0.tokens_once(request.call, String::new(), None, self.deadline);
        Ok(tokens.await?.access_token())
    }

    /// Returns the error of an empty hint, which a caller may have sent: no account has it.
    fn empty_hint(&self) -> Option<Error> {
        let is_empty = self.login_hint.as_ref().is_some_and(|hint| hint.trim().is_empty());
        is_empty.then(|| Error::new(ErrorKind::AccountNotConnected, "The login hint is empty"))
    }

    fn request(
        &self,
        (subject, requested): (&'static str, &'static str),
        repeat: Repeat,
    ) -> TokenRequest {
        let mut parameters = Parameters::of_grant(GRANT)
            .with("subject_token_type", subject)
            .with("requested_token_type", requested)
            .with("connection", self.name.as_str());
        parameters.set_some("login_hint", self.login_hint.clone());
        parameters.append(self.extra.clone());
        let mut call = Call::token("token_vault", parameters.clone(), repeat, Purpose::Vault);
        // It is a token of another provider, which knows no key of this client. The request proves it all the same: the
        // subject may be bound to it.
        call.is_bound = false;
        TokenRequest {
            key: KeyBuilder::of(&parameters),
            call,
            scope: Box::default(),
            party: Party::Account,
            deadline: self.deadline,
            mistake: self.mistake.clone().check().err().or_else(|| self.empty_hint()),
        }
    }
}

fn no_randomness() -> Error {
    Error::new(ErrorKind::Unavailable, "The system has no randomness for a request")
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("name", &self.name).finish_non_exhaustive()
    }
}
