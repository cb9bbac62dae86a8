//! The parameters of a request: those of the query, those that the client pushed, or those that it signed.
use super::{request::Refused, request_object};
use crate::{
    directory::Client, error::LocalError, running::RunningTenant, secret::random_text,
    server::form::Query,
};
use std::{sync::Arc, time::Duration};

/// What a `request_uri` of this tenant begins with.
pub(super) const URN: &str = "urn:ietf:params:oauth:request_uri:";

/// How long the page of users can stay open for a request that was pushed.
const LIFETIME_OF_PAGE: Duration = Duration::from_secs(10 * 60);

#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) query: Query,
    is_pushed: bool,
}

impl Resolved {
    pub(super) fn of(running: &RunningTenant, query: Query) -> Result<Self, Refused> {
        let once = ["client_id", "request_uri", "request"];
        if let Some(name) = query.repeated(&once) {
            return Err(Refused::invalid(format!("{name} is sent twice. Send it once")));
        }
        match query.value("request_uri") {
            Some(uri) if uri.starts_with(URN) => Self::pushed(running, &query, uri),
            _ => Ok(Self { query: request_object::resolved(running, query)?, is_pushed: false }),
        }
    }

    fn pushed(running: &RunningTenant, query: &Query, uri: &str) -> Result<Self, Refused> {
        if let Some(other) = query.names().find(|name| !["client_id", "request_uri"].contains(name))
        {
            return Err(Refused::invalid(format!(
                "{other} is sent beside request_uri. Push it, and send client_id and request_uri only"
            )));
        }
        let client_id = query.value("client_id").unwrap_or_default();
        let now = running.now();
        let pushed = running.store().pushed.take(uri, client_id, now);
        let pushed = pushed.ok_or_else(|| {
            Refused::new(
                "invalid_request_uri",
                "the request_uri is unknown, used or expired, or another client pushed it. Push the request again",
            )
        })?;
        Ok(Self { query: Query::parse(&pushed), is_pushed: true })
    }

    /// Refuses a request that its client must push.
    pub(super) fn check_way(&self, client: &Arc<Client>) -> Result<(), Refused> {
        match client.pushes_requests() && !self.is_pushed {
            true => Err(Refused::invalid(
                "the client must push its requests to /oauth/par, and send request_uri",
            )),
            false => Ok(()),
        }
    }

    /// Returns the query that the page of users sends back: the one of the request or, because a `request_uri` can
    /// be used once, a new one.
    pub(super) fn carried(&self, running: &RunningTenant, sent: &str) -> Result<String, Refused> {
        if !self.is_pushed {
            return Ok(sent.to_owned());
        }
        let failed = |error: LocalError| Refused::new("server_error", error.to_string());
        let uri = format!("{URN}{}", random_text().map_err(failed)?);
        let client_id = self.query.value("client_id").unwrap_or_default();
        let expires = running.now() + LIFETIME_OF_PAGE;
        running.store().pushed.keep(&uri, client_id, self.query.encoded(), expires);
        let pairs = vec![("client_id".into(), client_id.to_owned()), ("request_uri".into(), uri)];
        Ok(Query::of(pairs).encoded())
    }
}
