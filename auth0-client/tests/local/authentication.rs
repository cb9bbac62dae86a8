//! How the client authenticates, at every endpoint.
use crate::kit::{API, SECRET, acme, builder, claims, key_pair};
use auth0_client::{Client, ErrorKind};
use auth0_core::Algorithm;
use auth0_local::{Client as Registered, ClientKey, Endpoint, Fault, LocalTenant};

async fn machine(client: &Client) -> Result<auth0_client::Token, auth0_client::Error> {
    client.machine(API).scopes(["a"]).build().unwrap().token().await
}

fn method(tenant: &LocalTenant) -> &'static str {
    tenant.token_requests().last().next_back().unwrap().authentication
}

#[tokio::test]
async fn a_secret_in_the_body_or_the_header() {
    let tenant = acme().start().await.unwrap();
    let post = builder(&tenant, "service").client_secret(SECRET);
    let basic = post.clone().basic_authentication();
    for (client, name) in [(post, "client_secret_post"), (basic, "client_secret_basic")] {
        let client = client.build().unwrap();
        let token = machine(&client).await.unwrap();
        assert_eq!(claims(&tenant, token.encoded())["sub"], "service@clients");
        assert_eq!(method(&tenant), name);
        client.revoke("any").send().await.unwrap();
    }
    // An id with characters that have a meaning in the header, and in a form.
    let id = "a:b%c+d/=";
    tenant.add_client(Registered::confidential(id, SECRET)).unwrap();
    for basic in [false, true] {
        let odd = builder(&tenant, id).client_secret(SECRET);
        let odd = if basic { odd.basic_authentication() } else { odd };
        machine(&odd.build().unwrap()).await.unwrap();
    }
    for basic in [false, true] {
        let wrong = builder(&tenant, "service").client_secret("wrong");
        let wrong = if basic { wrong.basic_authentication() } else { wrong };
        let error = machine(&wrong.build().unwrap()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::InvalidClient, Some(401)));
    }
}

#[tokio::test]
async fn assertions_with_each_algorithm() {
    let (key, jwk) = key_pair(0);
    let algorithms = [Algorithm::RS256, Algorithm::RS384, Algorithm::PS256];
    let mut tenant = acme();
    for algorithm in algorithms {
        let public = ClientKey::jwk(&jwk).with_algorithm(algorithm.as_str()).with_id("k1");
        tenant = tenant.client(
            Registered::with_key(algorithm.as_str(), public).callback(crate::kit::CALLBACK),
        );
    }
    let tenant = tenant.start().await.unwrap();
    for registered in algorithms {
        for used in algorithms {
            let key = key.clone().algorithm(used).unwrap().key_id("k1").unwrap();
            let client = builder(&tenant, registered.as_str()).signing_key(key).build().unwrap();
            let result = machine(&client).await;
            if registered != used {
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidClient, "{registered} {used}");
                continue;
            }
            assert_eq!(method(&tenant), "private_key_jwt");
            let token = result.unwrap();
            let sub = format!("{registered}@clients");
            assert_eq!(claims(&tenant, token.encoded())["sub"], sub.as_str());
            // Each request has an assertion of its own, which is accepted once.
            for scope in ["b", "c", "d"] {
                client.machine(API).scopes([scope]).build().unwrap().token().await.unwrap();
            }
            client.revoke("any").send().await.unwrap();
            let pushed = client.authorization_request(crate::kit::CALLBACK).scopes(["openid"]);
            pushed.push().await.unwrap();
        }
    }
    let (other, _) = key_pair(1);
    let client = builder(&tenant, "RS256").signing_key(other).build().unwrap();
    assert_eq!(machine(&client).await.unwrap_err().kind(), ErrorKind::InvalidClient);
    let client = builder(&tenant, "RS256").signing_key(key.key_id("k2").unwrap()).build().unwrap();
    assert_eq!(machine(&client).await.unwrap_err().kind(), ErrorKind::InvalidClient);
}

/// The tenant has seen the first assertion, and its answer was lost.
#[tokio::test]
async fn a_repeated_request_has_another_assertion() {
    let (key, jwk) = key_pair(0);
    let tenant = acme().client(Registered::with_key("signing", ClientKey::jwk(&jwk)));
    let tenant = tenant.start().await.unwrap();
    let client = builder(&tenant, "signing").signing_key(key).build().unwrap();
    tenant.set_fault(Endpoint::Token, Fault::lost().times(1).unwrap());
    machine(&client).await.unwrap();
    assert_eq!(tenant.token_requests().total(), 2);
}

#[tokio::test]
async fn a_public_client() {
    let tenant = acme().start().await.unwrap();
    let spa = builder(&tenant, "spa").public().build().unwrap();
    let tokens = crate::browser::log_in(&tenant, &spa, "auth0|ann", "openid offline_access").await;
    let tokens = spa.refresh(tokens.refresh_token().unwrap()).send().await.unwrap();
    assert_eq!(method(&tenant), "none");
    spa.revoke(tokens.refresh_token().unwrap()).send().await.unwrap();
    for error in [spa.machine(API).build().unwrap_err(), spa.delegation(API).build().unwrap_err()] {
        assert!(error.to_string().contains("public client"), "{error}");
    }
    let error = spa.authorization_request(crate::kit::CALLBACK).push().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
}
