//! Several addresses of one application, each with a domain of its own.
use crate::{
    browser::Browser,
    provider::{Provider, encoded},
    servers,
    world::{builder, location},
};
use auth0_axum::login::{Site, SiteResolver};
use auth0_axum::{
    auth0_core::{
        BoxFuture,
        transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
    },
    login::InMemorySessionStore,
};
use std::{error::Error, time::Duration};
use wire_tests::client;

/// The network of two providers.
#[derive(Clone, Debug)]
struct Both(Provider, Provider);

impl HttpClient for Both {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        match request.url.starts_with(self.0.tenant().issuer()) {
            true => self.0.send(request),
            false => self.1.send(request),
        }
    }
}

#[tokio::test]
async fn each_site_has_its_own_users() {
    for has_store in [false, true] {
        let (acme, globex) = (Provider::new(), Provider::named("globex"));
        let mut login = builder(&acme)
            .http_client(Both(acme.clone(), globex.clone()))
            .site("https://app.globex.example", globex.tenant().issuer());
        if has_store {
            login = login.store(InMemorySessionStore::new().clock(acme.tenant().clock().clone()));
        }
        let login = login.build().unwrap();
        for server in [servers::axum(&login).await, servers::actix(&login)] {
            let mut browser = Browser::new(server, acme.tenant().clock(), true);
            let at_acme = [("host", "app.example"), ("accept", "text/html")];
            let at_globex = [("host", "APP.globex.example"), ("accept", "text/html")];
            let begun = browser.send("GET", "/auth/login", &at_acme).await;
            assert!(location(&begun).starts_with(acme.tenant().issuer()));
            let back = format!("/auth/callback?{}", acme.authorize(location(&begun), "auth0|ann"));

            // The callback at the other address is not that of this login.
            let mut elsewhere = browser.clone();
            let answer = elsewhere.send("GET", &back, &at_globex).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            assert_eq!(elsewhere.send("GET", "/", &at_globex).await.body, "nobody");

            assert_eq!(browser.send("GET", &back, &at_acme).await.status, 303);
            assert_eq!(browser.send("GET", "/", &at_acme).await.body, "auth0|ann");
            // A session of one site is none at the other, and is not removed there.
            let answer = browser.send("GET", "/", &at_globex).await;
            assert_eq!((answer.body.as_str(), answer.lines("set-cookie").len()), ("nobody", 0));
            assert_eq!(browser.send("GET", "/", &at_acme).await.body, "auth0|ann");

            let mut other = Browser::new(server, acme.tenant().clock(), true);
            let begun = other.send("GET", "/auth/login", &at_globex).await;
            let url = location(&begun);
            assert!(url.starts_with(globex.tenant().issuer()), "{url}");
            assert!(url.contains(&encoded("https://app.globex.example/auth/callback")), "{url}");
            let back = format!("/auth/callback?{}", globex.authorize(url, "auth0|ann"));
            assert_eq!(other.send("GET", &back, &at_globex).await.status, 303);
            assert_eq!(other.send("GET", "/", &at_globex).await.body, "auth0|ann");
            assert!(
                location(&other.send("GET", "/auth/logout", &at_globex).await)
                    .starts_with(globex.tenant().issuer())
            );

            // A logout token of the other domain ends nothing, and causes no fetch.
            let fetches = globex.tenant().fetches();
            let token = globex.logout_token().subject("auth0|ann").mint();
            let body = format!("logout_token={}", encoded(&token));
            let lines: [(&str, &[u8]); 2] =
                [("host", b"app.example"), ("content-type", b"application/x-www-form-urlencoded")];
            let target = "POST /auth/backchannel-logout";
            let answer = client::send_body(server, target, &lines, body.as_bytes(), false).await;
            assert_eq!(answer.status, 400);
            assert_eq!(globex.tenant().fetches(), fetches);
            assert_eq!(browser.send("GET", "/", &at_acme).await.body, "auth0|ann");
        }
    }
}

/// The sites of a database.
struct Customers(String);

impl SiteResolver for Customers {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
    ) -> BoxFuture<'a, Result<Option<Site>, Box<dyn Error + Send + Sync>>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            match host {
                "app.globex.example" | "www.globex.example" => {
                    Ok(Some(Site::new("https://app.globex.example", &*self.0)))
                }
                "wrong.example" => Ok(Some(Site::new("ftp://wrong.example", &*self.0))),
                "down.example" => Err("the database is down".into()),
                "slow.example" => std::future::pending().await,
                _ => Ok(None),
            }
        })
    }
}

#[tokio::test]
async fn a_resolver_finds_the_site() {
    for has_store in [false, true] {
        let (acme, globex) = (Provider::new(), Provider::named("globex"));
        let customers = Customers(globex.tenant().issuer().to_owned());
        let mut login = builder(&acme)
            .http_client(Both(acme.clone(), globex.clone()))
            .site("https://app.example", acme.tenant().issuer())
            .base_url("https://main.example")
            .site_resolver(customers);
        if has_store {
            login = login.store(InMemorySessionStore::new().clock(acme.tenant().clock().clone()));
        }
        let login = login.build().unwrap();
        // A logout by the application, of a session that was not read before.
        for (host, issuer) in [
            ("app.globex.example", globex.tenant().issuer()),
            ("unknown.example", acme.tenant().issuer()),
        ] {
            let request = auth0_login::Request::new("GET", "/").header("host", host.as_bytes());
            let reply = login.session(request).log_out().await;
            let url = reply.headers().find(|(name, _)| *name == "location").unwrap().1;
            assert!(url.starts_with(issuer), "{host}: {url}");
        }
        for server in [servers::axum(&login).await, servers::actix(&login)] {
            let mut browser = Browser::new(server, acme.tenant().clock(), true);
            let at = |host: &'static str| [("host", host), ("accept", "text/html")];
            for (host, issuer, callback) in [
                ("app.globex.example", globex.tenant().issuer(), "https://app.globex.example"),
                ("www.globex.example", globex.tenant().issuer(), "https://app.globex.example"),
                ("app.example", acme.tenant().issuer(), "https://app.example"),
                ("unknown.example", acme.tenant().issuer(), "https://main.example"),
            ] {
                let begun = browser.clone().send("GET", "/auth/login", &at(host)).await;
                assert!(location(&begun).starts_with(issuer), "{host}: {begun:?}");
                assert!(location(&begun).contains(&encoded(callback)), "{host}: {begun:?}");
            }
            let begun = browser.send("GET", "/auth/login", &at("app.globex.example")).await;
            let back =
                format!("/auth/callback?{}", globex.authorize(location(&begun), "auth0|ann"));
            assert_eq!(browser.send("GET", &back, &at("app.globex.example")).await.status, 303);
            assert_eq!(browser.send("GET", "/", &at("app.globex.example")).await.body, "auth0|ann");
            assert_eq!(browser.send("GET", "/", &at("www.globex.example")).await.body, "auth0|ann");
            assert_eq!(browser.send("GET", "/", &at("app.example")).await.body, "nobody");
            assert_eq!(browser.send("GET", "/", &at("unknown.example")).await.body, "nobody");
            let token = browser
                .send("GET", "/session?audience=https://billing.test", &at("app.globex.example"))
                .await;
            assert!(token.body.contains("auth0|ann"), "{token:?}");

            // No site: no user is logged in or out, and what needs no session is served.
            for (host, status) in [("wrong.example", 500), ("down.example", 503)] {
                for path in
                    ["/", "/me", "/auth/login", "/auth/callback?state=a&code=b", "/auth/logout"]
                {
                    let answer = browser.send("GET", path, &at(host)).await;
                    assert_eq!(answer.status, status, "{host}{path}: {answer:?}");
                }
                assert_eq!(browser.send("GET", "/plain", &at(host)).await.body, "plain");
            }
            let mut slow = browser.clone();
            let waiting = tokio::spawn(async move {
                slow.send("GET", "/", &[("host", "slow.example"), ("accept", "text/html")]).await
            });
            while !waiting.is_finished() {
                acme.tenant().clock().advance(Duration::from_millis(100));
                tokio::task::yield_now().await;
            }
            assert_eq!(waiting.await.unwrap().status, 503);
        }
    }
}
