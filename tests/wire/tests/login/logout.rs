//! Logout.
use crate::world::{in_cookies_and_store, location, on_both, query};

#[tokio::test]
async fn the_session_ends_here_and_at_the_provider() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.start("/auth/login").await;
            let mut copy = world.browser.clone();
            let answer = world.open("/auth/logout").await;
            assert_eq!(answer.status, 303);
            let issuer = world.provider.tenant().issuer().to_owned();
            assert!(location(&answer).starts_with(&format!("{issuer}oidc/logout?")), "{answer:?}");
            let asked = query(location(&answer));
            assert_eq!(asked["client_id"], "web");
            assert_eq!(asked["post_logout_redirect_uri"], "https://app.example/");
            assert_eq!(asked["logout_hint"], "sid-auth0|ann");
            assert_eq!(asked.len(), 3);
            assert!(world.browser.names().is_empty(), "transactions, too");
            assert_eq!(world.user().await, "nobody");
            assert_eq!(
                copy.open("/").await.body,
                "nobody",
                "a copy of the cookie is good for nothing"
            );
            // The refresh token is revoked.
            assert_eq!(world.provider.forms("oauth/revoke").len(), 1);
            // Without a session.
            let answer = world.open("/auth/logout").await;
            assert_eq!((answer.status, query(location(&answer)).len()), (303, 2));
        },
    )
    .await;
}

#[tokio::test]
async fn a_provider_without_a_logout_endpoint() {
    on_both(|login| login.federated_logout().after_logout("https://app.example/bye"), async |world| {
        world.provider.without_logout_endpoint();
        world.log_in("auth0|ann").await;
        let answer = world.send("POST", "/auth/logout", &[("sec-fetch-site", "same-origin")]).await;
        let issuer = world.provider.tenant().issuer().to_owned();
        assert_eq!(
            location(&answer),
            format!("{issuer}v2/logout?client_id=web&returnTo=https%3A%2F%2Fapp.example%2Fbye&federated")
        );
        assert_eq!(world.user().await, "nobody");
    })
    .await;
}

/// An issuer may be written without a slash at its end.
#[tokio::test]
async fn a_tenant_without_a_logout_endpoint_and_a_slash() {
    on_both(
        |login| login.issuer("https://acme.test"),
        async |world| {
            world.provider.without_logout_endpoint();
            world.log_in("auth0|ann").await;
            let answer = world.open("/auth/logout").await;
            assert_eq!(
                location(&answer),
                "https://acme.test/v2/logout?client_id=web&returnTo=https%3A%2F%2Fapp.example%2F"
            );
            world.provider.down(true);
            let answer = world.open("/auth/logout").await;
            assert!(location(&answer).starts_with("https://acme.test/v2/logout?"), "{answer:?}");
        },
    )
    .await;
}

/// Such as Google: the session ends here.
#[tokio::test]
async fn another_provider_without_a_logout_endpoint() {
    on_both(
        |login| login.after_logout("https://app.example/bye"),
        async |world| {
            world.provider.without_logout_endpoint();
            world.provider.not_auth0();
            world.log_in("auth0|ann").await;
            let answer = world.open("/auth/logout").await;
            assert_eq!((answer.status, location(&answer)), (303, "https://app.example/bye"));
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

#[tokio::test]
async fn while_the_provider_is_down() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.down(true);
            // Its metadata is known from the login. The refresh token cannot be revoked.
            let answer = world.open("/auth/logout").await;
            assert_eq!(answer.status, 303);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
    on_both(
        |login| login,
        async |world| {
            world.provider.down(true);
            let answer = world.open("/auth/logout").await;
            assert!(location(&answer).contains("/v2/logout?client_id=web"), "{answer:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn another_site_cannot_log_users_out() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let image = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "image"),
                ("sec-fetch-mode", "no-cors"),
            ];
            let link = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "document"),
                ("sec-fetch-mode", "navigate"),
            ];
            let sibling = [
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-dest", "document"),
                ("sec-fetch-mode", "navigate"),
            ];
            let old = [("origin", "https://evil.test"), ("accept", "text/html"), ("x", "y")];
            let null = [("origin", "null"), ("accept", "text/html"), ("x", "y")];
            for (method, lines) in [
                ("GET", image),
                ("GET", link),
                ("GET", sibling),
                ("POST", link),
                ("POST", old),
                ("POST", null),
            ] {
                let answer = world.send(method, "/auth/logout", &lines).await;
                assert_eq!(answer.status, 403, "{method} {lines:?}");
                assert_eq!(world.user().await, "auth0|ann");
            }
            assert_eq!(world.send("PUT", "/auth/logout", &[]).await.status, 405);
            let own = [("origin", "https://app.example"), ("accept", "text/html")];
            assert_eq!(world.send("POST", "/auth/logout", &own).await.status, 303);
        },
    )
    .await;
    on_both(
        |login| login.allow_logout_links(),
        async |world| {
            world.log_in("auth0|ann").await;
            let image = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "image"),
                ("sec-fetch-mode", "no-cors"),
            ];
            let link = [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-dest", "document"),
                ("sec-fetch-mode", "navigate"),
            ];
            assert_eq!(world.send("GET", "/auth/logout", &image).await.status, 403);
            assert_eq!(world.send("POST", "/auth/logout", &link).await.status, 403);
            assert_eq!(world.send("GET", "/auth/logout", &link).await.status, 303);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}
