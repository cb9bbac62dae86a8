//! Valid proofs, and proofs with one mistake each.
use crate::client::{Client, Mode, check, decoded, minted, start};
use auth0_axum::{
    auth0_core::{Algorithm, time::Clock as _},
    testing::{SigningKey, Tenant},
};
use std::time::Duration;

type Proof = fn(&Client) -> Vec<u8>;

#[tokio::test]
async fn a_valid_proof_passes_where_dpop_is_enabled() {
    let tenant = Tenant::new();
    for mode in Mode::ALL {
        for (server, client) in start(&tenant, mode.settings()).await {
            for (name, proof) in GOOD {
                let case = format!("{server}, {mode:?}: {name}");
                let answer = client.ask("/token", "DPoP", &[&proof(&client)]).await;
                if mode == Mode::Disabled {
                    check(&case, &answer, mode, "", "scheme_unsupported", "");
                } else {
                    assert_eq!((answer.status, &*answer.body), (200, "auth0|ann"), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_proof_with_one_mistake_is_refused() {
    let tenant = Tenant::new();
    for mode in Mode::ALL {
        let clients = start(&tenant, mode.settings()).await;
        for (name, proof) in WRONG {
            let mut answers = Vec::new();
            for (server, client) in &clients {
                let case = format!("{server}, {mode:?}: {name}");
                let answer = client.ask("/token", "DPoP", &[&proof(client)]).await;
                let (used, code) = match mode {
                    Mode::Disabled => ("", "scheme_unsupported"),
                    _ => ("DPoP", "dpop_proof_invalid"),
                };
                check(&case, &answer, mode, used, code, "");
                answers.push(answer);
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{name}");
        }
    }
    assert!(WRONG.len() >= 70, "{} rows", WRONG.len());
}

/// Valid proofs.
const GOOD: &[(&str, Proof)] = &[
    ("unchanged", |c| minted(c.proof())),
    ("a query in htu", |c| minted(c.proof().claim("htu", c.url("/token?x=1")))),
    ("a fragment in htu", |c| minted(c.proof().claim("htu", c.url("/token#x")))),
    ("htu is not in normal form", |c| {
        minted(c.proof().claim("htu", format!("HTTP://{}/./a/../%74oken", c.server)))
    }),
    ("300 s old", |c| minted(c.proof().aged(Duration::from_secs(300)))),
    ("30 s ahead", |c| minted(c.proof().ahead(Duration::from_secs(30)))),
    ("iat with a fraction", |c| {
        minted(c.proof().claim("iat", c.tenant.clock().unix_time().as_secs_f64() - 0.5))
    }),
    ("a jti of 256 bytes", |c| minted(c.proof().claim("jti", "j".repeat(256)))),
    ("the typ in capitals", |c| minted(c.proof().header("typ", "DPoP+JWT"))),
    ("the typ in full", |c| minted(c.proof().header("typ", "application/dpop+jwt"))),
    ("a nonce that is not required", |c| minted(c.proof().nonce("n"))),
    ("members of other standards", |c| {
        minted(c.proof().claim("exp", 1).header("kid", "k").header("x5c", ["x"]))
    }),
    ("a jwk with its use", |c| jwk_with(c, "use", "sig".into())),
];

/// Proofs with one mistake.
const WRONG: &[(&str, Proof)] = &[
    // Not a compact JWS.
    ("empty", |_| Vec::new()),
    ("a word", |_| b"abc".to_vec()),
    ("dots", |_| b"..".to_vec()),
    ("two parts", |c| altered(c, |[h, p, _]| format!("{h}.{p}"))),
    ("four parts", |c| altered(c, |[h, p, s]| format!("{h}.{p}.{s}.{s}"))),
    ("five parts", |c| altered(c, |[h, p, s]| format!("{h}.{p}.{s}.{s}.{s}"))),
    ("two proofs in one line", |c| altered(c, |[h, p, s]| format!("{h}.{p}.{s}, {h}.{p}.{s}"))),
    ("quoted", |c| altered(c, |[h, p, s]| format!("\"{h}.{p}.{s}\""))),
    ("a space within", |c| altered(c, |[h, p, s]| format!("{h}.{p} .{s}"))),
    ("not ASCII", |c| altered(c, |[h, p, s]| format!("{h}\u{e4}.{p}.{s}"))),
    ("a padded header", |c| altered(c, |[h, p, s]| format!("{h}=.{p}.{s}"))),
    ("a padded signature", |c| altered(c, |[h, p, s]| format!("{h}.{p}.{s}=="))),
    ("a payload of the other base64", |c| altered(c, |[h, p, s]| format!("{h}.{p}+/.{s}"))),
    ("no header", |c| altered(c, |[_, p, s]| format!(".{p}.{s}"))),
    ("no payload", |c| altered(c, |[h, _, s]| format!("{h}..{s}"))),
    ("over the size limit", |c| minted(c.proof().claim("x", "x".repeat(16 * 1024)))),
    // JSON.
    ("a header that is no JSON", |c| minted(c.proof().raw_header("{"))),
    ("a header that is an array", |c| minted(c.proof().raw_header("[]"))),
    ("a header with a member twice", |c| {
        let jwk = public(&c.tenant.client_key());
        minted(
            c.proof().raw_header(format!(
                r#"{{"typ":"dpop+jwt","alg":"ES256","alg":"ES256","jwk":{jwk}}}"#
            )),
        )
    }),
    ("a jwk with a member twice", |c| {
        let jwk = public(&c.tenant.client_key()).to_string();
        let jwk = jwk.replacen('{', r#"{"kty":"EC","#, 1);
        minted(c.proof().raw_header(format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#)))
    }),
    ("a payload that is no JSON", |c| minted(c.proof().raw_payload("htm=GET"))),
    ("a payload that is a string", |c| minted(c.proof().raw_payload("\"GET\""))),
    ("a payload with a member twice", |c| payload_with(c, r#","htm":"GET""#)),
    // The header.
    ("crit", |c| minted(c.proof().header("crit", ["exp"]))),
    ("b64", |c| minted(c.proof().header("b64", false))),
    ("no typ", |c| minted(c.proof().without_header("typ"))),
    ("a token's typ", |c| minted(c.proof().header("typ", "at+jwt"))),
    ("the typ JWT", |c| minted(c.proof().header("typ", "JWT"))),
    ("a typ that is a number", |c| minted(c.proof().header("typ", 1))),
    ("no alg", |c| minted(c.proof().without_header("alg"))),
    ("alg none", |c| minted(c.proof().unsigned())),
    ("alg HS256", |c| minted(c.proof().symmetric())),
    ("an unknown alg", |c| minted(c.proof().header("alg", "ES257"))),
    ("an alg in small letters", |c| minted(c.proof().header("alg", "es256"))),
    ("an alg that is not on the list", |c| {
        minted(c.proof().key(&SigningKey::generate(Algorithm::EdDSA).unwrap()))
    }),
    ("RS256, which is not on the list", |c| minted(c.proof().key(&c.tenant.unknown_key()))),
    ("no jwk", |c| minted(c.proof().without_header("jwk"))),
    ("a jwk that is null", |c| minted(c.proof().header("jwk", ()))),
    ("a jwk that is a string", |c| minted(c.proof().header("jwk", "k"))),
    ("an empty jwk", |c| minted(c.proof().header("jwk", serde_json::json!({})))),
    ("a private jwk", |c| jwk_with(c, "d", "AAAA".into())),
    ("a private jwk that is null", |c| jwk_with(c, "d", ().into())),
    ("a jwk with a symmetric key", |c| jwk_with(c, "k", "AAAA".into())),
    ("a symmetric jwk", |c| jwk_with(c, "kty", "oct".into())),
    ("a jwk without y", |c| jwk_with(c, "y", ().into())),
    ("a jwk for encryption", |c| jwk_with(c, "use", "enc".into())),
    ("a jwk for another alg", |c| jwk_with(c, "alg", "ES384".into())),
    ("a jwk that only signs", |c| jwk_with(c, "key_ops", serde_json::json!(["sign"]))),
    // The method and the URL.
    ("no htm", |c| minted(c.proof().without("htm"))),
    ("another htm", |c| minted(c.proof().claim("htm", "POST"))),
    ("htm in small letters", |c| minted(c.proof().claim("htm", "get"))),
    ("an empty htm", |c| minted(c.proof().claim("htm", ""))),
    ("htm is an array", |c| minted(c.proof().claim("htm", ["GET"]))),
    ("no htu", |c| minted(c.proof().without("htu"))),
    ("an empty htu", |c| minted(c.proof().claim("htu", ""))),
    ("htu is null", |c| minted(c.proof().claim("htu", ()))),
    ("a relative htu", |c| minted(c.proof().claim("htu", "/token"))),
    ("htu without a scheme", |c| minted(c.proof().claim("htu", format!("//{}/token", c.server)))),
    ("htu with another path", |c| minted(c.proof().claim("htu", c.url("/scope")))),
    ("htu with no path", |c| minted(c.proof().claim("htu", c.url("")))),
    ("htu with a longer path", |c| minted(c.proof().claim("htu", c.url("/token/")))),
    ("htu in another case", |c| minted(c.proof().claim("htu", c.url("/Token")))),
    ("htu with a parameter", |c| minted(c.proof().claim("htu", c.url("/token;x")))),
    ("htu with https", |c| minted(c.proof().claim("htu", format!("https://{}/token", c.server)))),
    ("htu with another host", |c| {
        minted(c.proof().claim("htu", format!("http://localhost:{}/token", c.server.port())))
    }),
    ("htu with another port", |c| {
        minted(c.proof().claim("htu", format!("http://{}/token", c.server.ip())))
    }),
    ("htu with user information", |c| {
        minted(c.proof().claim("htu", format!("http://u:p@{}/token", c.server)))
    }),
    ("htu of a longer host", |c| {
        minted(c.proof().claim("htu", format!("http://{}.example/token", c.server)))
    }),
    // The time.
    ("no iat", |c| minted(c.proof().without("iat"))),
    ("iat is text", |c| minted(c.proof().claim("iat", "1767225600"))),
    ("iat is null", |c| minted(c.proof().claim("iat", ()))),
    ("301 s old", |c| minted(c.proof().aged(Duration::from_secs(301)))),
    ("31 s ahead", |c| minted(c.proof().ahead(Duration::from_secs(31)))),
    ("of 1970", |c| minted(c.proof().claim("iat", 0))),
    ("before 1970", |c| minted(c.proof().claim("iat", -1))),
    ("too large to be a time", |c| minted(c.proof().claim("iat", 1e300))),
    ("in milliseconds", |c| minted(c.proof().claim("iat", 1_767_225_600_000_u64))),
    // The identifier.
    ("no jti", |c| minted(c.proof().without("jti"))),
    ("an empty jti", |c| minted(c.proof().claim("jti", ""))),
    ("a jti of 257 bytes", |c| minted(c.proof().claim("jti", "j".repeat(257)))),
    ("a jti of 129 letters of two bytes", |c| minted(c.proof().claim("jti", "\u{e4}".repeat(129)))),
    ("jti is a number", |c| minted(c.proof().claim("jti", 1))),
    ("jti is null", |c| minted(c.proof().claim("jti", ()))),
    // The access token.
    ("no ath", |c| minted(c.proof().without("ath"))),
    ("an empty ath", |c| minted(c.proof().claim("ath", ""))),
    ("the ath of another token", |c| minted(c.proof().for_token("another"))),
    ("half an ath", |c| {
        let proof = c.proof().mint();
        let payload = decoded(proof.split('.').nth(1).unwrap());
        let ath = payload["ath"].as_str().unwrap()[..21].to_owned();
        minted(c.proof().claim("ath", ath))
    }),
    ("a padded ath", |c| {
        let payload = decoded(c.proof().mint().split('.').nth(1).unwrap());
        minted(c.proof().claim("ath", format!("{}=", payload["ath"].as_str().unwrap())))
    }),
    ("the token as ath", |c| minted(c.proof().claim("ath", &c.token))),
    ("ath is null", |c| minted(c.proof().claim("ath", ()))),
    // The signature.
    ("no signature", |c| altered(c, |[h, p, _]| format!("{h}.{p}."))),
    ("a broken signature", |c| minted(c.proof().broken_signature())),
    ("a signature that is too short", |c| altered(c, |[h, p, s]| format!("{h}.{p}.{}", &s[..84]))),
    ("a signature in DER", |c| altered(c, |[h, p, _]| format!("{h}.{p}.MEUCIQ"))),
    ("signed by another key", |c| {
        minted(c.proof().signed_by(&SigningKey::generate(Algorithm::ES256).unwrap()))
    }),
    ("the signature of another proof", |c| {
        let other = c.proof().mint();
        let signature = other.rsplit('.').next().unwrap().to_owned();
        altered(c, |[h, p, _]| format!("{h}.{p}.{signature}"))
    }),
    ("the access token itself", |c| c.token.clone().into_bytes()),
];

/// Changes the text of a valid proof.
fn altered(client: &Client, change: impl Fn([&str; 3]) -> String) -> Vec<u8> {
    let proof = client.proof().mint();
    let mut parts = proof.split('.');
    let parts = [(); 3].map(|()| parts.next().unwrap());
    change(parts).into_bytes()
}

/// A proof whose payload has further members at its end, as JSON text.
fn payload_with(client: &Client, more: &str) -> Vec<u8> {
    let json = serde_json::json!({
        "htm": "GET", "htu": client.url("/token"), "jti": "j",
        "iat": client.tenant.clock().unix_time().as_secs(),
    });
    let json = json.to_string();
    minted(client.proof().raw_payload(format!("{}{more}}}", json.strip_suffix('}').unwrap())))
}

fn jwk_with(client: &Client, name: &str, value: serde_json::Value) -> Vec<u8> {
    let mut jwk = public(&client.tenant.client_key());
    jwk[name] = value;
    minted(client.proof().header("jwk", jwk))
}

fn public(key: &SigningKey) -> serde_json::Value {
    let mut jwk = key.jwk();
    for name in ["kid", "alg", "use"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    jwk
}
