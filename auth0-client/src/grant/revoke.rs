//! Revocation (RFC 7009).
use crate::{
    client::Client,
    error::Error,
    parameters::{Mistake, Parameters, required},
    secret::Secret,
    server::{Body, Call, Endpoint},
};
use std::{fmt, time::Duration};

/// A revocation: see [`Client::revoke`].
#[must_use = "`send` sends the request"]
pub struct Revocation {
    client: Client,
    token: Secret,
    deadline: Duration,
    mistake: Mistake,
}

impl Client {
    /// Starts the revocation of a refresh token, at a logout for example. Depending on a setting of the tenant, all
    /// tokens of the same user, application and API are revoked. Access tokens stay valid until they expire.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, refresh_token, web};
    /// use auth0_client::ErrorKind;
    ///
    /// # run(async {
    /// # let client = web();
    /// # let session_token = refresh_token().await;
    /// client.revoke(&session_token).send().await?;
    /// let error = client.refresh(&session_token).send().await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::InvalidGrant);
    /// # Ok(())
    /// # });
    /// ```
    pub fn revoke(&self, refresh_token: impl AsRef<str>) -> Revocation {
        let mut mistake = Mistake::default();
        mistake.note(required("the refresh token", refresh_token.as_ref()));
        Revocation {
            client: self.clone(),
            token: Secret::new(refresh_token.as_ref()),
            deadline: self.0.deadline,
            mistake,
        }
    }
}

impl Revocation {
    /// Sets the limit of the call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Sends the request. A token that is not valid any more is no error (RFC 7009 §2.2).
    ///
    /// # Errors
    /// As for [`TokenSource::token`](crate::TokenSource::token).
    pub async fn send(self) -> Result<(), Error> {
        self.mistake.check()?;
        let parameters = Parameters::default()
            .with("token", self.token)
            .with("token_type_hint", "refresh_token");
        let call = Call::to(Endpoint::Revocation, "revocation", Body::Form(parameters));
        self.client.0.answer(call, self.deadline).await.map(drop)
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation").finish_non_exhaustive()
    }
}
