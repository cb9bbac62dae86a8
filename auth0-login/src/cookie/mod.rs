//! Cookies: their names and attributes, how a request has them, and how a large one is divided.
mod chunks;
mod received;

pub(crate) use chunks::{MAX_CHUNKS, divide, restored};
pub(crate) use received::ReceivedCookies;

use std::time::Duration;

/// What browsers accept for a cookie with its attributes, less a reserve for proxies that add to it.
pub(crate) const MAX_COOKIE_BYTES: usize = 3800;

/// The names of the cookies, and whether they are for https only.
#[derive(Clone, Debug)]
pub(crate) struct CookieNames {
    pub(crate) session: String,
    /// The part that all transactions have.
    pub(crate) transaction: String,
    is_secure: bool,
}

impl CookieNames {
    /// Returns the names for an application at https, where a browser lets no other host set them (`__Host-`), or for
    /// one at `http://localhost`. They begin with the name of the application.
    pub(crate) fn new(application: &str, is_secure: bool) -> Self {
        let prefix = if is_secure { "__Host-" } else { "" };
        Self {
            session: format!("{prefix}{application}_session"),
            transaction: format!("{prefix}{application}_tx."),
            is_secure,
        }
    }

    /// Returns whether a cookie with this name may be one of them.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.is_of_session(name) || name.starts_with(&self.transaction)
    }

    /// Returns whether a cookie with this name is a session, or a part of one.
    pub(crate) fn is_of_session(&self, name: &str) -> bool {
        match name.strip_prefix(&*self.session) {
            Some("") => true,
            Some(rest) => {
                let number = rest.strip_prefix('.').and_then(|rest| rest.parse().ok());
                rest.len() == 2 && number.is_some_and(|number: usize| number < MAX_CHUNKS)
            }
            None => false,
        }
    }

    /// Returns the value of `Set-Cookie` for a cookie that lasts this long.
    pub(crate) fn set(&self, name: &str, value: &str, lasts: Duration) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let seconds = lasts.as_secs();
        format!("{name}={value}; Path=/{secure}; HttpOnly; SameSite=Lax; Max-Age={seconds}")
    }

    /// Returns the value of `Set-Cookie` that removes a cookie.
    pub(crate) fn clear(&self, name: &str) -> String {
        self.set(name, "", Duration::ZERO)
    }

    /// Returns the names of all cookies that a session may have: one, or several.
    pub(crate) fn of_session(&self) -> impl Iterator<Item = String> + '_ {
        let chunks = (0..MAX_CHUNKS).map(|number| format!("{}.{number}", self.session));
        std::iter::once(self.session.clone()).chain(chunks)
    }
}
