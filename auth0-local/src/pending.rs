//! Decisions of users about requests that wait for them.
use crate::{
    error::LocalError,
    running::RunningTenant,
    store::{Decision, Pending, RequestKind},
};
use serde::Serialize;
use serde_json::Value;

/// A request of a client that waits for the decision of a user: see
/// [`LocalTenant::pending_requests`](crate::LocalTenant::pending_requests).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PendingRequest {
    /// How [`approve`](crate::LocalTenant::approve) and [`deny`](crate::LocalTenant::deny) refer to it: the user
    /// code of the device flow, or a number.
    pub id: String,
    /// How the client asks.
    pub kind: RequestKind,
    /// The client that asks.
    pub client_id: String,
    /// The `sub` of the user who is asked, if the client names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The requested scopes.
    pub scopes: Vec<String>,
    /// The API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// What the user's phone shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding_message: Option<String>,
    /// What the user is asked to authorize (RFC 9396).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Value>,
}

impl From<&Pending> for PendingRequest {
    fn from(request: &Pending) -> Self {
        Self {
            id: request.id.clone(),
            kind: request.kind,
            client_id: request.client_id.clone(),
            user: request.subject.clone(),
            scopes: request.scopes.clone(),
            audience: request.audience.clone(),
            binding_message: request.binding_message.clone(),
            authorization_details: request.authorization_details.clone(),
        }
    }
}

impl RunningTenant {
    /// Returns the requests that wait, the oldest first.
    pub(crate) fn pending_requests(&self) -> Vec<PendingRequest> {
        let now = self.now();
        self.store().pending.waiting(now).map(PendingRequest::from).collect()
    }

    /// Returns the request that waits with this id.
    pub(crate) fn pending_request(&self, id: &str) -> Option<PendingRequest> {
        let (now, id) = (self.now(), normalized(id));
        let store = self.store();
        store.pending.waiting(now).find(|request| request.id == id).map(PendingRequest::from)
    }

    /// Approves a request as this user, or as the user whom it names, or as the one who logs in by default.
    pub(crate) fn approve(&self, id: &str, subject: Option<&str>) -> Result<(), LocalError> {
        let request = self.pending_request(id).ok_or_else(|| nothing_waits(id))?;
        let subject = match (request.user, subject) {
            (Some(asked), Some(other)) if asked != other => {
                return Err(LocalError::new(format!(
                    "the request {id} asks {asked}, and not {other}. Approve it as {asked}"
                )));
            }
            (Some(asked), _) => asked,
            (None, Some(subject)) => subject.to_owned(),
            (None, None) => match self.default_user() {
                Some(user) => user.subject().to_owned(),
                None => return Err(LocalError::new("the tenant has no user. Add one first")),
            },
        };
        self.check_user(&subject)?;
        self.decide(&request.id, Decision::Approved(subject))
    }

    pub(crate) fn deny(&self, id: &str) -> Result<(), LocalError> {
        self.decide(&normalized(id), Decision::Denied)
    }

    fn decide(&self, id: &str, decision: Decision) -> Result<(), LocalError> {
        let now = self.now();
        match self.store().pending.decide(id, decision, now) {
            true => Ok(()),
            false => Err(nothing_waits(id)),
        }
    }
}

/// Returns an id as it is kept. A user may write a user code in lower case and without its hyphen.
fn normalized(id: &str) -> String {
    let is_written = |character: &char| !character.is_whitespace() && *character != '-';
    let mut id: String = id.chars().filter(is_written).take(64).collect();
    id.make_ascii_uppercase();
    if id.len() == 8 && id.is_char_boundary(4) && !id.bytes().all(|byte| byte.is_ascii_digit()) {
        id.insert(4, '-');
    }
    id
}

fn nothing_waits(id: &str) -> LocalError {
    LocalError::new(format!(
        "no request waits with the id {id:?}. It may have been decided, or expired. See the ids with auth0-local \
         requests, or begin again"
    ))
}
