//! Where the answer goes. Before this is known to be good, a request is answered by a page and never by a
//! redirect.
use super::request::Refused;
use crate::{
    directory::Client,
    running::RunningTenant,
    server::{form::Query, page, refusal::noted},
};
use axum::{
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY},
    },
    response::{IntoResponse, Response},
};
use std::sync::Arc;
use url::form_urlencoded::Serializer;

/// A client, and the URL at which it receives the answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: String,
    state: Option<String>,
    is_form_post: bool,
    issuer: String,
}

impl Reply {
    pub(super) fn read(running: &RunningTenant, query: &Query) -> Result<Self, Refused> {
        let refused = |error, description: &str| Err(Refused::new(error, description));
        if let Some(name) = query.repeated(&["client_id", "redirect_uri", "state", "response_mode"])
        {
            return refused("invalid_request", &format!("{name} is sent twice. Send it once"));
        }
        let Some(id) = query.value("client_id") else {
            return refused("invalid_request", "Missing required parameter: client_id");
        };
        let registered = running.directory().client(id);
        let client = match registered {
            Some(client) => client,
            None if running.settings().open_clients => Arc::new(Client::open(id)),
            None => {
                let why = format!(
                    "Unknown client: {id}. Register it, or start the tenant with --open-clients"
                );
                return refused("invalid_request", &why);
            }
        };
        let Some(redirect_uri) = query.value("redirect_uri") else {
            return refused("invalid_request", "Missing required parameter: redirect_uri");
        };
        if !client.may_redirect_to(redirect_uri) {
            let wanted = match client.is_open() {
                true => "A client that is not registered can redirect to http on loopback only",
                false => "It is not in the list of allowed callback URLs. Add it to the client",
            };
            let why = format!("Callback URL mismatch: {redirect_uri}. {wanted}");
            return refused("invalid_request", &why);
        }
        Ok(Self {
            client,
            redirect_uri: redirect_uri.to_owned(),
            state: query.value("state").map(str::to_owned),
            is_form_post: query.value("response_mode") == Some("form_post"),
            issuer: running.tenant().issuer().to_owned(),
        })
    }

    pub(super) fn with_code(&self, code: String) -> Response {
        self.answer(vec![("code", code)])
    }

    pub(super) fn with_error(&self, code: String, description: String) -> Response {
        let name = code.clone();
        noted(self.answer(vec![("error", code), ("error_description", description)]), name)
    }

    /// Sends parameters to the client, with `state` and `iss` (RFC 9207).
    fn answer(&self, mut parameters: Vec<(&'static str, String)>) -> Response {
        parameters.extend(self.state.clone().map(|state| ("state", state)));
        parameters.push(("iss", self.issuer.clone()));
        if self.is_form_post {
            return page::posting(&self.redirect_uri, &parameters);
        }
        let query = Serializer::new(String::new()).extend_pairs(&parameters).finish();
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        let location = format!("{}{separator}{query}", self.redirect_uri);
        let headers = [
            (LOCATION, location),
            (CACHE_CONTROL, "no-store".into()),
            (REFERRER_POLICY, "no-referrer".into()),
        ];
        (StatusCode::FOUND, headers).into_response()
    }
}
