//! The hook of the application after a login.
use crate::{login::Shared, record::Record, return_to::return_to};
use auth0_client::Token;
use auth0_core::{BoxFuture, VerifiedToken};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, sync::Arc};

/// The hook.
pub(crate) type AfterLogin = Arc<
    dyn for<'a> Fn(&'a mut CompletedLogin) -> BoxFuture<'a, Result<(), LoginRejected>>
        + Send
        + Sync,
>;

/// A login that has succeeded, before its session begins: see [`LoginBuilder::after_login`](crate::LoginBuilder::after_login).
pub struct CompletedLogin {
    pub(crate) user: VerifiedToken,
    pub(crate) record: Record,
    pub(crate) return_to: String,
    pub(crate) access_token: Token,
    pub(crate) site: Arc<Shared>,
}

impl CompletedLogin {
    /// Returns the user.
    #[must_use]
    pub const fn user(&self) -> &VerifiedToken {
        &self.user
    }

    /// Returns the claims of the user in a type of the application: [`Profile`](crate::Profile) has the usual ones.
    ///
    /// # Errors
    /// They do not fit the type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, LoginRejected> {
        serde_json::from_str(self.record.claims.get()).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            LoginRejected::unavailable(format!(
                "the claims of the user do not fit the type, in line {line}, column {column}"
            ))
        })
    }

    /// Returns the access token of the login.
    #[must_use]
    pub const fn access_token(&self) -> &Token {
        &self.access_token
    }

    /// Returns the path to which the browser goes.
    #[must_use]
    pub fn return_to(&self) -> &str {
        &self.return_to
    }

    /// Sets the path of this application to which the browser goes, such as that of a welcome page. Another URL is taken for
    /// the start page.
    pub fn set_return_to(&mut self, path: &str) {
        self.return_to = return_to(path, &self.site.base);
    }

    /// Keeps data of the application in the session, as [`Session::set_data`](crate::Session::set_data) does.
    ///
    /// # Errors
    /// The data are no JSON.
    pub fn set_data<T: Serialize>(&mut self, name: &str, data: &T) -> Result<(), LoginRejected> {
        let value = serde_json::to_value(data).map_err(|_| {
            LoginRejected::unavailable(format!("the data {name:?} cannot be written"))
        })?;
        self.record.data.insert(name.to_owned(), value);
        Ok(())
    }
}

impl fmt::Debug for CompletedLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompletedLogin").finish_non_exhaustive()
    }
}

/// The application does not let a login succeed. The cause is for the log: it must have no secrets.
#[derive(Clone, Debug)]
pub struct LoginRejected {
    pub(crate) cause: String,
    pub(crate) is_temporary: bool,
}

impl LoginRejected {
    /// The user has no access: the answer is `403`, or the path of [`after_error`](crate::LoginBuilder::after_error) with
    /// `error=access_denied`.
    pub fn denied(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), is_temporary: false }
    }

    /// Something that the application needs does not answer: `503`.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), is_temporary: true }
    }
}

impl fmt::Display for LoginRejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        auth0_core::support::EscapedMessage(&self.cause).fmt(f)
    }
}

impl std::error::Error for LoginRejected {}
