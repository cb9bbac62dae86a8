//! What cannot work is refused when the verifier is built, in a sentence that helps.
use auth0_core::policy::organization_in_path;
use auth0_core::{Algorithm, Auth0, Builder, ConfigError, TrustedIssuer, adapter::RequestView};
use auth0_testing::Tenant;
use std::time::Duration;

#[test]
fn every_setting_that_cannot_work_is_refused_with_what_to_write() {
    let to = Auth0::builder;
    let with_domain = |domain: &str| to().domain(domain).audience("a");
    let with_issuer = |issuer: &str| to().issuer(issuer).audience("a");
    let with_audience = |audience: &str| to().domain("acme.eu.auth0.com").audience(audience);
    let rows = [
        ("nothing", to(), "no domain is set", ".domain(\"acme.eu.auth0.com\")"),
        ("no domain", to().audience("a"), "no domain is set", ".domain(\"acme.eu.auth0.com\")"),
        ("no audience", to().domain("acme.eu.auth0.com"), "no audience is set", ".audience("),
        (
            "no audience in a list",
            to().domain("acme.eu.auth0.com").audiences([""; 0]),
            "no audience is set",
            ".audience(",
        ),
        ("an empty audience", with_audience(""), "is empty", "https://api.acme.com"),
        ("a blank audience", with_audience(" \t"), "is empty", "https://api.acme.com"),
        ("one empty audience of two", good().audience(""), "is empty", "https://api.acme.com"),
        (
            "a placeholder for an audience",
            with_audience("YOUR_API_IDENTIFIER"),
            "placeholder",
            "https://api.acme.com",
        ),
        (
            "a template for an audience",
            with_audience("{yourApiIdentifier}"),
            "placeholder",
            "https://api.acme.com",
        ),
        (
            "a stray comma among audiences",
            good().audiences("https://a.acme.com,".split(',')),
            "one of the 3 audiences is empty",
            "none at the end",
        ),
        (
            "a stray comma among issuers",
            good().issuers("https://login.acme.com,, ".split(',')),
            "issuers is empty",
            "none at the end",
        ),
        (
            "a stray comma among domains",
            good().domains("login.acme.com,".split(',')),
            "one of the 3 issuers is empty",
            "none at the end",
        ),
        ("an empty domain", with_domain(""), "is empty", "\"acme.eu.auth0.com\""),
        ("a placeholder", with_domain("YOUR_DOMAIN"), "placeholder", "\"acme.eu.auth0.com\""),
        ("a template", with_domain("{yourDomain}"), "placeholder", "\"acme.eu.auth0.com\""),
        ("a path", with_domain("acme.auth0.com/api"), "path", "AUTH0_ISSUER"),
        ("a query", with_domain("acme.auth0.com?a=b"), "query", "\"acme.eu.auth0.com\""),
        ("a fragment", with_domain("acme.auth0.com#a"), "fragment", "\"acme.eu.auth0.com\""),
        (
            "user information",
            with_domain("ann:s3cr3t@acme.auth0.com"),
            "user information",
            "\"acme.eu.auth0.com\"",
        ),
        (
            "user information, as a URL",
            with_domain("https://ann:s3cr3t@acme.auth0.com/"),
            "user information",
            "\"acme.eu.auth0.com\"",
        ),
        ("a port", with_domain("acme.auth0.com:443"), "port", "AUTH0_ISSUER"),
        ("plain http", with_domain("http://acme.auth0.com"), "https only", "AUTH0_ISSUER"),
        ("localhost", with_domain("localhost"), "full domain name", "AUTH0_ISSUER"),
        ("an address", with_domain("192.168.0.1"), "full domain name", "AUTH0_ISSUER"),
        (
            "an issuer that is no URL",
            with_issuer("://acme.eu.auth0.com"),
            "is not a URL",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer over plain http",
            with_issuer("http://acme.com/"),
            "loopback only",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer over ftp",
            with_issuer("ftp://acme.com/"),
            "neither https nor http",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer with a password",
            with_issuer("https://ann:s3cr3t@acme.com/"),
            "user information",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer with a query",
            with_issuer("https://acme.com/?a"),
            "query",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer with a fragment",
            with_issuer("https://acme.com/#a"),
            "fragment",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer that is a placeholder",
            with_issuer("https://YOUR_DOMAIN/"),
            "placeholder",
            "https://acme.eu.auth0.com/",
        ),
        (
            "an issuer twice, with other rules",
            good().issuer(TrustedIssuer::domain("acme.eu.auth0.com").audience("https://b.com")),
            "configured twice",
            "Leave one out",
        ),
        (
            "a rule that reads the request",
            good()
                .issuer(TrustedIssuer::new("https://b.com/").require(organization_in_path("org"))),
            "a value of the request",
            "on the routes",
        ),
        (
            "a key set that is none",
            good().issuer(TrustedIssuer::new("https://b.com/").key_set("{}")),
            "no key that can be used",
            "RFC 7517",
        ),
        (
            "a key set over plain http",
            good().issuer(TrustedIssuer::new("https://b.com/").key_set_url("http://b.com/keys")),
            "not https",
            "https://id.acme.com/keys",
        ),
        (
            "an empty client id",
            good().issuer(TrustedIssuer::new("https://b.com/").client_ids([" "])),
            "client id",
            "Leave it out",
        ),
        ("no algorithm", good().algorithms([]), "no signature algorithm", "RS256"),
        ("a leeway of 61 s", good().leeway(Duration::from_secs(61)), "leeway of 61s", "60 s"),
        (
            "a leeway just over",
            good().leeway(Duration::from_millis(60_001)),
            "leeway of 60.001s",
            "60 s",
        ),
        ("a leeway without end", good().leeway(Duration::MAX), "60 s", "Correct the clocks"),
        ("no room for a token", good().max_token_bytes(0), "limit of 0 bytes", "1 to 1048576"),
        (
            "too much room",
            good().max_token_bytes(1_048_577),
            "limit of 1048577 bytes",
            "1 to 1048576",
        ),
        ("a realm with a line feed", good().realm("a\r\nb"), "realm", "printable ASCII"),
        ("a realm beyond ASCII", good().realm("ä"), "realm", "printable ASCII"),
    ];
    for (name, builder, what, advice) in rows {
        let sentence = refused(name, builder);
        assert!(sentence.contains(what), "{name}: {sentence}");
        assert!(sentence.contains(advice), "{name}: {sentence}");
        assert!(!sentence.contains("s3cr3t"), "{name}: {sentence}");
        assert!(!sentence.contains("  "), "one space is enough: {sentence}");
    }
}

/// Returns the sentence with which the builder refuses.
fn refused(name: &str, builder: Builder) -> String {
    match builder.build() {
        Ok(auth) => panic!("{name} was accepted: {auth:?}"),
        Err(error) => {
            assert_eq!(format!("{error:?}"), error.to_string(), "a main that returns it prints it");
            error.to_string()
        }
    }
}

/// Returns a builder that works.
fn good() -> Builder {
    Auth0::builder().domain("acme.eu.auth0.com").audience("https://api.acme.com")
}

#[test]
fn settings_that_work_are_accepted_up_to_the_bounds() {
    for (name, builder) in [
        ("as it is", good()),
        ("a pasted domain", Auth0::builder().domain(" https://Acme.EU.auth0.com/ ").audience("a")),
        ("domain and issuer alike", good().issuer("https://acme.eu.auth0.com")),
        ("an issuer on loopback", Auth0::builder().issuer("http://127.0.0.1:4400/").audience("a")),
        ("an issuer with a path", Auth0::builder().issuer("https://id.acme.com/one").audience("a")),
        ("several audiences", good().audiences(["b", "urn:c", " d "])),
        ("all algorithms", good().algorithms(Algorithm::ALL)),
        ("an algorithm twice", good().algorithms([Algorithm::RS256; 2])),
        ("no leeway", good().leeway(Duration::ZERO)),
        ("a leeway of a minute", good().leeway(Duration::from_secs(60))),
        ("a byte", good().max_token_bytes(1)),
        ("a mebibyte", good().max_token_bytes(1 << 20)),
        ("a realm", good().realm("a \"realm\" with \\")),
        ("an empty realm", good().realm("")),
    ] {
        assert!(builder.build().is_ok(), "{name}");
    }
}

#[tokio::test]
async fn debug_shows_no_secrets() {
    let tenant = Tenant::new();
    let auth = tenant.builder().realm("inner-realm").build().unwrap();
    let token = tenant.token().claim("private", "s3cr3t").mint();
    let verified = auth.verify(&token).await.unwrap();
    let shown = format!("{auth:?} {auth:#?} {verified:?} {:?}", tenant.builder());
    assert!(shown.contains("https://tenant.test/") && shown.contains("https://api.tenant.test"));
    let error = auth.verify(&format!("{token}x")).await.unwrap_err();
    let header = format!("Bearer {token}").into_bytes();
    let view = RequestView::new().authorization([&*header]);
    let shown = format!("{shown} {error:?} {view:?} {:?}", tenant.signing_key());
    let signature = token.rsplit('.').next().unwrap();
    for secret in ["s3cr3t", signature, "eyJ"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_config_error_can_be_sent_between_threads() {
    fn check<E: std::error::Error + Send + Sync + 'static>(_: &E) {}
    let error: ConfigError = Auth0::builder().build().unwrap_err();
    check(&error);
}
