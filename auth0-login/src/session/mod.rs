//! The session of a request: read when it is needed, and written with the response if it has changed.
mod name;
mod persistence;
mod reading;

pub(crate) use persistence::Place;

use crate::{
    error::{Error, ErrorKind},
    login::Login,
    record::Record,
    reply::{NOT_CACHED, Reply},
    request::Request,
    return_to::MAX_BYTES as MAX_RETURN_TO,
};
use auth0_core::{Ended, VerifiedToken};
use reading::Read;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;
use url::form_urlencoded;

/// A login that has not brought what was needed is not repeated within this time.
const LOGIN_PAUSE: Duration = Duration::from_secs(120);

/// The session of a request. It is read when it is first needed, so that a request that does not need it costs nothing.
/// Clones are the same session.
///
/// ```
/// # use auth0_login::{Login, Request};
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let login = Login::builder().domain("acme.eu.auth0.com").client_id("web").client_secret("s")
/// #     .secret("0123456789abcdef0123456789abcdef").base_url("https://app.acme.com").build()?;
/// let session = login.session(Request::new("GET", "/").header("accept", b"text/html"));
/// assert!(session.user().await?.is_none());
/// let headers = session.finish().await?;
/// assert!(headers.iter().all(|(name, _)| *name != "set-cookie"), "nothing has changed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap()
/// ```
#[derive(Clone)]
pub struct Session(Arc<Visit>);

struct Visit {
    login: Login,
    /// The login of the site of the request.
    located: OnceCell<Login>,
    request: Request,
    read: OnceCell<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// What the browser has is not a session, or not any more.
    is_void: bool,
    /// The response sets the cookies anew, or updates the store.
    has_changed: bool,
    /// The data that this request has changed.
    changed: BTreeSet<String>,
    /// The cookie of a session in a store is sealed anew, with the newest secret.
    resealed: Option<Vec<String>>,
}

/// A session that has not ended.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) record: Record,
    pub(crate) place: Place,
    pub(crate) user: VerifiedToken,
}

impl Login {
    /// Returns the session of a request.
    #[must_use]
    pub fn session(&self, request: Request) -> Session {
        Session(Arc::new(Visit {
            login: self.clone(),
            located: OnceCell::new(),
            request,
            read: OnceCell::new(),
            state: Mutex::default(),
        }))
    }
}

impl Session {
    /// Returns the user who is signed in.
    ///
    /// # Errors
    /// [`StoreUnavailable`](ErrorKind::StoreUnavailable): it cannot be known.
    pub async fn user(&self) -> Result<Option<VerifiedToken>, Error> {
        self.read().await?;
        Ok(self.lock().live.as_ref().map(|live| live.user.clone()))
    }

    /// Returns the claims of the user, in a type of the application: [`Profile`](crate::Profile) has the usual ones.
    ///
    /// # Errors
    /// As for [`user`](Self::user). The claims do not fit the type: [`Misconfigured`](ErrorKind::Misconfigured).
    pub async fn claims<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        self.read().await?;
        let claims = self.lock().live.as_ref().map(|live| live.record.claims.clone());
        let Some(claims) = claims else { return Ok(None) };
        serde_json::from_str(claims.get()).map(Some).map_err(|error| {
            // The text of the error could quote a claim.
            let cause = format!(
                "the claims of the user do not fit the type of User<…>, in line {}, column {} of the claims",
                error.line(),
                error.column()
            );
            tracing::error!(target: "auth0", cause, "a session cannot be used");
            self.error(ErrorKind::Misconfigured, cause)
        })
    }

    /// Returns the ID token of the login, if [`LoginBuilder::keep_id_token`](crate::LoginBuilder::keep_id_token) keeps it.
    ///
    /// # Errors
    /// As for [`user`](Self::user).
    pub async fn id_token(&self) -> Result<Option<String>, Error> {
        self.read().await?;
        let state = self.lock();
        let id_token = state.live.as_ref().and_then(|live| live.record.tokens.id_token.as_ref());
        Ok(id_token.map(|token| token.text().to_owned()))
    }

    /// Returns data of the application that was kept under this name. `None` if there is none, or no session.
    ///
    /// # Errors
    /// As for [`user`](Self::user). The data do not fit the type.
    pub async fn data<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        self.read().await?;
        let value = self.lock().live.as_ref().and_then(|live| live.record.data.get(name).cloned());
        let Some(value) = value else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|_| {
            self.error(ErrorKind::Misconfigured, format!("the data {name:?} do not fit the type"))
        })
    }

    /// Keeps data of the application in the session, while the same user is signed in. `None` removes them.
    ///
    /// # Errors
    /// As for [`user`](Self::user). There is no session, or the data are no JSON.
    pub async fn set_data<T: Serialize>(&self, name: &str, data: Option<&T>) -> Result<(), Error> {
        let value = data.map(serde_json::to_value).transpose().map_err(|_| {
            self.error(ErrorKind::Misconfigured, format!("the data {name:?} cannot be written"))
        })?;
        self.read().await?;
        let mut state = self.lock();
        let Some(live) = &mut state.live else {
            drop(state);
            return Err(self.login_required("there is no session"));
        };
        let known = live.record.data.get(name);
        if known == value.as_ref() {
            return Ok(());
        }
        match value {
            Some(value) => live.record.data.insert(name.to_owned(), value),
            None => live.record.data.remove(name),
        };
        state.changed.insert(name.to_owned());
        state.has_changed = true;
        Ok(())
    }

    /// Returns whether a header `Set-Cookie` sets or removes the session: for adapters, which add nothing then.
    #[must_use]
    pub fn is_set_by(&self, line: &[u8]) -> bool {
        let name = line.split(|byte| *byte == b'=').next().unwrap_or_default();
        str::from_utf8(name).is_ok_and(|name| self.login().site.names.is_of_session(name))
    }

    /// Returns a future that is ready when the session ends, for connections that live longer than a request: `None` if
    /// there is no session.
    ///
    /// # Errors
    /// As for [`user`](Self::user).
    pub async fn ended(&self) -> Result<Option<Ended>, Error> {
        Ok(self.user().await?.map(|user| user.ended()))
    }

    /// Returns the headers that the response needs, and writes the session if it has changed.
    ///
    /// With cookies, `cache-control` takes the place of another that the response has. Without, it is for a response that has
    /// none: what was made for one user, no cache gives to another.
    ///
    /// # Errors
    /// The session cannot be written.
    pub async fn finish(&self) -> Result<Vec<(&'static str, String)>, Error> {
        if !self.0.read.initialized() {
            return Ok(Vec::new());
        }
        let lines = self.write().await?;
        let cached = if lines.is_empty() { "private" } else { NOT_CACHED };
        let headers = [("cache-control", cached.to_owned()), ("vary", "cookie".to_owned())];
        let cookies = lines.into_iter().map(|line| ("set-cookie", line));
        Ok(headers.into_iter().chain(cookies).collect())
    }

    pub(crate) async fn read(&self) -> Result<(), Error> {
        let Visit { login, located, request, read, state } = &*self.0;
        let found = async {
            let site = &located.get_or_try_init(|| login.at(request)).await?.site;
            let found = site.read(&site.cookies(request)).await.map_err(|cause| {
                tracing::error!(target: "auth0", %cause, "a session cannot be read");
                self.error(ErrorKind::StoreUnavailable, cause)
            })?;
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            match found {
                Read::Live { live, has_changed, resealed } => {
                    state.live = Some(*live);
                    state.has_changed = has_changed;
                    state.resealed = resealed;
                }
                Read::Void => state.is_void = true,
                Read::Nothing => {}
            }
            Ok(())
        };
        read.get_or_try_init(|| found).await.copied()
    }

    async fn write(&self) -> Result<Vec<String>, Error> {
        let site = &self.login().site;
        let (live, is_void, has_changed, changed, resealed) = {
            let mut state = self.lock();
            let changed = state.changed.clone();
            (state.live.clone(), state.is_void, state.has_changed, changed, state.resealed.take())
        };
        let resealed = resealed.unwrap_or_default();
        let Some(live) = live else {
            return Ok(if is_void {
                site.clearing(&site.cookies(self.request()))
            } else {
                Vec::new()
            });
        };
        let is_behind = live.place.is_behind();
        if !has_changed && !is_behind && !site.times.is_touch_due(&live.record, site.now()) {
            return Ok(resealed);
        }
        let written = site.write(live, has_changed || is_behind, &changed).await;
        if let (Err(failure), false) = (&written, has_changed) {
            // The request was served, and the session lasts for a while yet; this instance has renewed tokens in memory.
            tracing::warn!(target: "auth0", cause = failure.cause, "a session cannot be extended");
            return Ok(resealed);
        }
        written.map(|lines| if lines.is_empty() { resealed } else { lines }).map_err(|failure| {
            tracing::error!(target: "auth0", cause = failure.cause, "a session cannot be written");
            self.error(failure.kind, failure.cause)
        })
    }

    /// Takes the tokens that were renewed.
    pub(crate) fn adopt(&self, mut renewed: Live) {
        let mut state = self.lock();
        let State { live: Some(live), changed, has_changed, .. } = &mut *state else { return };
        // This request may have had two renewals, whose outcomes come in any order.
        if renewed.record.tokens.generation < live.record.tokens.generation {
            return;
        }
        match renewed.place {
            Place::Cookie => {
                live.record.tokens = renewed.record.tokens;
                live.record.claims = renewed.record.claims;
                live.user = renewed.user;
                *has_changed = true;
            }
            // It may have what other requests have changed in the store since this one has read it.
            Place::Store { .. } => {
                copy_data(changed, &live.record, &mut renewed.record);
                *live = renewed;
            }
        }
    }

    /// Drops the tokens of an account.
    pub(crate) fn forget_account(&self, connection: &str) {
        let mut state = self.lock();
        if let Some(live) = &mut state.live {
            live.record.tokens.forget_account(connection);
            state.has_changed = true;
        }
    }

    pub(crate) fn live(&self) -> Option<Live> {
        self.lock().live.clone()
    }

    /// Returns whether the user has logged in a moment ago: another login would bring the same.
    pub(crate) fn has_just_begun(&self) -> bool {
        let now = self.login().site.now().as_secs();
        let state = self.lock();
        let began_at = state.live.as_ref().map(|live| live.record.began_at);
        began_at.is_some_and(|at| now < at.saturating_add(LOGIN_PAUSE.as_secs()))
    }

    /// Returns the login of the site, or of the first one before the session is read.
    pub(crate) fn login(&self) -> &Login {
        self.0.located.get().unwrap_or(&self.0.login)
    }

    pub(crate) fn request(&self) -> &Request {
        &self.0.request
    }

    pub(crate) fn error(&self, kind: ErrorKind, cause: impl Into<String>) -> Error {
        let reply = self.login().site.reply_of(&kind.notice(), &self.0.request);
        Error::new(kind, cause, reply)
    }

    /// Returns the response that asks for a login: for a browser that opens a page, the way there and back.
    pub(crate) fn login_required(&self, cause: &str) -> Error {
        let kind = ErrorKind::LoginRequired;
        if !self.request().is_navigation() {
            return self.error(kind, cause);
        }
        let site = &self.login().site;
        let path = site.path(&site.settings.paths.login);
        let target = &*site.target_of(self.request());
        if target.len() > MAX_RETURN_TO {
            return Error::new(kind, cause, Reply::redirect(&path));
        }
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("returnTo", target)
            .finish();
        Error::new(kind, cause, Reply::redirect(&format!("{path}?{query}")))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies the data of these names to a newer state of the session: others have changed other data.
fn copy_data(names: &BTreeSet<String>, from: &Record, to: &mut Record) {
    for name in names {
        match from.data.get(name) {
            Some(value) => to.data.insert(name.clone(), value.clone()),
            None => to.data.remove(name),
        };
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("is_read", &self.0.read.initialized())
            .finish_non_exhaustive()
    }
}
