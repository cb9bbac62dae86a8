//! Requests with reqwest.
use super::{Verdict, verdict};
use crate::{
    error::{Error, ErrorKind},
    source::TokenSource,
    token::Token,
};
use http::header::RETRY_AFTER;
use reqwest::{Client, Request, Response};
use std::time::Duration;

/// The limit of a request that has none of its own.
const TIMEOUT: Duration = Duration::from_secs(10);

impl TokenSource {
    /// Sends a request to another API with a token of this source, and returns its answer if it is a success (feature
    /// `send`).
    ///
    /// The headers `Authorization` and, for a bound token, `DPoP` are set. If the answer is `401`, the token is
    /// forgotten as [`forget`](Self::forget) does, and a request whose body can be sent again is repeated once with
    /// another token. If the API requires a DPoP nonce, it is repeated once with the nonce. A request without a time
    /// limit of its own gets one of 10 seconds.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, downstream, service};
    /// # run(async {
    /// # let (client, url) = (service(), downstream().await);
    /// let http = reqwest::Client::new();
    /// let orders = client.machine("https://orders.acme.com").build()?;
    /// let answer = orders.send(&http, http.get(&url)).await?;
    /// assert_eq!(answer.status(), 200);
    /// # Ok(())
    /// # });
    /// ```
    ///
    /// # Errors
    /// There is no token. The request cannot be built ([`Misconfigured`](ErrorKind::Misconfigured)). There is no answer
    /// ([`Unavailable`](ErrorKind::Unavailable)), or it is not a success: see [`refused`](Self::refused).
    pub async fn send(
        &self,
        http: &Client,
        request: reqwest::RequestBuilder,
    ) -> Result<Response, Error> {
        let mut request = request.build().map_err(|error| {
            Error::new(
                ErrorKind::Misconfigured,
                format!("The request cannot be built: {}", error.without_url()),
            )
        })?;
        request.timeout_mut().get_or_insert(TIMEOUT);
        let mut again = request.try_clone();
        let mut token = self.token().await?;
        let mut answer = attempt(http, request, &token).await?;
        let (mut nonces, mut tokens) = (0..1, 0..1);
        loop {
            let url = answer.url().as_str().to_owned();
            let repeats = match verdict(&token, &url, answer.status(), answer.headers()) {
                Verdict::Accepted => false,
                Verdict::NeedsNonce => nonces.next().is_some(),
                Verdict::Refused => tokens.next().is_some() && self.forget(&token),
            };
            let Some(next) = again.as_ref().and_then(Request::try_clone).filter(|_| repeats) else {
                break;
            };
            if tokens.is_empty() {
                token = self.token().await?;
            }
            if tokens.is_empty() && nonces.is_empty() {
                again = None;
            }
            answer = attempt(http, next, &token).await?;
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(self.refused(answer.status().as_u16(), retry_after))
    }
}

async fn attempt(http: &Client, mut request: Request, token: &Token) -> Result<Response, Error> {
    let headers = token.headers_for(request.method().as_str(), request.url().as_str())?;
    request.headers_mut().extend(headers);
    http.execute(request).await.map_err(|error| {
        let cause = if error.is_timeout() {
            "The other API does not answer in time"
        } else if error.is_connect() {
            "The other API cannot be reached"
        } else {
            "The connection to the other API failed"
        };
        Error::new(ErrorKind::Unavailable, cause)
    })
}
