//! Which tokens are accepted, and with which code the others are refused: one row for each rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
use auth0_core::{
    Algorithm, Auth0, ErrorCode,
    ErrorCode::{
        AlgorithmUnsupported, AudienceMismatch, ClaimsInvalid, IssuerMismatch, KeyUnknown,
        RequestMalformed, SignatureInvalid, TokenBindingMismatch, TokenExpired, TokenMalformed,
        TokenNotYetValid, TokenOpaque, TokenTypeInvalid,
    },
    HttpResponse,
    testing::{Document, Failure, Fetches, Profile, SigningKey, Tenant, TokenBuilder},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

/// Where the clock of a test tenant stands: 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600;
const ISSUER: &str = "https://tenant.test/";
const AUDIENCE: &str = "https://api.tenant.test";

/// `None`: accepted.
type Expected = Option<ErrorCode>;
type Row = (&'static str, fn(TokenBuilder) -> TokenBuilder, Expected);

const ACCEPTED: Expected = None;

async fn verdict(auth: &Auth0, token: &str) -> Expected {
    auth.verify(token).await.err().map(|error| error.code())
}

/// Runs every row before it complains, so that one run shows all that differ.
async fn check_with(tenant: &Tenant, auth: &Auth0, rows: &[Row]) {
    let mut wrong = Vec::new();
    for (name, change, expected) in rows {
        let got = verdict(auth, &change(tenant.token()).mint()).await;
        if got != *expected {
            wrong.push(format!("{name}: expected {expected:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn check(rows: &[Row]) {
    let tenant = Tenant::new();
    check_with(&tenant, &tenant.auth0(), rows).await;
}

/// A payload that is good but for these members.
fn payload(members: &str) -> String {
    format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"auth0|ann",{members}}}"#)
}

/// A header that is good but for these members.
fn header(members: &str) -> String {
    format!(r#"{{"alg":"RS256","kid":"test-rs256-1",{members}}}"#)
}

const EXP: &str = r#""exp":1767312000"#;

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
async fn expiry_is_required_a_number_and_ahead() {
    check(&[
        ("missing", |t| t.without("exp"), Some(ClaimsInvalid)),
        ("null", |t| t.claim("exp", json!(null)), Some(ClaimsInvalid)),
        ("a string", |t| t.claim("exp", (NOW + 60).to_string()), Some(ClaimsInvalid)),
        ("true", |t| t.claim("exp", true), Some(ClaimsInvalid)),
        ("an array", |t| t.claim("exp", [NOW + 60]), Some(ClaimsInvalid)),
        ("an object", |t| t.claim("exp", json!({})), Some(ClaimsInvalid)),
        ("zero", |t| t.claim("exp", 0), Some(TokenExpired)),
        ("negative", |t| t.claim("exp", -1), Some(TokenExpired)),
        ("very negative", |t| t.claim("exp", -1e300), Some(TokenExpired)),
        ("an hour ago", TokenBuilder::expired, Some(TokenExpired)),
        ("exactly the leeway ago", |t| t.claim("exp", NOW - 5), Some(TokenExpired)),
        ("just within the leeway", |t| t.claim("exp", NOW - 4), ACCEPTED),
        ("a fraction within", |t| t.claim("exp", (NOW - 5) as f64 + 0.25), ACCEPTED),
        ("a fraction beyond", |t| t.claim("exp", (NOW - 5) as f64 - 0.25), Some(TokenExpired)),
        ("with a fraction", |t| t.claim("exp", NOW as f64 + 60.5), ACCEPTED),
        ("with an exponent", |t| t.raw_payload(payload(r#""exp":1.8e9"#)), ACCEPTED),
        ("huge", |t| t.claim("exp", u64::MAX), ACCEPTED),
        ("beyond every integer", |t| t.claim("exp", 1e300), ACCEPTED),
        ("beyond every double", |t| t.raw_payload(payload(r#""exp":1e999"#)), Some(TokenMalformed)),
        (
            "four hundred digits",
            |t| t.raw_payload(payload(&format!(r#""exp":{}"#, "9".repeat(400)))),
            Some(TokenMalformed),
        ),
        ("the name escaped", |t| t.raw_payload(payload(r#""\u0065xp":1767312000"#)), ACCEPTED),
        (
            "the name escaped, and past",
            |t| t.raw_payload(payload(r#""\u0065\u0078\u0070":1"#)),
            Some(TokenExpired),
        ),
        (
            "only in a nested object",
            |t| t.raw_payload(payload(r#""a":{"exp":1767312000}"#)),
            Some(ClaimsInvalid),
        ),
        (
            "a name with a different case",
            |t| t.raw_payload(payload(r#""EXP":1767312000"#)),
            Some(ClaimsInvalid),
        ),
    ])
    .await;
}

#[tokio::test]
async fn nbf_and_iat_are_optional_numbers_and_not_ahead() {
    check(&[
        ("no iat", |t| t.without("iat"), ACCEPTED),
        ("nbf now", |t| t.claim("nbf", NOW), ACCEPTED),
        ("nbf at the leeway", |t| t.claim("nbf", NOW + 5), ACCEPTED),
        ("nbf beyond the leeway", |t| t.claim("nbf", NOW + 6), Some(TokenNotYetValid)),
        ("nbf a fraction beyond", |t| t.claim("nbf", NOW as f64 + 5.25), Some(TokenNotYetValid)),
        ("nbf for ever ahead", |t| t.claim("nbf", 1e300), Some(TokenNotYetValid)),
        ("nbf before 1970", |t| t.claim("nbf", -5), ACCEPTED),
        ("nbf a string", |t| t.claim("nbf", NOW.to_string()), Some(ClaimsInvalid)),
        ("nbf null", |t| t.claim("nbf", json!(null)), Some(ClaimsInvalid)),
        ("nbf false", |t| t.claim("nbf", false), Some(ClaimsInvalid)),
        ("iat at the leeway", |t| t.claim("iat", NOW + 5), ACCEPTED),
        ("iat beyond the leeway", |t| t.claim("iat", NOW + 6), Some(TokenNotYetValid)),
        ("iat with a fraction", |t| t.claim("iat", NOW as f64 - 0.5), ACCEPTED),
        ("iat a string", |t| t.claim("iat", "now"), Some(ClaimsInvalid)),
        ("iat null", |t| t.claim("iat", json!(null)), Some(ClaimsInvalid)),
        (
            "iat escaped, and ahead",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"i\u0061t":1767999999"#))),
            Some(TokenNotYetValid),
        ),
    ])
    .await;
}

#[tokio::test]
async fn one_leeway_goes_for_all_times() {
    let tenant = Tenant::new();
    for (leeway, rows) in [
        (
            60,
            &[
                (
                    "exp at 60 s",
                    (|t| t.claim("exp", NOW - 60)) as fn(TokenBuilder) -> _,
                    Some(TokenExpired),
                ),
                ("exp at 59 s", |t| t.claim("exp", NOW - 59), ACCEPTED),
                ("nbf at 60 s", |t| t.claim("nbf", NOW + 60), ACCEPTED),
                ("nbf at 61 s", |t| t.claim("nbf", NOW + 61), Some(TokenNotYetValid)),
                ("iat at 60 s", |t| t.claim("iat", NOW + 60), ACCEPTED),
                ("iat at 61 s", |t| t.claim("iat", NOW + 61), Some(TokenNotYetValid)),
            ],
        ),
        (
            0,
            &[
                ("exp now", (|t| t.claim("exp", NOW)) as fn(TokenBuilder) -> _, Some(TokenExpired)),
                ("exp in 1 s", |t| t.claim("exp", NOW + 1), ACCEPTED),
                ("nbf now", |t| t.claim("nbf", NOW), ACCEPTED),
                ("nbf in 1 s", |t| t.claim("nbf", NOW + 1), Some(TokenNotYetValid)),
                ("iat now", |t| t.claim("iat", NOW), ACCEPTED),
                ("iat in 1 s", |t| t.claim("iat", NOW + 1), Some(TokenNotYetValid)),
            ],
        ),
    ] {
        let auth = tenant.builder().leeway(Duration::from_secs(leeway)).build().unwrap();
        check_with(&tenant, &auth, rows).await;
    }
}

#[tokio::test]
async fn the_issuer_is_the_configured_one_byte_for_byte() {
    check(&[
        ("missing", |t| t.without("iss"), Some(IssuerMismatch)),
        ("empty", |t| t.issuer(""), Some(IssuerMismatch)),
        ("another tenant", |t| t.issuer("https://other.test/"), Some(IssuerMismatch)),
        ("without the slash", |t| t.issuer("https://tenant.test"), Some(IssuerMismatch)),
        ("with two slashes", |t| t.issuer("https://tenant.test//"), Some(IssuerMismatch)),
        ("in upper case", |t| t.issuer("https://TENANT.test/"), Some(IssuerMismatch)),
        ("plain http", |t| t.issuer("http://tenant.test/"), Some(IssuerMismatch)),
        ("with a space", |t| t.issuer("https://tenant.test/ "), Some(IssuerMismatch)),
        ("a number", |t| t.claim("iss", 1), Some(ClaimsInvalid)),
        ("null", |t| t.claim("iss", json!(null)), Some(ClaimsInvalid)),
        ("an array with it", |t| t.claim("iss", [ISSUER]), Some(ClaimsInvalid)),
        ("escaped", |t| t.raw_payload(payload(EXP).replace("https", r"\u0068ttps")), ACCEPTED),
    ])
    .await;
}

#[tokio::test]
async fn the_audience_is_a_string_or_an_array_with_ours_in_it() {
    check(&[
        ("missing", |t| t.without("aud"), Some(AudienceMismatch)),
        ("empty", |t| t.audience(""), Some(AudienceMismatch)),
        ("another API", |t| t.audience("https://other.test"), Some(AudienceMismatch)),
        ("with a slash", |t| t.audience("https://api.tenant.test/"), Some(AudienceMismatch)),
        ("in upper case", |t| t.audience("https://API.tenant.test"), Some(AudienceMismatch)),
        ("only its beginning", |t| t.audience("https://api.tenant"), Some(AudienceMismatch)),
        ("two in one string", |t| t.audience("https://api.tenant.test x"), Some(AudienceMismatch)),
        ("an array of one", |t| t.claim("aud", [AUDIENCE]), ACCEPTED),
        (
            "an array of two",
            |t| t.claim("aud", [AUDIENCE, "https://tenant.test/userinfo"]),
            ACCEPTED,
        ),
        ("last in an array", |t| t.claim("aud", ["a", "b", AUDIENCE]), ACCEPTED),
        ("an array of others", |t| t.claim("aud", ["a", "b"]), Some(AudienceMismatch)),
        ("an empty array", |t| t.claim("aud", json!([])), Some(AudienceMismatch)),
        ("a number", |t| t.claim("aud", 1), Some(ClaimsInvalid)),
        ("null", |t| t.claim("aud", json!(null)), Some(ClaimsInvalid)),
        ("an object", |t| t.claim("aud", json!({ AUDIENCE: AUDIENCE })), Some(ClaimsInvalid)),
        ("an array with a number", |t| t.claim("aud", json!([AUDIENCE, 1])), Some(ClaimsInvalid)),
        ("an array in an array", |t| t.claim("aud", json!([[AUDIENCE]])), Some(ClaimsInvalid)),
    ])
    .await;
    let tenant = Tenant::new();
    let auth = tenant.builder().audience("second").build().unwrap();
    check_with(
        &tenant,
        &auth,
        &[
            ("the first of two", |t| t, ACCEPTED),
            ("the second of two", |t| t.audience("second"), ACCEPTED),
            ("neither", |t| t.audience("third"), Some(AudienceMismatch)),
        ],
    )
    .await;
}

#[tokio::test]
async fn claims_have_the_type_that_they_must_have() {
    check(&[
        ("no sub", |t| t.without("sub"), Some(ClaimsInvalid)),
        ("an empty sub", |t| t.subject(""), Some(ClaimsInvalid)),
        ("sub a number", |t| t.claim("sub", 1), Some(ClaimsInvalid)),
        ("sub null", |t| t.claim("sub", json!(null)), Some(ClaimsInvalid)),
        ("scope an array", |t| t.claim("scope", ["a"]), Some(ClaimsInvalid)),
        ("scope null", |t| t.claim("scope", json!(null)), Some(ClaimsInvalid)),
        ("permissions a string", |t| t.claim("permissions", "a b"), Some(ClaimsInvalid)),
        ("permissions of numbers", |t| t.claim("permissions", [1]), Some(ClaimsInvalid)),
        ("permissions an object", |t| t.claim("permissions", json!({})), Some(ClaimsInvalid)),
        ("azp a number", |t| t.claim("azp", 1), Some(ClaimsInvalid)),
        ("client_id a number", |t| t.claim("client_id", 1), Some(ClaimsInvalid)),
        ("jti a number", |t| t.claim("jti", 1), Some(ClaimsInvalid)),
        ("org_id a number", |t| t.claim("org_id", 1), Some(ClaimsInvalid)),
        ("org_name an array", |t| t.claim("org_name", ["acme"]), Some(ClaimsInvalid)),
        ("sid a number", |t| t.claim("sid", 1), Some(ClaimsInvalid)),
        ("auth_time a string", |t| t.claim("auth_time", "0"), Some(ClaimsInvalid)),
        ("acr a number", |t| t.claim("acr", 1), Some(ClaimsInvalid)),
        ("amr a string", |t| t.claim("amr", "mfa"), Some(ClaimsInvalid)),
    ])
    .await;
}

#[tokio::test]
async fn tokens_bound_to_a_key_or_a_certificate_are_refused_as_bearer() {
    check(&[
        ("a key", |t| t.claim("cnf", json!({ "jkt": "x" })), Some(TokenBindingMismatch)),
        (
            "a certificate",
            |t| t.claim("cnf", json!({ "x5t#S256": "x" })),
            Some(TokenBindingMismatch),
        ),
        (
            "both",
            |t| t.claim("cnf", json!({ "jkt": "x", "x5t#S256": "x" })),
            Some(TokenBindingMismatch),
        ),
        (
            "a key that is null",
            |t| t.claim("cnf", json!({ "jkt": null })),
            Some(TokenBindingMismatch),
        ),
        (
            "after an unknown member",
            |t| t.claim("cnf", json!({ "a": 1, "jkt": "x" })),
            Some(TokenBindingMismatch),
        ),
        (
            "its name escaped",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"c\u006ef":{{"j\u006bt":"x"}}"#))),
            Some(TokenBindingMismatch),
        ),
        ("an unknown member", |t| t.claim("cnf", json!({ "kid": "x" })), ACCEPTED),
        ("no member", |t| t.claim("cnf", json!({})), ACCEPTED),
        ("deeper down", |t| t.claim("cnf", json!({ "a": { "jkt": "x" } })), ACCEPTED),
        ("a string", |t| t.claim("cnf", "jkt"), Some(ClaimsInvalid)),
        ("null", |t| t.claim("cnf", json!(null)), Some(ClaimsInvalid)),
        ("an array", |t| t.claim("cnf", json!([{ "jkt": "x" }])), Some(ClaimsInvalid)),
    ])
    .await;
}

#[tokio::test]
async fn only_access_tokens_are_access_tokens() {
    check(&[
        ("no typ", |t| t.without_header("typ"), ACCEPTED),
        ("jwt", |t| t.header("typ", "jwt"), ACCEPTED),
        ("at+jwt", |t| t.header("typ", "at+jwt"), ACCEPTED),
        ("AT+JWT", |t| t.header("typ", "AT+JWT"), ACCEPTED),
        ("application/at+jwt", |t| t.header("typ", "application/at+jwt"), ACCEPTED),
        ("Application/AT+jwt", |t| t.header("typ", "Application/AT+jwt"), ACCEPTED),
        ("escaped", |t| t.raw_header(header(r#""t\u0079p":"\u0061t+jwt""#)), ACCEPTED),
        ("logout+jwt", |t| t.header("typ", "logout+jwt"), Some(TokenTypeInvalid)),
        ("dpop+jwt", |t| t.header("typ", "dpop+jwt"), Some(TokenTypeInvalid)),
        (
            "application/dpop+jwt",
            |t| t.header("typ", "application/dpop+jwt"),
            Some(TokenTypeInvalid),
        ),
        ("at+jwt and a space", |t| t.header("typ", "at+jwt "), Some(TokenTypeInvalid)),
        ("empty", |t| t.header("typ", ""), Some(TokenTypeInvalid)),
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
        ("a nonce deeper down", |t| t.claim("a", json!({ "nonce": 1 })), ACCEPTED),
    ])
    .await;
}

/// Two mistakes that many make: the log names them, and says what to do.
#[tokio::test]
async fn id_tokens_and_encrypted_tokens_are_called_by_their_name() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    for (token, cause, advice) in [
        (tenant.token().claim("nonce", "n").mint(), "it is an ID token", "Send the access token"),
        (tenant.token().client(AUDIENCE).mint(), "it is an ID token", "Send the access token"),
        (format!("{}.a.b", tenant.token().mint()), "five parts", "asks for no audience"),
        (tenant.token().header("alg", "dir").mint(), "alg is dir", "asks for no audience"),
        ("8sPO0MHCnbkQWvVRxJ2k4Jq7".to_owned(), "opaque", "did not ask for the audience"),
    ] {
        let error = auth.verify(&token).await.unwrap_err();
        let told = error.cause().unwrap_or_default();
        assert!(told.contains(cause) && told.contains(advice), "{told}");
    }
}

#[tokio::test]
async fn the_strict_switch_asks_for_all_of_rfc_9068() {
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
    // Without the switch, only sub and exp are asked for.
    for claim in ["client_id", "jti", "iat"] {
        let token = tenant.token().profile(Profile::Rfc9068).without(claim).mint();
        assert_eq!(verdict(&tenant.auth0(), &token).await, ACCEPTED, "{claim}");
    }
}

#[tokio::test]
async fn only_configured_algorithms_of_the_right_key_are_accepted() {
    check(&[
        ("none", TokenBuilder::unsigned, Some(AlgorithmUnsupported)),
        ("None", |t| t.unsigned().header("alg", "None"), Some(AlgorithmUnsupported)),
        ("HS256 with the public key", TokenBuilder::symmetric, Some(AlgorithmUnsupported)),
        ("HS512", |t| t.header("alg", "HS512"), Some(AlgorithmUnsupported)),
        ("RS384, not on the list", |t| t.algorithm(Algorithm::RS384), Some(AlgorithmUnsupported)),
        ("PS512, not on the list", |t| t.algorithm(Algorithm::PS512), Some(AlgorithmUnsupported)),
        ("ES256, not on the list", |t| t.header("alg", "ES256"), Some(AlgorithmUnsupported)),
        (
            "PS256 with a key for RS256",
            |t| t.algorithm(Algorithm::PS256),
            Some(AlgorithmUnsupported),
        ),
        ("rs256", |t| t.header("alg", "rs256"), Some(AlgorithmUnsupported)),
        ("empty", |t| t.header("alg", ""), Some(AlgorithmUnsupported)),
        ("RS1", |t| t.header("alg", "RS1"), Some(AlgorithmUnsupported)),
        ("missing", |t| t.without_header("alg"), Some(TokenMalformed)),
        ("a number", |t| t.header("alg", 256), Some(TokenMalformed)),
        ("an array", |t| t.header("alg", ["RS256"]), Some(TokenMalformed)),
        ("dir", |t| t.header("alg", "dir"), Some(TokenOpaque)),
        ("escaped", |t| t.raw_header(header(r#""typ":"JWT""#).replace("RS", r"\u0052S")), ACCEPTED),
        ("one bit of the signature", TokenBuilder::broken_signature, Some(SignatureInvalid)),
        ("a stranger's key", |t| t.signed_by(&Tenant::new().stranger()), Some(SignatureInvalid)),
    ])
    .await;

    let tenant = Tenant::new();
    let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
    let rsa = tenant.signing_key();
    for key in [ec(), SigningKey::from_pkcs8(Algorithm::EdDSA, ED25519).unwrap()] {
        let named = tenant.token().signed_by(&key).mint();
        assert_eq!(
            verdict(&auth, &named).await,
            Some(AlgorithmUnsupported),
            "{key:?} under {rsa:?}"
        );
        tenant.add_key(key.clone());
        let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
        assert_eq!(verdict(&auth, &tenant.token().mint()).await, ACCEPTED, "{key:?}");
        let under_its_id = tenant.token().signed_by(&rsa).mint();
        assert_eq!(
            verdict(&auth, &under_its_id).await,
            Some(AlgorithmUnsupported),
            "{rsa:?} under {key:?}"
        );
    }
}

#[tokio::test]
async fn ed25519_has_two_names() {
    for key_name in ["EdDSA", "Ed25519", "Ed448"] {
        let tenant = Tenant::new();
        tenant.add_key(SigningKey::from_pkcs8(Algorithm::EdDSA, ED25519).unwrap());
        let key_set = tenant.key_set_json().replace("EdDSA", key_name);
        tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(key_set)));
        let auth = tenant.builder().algorithms([Algorithm::EdDSA, Algorithm::RS256]).build();
        let auth = auth.unwrap();
        for name in ["EdDSA", "Ed25519"] {
            let expected = if key_name == "Ed448" { Some(AlgorithmUnsupported) } else { ACCEPTED };
            let token = tenant.token().header("alg", name).mint();
            assert_eq!(verdict(&auth, &token).await, expected, "{name} of {key_name}");
        }
        let other = tenant.token().header("alg", "Ed448").mint();
        assert_eq!(verdict(&auth, &other).await, Some(AlgorithmUnsupported), "{key_name}");
    }
}

#[tokio::test]
async fn a_key_is_found_by_its_id_and_only_when_it_is_certain_without_one() {
    check(&[
        ("no kid, one key", |t| t.without_header("kid"), ACCEPTED),
        (
            "no kid, a stranger's key",
            |t| t.without_header("kid").signed_by(&Tenant::new().stranger()),
            Some(SignatureInvalid),
        ),
        ("unknown", |t| t.header("kid", "other"), Some(KeyUnknown)),
        ("empty", |t| t.header("kid", ""), Some(KeyUnknown)),
        ("in upper case", |t| t.header("kid", "TEST-RS256-1"), Some(KeyUnknown)),
        ("a number", |t| t.header("kid", 1), Some(TokenMalformed)),
        ("null", |t| t.header("kid", json!(null)), Some(TokenMalformed)),
        ("an array", |t| t.header("kid", ["test-rs256-1"]), Some(TokenMalformed)),
        (
            "escaped",
            |t| t.raw_header(r#"{"alg":"RS256","k\u0069d":"\u0074est-rs256-1"}"#),
            ACCEPTED,
        ),
    ])
    .await;

    let no_kid = |tenant: &Tenant| tenant.token().without_header("kid").mint();
    let two = Tenant::new();
    two.rotate_keys();
    assert_eq!(verdict(&two.auth0(), &no_kid(&two)).await, Some(KeyUnknown), "two that fit");

    let mixed = Tenant::new();
    let rs256 = no_kid(&mixed);
    mixed.add_key(SigningKey::from_pkcs8(Algorithm::PS256, RSA_2).unwrap());
    let auth = mixed.auth0();
    assert_eq!(verdict(&auth, &rs256).await, ACCEPTED, "one for RS256, one for PS256");
    assert_eq!(verdict(&auth, &no_kid(&mixed)).await, ACCEPTED, "one for RS256, one for PS256");
}

#[tokio::test]
async fn headers_are_strict() {
    check(&[
        ("crit", |t| t.header("crit", ["exp"]), Some(TokenMalformed)),
        ("an empty crit", |t| t.header("crit", json!([])), Some(TokenMalformed)),
        ("crit null", |t| t.header("crit", json!(null)), Some(TokenMalformed)),
        ("crit escaped", |t| t.raw_header(header(r#""cr\u0069t":["x"]"#)), Some(TokenMalformed)),
        ("b64 false", |t| t.header("b64", false), Some(TokenMalformed)),
        ("b64 true", |t| t.header("b64", true), Some(TokenMalformed)),
        ("unknown members", |t| t.header("x", json!({ "crit": ["a"] })), ACCEPTED),
        ("alg twice", |t| t.raw_header(header(r#""alg":"RS256""#)), Some(TokenMalformed)),
        (
            "alg twice, once escaped",
            |t| t.raw_header(header(r#""al\u0067":"none""#)),
            Some(TokenMalformed),
        ),
        (
            "an unknown member twice",
            |t| t.raw_header(header(r#""x":1,"x":1"#)),
            Some(TokenMalformed),
        ),
        (
            "twice deeper down",
            |t| t.raw_header(header(r#""x":[{"y":1,"y":1}]"#)),
            Some(TokenMalformed),
        ),
        ("an array", |t| t.raw_header("[]"), Some(TokenMalformed)),
        ("a string", |t| t.raw_header(r#""RS256""#), Some(TokenMalformed)),
        ("null", |t| t.raw_header("null"), Some(TokenMalformed)),
        ("empty", |t| t.raw_header(""), Some(TokenMalformed)),
        ("not closed", |t| t.raw_header(r#"{"alg":"RS256""#), Some(TokenMalformed)),
        ("something after it", |t| t.raw_header(header(r#""x":1"#) + "x"), Some(TokenMalformed)),
        (
            "a byte order mark",
            |t| t.raw_header("\u{feff}".to_owned() + &header(r#""x":1"#)),
            Some(TokenMalformed),
        ),
        (
            "white space around it",
            |t| t.raw_header(format!(" {}\r\n", header(r#""x":1"#))),
            ACCEPTED,
        ),
        ("a comma too many", |t| t.raw_header(r#"{"alg":"RS256",}"#), Some(TokenMalformed)),
        ("nested a little", |t| t.raw_header(header(&nested(31))), ACCEPTED),
        ("nested too deeply", |t| t.raw_header(header(&nested(32))), Some(TokenMalformed)),
        ("nested into the stack", |t| t.raw_header(header(&nested(5000))), Some(TokenMalformed)),
    ])
    .await;
}

#[tokio::test]
async fn payloads_are_strict() {
    check(&[
        (
            "exp twice",
            |t| t.raw_payload(payload(r#""exp":1767312000,"exp":1767312000"#)),
            Some(TokenMalformed),
        ),
        (
            "exp twice, once escaped",
            |t| t.raw_payload(payload(r#""exp":1767312000,"e\u0078p":1"#)),
            Some(TokenMalformed),
        ),
        (
            "aud twice",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"aud":"x""#))),
            Some(TokenMalformed),
        ),
        (
            "an unknown claim twice",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"x":1,"x":2"#))),
            Some(TokenMalformed),
        ),
        (
            "twice deeper down",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"x":[{{"y":{{"z":1,"z":1}}}}]"#))),
            Some(TokenMalformed),
        ),
        (
            "alike in different objects",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"x":{{"exp":1,"x":{{"x":1}}}}"#))),
            ACCEPTED,
        ),
        ("an array", |t| t.raw_payload("[]"), Some(TokenMalformed)),
        ("empty", |t| t.raw_payload(""), Some(TokenMalformed)),
        ("text", |t| t.raw_payload("hello"), Some(TokenMalformed)),
        ("something after it", |t| t.raw_payload(payload(EXP) + "{}"), Some(TokenMalformed)),
        (
            "a lone surrogate",
            |t| t.raw_payload(payload(&format!(r#"{EXP},"x":"\ud800""#))),
            Some(TokenMalformed),
        ),
        (
            "a raw line feed",
            |t| t.raw_payload(payload(&format!("{EXP},\"x\":\"\n\""))),
            Some(TokenMalformed),
        ),
        (
            "a number with a zero before it",
            |t| t.raw_payload(payload(r#""exp":01767312000"#)),
            Some(TokenMalformed),
        ),
        ("a comment", |t| t.raw_payload(payload(&format!("{EXP}/**/"))), Some(TokenMalformed)),
        ("white space around it", |t| t.raw_payload(format!("\t{}\n", payload(EXP))), ACCEPTED),
        ("nested a little", |t| t.raw_payload(payload(&format!("{EXP},{}", nested(31)))), ACCEPTED),
        (
            "nested too deeply",
            |t| t.raw_payload(payload(&format!("{EXP},{}", nested(32)))),
            Some(TokenMalformed),
        ),
        (
            "nested into the stack",
            |t| t.raw_payload(payload(&format!("{EXP},{}", nested(5000)))),
            Some(TokenMalformed),
        ),
    ])
    .await;
}

fn nested(depth: usize) -> String {
    format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn the_compact_form_is_strict() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    assert_eq!(signature.len() % 4, 2, "the last character has stray bits");
    let stray = |part: &str| {
        let last = part.chars().next_back().unwrap();
        let alphabet: Vec<char> =
            ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
        let place = alphabet.iter().position(|c| *c == last).unwrap();
        format!("{}{}", &part[..part.len() - 1], alphabet[place ^ 1])
    };
    let invalid_utf8 = URL_SAFE_NO_PAD.encode(b"{\"alg\":\"RS256\",\"x\":\"\xff\"}");
    for (name, token, expected) in [
        ("as it is", token.clone(), ACCEPTED),
        ("one part", header.to_owned(), Some(TokenMalformed)),
        ("an opaque text", "8sPO0MHCnbkQWvVRxJ2k4Jq7".to_owned(), Some(TokenMalformed)),
        ("two parts", format!("{header}.{payload}"), Some(TokenMalformed)),
        ("four parts", format!("{token}.{signature}"), Some(TokenMalformed)),
        ("five parts", format!("{token}.a.b"), Some(TokenOpaque)),
        ("five empty parts", "....".to_owned(), Some(TokenOpaque)),
        ("six parts", format!("{token}.a.b.c"), Some(TokenMalformed)),
        ("a hundred parts", ".".repeat(99), Some(TokenMalformed)),
        ("a point after it", format!("{token}."), Some(TokenMalformed)),
        ("a point before it", format!(".{token}"), Some(TokenMalformed)),
        ("three empty parts", "..".to_owned(), Some(TokenMalformed)),
        ("no signature", format!("{header}.{payload}."), Some(SignatureInvalid)),
        ("no payload", format!("{header}..{signature}"), Some(TokenMalformed)),
        ("no header", format!(".{payload}.{signature}"), Some(TokenMalformed)),
        ("a padded signature", format!("{token}=="), Some(TokenMalformed)),
        ("a padded header", format!("{header}=.{payload}.{signature}"), Some(RequestMalformed)),
        ("a stray bit in the signature", stray(&token), Some(TokenMalformed)),
        (
            "a header that is not UTF-8",
            format!("{invalid_utf8}.{payload}.{signature}"),
            Some(TokenMalformed),
        ),
        (
            "a payload that is not UTF-8",
            format!("{header}.{invalid_utf8}.{signature}"),
            Some(TokenMalformed),
        ),
        (
            "the other alphabet",
            format!("{header}.{payload}.{}+/", &signature[2..]),
            Some(TokenMalformed),
        ),
        ("a space in it", format!("{header}. {payload}.{signature}"), Some(RequestMalformed)),
        ("a line feed after it", format!("{token}\n"), Some(RequestMalformed)),
        ("a NUL after it", format!("{token}\0"), Some(RequestMalformed)),
        ("a letter beyond ASCII", format!("{token}ä"), Some(RequestMalformed)),
        ("nothing", String::new(), Some(RequestMalformed)),
        ("only padding", "==".to_owned(), Some(RequestMalformed)),
    ] {
        assert_eq!(verdict(&auth, &token).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_token_is_accepted_up_to_the_size_limit() {
    let tenant = Tenant::new();
    let token = tenant.token().mint();
    let exactly = tenant.builder().max_token_bytes(token.len()).build().unwrap();
    assert_eq!(verdict(&exactly, &token).await, ACCEPTED);
    let below = tenant.builder().max_token_bytes(token.len() - 1).build().unwrap();
    assert_eq!(verdict(&below, &token).await, Some(RequestMalformed));

    // The default: 16 KiB. Base64 does not reach every length, so the limit is met from both sides.
    let auth = tenant.auth0();
    let padded = |bytes: usize| tenant.token().claim("x", "x".repeat(bytes)).mint();
    let fits = (11_000..12_000).rev().find(|bytes| padded(*bytes).len() <= 16 * 1024).unwrap();
    assert!(padded(fits).len() > 16 * 1024 - 4);
    assert_eq!(verdict(&auth, &padded(fits)).await, ACCEPTED);
    assert_eq!(verdict(&auth, &padded(fits + 1)).await, Some(RequestMalformed));
}

#[tokio::test]
async fn where_a_key_is_found_is_not_the_tokens_to_say() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let once = tenant.fetches();
    assert_eq!((once.metadata, once.key_set), (1, 1));
    let stranger = tenant.stranger();
    for (name, value) in [
        ("jku", json!("https://tenant.test/.well-known/jwks.json")),
        ("jwk", stranger.jwk()),
        ("x5u", json!("https://tenant.test/.well-known/openid-configuration")),
        ("x5c", json!(["MIIB"])),
    ] {
        let good = tenant.token().header(name, &value).mint();
        assert_eq!(verdict(&auth, &good).await, ACCEPTED, "{name}");
        let forged = tenant.token().header(name, &value).signed_by(&stranger).mint();
        assert_eq!(verdict(&auth, &forged).await, Some(SignatureInvalid), "{name}");
    }
    assert_eq!(tenant.fetches(), once);
}

#[tokio::test]
async fn what_is_refused_before_its_signature_costs_no_fetch() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let rows: &[Row] = &[
        ("a stranger's issuer", |t| t.issuer("https://evil.test/"), Some(IssuerMismatch)),
        ("no issuer", |t| t.without("iss"), Some(IssuerMismatch)),
        (
            "a stranger's issuer and kid",
            |t| t.issuer("https://evil.test/").header("kid", "x"),
            Some(IssuerMismatch),
        ),
        ("alg none", TokenBuilder::unsigned, Some(AlgorithmUnsupported)),
        ("crit", |t| t.header("crit", ["x"]), Some(TokenMalformed)),
        ("a claim twice", |t| t.raw_payload(payload(r#""exp":1,"exp":1"#)), Some(TokenMalformed)),
        ("encrypted", |t| t.header("alg", "dir"), Some(TokenOpaque)),
    ];
    check_with(&tenant, &auth, rows).await;
    assert_eq!(tenant.fetches(), Fetches::default());
}

#[tokio::test]
async fn an_accepted_token_says_what_stands_in_it() {
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
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["openid", "read:messages"]);
    assert!(token.has_scope("openid") && !token.has_scope("") && !token.has_scope("read"));
    assert_eq!(token.permissions().collect::<Vec<_>>(), ["messages:purge", "ein \"Recht\" \\ 😀"]);
    assert!(!token.has_permission("openid") && !token.has_permission(""));
    assert_eq!((token.organization_id(), token.organization_name()), (Some("org_1"), Some("acme")));
    assert_eq!((token.session_id(), token.acr()), (Some("s1"), Some("urn:mfa")));
    assert_eq!(token.amr().collect::<Vec<_>>(), ["pwd", "mfa"]);
    assert_eq!(token.auth_time(), Some(at(NOW - 10)));
    assert_eq!(token.issued_at(), Some(at(NOW)));
    assert_eq!(token.expires_at(), at(NOW + 1) + Duration::from_millis(500));
    assert_eq!(token.token_id(), None);

    let rfc9068 = tenant.token().profile(Profile::Rfc9068).machine("m").claim("exp", 1e300).mint();
    let rfc9068 = auth.verify(&rfc9068).await.unwrap();
    assert_eq!((rfc9068.subject(), rfc9068.client_id()), ("m@clients", Some("m")));
    assert!(rfc9068.token_id().is_some());
    assert_eq!(rfc9068.scopes().count() + rfc9068.permissions().count() + rfc9068.amr().count(), 0);
    assert_eq!(rfc9068.auth_time(), None);
    assert!(rfc9068.expires_at() > at(NOW), "for ever, without a panic");

    // Both names: RFC 9068's wins, wherever it stands.
    let both = tenant.token().claim("client_id", "new").claim("azp", "old").mint();
    assert_eq!(auth.verify(&both).await.unwrap().client_id(), Some("new"));
}

#[tokio::test]
async fn custom_claims_are_the_applications_type_or_an_error() {
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
    assert!(good.with_claims::<()>().is_ok(), "asks for nothing");

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

const RSA_2: &[u8] = include_bytes!("../src/testing/keys/rsa-2.der");
const P256: &[u8] = include_bytes!("../src/testing/keys/p256.der");
const ED25519: &[u8] = include_bytes!("../src/testing/keys/ed25519.der");

fn ec() -> SigningKey {
    SigningKey::from_pkcs8(Algorithm::ES256, P256).unwrap()
}
