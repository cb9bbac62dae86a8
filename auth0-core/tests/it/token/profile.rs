//! The two profiles of access tokens, and other tokens that are none.
use crate::common::{ACCEPTED, AUDIENCE, Row, check, check_with, header_with, verdict};
use auth0_core::ErrorCode::{ClaimsInvalid, TokenMalformed, TokenTypeInvalid};
use auth0_testing::{Profile, Tenant};
use serde_json::json;

#[tokio::test]
async fn good_tokens_of_both_profiles_are_accepted() {
    check(&[
        ("a user's", |t| t, ACCEPTED),
        ("a machine's", |t| t.machine("reporting"), ACCEPTED),
        ("a user's in an organization", |t| t.organization("org_1", "acme"), ACCEPTED),
        ("with permissions", |t| t.permissions(["a", "b"]), ACCEPTED),
        ("without permissions", |t| t.permissions(Vec::<String>::new()), ACCEPTED),
        ("RFC 9068, a user's", |t| t.profile(Profile::Rfc9068), ACCEPTED),
        ("RFC 9068, a machine's", |t| t.profile(Profile::Rfc9068).machine("m"), ACCEPTED),
        ("an agent's", |t| t.subject("agt_01HX"), ACCEPTED),
        ("with an empty scope", |t| t.scope(""), ACCEPTED),
        (
            "custom claims of any type",
            |t| t.claim("https://acme.com/x", json!([{ "a": null }])),
            ACCEPTED,
        ),
        (
            "authorization_details as an object",
            |t| t.claim("authorization_details", json!({})),
            ACCEPTED,
        ),
        (
            "authorization_details as an array",
            |t| t.claim("authorization_details", json!([])),
            ACCEPTED,
        ),
        ("a gty of another type", |t| t.claim("gty", json!(["a"])), ACCEPTED),
    ])
    .await;
}

#[tokio::test]
async fn tokens_of_other_types_are_refused() {
    check(&[
        ("no typ", |t| t.without_header("typ"), ACCEPTED),
        ("jwt", |t| t.header("typ", "jwt"), ACCEPTED),
        ("at+jwt", |t| t.header("typ", "at+jwt"), ACCEPTED),
        ("AT+JWT", |t| t.header("typ", "AT+JWT"), ACCEPTED),
        ("application/at+jwt", |t| t.header("typ", "application/at+jwt"), ACCEPTED),
        ("Application/AT+jwt", |t| t.header("typ", "Application/AT+jwt"), ACCEPTED),
        ("escaped", |t| t.raw_header(header_with(r#""t\u0079p":"\u0061t+jwt""#)), ACCEPTED),
        ("logout+jwt", |t| t.header("typ", "logout+jwt"), Some(TokenTypeInvalid)),
        ("dpop+jwt", |t| t.header("typ", "dpop+jwt"), Some(TokenTypeInvalid)),
        (
            "application/dpop+jwt",
            |t| t.header("typ", "application/dpop+jwt"),
            Some(TokenTypeInvalid),
        ),
        ("at+jwt and a space", |t| t.header("typ", "at+jwt "), Some(TokenTypeInvalid)),
        ("empty", |t| t.header("typ", ""), ACCEPTED),
        ("application/jwt", |t| t.header("typ", "application/jwt"), ACCEPTED),
        ("application/ alone", |t| t.header("typ", "application/"), Some(TokenTypeInvalid)),
        ("JOSE", |t| t.header("typ", "JOSE"), Some(TokenTypeInvalid)),
        ("a number", |t| t.header("typ", 1), Some(TokenMalformed)),
        ("null", |t| t.header("typ", json!(null)), Some(TokenMalformed)),
        ("a nonce", |t| t.claim("nonce", "n"), Some(TokenTypeInvalid)),
        (
            "a nonce and no typ",
            |t| t.without_header("typ").claim("nonce", 1),
            Some(TokenTypeInvalid),
        ),
        ("at_hash", |t| t.claim("at_hash", "n"), Some(TokenTypeInvalid)),
        ("c_hash", |t| t.claim("c_hash", "n"), Some(TokenTypeInvalid)),
        ("s_hash", |t| t.claim("s_hash", "n"), Some(TokenTypeInvalid)),
        ("the audience is the client", |t| t.client(AUDIENCE), Some(TokenTypeInvalid)),
        (
            "the only audience is the client",
            |t| t.client(AUDIENCE).claim("aud", [AUDIENCE]),
            Some(TokenTypeInvalid),
        ),
        (
            "the first of the audiences is the client",
            |t| t.client("c").claim("aud", ["c", AUDIENCE]),
            ACCEPTED,
        ),
        (
            "one of the audiences is the client",
            |t| t.client("c").claim("aud", [AUDIENCE, "c"]),
            ACCEPTED,
        ),
        ("at+jwt with a nonce", |t| t.header("typ", "at+jwt").claim("nonce", "n"), ACCEPTED),
        (
            "at+jwt of an ID token",
            |t| t.header("typ", "at+jwt").claim("typ", "ID"),
            Some(TokenTypeInvalid),
        ),
        (
            "at+jwt with events",
            |t| t.header("typ", "at+jwt").claim("events", json!({ "urn:a": {} })),
            Some(TokenTypeInvalid),
        ),
        ("typ ID_TOKEN", |t| t.claim("typ", "ID_TOKEN"), Some(TokenTypeInvalid)),
        ("token_use id_token", |t| t.claim("token_use", "id_token"), Some(TokenTypeInvalid)),
        ("token_use refresh", |t| t.claim("token_use", "refresh"), Some(TokenTypeInvalid)),
        ("typ refresh-token", |t| t.claim("typ", "refresh-token"), Some(TokenTypeInvalid)),
        (
            "token_use logout_token",
            |t| t.claim("token_use", "logout_token"),
            Some(TokenTypeInvalid),
        ),
        ("token_use access_token", |t| t.claim("token_use", "access_token"), ACCEPTED),
        ("typ Bearer", |t| t.claim("typ", "Bearer"), ACCEPTED),
        ("typ é_token", |t| t.claim("typ", "é_token"), ACCEPTED),
        ("no events", |t| t.claim("events", json!({})), ACCEPTED),
        ("events without a URI", |t| t.claim("events", json!({ "login": 1 })), ACCEPTED),
        ("events null", |t| t.claim("events", json!(null)), ACCEPTED),
        ("events as a list", |t| t.claim("events", json!(["urn:a"])), ACCEPTED),
        ("a nonce deeper down", |t| t.claim("a", json!({ "nonce": 1 })), ACCEPTED),
    ])
    .await;
}

/// Two common mistakes: the log names each, and says what to do.
#[tokio::test]
async fn the_log_names_id_tokens_and_encrypted_tokens() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    for (token, cause, advice) in [
        (tenant.token().claim("nonce", "n").mint(), "it is an ID token", "send the access token"),
        (tenant.token().client(AUDIENCE).mint(), "it is an ID token", "send the access token"),
        (format!("{}.a.b", tenant.token().mint()), "five parts", "with this audience"),
        (
            tenant.token().header("alg", "dir").mint(),
            "alg of the token is dir",
            "with this audience",
        ),
        ("8sPO0MHCnbkQWvVRxJ2k4Jq7".to_owned(), "an opaque text", "with this audience"),
    ] {
        let error = auth.verify(&token).await.unwrap_err();
        let reported = error.cause().unwrap_or_default();
        assert!(reported.contains(cause) && reported.contains(advice), "{reported}");
    }
}

#[tokio::test]
async fn rfc9068_only_demands_all_of_rfc_9068() {
    let tenant = Tenant::new();
    let auth = tenant.builder().rfc9068_only(true).build().unwrap();
    let strict: &[Row] = &[
        ("all of it", |t| t.profile(Profile::Rfc9068), ACCEPTED),
        (
            "application/at+jwt",
            |t| t.profile(Profile::Rfc9068).header("typ", "application/at+jwt"),
            ACCEPTED,
        ),
        ("Auth0's profile", |t| t, Some(TokenTypeInvalid)),
        ("no typ", |t| t.profile(Profile::Rfc9068).without_header("typ"), Some(TokenTypeInvalid)),
        ("typ JWT", |t| t.profile(Profile::Rfc9068).header("typ", "JWT"), Some(TokenTypeInvalid)),
        ("no sub", |t| t.profile(Profile::Rfc9068).without("sub"), Some(ClaimsInvalid)),
        ("no client_id", |t| t.profile(Profile::Rfc9068).without("client_id"), Some(ClaimsInvalid)),
        (
            "azp for client_id",
            |t| t.profile(Profile::Rfc9068).without("client_id").claim("azp", "c"),
            Some(ClaimsInvalid),
        ),
        ("no jti", |t| t.profile(Profile::Rfc9068).without("jti"), Some(ClaimsInvalid)),
        ("no iat", |t| t.profile(Profile::Rfc9068).without("iat"), Some(ClaimsInvalid)),
        ("no exp", |t| t.profile(Profile::Rfc9068).without("exp"), Some(ClaimsInvalid)),
    ];
    check_with(&tenant, &auth, strict).await;
    // Without the switch, only `sub` and `exp` are demanded.
    for claim in ["client_id", "jti", "iat"] {
        let token = tenant.token().profile(Profile::Rfc9068).without(claim).mint();
        assert_eq!(verdict(&tenant.auth0(), &token).await, ACCEPTED, "{claim}");
    }
}
