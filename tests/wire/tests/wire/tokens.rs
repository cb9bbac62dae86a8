//! Tokens: how they are sent, what they are, and what they say.
use super::rows::{Expected, Row, bearer, refused, row};
use auth0_axum::{
    auth0_core::time::Clock as _,
    testing::{Profile, Tenant, TokenBuilder},
};
use std::time::Duration;

pub(crate) fn rows(tenant: &Tenant) -> Vec<Row> {
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
    let odd = || {
        let token = ann().claim("amr", [1]).claim("auth_time", "2020-03-14T18:52:01.180Z");
        token.claim("org_id", None::<&str>).claim("permissions", None::<&str>).claim("jti", 1)
    };
    let reader = || ann().scope("openid read:messages");
    let parts: Vec<&str> = good.split('.').collect();
    let with_second = |second: &[u8]| vec![format!("Bearer {good}").into_bytes(), second.to_vec()];
    let future = (tenant.clock().unix_time() + Duration::from_secs(3600)).as_secs();

    vec![
        // Accepted.
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
        ok("no token where it is optional", "/maybe", vec![], "anonymous"),
        ok("a token where it is optional", "/maybe", bearer(&good), "auth0|ann"),
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
            "claims of the application",
            "/claims",
            bearer(&ann().claim("https://acme.com/roles", ["admin", "dev"]).mint()),
            "admin dev",
        ),
        // No credentials of a supported scheme.
        bare("no Authorization", vec![], "token_missing"),
        bare("Basic", lines(&[b"Basic dXNlcjpwYXNz"]), "scheme_unsupported"),
        bare("a scheme alone", lines(&[b"Negotiate"]), "scheme_unsupported"),
        bare("a token without a scheme", lines(&[good.as_bytes()]), "scheme_unsupported"),
        row(
            "Basic where a token is optional",
            "/maybe",
            lines(&[b"Basic dXNlcjpwYXNz"]),
            refused(401, "unauthorized", "scheme_unsupported", ""),
        ),
        // Malformed requests.
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
            "two lines where a token is optional",
            "/maybe",
            with_second(b"Bearer x"),
            refused(400, "invalid_request", "request_malformed", ""),
        ),
        // Malformed tokens.
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
            "a bad token where it is optional",
            "/maybe",
            bearer("abc"),
            refused(401, "invalid_token", "token_malformed", ""),
        ),
        // Wrong signatures.
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
        bad("a kid that is not published", ann().header("kid", "other"), "key_unknown"),
        bad("a wrong signature", ann().broken_signature(), "signature_invalid"),
        bad(
            "the key of another issuer",
            ann().signed_by(&tenant.unknown_key()),
            "signature_invalid",
        ),
        bad_text("no signature", &format!("{}.{}.", parts[0], parts[1]), "signature_invalid"),
        // Claims that do not fit.
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
            "aud with an added slash",
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
        ok(
            "scope as an array",
            "/scope",
            bearer(&ann().claim("scope", ["read:messages"]).mint()),
            "auth0|ann",
        ),
        ok(
            "claims of odd types that the route does not need",
            "/token",
            bearer(&odd().mint()),
            "auth0|ann",
        ),
        forbidden(
            "permissions as a string",
            "/permission",
            ann().claim("permissions", "messages:purge"),
            "insufficient_permissions",
            "",
        ),
        row(
            "claims of the application missing",
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
        // Valid, but without what is required.
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
        forbidden("the check refuses", "/check", tenant.token(), "requirement_not_met", ""),
    ]
}

fn confirmation(member: &str) -> std::collections::BTreeMap<&str, &str> {
    [(member, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")].into()
}
