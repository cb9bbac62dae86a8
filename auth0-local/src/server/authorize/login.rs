//! Who logs in, and the code that the client receives for it.
use super::{
    reply::Reply,
    request::{Refused, Request},
};
use crate::{
    directory::User,
    error::LocalError,
    running::RunningTenant,
    secret::random_text,
    server::{cookie, grant::granted},
    store::{Code, Grant, NextLogin, Session},
};
use axum::http::{HeaderMap, HeaderValue};
use std::{collections::BTreeSet, sync::Arc};

/// What happens to a good request.
pub(super) enum Outcome {
    Code {
        code: String,
        cookie: Option<HeaderValue>,
    },
    /// A page asks which user logs in.
    Question(Question),
}

/// What the page of users says.
pub(super) struct Question {
    pub(super) organization: Option<String>,
    pub(super) needs_factor: bool,
}

impl Question {
    fn of(request: &Request) -> Self {
        Self { organization: request.organization.clone(), needs_factor: request.needs_factor }
    }
}

/// Decides who logs in: the user that was chosen for this request, that of the session, that of the
/// `login_hint`, or the tenant's default.
pub(super) fn decide(
    running: &RunningTenant,
    headers: &HeaderMap,
    request: &Request,
    reply: &Reply,
    choice: Option<NextLogin>,
) -> Result<Outcome, Refused> {
    let session = current_session(running, headers, request);
    let lacks_factor = |session: &Session| request.needs_factor && !session.has_factor;
    let user = match choice.or_else(|| running.take_answer(request.is_silent)) {
        Some(NextLogin::Error { code, description }) => {
            return Err(Refused { code, description });
        }
        Some(NextLogin::User(subject)) => running.user(&subject),
        None => match &session {
            Some((_, session)) if lacks_factor(session) && request.is_silent => {
                let why = "Multifactor authentication required";
                return Err(Refused::new("interaction_required", why));
            }
            Some((_, session)) if lacks_factor(session) && running.settings().interactive => {
                return Ok(Outcome::Question(Question::of(request)));
            }
            Some((user, session)) if lacks_factor(session) => {
                return with_factor(running, headers, request, reply, user, session);
            }
            Some((user, session)) => {
                let outcome = with_code(running, request, reply, user, session, None)?;
                let mut store = running.store();
                for cookie in cookie::values(running, headers) {
                    store.sessions.add_client(cookie, &session.id, reply.client.id());
                }
                return Ok(outcome);
            }
            None if request.is_silent => {
                return Err(Refused::new("login_required", "Login required"));
            }
            None if running.settings().interactive => {
                return Ok(Outcome::Question(Question::of(request)));
            }
            None => {
                let hint = request.login_hint.as_ref();
                let hinted = hint.and_then(|hint| running.directory().user_hinted(hint));
                hinted.or_else(|| running.default_user())
            }
        },
    };
    let user = user.ok_or_else(|| Refused::new("access_denied", "the tenant has no such user"))?;
    // The same user has passed the factor, and the session goes on.
    if let Some((known, session)) = &session
        && known.subject() == user.subject()
        && lacks_factor(session)
    {
        return with_factor(running, headers, request, reply, &user, session);
    }
    let cookie = random_text().map_err(failed)?;
    let now = running.now();
    let session = Session {
        subject: user.subject().to_owned(),
        id: random_text().map_err(failed)?,
        began: now,
        used: now,
        has_factor: request.needs_factor,
        clients: BTreeSet::from([reply.client.id().to_owned()]),
    };
    let outcome =
        with_code(running, request, reply, &user, &session, cookie::set(running, &cookie))?;
    let mut store = running.store();
    for old in cookie::values(running, headers) {
        store.sessions.end(old);
    }
    store.sessions.begin(&cookie, session);
    Ok(outcome)
}

/// Returns the session of the browser, if it may answer this request.
fn current_session(
    running: &RunningTenant,
    headers: &HeaderMap,
    request: &Request,
) -> Option<(Arc<User>, Session)> {
    let now = running.now();
    let find = |value| running.store().sessions.use_session(value, now);
    let session = cookie::values(running, headers).find_map(find)?;
    let age = now.saturating_sub(session.began).as_secs();
    let is_fresh = request.max_age.is_none_or(|max_age| age <= max_age);
    let user = running.user(&session.subject)?;
    (is_fresh && !request.is_forced).then_some((user, session))
}

/// Goes on with the session of a user who has passed another factor.
fn with_factor(
    running: &RunningTenant,
    headers: &HeaderMap,
    request: &Request,
    reply: &Reply,
    user: &User,
    session: &Session,
) -> Result<Outcome, Refused> {
    let session = Session { has_factor: true, ..session.clone() };
    let outcome = with_code(running, request, reply, user, &session, None)?;
    let mut store = running.store();
    for cookie in cookie::values(running, headers) {
        store.sessions.pass_factor(cookie);
        store.sessions.add_client(cookie, &session.id, reply.client.id());
    }
    Ok(outcome)
}

fn with_code(
    running: &RunningTenant,
    request: &Request,
    reply: &Reply,
    user: &User,
    session: &Session,
    cookie: Option<HeaderValue>,
) -> Result<Outcome, Refused> {
    let subject = user.subject();
    if user.is_blocked() {
        return Err(Refused::new("access_denied", "user is blocked"));
    }
    let organization = match &request.organization {
        None => None,
        Some(name) => Some(user.membership(name).ok_or_else(|| {
            let why = format!("user {subject} is not part of the {name} organization");
            Refused::new("access_denied", why)
        })?),
    };
    let audience = request.audience.clone();
    let scopes = granted(running, &reply.client, user, audience.as_deref(), &request.scopes);
    let code = random_text().map_err(failed)?;
    let now = running.now();
    let mut store = running.store();
    let grant = Grant {
        number: store.next_grant(),
        client_id: reply.client.id().to_owned(),
        subject: subject.to_owned(),
        audience,
        scopes,
        organization,
        session_id: session.id.clone(),
        authenticated: session.began.as_secs(),
        has_max_age: request.max_age.is_some(),
        has_factor: session.has_factor,
        nonce: request.nonce.clone(),
        authorization_details: request.authorization_details.clone(),
    };
    let kept = Code {
        grant: Arc::new(grant),
        redirect_uri: reply.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        key: request.dpop_jkt.clone(),
    };
    store.codes.keep(&code, kept, now);
    Ok(Outcome::Code { code, cookie })
}

fn failed(error: LocalError) -> Refused {
    Refused::new("server_error", error.to_string())
}
