//! A layer for tower.
use super::{Verdict, verdict};
use crate::{
    error::{Error, ErrorKind},
    source::TokenSource,
    token::{DPOP, Token},
};
use auth0_core::BoxFuture;
use http::{HeaderValue, Request, Response};
use http_body::Body;
use std::{
    error::Error as StdError,
    fmt,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Adds a token to each outgoing request of a service, such as a client of hyper (feature `tower`).
///
/// The headers `Authorization` and, for a bound token, `DPoP` are set; the request needs its absolute URL. If the answer
/// is `401`, the token is forgotten as [`TokenSource::forget`] does, and a request without a body is repeated once with
/// another. If the API requires a DPoP nonce, such a request is repeated once with it. Answers are returned as they are. The
/// token takes as long as the source permits; for the whole request, put a timeout layer around this one.
///
/// ```
/// use auth0_client::TokenLayer;
/// use tower::ServiceBuilder;
/// # fn example<S>(client: &auth0_client::Client, http: S) -> Result<(), auth0_core::ConfigError> {
/// let orders = client.machine("https://orders.acme.com").build()?;
/// let http = ServiceBuilder::new().layer(TokenLayer::new(orders)).service(http);
/// # drop(http);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TokenLayer(TokenSource);

impl TokenLayer {
    /// Creates the layer with tokens of this source.
    #[must_use]
    pub const fn new(source: TokenSource) -> Self {
        Self(source)
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = TokenService<S>;

    fn layer(&self, inner: S) -> TokenService<S> {
        TokenService { inner, source: self.0.clone() }
    }
}

/// The service of a [`TokenLayer`].
#[derive(Clone)]
pub struct TokenService<S> {
    inner: S,
    source: TokenSource,
}

impl<S, B, R> Service<Request<B>> for TokenService<S>
where
    S: Service<Request<B>, Response = Response<R>, Error: Into<Box<dyn StdError + Send + Sync>>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: Body + Default + Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    /// The error of the service, or an [`Error`] of this crate.
    type Error = Box<dyn StdError + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone that is called is the one that was polled ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let source = self.source.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let again = body.is_end_stream().then(|| parts.clone());
            let request = Request::from_parts(parts, body);
            let url = request.uri().to_string();
            let mut token = source.token().await?;
            let (request, mut proof) = with_token(request, &token, &url)?;
            let mut answer = inner.call(request).await.map_err(Into::into)?;
            let (mut nonces, mut tokens) = (0..1, 0..1);
            loop {
                // Of every answer: a nonce is kept, and a refused token is forgotten, for the next request.
                let headers = answer.headers();
                let (needs_nonce, needs_token) =
                    match verdict(&token, &url, proof.as_ref(), answer.status(), headers) {
                        Verdict::NeedsNonce => (nonces.next().is_some(), false),
                        Verdict::Refused => {
                            (false, tokens.next().is_some() && source.forget(&token))
                        }
                        Verdict::Accepted | Verdict::NonceRefused => (false, false),
                    };
                let Some(next) = again.as_ref().filter(|_| needs_nonce || needs_token) else {
                    break;
                };
                if needs_token {
                    token = source.token().await?;
                }
                let bare = Request::from_parts(next.clone(), B::default());
                let request;
                (request, proof) = with_token(bare, &token, &url)?;
                ready(&mut inner).await?;
                answer = inner.call(request).await.map_err(Into::into)?;
            }
            Ok(answer)
        })
    }
}

async fn ready<S, B, E>(service: &mut S) -> Result<(), E>
where
    S: Service<B, Error: Into<E>>,
{
    std::future::poll_fn(|context| service.poll_ready(context)).await.map_err(Into::into)
}

fn with_token<B>(
    mut request: Request<B>,
    token: &Token,
    url: &str,
) -> Result<(Request<B>, Option<HeaderValue>), Error> {
    if token.needs_proof() && request.uri().scheme().is_none() {
        return Err(Error::new(
            ErrorKind::Misconfigured,
            "A request with a bound token needs its absolute URL",
        ));
    }
    let headers = token.headers_for(request.method().as_str(), url)?;
    let proof = headers.get(DPOP).cloned();
    request.headers_mut().extend(headers);
    Ok((request, proof))
}

impl<S: fmt::Debug> fmt::Debug for TokenService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenService")
            .field("inner", &self.inner)
            .field("source", &self.source)
            .finish()
    }
}
