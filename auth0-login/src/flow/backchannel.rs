//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8).
use crate::{login::Login, reply::Reply, request::Request};

impl Login {
    /// Answers the back-channel logout (`POST /auth/backchannel-logout`), which Auth0 itself sends. `body` is `None` if it is
    /// longer than [`backchannel_body_limit`](Self::backchannel_body_limit).
    ///
    /// A token with `sid` ends this session. One with `sub` only ends all sessions of the user that began before it.
    pub async fn backchannel_logout(&self, request: &Request, body: Option<&[u8]>) -> Reply {
        let content_type = request.content_type().map(str::as_bytes);
        let this = match self.at(request).await {
            Ok(this) => this,
            Err(error) => return error.reply(),
        };
        let answer = this.site.backchannel.respond(request.method(), content_type, body).await;
        let mut reply = Reply::empty(answer.status());
        for (name, value) in answer.headers() {
            reply = reply.with(name, value);
        }
        reply.with_body(answer.into_body())
    }

    /// Limits the body of a back-channel logout in bytes: an adapter reads no more.
    #[must_use]
    pub fn backchannel_body_limit(&self) -> usize {
        self.site.backchannel.body_limit()
    }
}
