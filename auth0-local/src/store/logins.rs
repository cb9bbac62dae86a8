use std::collections::VecDeque;

/// The most answers that wait for a login.
const MAX_ANSWERS: usize = 100;

/// The answer of a user to the next login: see
/// [`LocalTenant::answer_next_login`](crate::LocalTenant::answer_next_login).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LoginAnswer(pub(crate) NextLogin);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextLogin {
    /// The user with this `sub` logs in.
    User(String),
    /// The client receives an error.
    Error { code: String, description: String },
}

impl LoginAnswer {
    /// Logs in the user with this `sub`, whatever the session.
    pub fn user(subject: impl Into<String>) -> Self {
        Self(NextLogin::User(subject.into()))
    }

    /// Refuses the consent: the client receives `access_denied`.
    pub fn denied() -> Self {
        Self::error("access_denied", "User did not authorize the request")
    }

    /// Returns an error to the client, for example `login_required` or one of an Action.
    pub fn error(code: impl Into<String>, description: impl Into<String>) -> Self {
        Self(NextLogin::Error { code: code.into(), description: description.into() })
    }
}

/// Who answers logins.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    /// The `sub` of the user that logs in by default. Unset, it is the tenant's first user.
    pub(crate) user: Option<String>,
    next: VecDeque<NextLogin>,
}

impl Logins {
    /// Adds an answer. Returns whether there is space for it.
    pub(crate) fn add(&mut self, answer: NextLogin) -> bool {
        let has_space = self.next.len() < MAX_ANSWERS;
        if has_space {
            self.next.push_back(answer);
        }
        has_space
    }

    /// Takes the answer to a login. Only an error can answer a login that must not ask the user.
    pub(crate) fn take(&mut self, is_silent: bool) -> Option<NextLogin> {
        match self.next.front() {
            Some(NextLogin::User(_)) if is_silent => None,
            _ => self.next.pop_front(),
        }
    }
}
