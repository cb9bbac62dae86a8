//! How the name of an issuer is spelt, and where its metadata is.
use super::One;
use crate::common::{Documents, verdict};
use auth0_core::{
    Auth0, Builder, ErrorCode, Revocations, TrustedIssuer,
    resolver::{IssuerResolver, ResolverContext},
};
use auth0_testing::Tenant;
use serde_json::json;
use std::error::Error;

const SLASH: &str = "https://id.example/";
const BARE: &str = "https://id.example";

/// Publishes documents of an issuer, with its name as the metadata has it.
fn documents(tenant: &Tenant, at: &str, named: &str) -> Documents {
    let documents = Documents::default();
    let metadata = json!({ "issuer": named, "jwks_uri": "https://id.example/keys" });
    documents.put_at(at, metadata.to_string());
    documents.put_at("https://id.example/keys", tenant.key_set_json());
    documents
}

fn builder(tenant: &Tenant, documents: &Documents) -> Builder {
    Auth0::builder()
        .audience(tenant.audience())
        .http_client(documents.clone())
        .clock(tenant.clock().clone())
}

/// Without a path, the metadata settles the slash at the end.
#[tokio::test]
async fn the_metadata_settles_the_slash() {
    let tenant = Tenant::new();
    let openid = "https://id.example/.well-known/openid-configuration";
    for configured in [SLASH, BARE] {
        for named in [SLASH, BARE] {
            let documents = documents(&tenant, openid, named);
            let resolver = One(configured.to_owned());
            for auth in [
                builder(&tenant, &documents).issuer(configured),
                builder(&tenant, &documents).issuer_resolver(resolver),
            ] {
                let auth = auth.build().unwrap();
                for stated in [SLASH, BARE] {
                    let token = tenant.token().issuer(stated).mint();
                    let expected = (stated != named).then_some(ErrorCode::IssuerMismatch);
                    let case = format!("configured {configured}, named {named}, stated {stated}");
                    for _ in 0..2 {
                        assert_eq!(verdict(&auth, &token).await, expected, "{case}");
                    }
                }
            }
        }
    }
    let documents = documents(&tenant, openid, SLASH);
    let auth = builder(&tenant, &documents).issuer(BARE).build().unwrap();
    let error = auth.verify(&tenant.token().issuer(BARE).mint()).await.unwrap_err();
    assert!(error.cause().unwrap().contains("slash"), "{error:?}");
}

/// Both spellings of a name that the metadata settles are one issuer, whose keys are fetched once.
#[tokio::test]
async fn both_spellings_are_one_issuer() {
    let tenant = Tenant::new();
    let openid = "https://id.example/.well-known/openid-configuration";
    for named in [SLASH, BARE] {
        for (first, second) in [(SLASH, BARE), (BARE, SLASH)] {
            let documents = documents(&tenant, openid, named);
            let both = builder(&tenant, &documents).issuers([first, second]);
            let auth = both.clone().build().unwrap();
            assert_eq!(auth.issuers().collect::<Vec<_>>(), [first]);
            for stated in [SLASH, BARE] {
                let token = tenant.token().issuer(stated).mint();
                let expected = (stated != named).then_some(ErrorCode::IssuerMismatch);
                assert_eq!(
                    verdict(&auth, &token).await,
                    expected,
                    "named {named}, stated {stated}"
                );
            }
            // A custom domain, by its name and by its URL.
            let auth = both.domain("id.example").build().unwrap();
            assert_eq!(auth.issuers().count(), 1);
        }
    }
    let documents = documents(&tenant, openid, SLASH);
    let other = TrustedIssuer::new(BARE).audience("https://other.example");
    let error = builder(&tenant, &documents).issuer(SLASH).issuer(other).build().unwrap_err();
    assert!(error.to_string().contains("configured twice, in different ways"), "{error}");
    // A name that is only compared is another one with a slash; so is one with a path.
    let fixed = TrustedIssuer::new(BARE).key_set(tenant.key_set_json());
    let auth = builder(&tenant, &documents).issuer(SLASH).issuer(fixed).build().unwrap();
    assert_eq!(auth.issuers().count(), 2);
    let paths = ["https://id.example/o/", "https://id.example/o"];
    let auth = builder(&tenant, &documents).issuers(paths).build().unwrap();
    assert_eq!(auth.issuers().count(), 2);
}

/// With a path, the name is compared as it is; the log says what differs.
#[tokio::test]
async fn a_path_is_compared_as_it_is() {
    let tenant = Tenant::new();
    let openid = "https://id.example/o/orders/.well-known/openid-configuration";
    let documents = documents(&tenant, openid, "https://id.example/o/orders/");
    let auth = builder(&tenant, &documents).issuer("https://id.example/o/orders").build().unwrap();
    let token = tenant.token().issuer("https://id.example/o/orders").mint();
    let error = auth.verify(&token).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
    assert!(error.cause().unwrap().contains("slash at the end"), "{error:?}");
    let token = tenant.token().issuer("https://id.example/o/orders/").mint();
    let error = auth.verify(&token).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::IssuerMismatch);
    assert!(error.cause().unwrap().contains("slash at the end"), "{error:?}");
}

#[tokio::test]
async fn metadata_of_oauth_is_found_where_rfc_8414_puts_it() {
    let tenant = Tenant::new();
    for (issuer, at) in [
        (BARE, "https://id.example/.well-known/oauth-authorization-server"),
        (SLASH, "https://id.example/.well-known/oauth-authorization-server"),
        (
            "https://id.example/realms/one",
            "https://id.example/.well-known/oauth-authorization-server/realms/one",
        ),
    ] {
        let documents = documents(&tenant, at, issuer);
        let auth = builder(&tenant, &documents).issuer(issuer).build().unwrap();
        assert_eq!(verdict(&auth, &tenant.token().issuer(issuer).mint()).await, None, "{issuer}");
    }
    let auth = builder(&tenant, &Documents::default()).issuer(SLASH).build().unwrap();
    let error = auth.verify(&tenant.token().issuer(SLASH).mint()).await.unwrap_err();
    let cause = error.cause().unwrap();
    for part in [
        "status 404 at https://id.example/.well-known/openid-configuration",
        "https://id.example/.well-known/oauth-authorization-server",
        "key_set_url",
    ] {
        assert!(cause.contains(part), "{cause}");
    }
}

#[tokio::test]
async fn a_template_is_no_issuer() {
    let tenant = Tenant::new();
    let openid = "https://id.example/common/v2.0/.well-known/openid-configuration";
    let documents = documents(&tenant, openid, "https://id.example/{tenantid}/v2.0");
    let auth =
        builder(&tenant, &documents).issuer("https://id.example/common/v2.0").build().unwrap();
    let token = tenant.token().issuer("https://id.example/common/v2.0").mint();
    let error = auth.verify(&token).await.unwrap_err();
    assert!(error.cause().unwrap().contains("configure the issuer of one tenant"), "{error:?}");
}

/// An issuer that is no URL can be trusted without discovery.
#[tokio::test]
async fn an_issuer_may_be_any_text_without_discovery() {
    let tenant = Tenant::new();
    let documents = documents(&tenant, "https://id.example/unused", "unused");
    for name in [
        "acme.teleport.sh",
        "P2aaaaaaaaaaaaaaaaaaaaaaaaa1",
        "stytch.com/project-test-16d9ba61-97a1-4ba4-9720-b03761dc50c6",
        "http://fs.acme.com/adfs/services/trust",
        "urn:acme:issuer",
        "kubernetes/serviceaccount",
    ] {
        let at = TrustedIssuer::new(name).key_set_url("https://id.example/keys");
        let fixed = TrustedIssuer::new(name).key_set(tenant.key_set_json());
        for issuer in [at, fixed] {
            let auth = builder(&tenant, &documents).issuer(issuer).build().unwrap();
            assert_eq!(auth.issuers().collect::<Vec<_>>(), [name]);
            let token = auth.verify(&tenant.token().issuer(name).mint()).await.unwrap();
            assert_eq!(token.issuer(), name);
            for other in [format!("{name}/"), format!("https://{name}"), name.to_uppercase()] {
                let token = tenant.token().issuer(&other).mint();
                assert_eq!(
                    verdict(&auth, &token).await,
                    Some(ErrorCode::IssuerMismatch),
                    "{other}"
                );
            }
        }
        let error =
            builder(&tenant, &documents).issuer(TrustedIssuer::new(name)).build().unwrap_err();
        assert!(
            error.to_string().contains("key_set_url") || error.to_string().contains("http"),
            "{error}"
        );
    }
    for name in ["", " ", "a b", "YOUR_ISSUER", "a\u{200b}b", "user:secret@host"] {
        let issuer = TrustedIssuer::new(name).key_set_url("https://id.example/keys");
        let error = builder(&tenant, &documents).issuer(issuer).build().unwrap_err().to_string();
        assert!(error.contains("iss claim") && !error.contains("secret"), "{name:?}: {error}");
    }
}

/// Trusts these issuers for each request.
struct These(Vec<TrustedIssuer>);

impl IssuerResolver for These {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Ok(self.0.clone())
    }
}

/// Also in the answer of a resolver, both spellings are one issuer, which cannot be there in different ways.
#[tokio::test]
async fn both_spellings_in_an_answer_are_one_issuer() {
    let tenant = Tenant::new();
    let openid = "https://id.example/.well-known/openid-configuration";
    let strict = |name| TrustedIssuer::new(name).audience("https://other.example");
    for named in [SLASH, BARE] {
        for (first, second) in [(SLASH, BARE), (BARE, SLASH)] {
            let same = vec![TrustedIssuer::new(first), TrustedIssuer::new(second)];
            let unlike = vec![strict(first), TrustedIssuer::new(second)];
            for (issuers, expected) in [
                (same, [None, Some(ErrorCode::IssuerMismatch)]),
                (unlike, [Some(ErrorCode::IssuersUnavailable); 2]),
            ] {
                let documents = documents(&tenant, openid, named);
                let auth = builder(&tenant, &documents).issuer_resolver(These(issuers));
                let auth = auth.build().unwrap();
                let other = if named == SLASH { BARE } else { SLASH };
                for (stated, expected) in [named, other].into_iter().zip(expected) {
                    let token = tenant.token().issuer(stated).mint();
                    let case = format!("{first}, then {second}; named {named}, stated {stated}");
                    assert_eq!(verdict(&auth, &token).await, expected, "{case}");
                }
            }
        }
    }
}

/// A host may be written in any case, and the name is compared as text.
#[tokio::test]
async fn an_issuer_without_discovery_keeps_the_case_of_its_host() {
    let tenant = Tenant::new();
    let documents = Documents::default();
    documents.put_at("https://id.example/keys", tenant.key_set_json());
    for (name, other) in [
        ("https://FS.Acme.com/adfs/services/trust", "https://fs.acme.com/adfs/services/trust"),
        ("https://fs.acme.com/adfs/services/trust", "https://FS.Acme.com/adfs/services/trust"),
        ("https://ID.acme.com", "https://id.acme.com"),
        ("https://ID.acme.com/", "https://id.acme.com/"),
    ] {
        let at = TrustedIssuer::new(name).key_set_url("https://id.example/keys");
        let fixed = TrustedIssuer::new(name).key_set(tenant.key_set_json());
        for issuer in [at, fixed] {
            let auth = builder(&tenant, &documents).issuer(issuer).build().unwrap();
            assert_eq!(auth.issuers().collect::<Vec<_>>(), [name]);
            for (stated, expected) in [(name, None), (other, Some(ErrorCode::IssuerMismatch))] {
                let token = tenant.token().issuer(stated).mint();
                assert_eq!(verdict(&auth, &token).await, expected, "{name}: {stated}");
            }
        }
    }
    // Revocations are of the issuer in each spelling of its host, also before there is a verifier.
    for (name, written) in [
        ("https://FS.Acme.com/adfs", "https://FS.Acme.com/adfs"),
        ("https://FS.Acme.com/adfs", "https://fs.acme.com/adfs"),
        ("https://fs.acme.com/adfs", "HTTPS://FS.Acme.com/adfs"),
    ] {
        let revocations = Revocations::in_memory();
        revocations.revoke_subject(written, "auth0|ann").await.unwrap();
        let issuer = TrustedIssuer::new(name).key_set(tenant.key_set_json());
        for builder in [
            builder(&tenant, &documents).issuer(issuer.clone()),
            builder(&tenant, &documents).issuer_resolver(These(vec![issuer.clone()])),
        ] {
            let auth = builder.revocations(&revocations).build().unwrap();
            let token = tenant.token().issuer(name).subject("auth0|ann").mint();
            let expected = Some(ErrorCode::TokenRevoked);
            assert_eq!(verdict(&auth, &token).await, expected, "{name}: {written}");
        }
    }
    // A tenant of Auth0 has one spelling.
    let issuer = TrustedIssuer::new("https://Acme.EU.auth0.com").key_set(tenant.key_set_json());
    let auth = builder(&tenant, &documents).issuer(issuer).build().unwrap();
    assert_eq!(auth.issuers().collect::<Vec<_>>(), ["https://acme.eu.auth0.com/"]);
}
