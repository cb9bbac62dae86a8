//! What an accepted token says.
use crate::common::{AUDIENCE, ISSUER, NOW};
use auth0_core::ErrorCode;
use auth0_core::ErrorCode::{ClaimsInvalid, OrganizationMismatch};
use auth0_testing::{Profile, Tenant, TokenBuilder};
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

#[tokio::test]
async fn an_accepted_token_has_its_claims() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant
        .token()
        .subject("auth0|ann")
        .client("app")
        .scope("openid  read:messages")
        .permissions(["messages:purge", "ein \"Recht\" \\ 😀"])
        .organization("org_1", "acme")
        .claim("aud", [AUDIENCE, "https://tenant.test/userinfo"])
        .claim("sid", "s1")
        .claim("auth_time", NOW - 10)
        .claim("acr", "urn:mfa")
        .claim("amr", ["pwd", "mfa"])
        .claim("exp", NOW as f64 + 1.5)
        .mint();
    let token = auth.verify(&token).await.unwrap();
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(token.subject(), "auth0|ann");
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.client_id(), Some("app"));
    assert_eq!(token.audiences().collect::<Vec<_>>(), [AUDIENCE, "https://tenant.test/userinfo"]);
    assert!(token.scope().is_some_and(|scope| scope.contains("read:messages")));
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["openid", "read:messages"]);
    assert!(token.has_scope("openid") && !token.has_scope("") && !token.has_scope("read"));
    assert_eq!(token.permissions().collect::<Vec<_>>(), ["messages:purge", "ein \"Recht\" \\ 😀"]);
    assert!(!token.has_permission("openid") && !token.has_permission(""));
    let organization = token.organization().unwrap();
    assert_eq!((organization.id(), organization.name()), ("org_1", Some("acme")));
    assert_eq!((token.session_id(), token.authentication().acr()), (Some("s1"), Some("urn:mfa")));
    assert_eq!(token.authentication().amr().collect::<Vec<_>>(), ["pwd", "mfa"]);
    assert_eq!(token.authentication().auth_time(), Some(at(NOW - 10)));
    assert_eq!(token.issued_at(), Some(at(NOW)));
    assert_eq!(token.expires_at(), at(NOW + 1) + Duration::from_millis(500));
    assert_eq!(token.token_id(), None);

    let rfc9068 = tenant.token().profile(Profile::Rfc9068).machine("m").claim("exp", 1e300).mint();
    let rfc9068 = auth.verify(&rfc9068).await.unwrap();
    assert_eq!((rfc9068.subject(), rfc9068.client_id()), ("m@clients", Some("m")));
    assert!(rfc9068.token_id().is_some());
    assert_eq!(
        rfc9068.scopes().count()
            + rfc9068.permissions().count()
            + rfc9068.authentication().amr().count(),
        0
    );
    assert_eq!(rfc9068.authentication().auth_time(), None);
    assert!(rfc9068.expires_at() > at(NOW), "far in the future, without a panic");

    // With both names, that of RFC 9068 wins.
    let both = tenant.token().claim("client_id", "new").claim("azp", "old").mint();
    assert_eq!(auth.verify(&both).await.unwrap().client_id(), Some("new"));
}

#[tokio::test]
async fn custom_claims_are_read_into_the_type_of_the_application() {
    #[derive(Debug, serde::Deserialize)]
    struct Roles {
        #[serde(rename = "https://acme.com/roles")]
        roles: Vec<String>,
    }
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let name = "https://acme.com/roles";
    let good = auth.verify(&tenant.token().claim(name, ["a", "b"]).mint()).await.unwrap();
    assert_eq!(auth.with_claims::<Roles>(&good).unwrap().claims().roles, ["a", "b"]);
    assert_eq!(good.claim::<Vec<String>>(name).unwrap().unwrap(), ["a", "b"]);
    assert_eq!(good.claim::<String>("absent").unwrap(), None);
    assert!(good.with_claims::<()>().is_ok(), "it reads nothing");

    let wrong = auth.verify(&tenant.token().claim(name, "s3cr3t").mint()).await.unwrap();
    for error in [
        auth.with_claims::<Roles>(&wrong).unwrap_err(),
        wrong.claim::<Vec<String>>(name).unwrap_err(),
    ] {
        assert_eq!(error.code(), ClaimsInvalid);
        assert!(!format!("{error} {error:?} {:?}", error.cause()).contains("s3cr3t"));
    }
    assert!(!format!("{wrong:?}").contains("s3cr3t"), "Debug shows no payload");
}

#[tokio::test]
async fn a_token_has_typed_accessors() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let verify = async |token: TokenBuilder| auth.verify(&token.mint()).await.unwrap();
    let bare = verify(tenant.token()).await;
    assert!(bare.organization().is_none() && bare.actor().unwrap().is_none());
    assert!(bare.confirmation().unwrap().is_none());
    assert!(bare.authorization_details::<serde_json::Value>().unwrap().is_empty());
    assert!(bare.authentication().acr().is_none() && !bare.authentication().is_multi_factor());
    assert_eq!(auth.organization_of(&bare).unwrap_err().code(), OrganizationMismatch);

    let entry = json!({ "type": "payment" });
    for details in [json!([entry]), entry.clone()] {
        let token = verify(tenant.token().claim("authorization_details", details)).await;
        assert_eq!(
            token.authorization_details::<serde_json::Value>().unwrap(),
            std::slice::from_ref(&entry)
        );
    }
    let null = json!(null);
    let absent = tenant.token().claim("authorization_details", &null).claim("act", &null);
    let absent = verify(absent.claim("seats", &null)).await;
    assert!(absent.authorization_details::<serde_json::Value>().unwrap().is_empty());
    assert_eq!((absent.actor().unwrap(), absent.claim::<u32>("seats").unwrap()), (None, None));

    let odd = verify(tenant.token().claim("authorization_details", 7).claim("act", "x")).await;
    let claims_invalid = |code| assert_eq!(code, ErrorCode::ClaimsInvalid);
    claims_invalid(odd.authorization_details::<serde_json::Value>().unwrap_err().code());
    claims_invalid(odd.actor().unwrap_err().code());

    let act =
        json!({ "sub": "agt_1", "client_id": "c", "iss": "https://x/", "act": { "sub": "b" } });
    let token = verify(tenant.token().claim("act", act).claim("cnf", json!({ "kid": "k" }))).await;
    let actor = token.actor().unwrap().unwrap();
    assert_eq!((actor.client_id(), actor.issuer()), (Some("c"), Some("https://x/")));
    assert_eq!(actor.chain().count(), 2);
    let confirmation = token.confirmation().unwrap().unwrap();
    assert_eq!(
        (confirmation.key_thumbprint(), confirmation.certificate_thumbprint()),
        (None, None)
    );

    let token =
        verify(tenant.token().claim("amr", ["mfa"]).claim("auth_time", 1_767_225_000)).await;
    assert!(token.authentication().is_multi_factor());
    assert_eq!(
        token.authentication().auth_time(),
        Some(UNIX_EPOCH + Duration::from_secs(1_767_225_000))
    );
}
