//! Issuers over plain http on hosts that were allowed by name, for development.
use crate::{
    common::{RSA_1, Request, verdict},
    issuer::API,
};
use auth0_core::{
    Algorithm, Auth0, Builder, Error, ErrorCode, TrustedIssuer,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
    transport::HttpResponse,
};
use auth0_testing::{Document, Failure, SigningKey, Tenant};

const ISSUER: &str = "http://auth0:4400/";

fn tenant(issuer: &str) -> Tenant {
    let key = SigningKey::from_pkcs8(Algorithm::RS256, RSA_1).unwrap();
    Tenant::over_http(issuer, API, key).unwrap()
}

/// Returns a builder that reaches the tenant, and neither trusts it nor allows its host.
fn builder(tenant: &Tenant) -> Builder {
    tenant.builder_with([])
}

fn refused(builder: Builder) -> String {
    builder.build().unwrap_err().to_string()
}

#[tokio::test]
async fn an_issuer_on_an_allowed_host_is_trusted() {
    let tenant = tenant(ISSUER);
    for hosts in [vec!["auth0"], vec![" AUTH0 "], vec!["keycloak", "auth0"]] {
        let auth = builder(&tenant).issuer(ISSUER).allow_http_hosts(hosts).build().unwrap();
        assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
    }
    // A name holds for every port, and for this host only.
    let other = |issuer: &str| builder(&tenant).issuer(issuer).allow_http_hosts(["auth0"]);
    other("http://auth0/").build().unwrap();
    other("http://auth0:1/realms/acme").build().unwrap();
    for issuer in ["http://auth0.evil.test/", "http://sub.auth0/", "http://auth0@evil.test/"] {
        assert!(refused(other(issuer)).contains("loopback only"), "{issuer}");
    }
}

#[test]
fn a_host_that_is_not_allowed_is_refused_with_the_setting() {
    let tenant = tenant(ISSUER);
    for hosts in [&[][..], &["keycloak"]] {
        let error =
            refused(builder(&tenant).issuer(ISSUER).allow_http_hosts(hosts.iter().copied()));
        for part in ["AUTH0_ALLOW_HTTP_HOSTS=auth0", ".allow_http_hosts([\"auth0\"])"] {
            assert!(error.contains(part), "{error}");
        }
        let issuer = TrustedIssuer::new("https://id.acme.com/").key_set_url("http://keys:80/k");
        let error =
            refused(builder(&tenant).issuer(issuer).allow_http_hosts(hosts.iter().copied()));
        assert!(error.contains("AUTH0_ALLOW_HTTP_HOSTS=keys"), "{error}");
    }
    // An address cannot be allowed.
    let error = refused(builder(&tenant).issuer("http://10.0.0.7/"));
    assert!(error.contains("loopback only") && !error.contains("ALLOW_HTTP_HOSTS"), "{error}");
}

#[test]
fn a_host_is_a_plain_name() {
    let with = |host: &str| {
        Auth0::builder().domain("acme.eu.auth0.com").audience(API).allow_http_hosts([host])
    };
    for host in ["auth0", "auth0.localtest", "auth0_local-1", "localhost", "0auth.1a"] {
        assert!(with(host).build().is_ok(), "{host}");
    }
    for (host, what) in [
        ("", "is empty"),
        (" ", "is empty"),
        ("*", "wildcard"),
        ("*.acme.internal", "wildcard"),
        ("http://auth0:4400/", "is a URL"),
        ("http://ann:s3cr3t@auth0", "is a URL"),
        ("ann:s3cr3t@auth0", "user information"),
        ("auth0/", "path"),
        ("10.0.0.0/8", "network"),
        ("10.0.0.7", "is an address"),
        ("0x7f.1", "is an address"),
        ("2130706433", "is an address"),
        ("::1", "is an address"),
        ("[::1]", "is an address"),
        ("auth0:4400", "port"),
        ("auth0.", "not the name of a host"),
        ("-auth0", "not the name of a host"),
        ("a..b", "not the name of a host"),
        ("a b", "not the name of a host"),
        ("äuth0", "not the name of a host"),
        ("acme.eu.auth0.com", "https only"),
    ] {
        let error = refused(with(host));
        assert!(error.contains(what), "{host:?}: {error}");
        assert!(error.contains("Write the plain name of a host"), "{host:?}: {error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}

/// The `jwks_uri` of the metadata stays within the rule, and so does a redirect.
#[tokio::test]
async fn metadata_leads_to_no_other_host_over_http() {
    let keys = |uri: &str| {
        let body = format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"{uri}"}}"#);
        Failure::Answer(HttpResponse::json(body))
    };
    let moved = HttpResponse::new(302, "").with_header("location", "http://evil.test/");
    for (failure, cause) in [
        (keys("http://auth0:4400/.well-known/jwks.json"), None),
        (keys("http://evil.test/keys"), Some("not https")),
        (keys("http://127.0.0.1:4400/keys"), Some("not https")),
        (keys("http://10.0.0.7/keys"), Some("not https")),
        // Allowed, and the tenant is not there.
        (keys("http://keys.test:4400/keys"), Some("reaches no other host")),
        (keys("https://elsewhere.test/keys"), Some("reaches no other host")),
        (Failure::Answer(moved), Some("redirects are not followed")),
    ] {
        let tenant = tenant(ISSUER);
        tenant.fail_at(Document::Metadata, failure);
        let auth = builder(&tenant).issuer(ISSUER).allow_http_hosts(["auth0", "keys.test"]);
        let verdict = auth.build().unwrap().verify(&tenant.token().mint()).await;
        assert_caused(verdict.map(drop), cause);
    }
    // An issuer that is reached over https has its keys there, too.
    let tenant = Tenant::new();
    let body = format!(r#"{{"issuer":"{}","jwks_uri":"http://keys.test/"}}"#, tenant.issuer());
    tenant.fail_at(Document::Metadata, Failure::Answer(HttpResponse::json(body)));
    let auth =
        tenant.builder().allow_http_hosts(["keys.test", "tenant.test.evil"]).build().unwrap();
    assert_caused(auth.verify(&tenant.token().mint()).await.map(drop), Some("not https"));
}

fn assert_caused(verdict: Result<(), Error>, cause: Option<&str>) {
    let reported = verdict.err().map(|error| error.cause().unwrap_or_default().to_owned());
    match (&reported, cause) {
        (None, None) => {}
        (Some(reported), Some(cause)) if reported.contains(cause) => {}
        _ => panic!("{reported:?} instead of {cause:?}"),
    }
}

/// The operator writes the URL of a key set, so the issuer may be reached over https.
#[tokio::test]
async fn a_key_set_may_be_on_an_allowed_host() {
    let inside = tenant(ISSUER);
    let key_set = format!("{ISSUER}.well-known/jwks.json");
    for issuer in [ISSUER, "https://id.acme.com/"] {
        let trusted = TrustedIssuer::new(issuer).key_set_url(&key_set);
        let auth = builder(&inside).issuer(trusted).allow_http_hosts(["auth0"]).build().unwrap();
        assert_eq!(verdict(&auth, &inside.token().issuer(issuer).mint()).await, None, "{issuer}");
    }
}

/// An issuer of a resolver is never http, whatever the operator allows for the others.
#[tokio::test]
async fn a_resolved_issuer_is_not_http() {
    struct Found(TrustedIssuer);

    impl IssuerResolver for Found {
        type Key = ();

        fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
            Some(())
        }

        async fn resolve(
            &self,
            (): (),
        ) -> Result<Vec<TrustedIssuer>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(vec![self.0.clone()])
        }
    }

    let tenant = tenant(ISSUER);
    let key_set = format!("{ISSUER}.well-known/jwks.json");
    for (found, issuer) in [
        (TrustedIssuer::new(ISSUER), ISSUER),
        (TrustedIssuer::new("https://acme.com/").key_set_url(&key_set), "https://acme.com/"),
    ] {
        let resolved = ResolvedIssuers::by(Found(found)).private_hosts(["auth0"]);
        let auth = builder(&tenant).allow_http_hosts(["auth0"]).issuer_resolver(resolved);
        let text = tenant.token().issuer(issuer).mint();
        let request = Request::to("api.test").authorized("Bearer", &text);
        let error = request.authenticate(&auth.build().unwrap()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::IssuersUnavailable, "{error:?}");
        let cause = error.cause().unwrap();
        // The setting would not help here.
        assert!(cause.contains("http") && !cause.contains("ALLOW_HTTP_HOSTS"), "{cause}");
        assert_eq!(tenant.fetches().metadata + tenant.fetches().key_set, 0);
    }
}
