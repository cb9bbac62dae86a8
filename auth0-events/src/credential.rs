//! The token for the Events API.
use crate::secret::EventsToken;
#[cfg(feature = "client")]
use auth0_client::{Token, TokenSource};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use std::time::Duration;

/// Where the token comes from.
#[derive(Clone, Debug)]
pub(crate) enum Credential {
    /// The application has given it.
    Given(EventsToken),
    #[cfg(feature = "client")]
    Client(TokenSource),
}

/// The headers of one request, and the token in them.
#[derive(Debug)]
pub(crate) struct Authorization {
    pub(crate) headers: HeaderMap,
    #[cfg(feature = "client")]
    token: Option<Token>,
}

/// The reason why there is no token.
#[derive(Debug)]
pub(crate) struct NoToken {
    pub(crate) cause: String,
    pub(crate) retry_after: Option<Duration>,
}

impl Credential {
    /// Returns the headers of a request to a URL, with a token that is valid now.
    pub(crate) async fn authorize(&self, url: &str) -> Result<Authorization, NoToken> {
        #[cfg(not(feature = "client"))]
        let _ = url;
        match self {
            Self::Given(token) => {
                let value = HeaderValue::from_str(&format!("Bearer {}", &**token));
                let mut value = value.map_err(|_| NoToken {
                    cause: "the token cannot be sent in a header".into(),
                    retry_after: None,
                })?;
                value.set_sensitive(true);
                let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
                Ok(Authorization {
                    headers,
                    #[cfg(feature = "client")]
                    token: None,
                })
            }
            #[cfg(feature = "client")]
            Self::Client(source) => {
                let failed = |error: auth0_client::Error| NoToken {
                    cause: error.to_string(),
                    retry_after: error.retry_after(),
                };
                let token = source.token().await.map_err(failed)?;
                let headers = token.headers_for("GET", url).map_err(failed)?;
                Ok(Authorization { headers, token: Some(token) })
            }
        }
    }

    /// Forgets a token that was refused. Returns whether there may be another one.
    pub(crate) fn forget(&self, authorization: &Authorization) -> bool {
        match self {
            Self::Given(_) => {
                let _ = authorization;
                false
            }
            #[cfg(feature = "client")]
            Self::Client(source) => {
                authorization.token.as_ref().is_some_and(|token| source.forget(token))
            }
        }
    }
}
