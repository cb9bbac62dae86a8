//! Logout.
use crate::{
    error::RETRY, login::Login, page::Notice, renewals::Ending, reply::Reply, request::Request,
    session::Live,
};
use auth0_client::support::{LogoutPage, logout_page};
use std::time::Duration;
use url::{Url, form_urlencoded};

/// The limits for what a logout does not depend on: the metadata, and the revocation of the refresh token.
const METADATA_LIMIT: Duration = Duration::from_secs(1);
const REVOCATION_LIMIT: Duration = Duration::from_secs(1);

impl Login {
    /// Answers the logout (`GET` or `POST /auth/logout`): ends the session here, and sends the browser to Auth0, which ends
    /// its own. It works while Auth0 cannot be reached.
    ///
    /// Another site cannot log users out, unless [`allow_logout_links`](crate::LoginBuilder::allow_logout_links) is set and
    /// a person follows its link.
    pub async fn logout(&self, request: &Request) -> Reply {
        match self.at(request).await {
            Ok(this) => this.logged_out(request).await,
            Err(error) => error.reply(),
        }
    }

    async fn logged_out(&self, request: &Request) -> Reply {
        if !matches!(request.method(), "GET" | "POST") {
            return Reply::json(405, "invalid_request", "method_not_allowed", "Use GET or POST.")
                .with("allow", "GET, POST");
        }
        if request.is_prefetch() {
            return Reply::new(204);
        }
        let is_link = request.method() == "GET" && request.is_top_level();
        if request.is_of_other_site(&self.site.origin())
            && !(is_link && self.site.settings.allows_logout_links)
        {
            return self.notice(&OF_OTHER_SITE, request);
        }
        self.ended(request).await
    }

    /// Ends the session of a request, and sends the browser to Auth0.
    pub(super) async fn ended(&self, request: &Request) -> Reply {
        let session = self.session(request.clone());
        let (live, is_removed) = match session.read().await {
            Ok(()) => {
                let live = session.live();
                let is_removed = match &live {
                    Some(live) => self.end(live).await,
                    None => true,
                };
                (live, is_removed)
            }
            // Also without its content.
            Err(_) => (None, self.site.remove(&self.site.cookies(request)).await),
        };
        if !is_removed {
            return self.notice(&NOT_REMOVED, request);
        }
        let url = self.logout_url(live.as_ref()).await;
        Reply::redirect(&url)
            .cookies(self.site.all_cleared())
            .cookies(self.site.close_transactions(&self.site.cookies(request)))
    }

    /// Ends a session here. Returns `false` if the store still has it.
    async fn end(&self, live: &Live) -> bool {
        let shared = &self.site;
        if let Err(error) = shared.end(live, Ending::Left).await {
            tracing::error!(target: "auth0", %error, "a session cannot be removed");
            return false;
        }
        if let Some(token) = &live.record.tokens.refresh_token {
            let revocation = shared.client.revoke(token.text()).deadline(REVOCATION_LIMIT);
            if let Err(error) = revocation.send().await {
                tracing::warn!(target: "auth0", %error, "a refresh token was not revoked at the logout");
            }
        }
        true
    }

    /// Returns where the browser goes to end the session at Auth0.
    async fn logout_url(&self, live: Option<&Live>) -> String {
        let shared = &self.site;
        let settings = &shared.settings;
        let after =
            settings.after_logout.clone().unwrap_or_else(|| shared.base.as_str().to_owned());
        let client_id = shared.client.client_id();
        let page = logout_page(&shared.client, METADATA_LIMIT).await;
        match page {
            LogoutPage::EndSession(url) => {
                // The metadata has URLs only.
                let Ok(mut url) = Url::parse(&url) else { return after };
                {
                    let mut query = url.query_pairs_mut();
                    query.append_pair("client_id", client_id);
                    query.append_pair("post_logout_redirect_uri", &after);
                    // Without a hint, Auth0 asks whether to log out. The name of the session says least.
                    if let Some(sid) = live.and_then(|live| live.user.session_id()) {
                        query.append_pair("logout_hint", sid);
                    } else if let Some(id_token) =
                        live.and_then(|live| live.record.tokens.id_token.as_ref())
                    {
                        query.append_pair("id_token_hint", id_token.text());
                    }
                    if settings.is_federated {
                        query.append_pair("federated", "");
                    }
                }
                url.into()
            }
            LogoutPage::OfAuth0(page) => {
                let query: String = form_urlencoded::Serializer::new(String::new())
                    .append_pair("client_id", client_id)
                    .append_pair("returnTo", &after)
                    .finish();
                let federated = if settings.is_federated { "&federated" } else { "" };
                format!("{page}?{query}{federated}")
            }
            LogoutPage::Missing => after,
        }
    }
}

const OF_OTHER_SITE: Notice = Notice::new(
    403,
    "cross_site",
    "You are still logged in",
    "Another site has tried to log you out. Use the button of this application.",
);

const NOT_REMOVED: Notice = Notice::new(
    503,
    "temporarily_unavailable",
    "You are still logged in",
    "The logout is not available at the moment. Try again soon.",
)
.retry_after(RETRY);
