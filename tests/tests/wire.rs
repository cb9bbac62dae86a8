//! Every situation of the contract, on the wire, at all three servers.
use auth0_axum::auth0_core::Clock as _;
use auth0_axum::testing::{Failure, Profile, Tenant, TokenBuilder};
use std::time::Duration;
use wire_tests::{
    client::{Answer, get},
    servers,
};

/// What is expected besides `cache-control` and `content-type`, which every refusal has.
struct Row {
    name: &'static str,
    path: &'static str,
    authorization: Vec<Vec<u8>>,
    /// Further field lines.
    fields: Vec<(&'static str, &'static [u8])>,
    expected: Expected,
}

enum Expected {
    Ok(&'static str),
    /// Each challenge is a line.
    Refused {
        status: u16,
        challenge: String,
        error: &'static str,
        code: &'static str,
    },
}

fn bearer(token: &str) -> Vec<Vec<u8>> {
    vec![format!("Bearer {token}").into_bytes()]
}

fn row(
    name: &'static str,
    path: &'static str,
    authorization: Vec<Vec<u8>>,
    expected: Expected,
) -> Row {
    Row { name, path, authorization, fields: Vec::new(), expected }
}

/// What both the axum and the actix adapter say where the application is wired wrongly.
fn misconfigured() -> Expected {
    Expected::Refused {
        status: 500,
        challenge: String::new(),
        error: "server_error",
        code: "misconfigured",
    }
}

fn refused(status: u16, error: &'static str, code: &'static str, scope: &str) -> Expected {
    let description = description(code);
    let challenge = match error {
        "unauthorized" => "Bearer".to_owned(),
        _ => format!("Bearer error=\"{error}\", error_description=\"{description}\"{scope}"),
    };
    let challenge = challenge + "\nDPoP algs=\"ES256\"";
    Expected::Refused { status, challenge, error, code }
}

/// Said once more than in the code, so that a changed word is a decision.
fn description(code: &str) -> &'static str {
    match code {
        "token_missing" => {
            "No access token was sent. Send one in the Authorization header, after a scheme that the challenge names."
        }
        "scheme_unsupported" => {
            "The authorization scheme is not supported here. Use a scheme that the challenge names."
        }
        "request_malformed" => {
            "The request must carry exactly one access token, in one well-formed Authorization header; and a DPoP header once at the most, beside a token that is bound to a key."
        }
        "token_malformed" => "The access token is not a well-formed JSON Web Token.",
        "token_opaque" => {
            "The access token is encrypted for somebody else. Ask the authorization server for a token with the audience of this API."
        }
        "algorithm_unsupported" => {
            "The access token is not signed with an algorithm that is accepted here."
        }
        "key_unknown" => "The access token is signed with a key that its issuer does not publish.",
        "signature_invalid" => "The signature of the access token is not valid.",
        "issuer_mismatch" => "The issuer of the access token is not trusted here.",
        "audience_mismatch" => {
            "The access token was issued for another audience. Ask for a token with the audience of this API."
        }
        "token_expired" => "The access token has expired. Get a new one and try again.",
        "token_not_yet_valid" => "The access token is not valid yet.",
        "claims_invalid" => {
            "The access token lacks a claim that is needed here, or has one of the wrong type."
        }
        "token_type_invalid" => {
            "This is not an access token. Send the access token, not the ID token or another one."
        }
        "token_binding_mismatch" => {
            "The access token is bound to a key or a certificate, and the request does not prove that the client holds it."
        }
        "insufficient_scope" => "The access token lacks a scope that is needed here.",
        "organization_mismatch" => {
            "The access token is not of the organization that is needed here."
        }
        "step_up_required" => {
            "The login is too weak or too old for this. Log in again, as the challenge says."
        }
        "insufficient_permissions" => "The access token lacks a permission that is needed here.",
        "requirement_not_met" => "The access token does not meet what is required here.",
        "keys_unavailable" | "issuers_unavailable" => {
            "The access token cannot be checked at the moment. Try again later."
        }
        "misconfigured" => "The service is not set up to check access tokens.",
        other => panic!("no description for {other}"),
    }
}

/// Organizations, logins, claims, machines and persons.
fn requirements(tenant: &Tenant) -> Vec<Row> {
    const MFA: &str = "http://schemas.openid.net/pape/policies/2007/06/multi-factor";
    let ann = || tenant.token().subject("auth0|ann");
    let acme = || ann().organization("org_a1", "acme");
    let now = tenant.clock().unix_time().as_secs();
    let ok = |name, path, token: TokenBuilder| {
        row(name, path, bearer(&token.mint()), Expected::Ok("auth0|ann"))
    };
    let refuse = |name, path, token: TokenBuilder, code, scope| {
        row(name, path, bearer(&token.mint()), refused(403, "insufficient_scope", code, scope))
    };
    let stranger = |name, path, token| refuse(name, path, token, "organization_mismatch", "");
    let not_met = |name, path, token| refuse(name, path, token, "requirement_not_met", "");
    let step_up = |name, path, token: TokenBuilder, parameters: &str| {
        let error = "insufficient_user_authentication";
        row(name, path, bearer(&token.mint()), refused(401, error, "step_up_required", parameters))
    };
    let with = |fields: &[(&'static str, &'static [u8])], row| Row { fields: fields.into(), ..row };
    let acr_values = format!(", acr_values=\"{MFA}\"");
    let both = format!(", acr_values=\"{MFA}\", max_age=\"300\"");
    let strong = || ann().claim("acr", MFA);
    let writer = |token: TokenBuilder| token.scope("write:transfers");

    vec![
        ok("one of two scopes", "/any-scope", ann().scope("admin:messages")),
        refuse(
            "none of two scopes",
            "/any-scope",
            ann().scope("write:messages"),
            "insufficient_scope",
            ", scope=\"read:messages admin:messages\"",
        ),
        ok("the role", "/role", ann().claim("https://acme.com/roles", ["dev", "admin"])),
        not_met("another role", "/role", ann().claim("https://acme.com/roles", ["dev"])),
        not_met("no roles", "/role", ann()),
        ok("the organization", "/organization", acme()),
        stranger("another organization", "/organization", ann().organization("org_b2", "acme")),
        stranger("no organization", "/organization", ann()),
        ok("the organization, by name", "/organization-name", acme()),
        stranger("another name", "/organization-name", ann().organization("org_a1", "other")),
        ok("some organization", "/any-organization", ann().organization("org_b2", "other")),
        stranger("no organization at all", "/any-organization", ann()),
        ok("the extractor", "/organization-extractor", acme()),
        stranger("the extractor, no organization", "/organization-extractor", ann()),
        ok("the organization of the path", "/orgs/org_a1/data", acme()),
        ok("the same, by name", "/orgs/acme/data", acme()),
        ok("the same, by name in another case", "/orgs/Acme/data", acme()),
        ok("the same, escaped", "/orgs/org%5Fa1/data", acme()),
        stranger("another one's data", "/orgs/org_b2/data", acme()),
        stranger("another one's data, by name", "/orgs/other/data", acme()),
        stranger("another one's data, escaped", "/orgs/org%5Fb2/data", acme()),
        stranger("more than its id", "/orgs/org_a1%2Fx/data", acme()),
        stranger("a name that only looks like it", "/orgs/ac%E2%84%AAme/data", acme()),
        stranger("an id in another case", "/orgs/ORG_a1/data", acme()),
        stranger("no text at all", "/orgs/%FF/data", acme()),
        stranger("nobody's token", "/orgs/org_a1/data", ann()),
        row("two names, first", "/twice/org_a1/in/org_b2", bearer(&acme().mint()), misconfigured()),
        row("two names, last", "/twice/org_b2/in/org_a1", bearer(&acme().mint()), misconfigured()),
        ok("the organization of the path, layer", "/orgs/org_a1/layer", acme()),
        stranger("another one's data, layer", "/orgs/org_b2/layer", acme()),
        with(
            &[("x-organization", b"org_a1")],
            ok("the organization of the header", "/organization-header", acme()),
        ),
        with(
            &[("x-organization", b"org_b2")],
            stranger("another one in the header", "/organization-header", acme()),
        ),
        with(
            &[("x-organization", b"org_a1"), ("x-organization", b"org_b2")],
            stranger("two in the header", "/organization-header", acme()),
        ),
        with(
            &[("x-organization", b"org_\xff")],
            stranger("no text in the header", "/organization-header", acme()),
        ),
        stranger("none in the header", "/organization-header", acme()),
        row("no such parameter", "/no-parameter", bearer(&acme().mint()), misconfigured()),
        ok("several factors, by acr", "/mfa", strong()),
        ok("several factors, by amr", "/mfa", ann().claim("amr", ["pwd", "mfa"])),
        step_up("one factor", "/mfa", ann().claim("amr", ["pwd"]), &acr_values),
        ok("a recent login", "/recent", ann().claim("auth_time", now - 300)),
        step_up(
            "an old login",
            "/recent",
            ann().claim("auth_time", now - 306),
            ", max_age=\"300\"",
        ),
        step_up("a login of unknown age", "/recent", ann(), ", max_age=\"300\""),
        ok("all for a transfer", "/transfer", writer(strong().claim("auth_time", now))),
        step_up("neither strong nor recent", "/transfer", writer(ann()), &both),
        step_up(
            "strong and old",
            "/transfer",
            writer(strong().claim("auth_time", now - 4000)),
            ", max_age=\"300\"",
        ),
        step_up("weak and recent", "/transfer", writer(ann().claim("auth_time", now)), &acr_values),
        refuse(
            "a login would not help without the scope",
            "/transfer",
            ann(),
            "insufficient_scope",
            ", scope=\"write:transfers\"",
        ),
        row(
            "a machine where one is needed",
            "/machine",
            bearer(&tenant.token().machine("m1").mint()),
            Expected::Ok("m1@clients"),
        ),
        row(
            "a machine of RFC 9068",
            "/machine",
            bearer(&tenant.token().machine("m1").profile(Profile::Rfc9068).mint()),
            Expected::Ok("m1@clients"),
        ),
        not_met("a person where a machine is needed", "/machine", ann()),
        ok("a person", "/person", ann()),
        not_met("a machine where a person is needed", "/person", tenant.token().machine("m1")),
        not_met("an anonymous session", "/person", ann().subject("anon@1")),
        ok("the client", "/client", ann().client("spa")),
        not_met("another client", "/client", ann().client("cli")),
    ]
}

fn table(tenant: &Tenant) -> Vec<Row> {
    let ann = || tenant.token().subject("auth0|ann");
    let ok = |name, path, authorization, body| row(name, path, authorization, Expected::Ok(body));
    let bare = |name, authorization, code| {
        row(name, "/token", authorization, refused(401, "unauthorized", code, ""))
    };
    let bad_request = |name, authorization| {
        row(name, "/token", authorization, refused(400, "invalid_request", "request_malformed", ""))
    };
    let bad = |name, token: TokenBuilder, code| {
        row(name, "/token", bearer(&token.mint()), refused(401, "invalid_token", code, ""))
    };
    let bad_text = |name, token: &str, code| {
        row(name, "/token", bearer(token), refused(401, "invalid_token", code, ""))
    };
    let forbidden = |name, path, token: TokenBuilder, code, scope| {
        row(name, path, bearer(&token.mint()), refused(403, "insufficient_scope", code, scope))
    };
    let lines = |lines: &[&[u8]]| lines.iter().map(|line| line.to_vec()).collect::<Vec<_>>();
    let good = ann().mint();
    let reader = || ann().scope("openid read:messages");
    let parts: Vec<&str> = good.split('.').collect();
    let with_second = |second: &[u8]| vec![format!("Bearer {good}").into_bytes(), second.to_vec()];
    let future = (tenant.clock().unix_time() + Duration::from_secs(3600)).as_secs();

    vec![
        // Who gets in.
        ok("a user", "/token", bearer(&good), "auth0|ann"),
        ok(
            "the scheme in another case",
            "/token",
            lines(&[format!("bEARER {good}").as_bytes()]),
            "auth0|ann",
        ),
        ok(
            "several spaces",
            "/token",
            lines(&[format!("Bearer   {good}").as_bytes()]),
            "auth0|ann",
        ),
        ok(
            "the profile of RFC 9068",
            "/token",
            bearer(&ann().profile(Profile::Rfc9068).mint()),
            "auth0|ann",
        ),
        ok("a machine", "/token", bearer(&tenant.token().machine("m1").mint()), "m1@clients"),
        ok(
            "several audiences",
            "/token",
            bearer(&ann().claim("aud", ["https://x.test", tenant.audience()]).mint()),
            "auth0|ann",
        ),
        ok("anonymous where that is fine", "/maybe", vec![], "anonymous"),
        ok("a user where anonymous is fine", "/maybe", bearer(&good), "auth0|ann"),
        ok("the scope", "/scope", bearer(&reader().mint()), "auth0|ann"),
        ok("the scope, layer", "/layer", bearer(&reader().mint()), "auth0|ann"),
        ok(
            "the permission",
            "/permission",
            bearer(&ann().permissions(["messages:purge"]).mint()),
            "auth0|ann",
        ),
        ok(
            "one of two, first",
            "/any",
            bearer(&ann().permissions(["messages:purge"]).mint()),
            "auth0|ann",
        ),
        ok("one of two, second", "/any", bearer(&reader().mint()), "auth0|ann"),
        ok(
            "both",
            "/all",
            bearer(
                &ann().scope("write:messages read:messages").permissions(["messages:purge"]).mint(),
            ),
            "auth0|ann",
        ),
        ok("the check", "/check", bearer(&good), "auth0|ann"),
        ok(
            "own claims",
            "/claims",
            bearer(&ann().claim("https://acme.com/roles", ["admin", "dev"]).mint()),
            "admin dev",
        ),
        // No credentials that count.
        bare("no Authorization", vec![], "token_missing"),
        bare("Basic", lines(&[b"Basic dXNlcjpwYXNz"]), "scheme_unsupported"),
        bare("a scheme alone", lines(&[b"Negotiate"]), "scheme_unsupported"),
        bare("a token without a scheme", lines(&[good.as_bytes()]), "scheme_unsupported"),
        row(
            "Basic where anonymous is fine",
            "/maybe",
            lines(&[b"Basic dXNlcjpwYXNz"]),
            refused(401, "unauthorized", "scheme_unsupported", ""),
        ),
        // Not a request that can be understood.
        bad_request("Bearer alone", lines(&[b"Bearer"])),
        bad_request("Bearer and a space", lines(&[b"Bearer "])),
        bad_request("two tokens", lines(&[b"Bearer abc def"])),
        bad_request("two tokens with a comma", lines(&[b"Bearer abc, Bearer def"])),
        bad_request("a character outside token68", lines(&[b"Bearer abc;def"])),
        bad_request("padding in the middle", lines(&[b"Bearer abc=def"])),
        bad_request("only padding", lines(&[b"Bearer =="])),
        bad_request("not ASCII", lines(&[b"Bearer ab\xc3\xa9"])),
        bad_request("not UTF-8", lines(&[b"Bearer ab\xff"])),
        bad_request("a quoted token", lines(&[b"Bearer \"abc\""])),
        bad_request("a tab", lines(&[b"Bearer\tabc"])),
        bad_request("no scheme at all", lines(&[b"=abc"])),
        bad_request("over the size limit", bearer(&"a".repeat(16 * 1024 + 1))),
        bad_request("two Authorization lines", with_second(format!("Bearer {good}").as_bytes())),
        bad_request("two Authorization lines, one Basic", with_second(b"Basic dXNlcjpwYXNz")),
        row(
            "two lines where anonymous is fine",
            "/maybe",
            with_second(b"Bearer x"),
            refused(400, "invalid_request", "request_malformed", ""),
        ),
        // Not a token.
        bad_text("an opaque text", "3xampl3opaquet0ken", "token_malformed"),
        bad_text("two parts", &parts[..2].join("."), "token_malformed"),
        bad_text("four parts", &format!("{good}.x"), "token_malformed"),
        bad_text("six parts", "a.b.c.d.e.f", "token_malformed"),
        bad_text("an empty header", &format!(".{}.{}", parts[1], parts[2]), "token_malformed"),
        bad_text("padding", &format!("{good}="), "token_malformed"),
        bad_text(
            "base64 instead of base64url",
            &format!("{}.{}.+/+/", parts[0], parts[1]),
            "token_malformed",
        ),
        bad("a header that is no JSON", ann().raw_header("{"), "token_malformed"),
        bad("a header that is no object", ann().raw_header("[]"), "token_malformed"),
        bad("a header without alg", ann().without_header("alg"), "token_malformed"),
        bad("a kid that is a number", ann().header("kid", 1), "token_malformed"),
        bad(
            "a member twice in the header",
            ann().raw_header(r#"{"alg":"RS256","alg":"RS256"}"#),
            "token_malformed",
        ),
        bad("crit", ann().header("crit", ["exp"]), "token_malformed"),
        bad("b64", ann().header("b64", true), "token_malformed"),
        bad("a payload that is no JSON", ann().raw_payload("hello"), "token_malformed"),
        bad("a claim twice", ann().raw_payload(r#"{"sub":"a","sub":"b"}"#), "token_malformed"),
        bad(
            "a claim twice, once escaped",
            ann().raw_payload(r#"{"sub":"a","\u0073ub":"b"}"#),
            "token_malformed",
        ),
        bad(
            "a claim twice, deep inside",
            ann().raw_payload(r#"{"act":{"sub":"a","sub":"b"}}"#),
            "token_malformed",
        ),
        bad_text("five parts", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c", "token_opaque"),
        bad("alg dir", ann().header("alg", "dir"), "token_opaque"),
        row(
            "a bad token where anonymous is fine",
            "/maybe",
            bearer("abc"),
            refused(401, "invalid_token", "token_malformed", ""),
        ),
        // Not signed as it should be.
        bad("none", ann().unsigned(), "algorithm_unsupported"),
        bad("None", ann().header("alg", "None"), "algorithm_unsupported"),
        bad("HS256", ann().symmetric(), "algorithm_unsupported"),
        bad(
            "an algorithm that is not on the list",
            ann().header("alg", "RS512"),
            "algorithm_unsupported",
        ),
        bad(
            "an algorithm that is not the key's",
            ann().header("alg", "PS256"),
            "algorithm_unsupported",
        ),
        bad("a kid that nobody published", ann().header("kid", "nobody"), "key_unknown"),
        bad("a wrong signature", ann().broken_signature(), "signature_invalid"),
        bad("somebody else's key", ann().signed_by(&tenant.stranger()), "signature_invalid"),
        bad_text("no signature", &format!("{}.{}.", parts[0], parts[1]), "signature_invalid"),
        // Not for us, or not now.
        bad("no iss", ann().without("iss"), "issuer_mismatch"),
        bad("another iss", ann().issuer("https://evil.test/"), "issuer_mismatch"),
        bad(
            "iss without its slash",
            ann().issuer(tenant.issuer().trim_end_matches('/')),
            "issuer_mismatch",
        ),
        bad("no aud", ann().without("aud"), "audience_mismatch"),
        bad("another aud", ann().audience("https://other.test"), "audience_mismatch"),
        bad(
            "aud with a slash more",
            ann().audience(&format!("{}/", tenant.audience())),
            "audience_mismatch",
        ),
        bad("an empty list of audiences", ann().claim("aud", [""; 0]), "audience_mismatch"),
        bad("expired", ann().expired(), "token_expired"),
        bad("nbf in the future", ann().claim("nbf", future), "token_not_yet_valid"),
        bad("iat in the future", ann().claim("iat", future), "token_not_yet_valid"),
        bad("no exp", ann().without("exp"), "claims_invalid"),
        bad("exp as a string", ann().claim("exp", "9999999999"), "claims_invalid"),
        bad("aud as a number", ann().claim("aud", 7), "claims_invalid"),
        bad("iss as an array", ann().claim("iss", [tenant.issuer()]), "claims_invalid"),
        bad("no sub", ann().without("sub"), "claims_invalid"),
        bad("scope as an array", ann().claim("scope", ["read:messages"]), "claims_invalid"),
        bad(
            "permissions as a string",
            ann().claim("permissions", "messages:purge"),
            "claims_invalid",
        ),
        row(
            "own claims missing",
            "/claims",
            bearer(&good),
            refused(401, "invalid_token", "claims_invalid", ""),
        ),
        bad("a logout token", ann().header("typ", "logout+jwt"), "token_type_invalid"),
        bad("a DPoP proof", ann().header("typ", "dpop+jwt"), "token_type_invalid"),
        bad("an ID token with a nonce", ann().claim("nonce", "n-1"), "token_type_invalid"),
        bad(
            "an ID token for its client",
            ann().client("client1").audience("client1"),
            "token_type_invalid",
        ),
        bad("bound to a key", ann().claim("cnf", confirmation("jkt")), "token_binding_mismatch"),
        bad(
            "bound to a certificate",
            ann().claim("cnf", confirmation("x5t#S256")),
            "token_binding_mismatch",
        ),
        // Good, but not enough.
        forbidden("no scope", "/scope", ann(), "insufficient_scope", ", scope=\"read:messages\""),
        forbidden(
            "a longer scope",
            "/scope",
            ann().scope("read:messages:all"),
            "insufficient_scope",
            ", scope=\"read:messages\"",
        ),
        forbidden(
            "the scope as a permission",
            "/scope",
            ann().permissions(["read:messages"]),
            "insufficient_scope",
            ", scope=\"read:messages\"",
        ),
        forbidden(
            "no scope, layer",
            "/layer",
            ann(),
            "insufficient_scope",
            ", scope=\"read:messages\"",
        ),
        forbidden(
            "no permission",
            "/permission",
            ann().scope("messages:purge"),
            "insufficient_permissions",
            "",
        ),
        forbidden(
            "neither of both",
            "/all",
            ann(),
            "insufficient_scope",
            ", scope=\"read:messages write:messages\"",
        ),
        forbidden(
            "one of two scopes",
            "/all",
            reader(),
            "insufficient_scope",
            ", scope=\"read:messages write:messages\"",
        ),
        forbidden(
            "both scopes, no permission",
            "/all",
            ann().scope("read:messages write:messages"),
            "insufficient_permissions",
            "",
        ),
        forbidden(
            "neither of any",
            "/any",
            ann(),
            "insufficient_scope",
            ", scope=\"read:messages\"",
        ),
        forbidden("the check says no", "/check", tenant.token(), "requirement_not_met", ""),
    ]
}

fn confirmation(member: &str) -> std::collections::BTreeMap<&str, &str> {
    [(member, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")].into()
}

fn check(server: &str, row: &Row, answer: &Answer) {
    let case = format!("{server}: {}: {answer:?}", row.name);
    match &row.expected {
        Expected::Ok(body) => {
            assert_eq!((answer.status, answer.body.as_str()), (200, *body), "{case}");
            assert!(answer.lines("www-authenticate").is_empty(), "{case}");
        }
        Expected::Refused { status, challenge, error, code } => {
            let body = format!(
                r#"{{"error":"{error}","error_description":"{}","error_code":"{code}"}}"#,
                description(code)
            );
            assert_eq!((answer.status, answer.body.as_str()), (*status, body.as_str()), "{case}");
            let challenges: Vec<&str> = challenge.lines().collect();
            assert_eq!(answer.lines("www-authenticate"), challenges, "{case}");
            assert_eq!(answer.lines("content-type"), ["application/json"], "{case}");
            assert_eq!(answer.lines("cache-control"), ["no-store"], "{case}");
            assert_eq!(answer.lines("content-length"), [body.len().to_string()], "{case}");
        }
    }
}

#[tokio::test]
async fn every_row_gives_the_same_bytes_everywhere() {
    let tenant = Tenant::new();
    let servers = servers::start(|| tenant.auth0()).await;
    let rows: Vec<Row> = table(&tenant).into_iter().chain(requirements(&tenant)).collect();
    for row in &rows {
        let mut lines: Vec<(&str, &[u8])> =
            row.authorization.iter().map(|line| ("authorization", line.as_slice())).collect();
        lines.extend(&row.fields);
        let mut answers = Vec::new();
        for (server, address) in servers {
            let answer = get(address, row.path, &lines).await;
            check(server, row, &answer);
            answers.push(answer);
        }
        if matches!(row.expected, Expected::Refused { .. }) {
            assert_eq!(answers[0], answers[1], "axum and actix: {}", row.name);
            assert_eq!(answers[0], answers[2], "axum and tower: {}", row.name);
        }
    }
    assert!(rows.len() > 150, "{} rows", rows.len());
}

/// The issuer is down when the service starts: 503 at once, and good again when the issuer is.
#[tokio::test]
async fn an_outage_is_503_and_passes() {
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    let servers = servers::start(|| tenant.auth0()).await;
    let authorization = format!("Bearer {}", tenant.token().subject("auth0|ann").mint());
    let lines = [("authorization", authorization.as_bytes())];
    let body = format!(
        r#"{{"error":"temporarily_unavailable","error_description":"{}","error_code":"keys_unavailable"}}"#,
        description("keys_unavailable")
    );
    let mut answers = Vec::new();
    for (server, address) in servers {
        for path in ["/token", "/maybe", "/layer"] {
            let answer = get(address, path, &lines).await;
            assert_eq!((answer.status, answer.body.as_str()), (503, body.as_str()), "{server}");
            assert_eq!(answer.lines("retry-after"), ["1"], "{server}");
            assert!(answer.lines("www-authenticate").is_empty(), "the token may be good");
            answers.push(answer);
        }
        let anonymous = get(address, "/maybe", &[]).await;
        assert_eq!(anonymous.status, 200, "{server}: no token, no need of keys");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(3));
    for (server, address) in servers {
        assert_eq!(get(address, "/token", &lines).await.status, 200, "{server}");
    }
}
