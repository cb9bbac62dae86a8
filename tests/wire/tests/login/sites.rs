//! Several addresses of one application, each with a domain of its own.
use crate::{
    browser::Browser,
    provider::{Provider, encoded},
    servers,
    world::{builder, location},
};
use auth0_axum::{
    auth0_core::{
        BoxFuture,
        transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
    },
    login::InMemorySessionStore,
};
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
