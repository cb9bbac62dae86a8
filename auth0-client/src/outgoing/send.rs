//! Requests with reqwest.
use super::{Verdict, verdict};
use crate::{
    error::{Error, ErrorKind},
    source::TokenSource,
    token::{DPOP, Token},
};
use http::{HeaderValue, header::RETRY_AFTER};
use reqwest::{Client, Request, Response};
use std::time::Duration;

/// The nonce for the next request is there already: this is the shortest `Retry-After`.
const NONCE_RETRY: Duration = Duration::from_secs(1);

impl TokenSource {
    /// Sends a request to another API with a token of this source, and returns its answer if it is a success (feature
    /// `send`).
    ///
    /// The headers `Authorization` and, for a bound token, `DPoP` are set. If the answer is `401`, the token is
    /// forgotten as [`forget`](Self::forget) does, and a request whose body can be sent again is repeated once with
    /// another token. If the API requires a DPoP nonce, it is repeated once with the nonce, or fails with
    /// [`Unavailable`](ErrorKind::Unavailable) if its body cannot be sent again. All of that ends after the
    /// time limit of the request or, if it has none, after that of the source: 10 seconds. A redirect is an error: build
    /// the HTTP client with `redirect(Policy::none())`, so that neither token nor proof is sent elsewhere.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, downstream, service};
    /// # run(async {
    /// # let (client, url) = (service(), downstream().await);
    /// let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
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
            let cause = format!("The request cannot be built: {}", error.without_url());
            Error::new(ErrorKind::Misconfigured, cause)
        })?;
        let limit = *request.timeout_mut().get_or_insert(self.deadline());
        tokio::select! {
            biased;
            answer = self.sent(http, request) => answer,
            () = self.time_passed(limit) => {
                let cause = "The other API, and Auth0, do not answer in time";
                Err(self.failed(Error::new(ErrorKind::DeadlineExceeded, cause)))
            }
        }
    }

    async fn sent(&self, http: &Client, request: Request) -> Result<Response, Error> {
        let mut url = request.url().clone();
        url.set_fragment(None);
        let again = request.try_clone();
        let mut token = self.token().await?;
        let (mut answer, mut proof) = self.attempt(http, request, &token).await?;
        let (mut nonces, mut tokens) = (0..1, 0..1);
        loop {
            // Before the answer is read: another server's says nothing about the token or its nonce.
            if answer.url().as_str().split('#').next() != Some(url.as_str()) {
                let cause = "The other API redirects. Redirects are not followed with a token: build the HTTP \
                             client with redirect(Policy::none())";
                return Err(self.failed(Error::new(ErrorKind::Malformed, cause)));
            }
            let headers = answer.headers();
            let repeats =
                match verdict(&token, url.as_str(), proof.as_ref(), answer.status(), headers) {
                    Verdict::Accepted => false,
                    Verdict::NeedsNonce if again.is_none() => return Err(self.needs_nonce()),
                    Verdict::NeedsNonce if nonces.next().is_some() => true,
                    Verdict::NeedsNonce | Verdict::NonceRefused => {
                        let cause = "The other API refuses each DPoP nonce";
                        return Err(self.failed(Error::new(ErrorKind::Malformed, cause)));
                    }
                    Verdict::Refused => {
                        let is_replaced = tokens.next().is_some() && self.forget(&token);
                        if is_replaced && again.is_some() {
                            token = self.token().await?;
                        }
                        is_replaced
                    }
                };
            let next = again.as_ref().and_then(Request::try_clone).filter(|_| repeats);
            let Some(next) = next else { break };
            (answer, proof) = self.attempt(http, next, &token).await?;
        }
        if answer.status().is_success() {
            return Ok(answer);
        }
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(self.refused(answer.status().as_u16(), retry_after))
    }

    /// Returns the error of a body that cannot be sent again. The nonce is kept, so the next request succeeds.
    fn needs_nonce(&self) -> Error {
        let cause = "The other API requires a DPoP nonce, which is kept for the next request, and this body cannot be \
                     sent again";
        let now = self.unix_time();
        self.failed(Error::new(ErrorKind::Unavailable, cause).retry_in(NONCE_RETRY, now))
    }

    /// Sends a request once. Also returns its proof.
    async fn attempt(
        &self,
        http: &Client,
        mut request: Request,
        token: &Token,
    ) -> Result<(Response, Option<HeaderValue>), Error> {
        let headers = token.headers_for(request.method().as_str(), request.url().as_str())?;
        let proof = headers.get(DPOP).cloned();
        request.headers_mut().extend(headers);
        let answer = http.execute(request).await.map_err(|error| {
            let cause = if error.is_timeout() {
                "The other API does not answer in time"
            } else if error.is_connect() {
                "The other API cannot be reached"
            } else {
                "The connection to the other API failed"
            };
            self.failed(Error::new(ErrorKind::Unavailable, cause))
        });
        Ok((answer?, proof))
    }
}
