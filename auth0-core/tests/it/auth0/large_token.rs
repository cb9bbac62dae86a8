//! Tokens that are so large that header, issuer and signature are checked before the claims.
use crate::common::Request;
use auth0_core::{Auth0, ErrorCode};
use auth0_testing::{Tenant, TokenBuilder};

/// A payload of some 12 KiB, with these members at the end.
fn payload(tenant: &Tenant, issuer: &str, last: &str) -> String {
    let members: String = (0..1400).map(|number| format!("\"{number:x}\":1,")).collect();
    format!(
        r#"{{"aud":"{}","sub":"auth0|ann","iat":{now},"exp":{},"more":{{{members}"z":1}},"iss":"{issuer}"{last}}}"#,
        tenant.audience(),
        crate::common::NOW + 60,
        now = crate::common::NOW,
    )
}

async fn code(auth: &Auth0, token: TokenBuilder) -> Option<ErrorCode> {
    let request = Request::to("api.test").authorized("Bearer", &token.mint());
    let code = request.authenticate(auth).await.err().map(|error| error.code());
    // The verdict is the same without waiting, unless there is something to fetch.
    if let Some(now) = auth.authenticate_now(&request.view()) {
        assert_eq!(now.err().map(|error| error.code()), code);
    }
    code
}

#[tokio::test]
async fn a_large_token_is_verified_as_any_other() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let own = tenant.issuer().to_owned();
    let with =
        |issuer: &str, last: &str| tenant.token().raw_payload(payload(&tenant, issuer, last));
    let good = || with(&own, "");
    assert!(good().mint().len() > 15_000);
    for (name, token, expected) in [
        ("good", good(), None),
        ("a duplicate member", with(&own, r#","sub":"x""#), Some(ErrorCode::TokenMalformed)),
        (
            "an escaped duplicate, inside",
            with(&own, r#","x":[{"a":1,"\u0061":1}]"#),
            Some(ErrorCode::TokenMalformed),
        ),
        (
            "a second issuer",
            with(&own, r#","iss":"https://x.test/""#),
            Some(ErrorCode::TokenMalformed),
        ),
        ("not JSON", with(&own, ",,"), Some(ErrorCode::TokenMalformed)),
        ("a wrong claim", with(&own, r#","nbf":"x""#), Some(ErrorCode::ClaimsInvalid)),
        ("another issuer", with("https://x.test/", ""), Some(ErrorCode::IssuerMismatch)),
        (
            "another issuer first",
            with("https://x.test/", &format!(r#","iss":"{own}""#)),
            Some(ErrorCode::IssuerMismatch),
        ),
        ("forged", good().broken_signature(), Some(ErrorCode::SignatureInvalid)),
        ("unsigned", good().unsigned(), Some(ErrorCode::AlgorithmUnsupported)),
        ("symmetric", good().symmetric(), Some(ErrorCode::AlgorithmUnsupported)),
        ("an unknown key", good().header("kid", "unknown"), Some(ErrorCode::KeyUnknown)),
        ("another key", good().signed_by(&tenant.unknown_key()), Some(ErrorCode::SignatureInvalid)),
        ("crit", good().header("crit", ["x"]), Some(ErrorCode::TokenMalformed)),
        (
            "a large header",
            good().header("x5c", "x".repeat(4000)),
            Some(ErrorCode::RequestMalformed),
        ),
    ] {
        assert_eq!(code(&auth, token).await, expected, "{name}");
    }
}

/// A header that is large, and a payload that is not.
#[tokio::test]
async fn a_large_header_is_read_if_the_issuer_is_trusted() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let large = || tenant.token().header("x5c", ["x".repeat(8000)]);
    for (name, token, expected) in [
        ("good", large(), None),
        ("forged", large().broken_signature(), Some(ErrorCode::SignatureInvalid)),
        ("another issuer", large().issuer("https://x.test/"), Some(ErrorCode::IssuerMismatch)),
        ("crit", large().header("crit", ["x"]), Some(ErrorCode::TokenMalformed)),
    ] {
        assert_eq!(code(&auth, token).await, expected, "{name}");
    }
}

/// The resolver decides about a large token as about any other, and is called once.
#[tokio::test]
async fn a_large_token_of_a_resolved_issuer() {
    use auth0_core::{
        TrustedIssuer,
        resolver::{IssuerResolver, ResolverContext},
    };
    use std::{
        error::Error as StdError,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    struct Counted(String, Arc<AtomicUsize>);

    impl IssuerResolver for Counted {
        type Key = ();

        fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
            Some(())
        }

        async fn resolve(
            &self,
            (): (),
        ) -> Result<Vec<TrustedIssuer>, Box<dyn StdError + Send + Sync>> {
            self.1.fetch_add(1, Ordering::SeqCst);
            Ok(vec![TrustedIssuer::new(&self.0)])
        }
    }

    let tenant = Tenant::new();
    let (own, calls) = (tenant.issuer().to_owned(), Arc::new(AtomicUsize::new(0)));
    let resolver = Counted(own.clone(), Arc::clone(&calls));
    let auth = tenant.builder_with([]).issuer_resolver(resolver).build().unwrap();
    for (issuer, expected) in [(&*own, None), ("https://x.test/", Some(ErrorCode::IssuerMismatch))]
    {
        let token = tenant.token().raw_payload(payload(&tenant, issuer, ""));
        assert_eq!(code(&auth, token).await, expected, "{issuer}");
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
