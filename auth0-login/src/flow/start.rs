//! The start of a login.
use crate::{
    error::ErrorKind,
    login::{Login, mistake_in_parameter},
    page::Notice,
    record::Secret,
    reply::Reply,
    request::Request,
    return_to::return_to,
    transaction::{Transaction, new_state, random},
};
use auth0_client::{AuthorizationRequest, ErrorKind as ClientErrorKind};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, time::Duration};

/// The parameters that a link may choose. All others, such as `scope`, are the application's.
const OF_LINK: [&str; 6] =
    ["screen_hint", "login_hint", "ui_locales", "organization", "invitation", "connection"];

/// The parameter of a login that a native application has transferred.
const SESSION_TRANSFER: &str = "session_transfer_token";

/// Longer values are not ones that Auth0 knows.
const MAX_VALUE_BYTES: usize = 1024;

/// What one login asks for beside the configuration.
#[derive(Clone, Default)]
#[must_use]
pub struct LoginOptions {
    pub(super) return_to: Option<String>,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) max_age: Option<Duration>,
    pub(super) acr_values: Option<String>,
    pub(super) organization: Option<String>,
    pub(super) step_up: Option<String>,
    pub(super) is_repeated: bool,
}

impl LoginOptions {
    /// Starts with nothing but the configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path of this application to which the browser comes back: the start page by default. Another URL is taken
    /// for the start page.
    pub fn return_to(mut self, path: impl Into<String>) -> Self {
        self.return_to = Some(path.into());
        self
    }

    /// Adds a parameter of `/authorize`, such as `prompt` or `connection`. With one that the login sets itself, or that has a
    /// method of its own, the login does not start, and the log says why.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Requires that the user proves who they are, unless they have within this time.
    pub const fn max_age(mut self, time: Duration) -> Self {
        self.max_age = Some(time);
        self
    }

    /// Sets `acr_values`, for example [`MFA`](auth0_core::policy::MFA).
    pub fn acr_values(mut self, values: impl Into<String>) -> Self {
        self.acr_values = Some(values.into());
        self
    }

    /// Sets the organization, by its id or name.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        self.organization = Some(organization.into());
        self
    }
}

impl Login {
    /// Answers the route of the login (`GET /auth/login`): sends the browser to Auth0. A link can choose `returnTo`,
    /// `screen_hint`, `login_hint`, `ui_locales`, `connection`, `organization` and `invitation`, and nothing else.
    pub async fn start(&self, request: &Request) -> Reply {
        if request.method() != "GET" {
            return Reply::json(405, "invalid_request", "method_not_allowed", "Use GET.")
                .with("allow", "GET");
        }
        let mut options = LoginOptions::new();
        let this = match self.at(request).await {
            Ok(this) => this,
            Err(error) => return error.reply(),
        };
        let settings = &this.site.settings;
        // What the application has set, no link changes.
        let is_set = |name: &str| settings.parameters.iter().any(|(known, _)| known == name);
        for (name, value) in request.query() {
            if value.is_empty() || value.len() > MAX_VALUE_BYTES && name != "returnTo" {
                continue;
            }
            match name.as_str() {
                "returnTo" => options.return_to = Some(value),
                "organization" if settings.organization.is_none() => {
                    options.organization = Some(value);
                }
                "organization" => {}
                name if is_set(name)
                    || options.parameters.iter().any(|(known, _)| known == name) => {}
                name if OF_LINK.contains(&name)
                    || name == SESSION_TRANSFER && settings.accepts_session_transfer =>
                {
                    options.parameters.push((name.to_owned(), value));
                }
                _ => {}
            }
        }
        this.start_with(request, options).await
    }

    /// Starts a login that the application has decided on, such as one with `prompt` or another organization.
    pub async fn start_with(&self, request: &Request, options: LoginOptions) -> Reply {
        if request.is_prefetch() {
            // It would take the place of a login that a person has begun.
            return Reply::new(204);
        }
        let this = match self.at(request).await {
            Ok(this) => this,
            Err(error) => return error.reply(),
        };
        if let Some(mistake) =
            options.parameters.iter().find_map(|(name, _)| mistake_in_parameter(name))
        {
            tracing::error!(target: "auth0", mistake, "a login cannot start");
            return this.notice(&ErrorKind::Misconfigured.notice(), request);
        }
        match this.begun(request, options).await {
            Ok(reply) => reply,
            Err(error) => {
                tracing::error!(target: "auth0", %error, "a login cannot start");
                let kind = match error.kind() {
                    ClientErrorKind::Throttled
                    | ClientErrorKind::Unavailable
                    | ClientErrorKind::DeadlineExceeded => ErrorKind::Unavailable,
                    _ => ErrorKind::Misconfigured,
                };
                let notice = match (kind, error.retry_after()) {
                    (ErrorKind::Unavailable, Some(time)) => UNAVAILABLE.retry_after(time),
                    (ErrorKind::Unavailable, None) => UNAVAILABLE,
                    _ => kind.notice(),
                };
                this.notice(&notice, request)
            }
        }
    }

    async fn begun(
        &self,
        request: &Request,
        options: LoginOptions,
    ) -> Result<Reply, auth0_client::Error> {
        let shared = &self.site;
        let settings = &shared.settings;
        let (Some(state), Some(nonce), Some(verifier)) =
            (new_state(options.is_repeated), random(), random())
        else {
            return Ok(self.notice(&ErrorKind::Misconfigured.notice(), request));
        };
        let organization = options.organization.or_else(|| settings.organization.clone());
        let max_age = options.max_age.or(settings.max_age);
        let transaction = Transaction {
            nonce,
            issuer: shared.client.issuer().to_owned(),
            redirect_uri: self.callback_url(),
            return_to: return_to(options.return_to.as_deref().unwrap_or_default(), &shared.base),
            organization,
            max_age: max_age.map(|time| time.as_secs()),
            step_up: options.step_up,
            connecting: None,
            began_at: shared.now().as_secs(),
            verifier: Secret::new(verifier),
        };
        let challenge = digest::digest(&digest::SHA256, transaction.verifier.text().as_bytes());
        let mut authorization = shared
            .client
            .authorization_request(&transaction.redirect_uri)
            .scopes(&settings.scopes)
            .parameter("state", &state)
            .parameter("nonce", &transaction.nonce)
            .parameter("code_challenge", URL_SAFE_NO_PAD.encode(challenge))
            .parameter("code_challenge_method", "S256");
        if let Some(audience) = &settings.audience {
            authorization = authorization.audience(audience);
        }
        if let Some(seconds) = transaction.max_age {
            authorization = authorization.parameter("max_age", seconds.to_string());
        }
        if let Some(values) = options.acr_values.as_ref().or(settings.acr_values.as_ref()) {
            authorization = authorization.parameter("acr_values", values);
        }
        if let Some(organization) = &transaction.organization {
            authorization = authorization.parameter("organization", organization);
        }
        let of_login = &options.parameters;
        let inherited = settings
            .parameters
            .iter()
            .filter(|(name, _)| of_login.iter().all(|(given, _)| given != name));
        for (name, value) in inherited.chain(of_login) {
            authorization = authorization.parameter(name, value);
        }
        let url = self.url_of(authorization).await?;
        let Some(cookies) = shared.open_transaction(&state, &transaction, &shared.cookies(request))
        else {
            return Ok(self.notice(&ErrorKind::Misconfigured.notice(), request));
        };
        Ok(Reply::redirect(&url).cookies(cookies))
    }

    async fn url_of(&self, request: AuthorizationRequest) -> Result<String, auth0_client::Error> {
        let settings = &self.site.settings;
        let request = if settings.is_signed { request.signed() } else { request };
        match settings.is_pushed {
            true => Ok(request.push().await?.url().to_owned()),
            false => request.url().await,
        }
    }

    pub(super) fn notice(&self, notice: &Notice, request: &Request) -> Reply {
        self.site.reply_of(notice, request)
    }
}

const UNAVAILABLE: Notice = Notice::new(
    503,
    "temporarily_unavailable",
    "Login is not available",
    "The login does not answer at the moment. Try again soon.",
)
.retry_after(crate::error::RETRY);

impl fmt::Debug for LoginOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginOptions").field("return_to", &self.return_to).finish_non_exhaustive()
    }
}
