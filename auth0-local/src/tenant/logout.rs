//! Logout tokens, as the library makes and sends them.
use super::{Builder, LocalTenant};
use crate::{
    error::LocalError,
    logout::{LogoutDelivery, LogoutTokenBuilder},
};

impl Builder {
    /// Adds a URL for logout tokens to a client that was added before.
    #[cfg(feature = "cli")]
    pub(crate) fn backchannel_logout_url(
        mut self,
        id: &str,
        url: &str,
    ) -> Result<Self, LocalError> {
        let client = self.clients.iter_mut().find(|client| client.id() == id).ok_or_else(|| {
            LocalError::new(format!(
                "the tenant has no client {id:?} for --backchannel-logout. Add the client to the file of --tenant"
            ))
        })?;
        *client = client.clone().backchannel_logout_url(url);
        Ok(self)
    }
}

impl LocalTenant {
    /// Logs a user out, as Auth0 does with its Management API: ends the sessions and refresh tokens of the user with
    /// this `sub`, and sends logout tokens to the [URLs](crate::Client::backchannel_logout_url) of all clients. A client
    /// receives one for each session that the user had with it or, if there was none, one with a `sid` of no session.
    /// Access tokens stay valid.
    ///
    /// Returns what each URL answered, after at most five seconds for each 64 tokens. The logout of a browser
    /// (`/v2/logout`, `/oidc/logout`) sends tokens, too: only to the clients of its session, and while the browser
    /// continues.
    ///
    /// ```
    /// use auth0_local::{Client, LocalTenant, User};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let url = "http://127.0.0.1:9/auth/backchannel-logout"; // a port without a listener
    /// let tenant = LocalTenant::builder()
    ///     .user(User::new("auth0|ann"))
    ///     .client(Client::confidential("web", "secret").backchannel_logout_url(url))
    ///     .start()
    ///     .await?;
    /// let [delivery] = tenant.log_out("auth0|ann").await?.try_into().expect("one client");
    /// assert_eq!((&*delivery.client_id, &*delivery.url, delivery.status), ("web", url, None));
    /// assert!(delivery.error.is_some_and(|error| error.starts_with("no connection: ")));
    /// # Ok::<(), auth0_local::LocalError>(())
    /// # }).unwrap()
    /// ```
    ///
    /// # Errors
    /// The tenant has no user with this `sub`.
    pub async fn log_out(&self, user: &str) -> Result<Vec<LogoutDelivery>, LocalError> {
        self.running.log_out(user).await
    }

    /// Begins a logout token for the client with this id, which is not sent: for tests of an endpoint that receives
    /// them. It is valid, and of the user who logs in by default.
    pub fn logout_token(&self, client_id: &str) -> LogoutTokenBuilder {
        self.running.logout_token(client_id)
    }
}
