//! DPoP on the wire (RFC 9449), at all three servers and in all three modes.
use auth0_axum::{
    Auth0, Dpop, DpopNonces,
    auth0_core::{Algorithm, Clock as _},
    testing::{ProofBuilder, SigningKey, Tenant},
};
use std::{net::SocketAddr, time::Duration};
use wire_tests::{
    client::{Answer, get, get_over_http2, send},
    servers,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Allowed,
    Required,
    Disabled,
}

impl Mode {
    const ALL: [Self; 3] = [Self::Allowed, Self::Required, Self::Disabled];

    fn settings(self) -> Dpop {
        match self {
            Self::Allowed => Dpop::allowed(),
            Self::Required => Dpop::required(),
            Self::Disabled => Dpop::disabled(),
        }
    }

    fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Allowed => &["Bearer", "DPoP"],
            Self::Required => &["DPoP"],
            Self::Disabled => &["Bearer"],
        }
    }
}

/// Said once more than in the code, so that a changed word is a decision.
fn words(code: &str) -> (u16, &'static str, &'static str) {
    match code {
        "token_missing" => (
            401,
            "unauthorized",
            "No access token was sent. Send one in the Authorization header, after a scheme that the challenge names.",
        ),
        "scheme_unsupported" => (
            401,
            "unauthorized",
            "The authorization scheme is not supported here. Use a scheme that the challenge names.",
        ),
        "request_malformed" => (
            400,
            "invalid_request",
            "The request must carry exactly one access token, in one well-formed Authorization header; and a DPoP header once at the most, beside a token that is bound to a key.",
        ),
        "token_malformed" => {
            (401, "invalid_token", "The access token is not a well-formed JSON Web Token.")
        }
        "token_expired" => {
            (401, "invalid_token", "The access token has expired. Get a new one and try again.")
        }
        "token_binding_mismatch" => (
            401,
            "invalid_token",
            "The access token is bound to a key or a certificate, and the request does not prove that the client holds it.",
        ),
        "dpop_proof_missing" => (
            401,
            "invalid_dpop_proof",
            "The access token came without a proof that the client holds its key. Send one in the DPoP header.",
        ),
        "dpop_proof_invalid" => (
            401,
            "invalid_dpop_proof",
            "The DPoP proof is not valid for this request. Make a new one for its method, its URL and its access token.",
        ),
        "dpop_proof_replayed" => (
            401,
            "invalid_dpop_proof",
            "The DPoP proof was used before. Make a new one for each request.",
        ),
        "dpop_nonce_required" => (
            401,
            "use_dpop_nonce",
            "The DPoP proof needs the nonce of the DPoP-Nonce header. Make a new one with it.",
        ),
        "replay_store_unavailable" => (
            503,
            "temporarily_unavailable",
            "The DPoP proof cannot be checked at the moment. Try again later, with a new one.",
        ),
        "insufficient_scope" => {
            (403, "insufficient_scope", "The access token lacks a scope that is needed here.")
        }
        other => panic!("no words for {other}"),
    }
}

/// What a refusal looks like, byte for byte.
fn check(case: &str, answer: &Answer, mode: Mode, used: &str, code: &str, scope: &str) {
    let (status, error, description) = words(code);
    let body = format!(
        r#"{{"error":"{error}","error_description":"{description}","error_code":"{code}"}}"#
    );
    assert_eq!((answer.status, &*answer.body), (status, &*body), "{case}: {answer:?}");
    let line = |scheme: &&str| {
        let mut parameters = Vec::new();
        if *scheme == used && error != "unauthorized" {
            parameters
                .push(format!("error=\"{error}\", error_description=\"{description}\"{scope}"));
        }
        if *scheme == "DPoP" {
            parameters.push("algs=\"ES256\"".to_owned());
        }
        format!("{scheme} {}", parameters.join(", ")).trim_end().to_owned()
    };
    let lines: Vec<String> = match status {
        503 => Vec::new(),
        _ => mode.schemes().iter().map(line).collect(),
    };
    assert_eq!(answer.lines("www-authenticate"), lines, "{case}");
    assert_eq!(answer.lines("cache-control"), ["no-store"], "{case}");
    assert_eq!(answer.lines("retry-after").len(), usize::from(status == 503), "{case}");
}

/// What a client does with its key, its token and the URL that it asks for.
struct Client {
    tenant: Tenant,
    server: SocketAddr,
    token: String,
}

impl Client {
    fn new(tenant: &Tenant, server: SocketAddr) -> Self {
        let token = tenant.token().subject("auth0|ann").bound_to(&tenant.client_key()).mint();
        Self { tenant: tenant.clone(), server, token }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    fn proof(&self) -> ProofBuilder {
        self.proof_for("/token")
    }

    fn proof_for(&self, path: &str) -> ProofBuilder {
        self.tenant.proof("GET", &self.url(path)).for_token(&self.token)
    }

    async fn ask(&self, path: &str, scheme: &str, proofs: &[&[u8]]) -> Answer {
        self.ask_with(path, &format!("{scheme} {}", self.token), proofs).await
    }

    async fn ask_with(&self, path: &str, authorization: &str, proofs: &[&[u8]]) -> Answer {
        let mut lines = vec![("authorization", authorization.as_bytes())];
        lines.extend(proofs.iter().map(|proof| ("dpop", *proof)));
        get(self.server, path, &lines).await
    }
}

type Proof = fn(&Client) -> Vec<u8>;

fn minted(proof: ProofBuilder) -> Vec<u8> {
    proof.mint().into_bytes()
}

/// Changes the text of a good proof.
fn altered(client: &Client, change: impl Fn([&str; 3]) -> String) -> Vec<u8> {
    let proof = client.proof().mint();
    let mut parts = proof.split('.');
    let parts = [(); 3].map(|()| parts.next().unwrap());
    change(parts).into_bytes()
}

/// The JSON of a good proof's payload, with members to be added at its end.
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

/// Proofs that are good.
const GOOD: &[(&str, Proof)] = &[
    ("as it is", |c| minted(c.proof())),
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
    ("a nonce that nobody asked for", |c| minted(c.proof().nonce("n"))),
    ("members of other standards", |c| {
        minted(c.proof().claim("exp", 1).header("kid", "k").header("x5c", ["x"]))
    }),
    ("a jwk with its use", |c| jwk_with(c, "use", "sig".into())),
];

/// Proofs that are wrong in one way.
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
    ("an alg that nobody knows", |c| minted(c.proof().header("alg", "ES257"))),
    ("an alg in small letters", |c| minted(c.proof().header("alg", "es256"))),
    ("an alg that is not on the list", |c| {
        minted(c.proof().key(&SigningKey::generate(Algorithm::EdDSA).unwrap()))
    }),
    ("RS256, which is not on the list", |c| minted(c.proof().key(&c.tenant.stranger()))),
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
    ("for ever", |c| minted(c.proof().claim("iat", 1e300))),
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

fn decoded(part: &str) -> serde_json::Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

async fn start(tenant: &Tenant, dpop: Dpop) -> [(&'static str, Client); 3] {
    let auth = || -> Auth0 { tenant.builder().dpop(dpop.clone()).build().unwrap() };
    servers::start(auth).await.map(|(name, server)| (name, Client::new(tenant, server)))
}

#[tokio::test]
async fn a_good_proof_passes_where_dpop_is_known() {
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
async fn a_proof_that_is_wrong_in_one_way_is_refused() {
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

/// Which scheme, which token, which proof: the rows that the modes differ in.
#[tokio::test]
async fn the_token_and_the_scheme_decide() {
    let tenant = Tenant::new();
    let plain = tenant.token().subject("auth0|ann").mint();
    let other_key = SigningKey::generate(Algorithm::ES256).unwrap();
    let bound_to_another = tenant.token().bound_to(&other_key).mint();
    let bound_to_nothing =
        tenant.token().claim("cnf", serde_json::json!({ "jkt": "no thumbprint" })).mint();
    let expired = tenant.token().bound_to(&tenant.client_key()).expired().mint();
    for mode in Mode::ALL {
        let clients = start(&tenant, mode.settings()).await;
        let bound = &clients[0].1.token;
        type Row<'a> = (&'a str, String, bool, [(&'a str, &'a str); 3]);
        // What it is in the modes allowed, required, disabled: the scheme used, and the code.
        let unsupported = ("", "scheme_unsupported");
        let mismatch = ("Bearer", "token_binding_mismatch");
        let missing = ("DPoP", "dpop_proof_missing");
        let malformed = ("Bearer", "request_malformed");
        let good = ("", "");
        let rows: Vec<Row<'_>> = vec![
            ("a plain token", format!("Bearer {plain}"), false, [good, unsupported, good]),
            ("and a proof", format!("Bearer {plain}"), true, [malformed, unsupported, good]),
            (
                "a plain token, DPoP",
                format!("DPoP {plain}"),
                false,
                [missing, missing, unsupported],
            ),
            (
                "a plain token, DPoP, and a proof",
                format!("DPoP {plain}"),
                true,
                [("DPoP", "token_binding_mismatch"); 2]
                    .into_iter()
                    .chain([unsupported])
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap(),
            ),
            ("bound", format!("Bearer {bound}"), false, [mismatch, unsupported, mismatch]),
            ("bound, a proof", format!("Bearer {bound}"), true, [mismatch, unsupported, mismatch]),
            ("bound, DPoP", format!("DPoP {bound}"), false, [missing, missing, unsupported]),
            ("bound, dpop", format!("dpop {bound}"), true, [good, good, unsupported]),
            (
                "bound to another key",
                format!("DPoP {bound_to_another}"),
                true,
                [
                    ("DPoP", "token_binding_mismatch"),
                    ("DPoP", "token_binding_mismatch"),
                    unsupported,
                ],
            ),
            (
                "bound to nothing",
                format!("DPoP {bound_to_nothing}"),
                true,
                [
                    ("DPoP", "token_binding_mismatch"),
                    ("DPoP", "token_binding_mismatch"),
                    unsupported,
                ],
            ),
            (
                "expired",
                format!("DPoP {expired}"),
                true,
                [("DPoP", "token_expired"), ("DPoP", "token_expired"), unsupported],
            ),
            (
                "no token",
                "DPoP".into(),
                true,
                [("DPoP", "request_malformed"), ("DPoP", "request_malformed"), unsupported],
            ),
            (
                "two tokens",
                format!("DPoP {bound} {bound}"),
                true,
                [("DPoP", "request_malformed"), ("DPoP", "request_malformed"), unsupported],
            ),
            (
                "an opaque token",
                "DPoP abc".into(),
                true,
                [("DPoP", "token_malformed"), ("DPoP", "token_malformed"), unsupported],
            ),
            ("Basic", "Basic dXNlcjpwYXNz".into(), true, [unsupported; 3]),
        ];
        for (name, authorization, has_proof, expected) in &rows {
            let (used, code) = expected[mode as usize];
            for (server, client) in &clients {
                let case = format!("{server}, {mode:?}: {name}");
                // For the token that is sent, so that nothing else is wrong with it.
                let token = authorization.split(' ').nth(1).unwrap_or_default();
                let proof = client.proof().for_token(token).mint().into_bytes();
                let proofs: &[&[u8]] = if *has_proof { &[&proof] } else { &[] };
                let answer = client.ask_with("/token", authorization, proofs).await;
                if code.is_empty() {
                    assert_eq!(answer.status, 200, "{case}: {answer:?}");
                } else {
                    check(&case, &answer, mode, used, code, "");
                }
            }
        }
        for (server, client) in &clients {
            let case = format!("{server}, {mode:?}");
            let (one, two) = (minted(client.proof()), minted(client.proof()));
            let answer = client.ask("/token", "DPoP", &[&one, &two]).await;
            match mode {
                Mode::Disabled => check(&case, &answer, mode, "", "scheme_unsupported", ""),
                _ => check(&case, &answer, mode, "DPoP", "request_malformed", ""),
            }
            let answer = client.ask_with("/token", &format!("Bearer {plain}"), &[&one, &two]).await;
            match mode {
                Mode::Allowed => check(&case, &answer, mode, "Bearer", "request_malformed", ""),
                Mode::Required => check(&case, &answer, mode, "", "scheme_unsupported", ""),
                Mode::Disabled => assert_eq!(answer.status, 200, "nobody's business: {case}"),
            }
            let answer = get(client.server, "/maybe", &[("dpop", &one)]).await;
            assert_eq!((answer.status, &*answer.body), (200, "anonymous"), "{case}");
            let answer = get(client.server, "/token", &[("dpop", &one)]).await;
            check(&case, &answer, mode, "", "token_missing", "");
        }
    }
}

/// However many extractors and layers ask, a proof is used once; and once only.
#[tokio::test]
async fn a_proof_is_used_once() {
    let tenant = Tenant::new();
    for (server, mut client) in start(&tenant, Dpop::required()).await {
        let token = tenant.token().subject("auth0|ann").scope("read:messages");
        client.token = token.organization("org_a1", "acme").bound_to(&tenant.client_key()).mint();
        for path in ["/token", "/layer", "/organization-extractor", "/maybe", "/nested/token"] {
            let proof = minted(client.proof_for(path));
            let answer = client.ask(path, "DPoP", &[&proof]).await;
            assert_eq!(answer.status, 200, "{server} {path}: {answer:?}");
            let answer = client.ask(path, "DPoP", &[&proof]).await;
            check(server, &answer, Mode::Required, "DPoP", "dpop_proof_replayed", "");
            // The same identifier, signed once more.
            let payload = decoded(std::str::from_utf8(&proof).unwrap().split('.').nth(1).unwrap());
            let again = minted(client.proof_for(path).claim("jti", &payload["jti"]));
            let answer = client.ask(path, "DPoP", &[&again]).await;
            check(server, &answer, Mode::Required, "DPoP", "dpop_proof_replayed", "");
            // An identifier is one key's, for one URL.
            let other = if path == "/token" { "/nested/token" } else { "/token" };
            let elsewhere = minted(client.proof_for(other).claim("jti", &payload["jti"]));
            assert_eq!(client.ask(other, "DPoP", &[&elsewhere]).await.status, 200, "{server}");
        }
        let without_prefix = minted(client.proof_for("/token"));
        let answer = client.ask("/nested/token", "DPoP", &[&without_prefix]).await;
        check(server, &answer, Mode::Required, "DPoP", "dpop_proof_invalid", "");
        // A refusal of the requirement uses the proof up as well, and is told on the same line.
        client.token = tenant.token().bound_to(&tenant.client_key()).mint();
        let proof = minted(client.proof_for("/scope"));
        let answer = client.ask("/scope", "DPoP", &[&proof]).await;
        let scope = ", scope=\"read:messages\"";
        check(server, &answer, Mode::Required, "DPoP", "insufficient_scope", scope);
    }
}

#[tokio::test]
async fn a_full_store_refuses_and_forgets_nothing() {
    let tenant = Tenant::new();
    for (server, client) in start(&tenant, Dpop::allowed().replay_capacity(3)).await {
        let proofs: Vec<Vec<u8>> = (0..3).map(|_| minted(client.proof())).collect();
        for proof in &proofs {
            assert_eq!(client.ask("/token", "DPoP", &[proof]).await.status, 200, "{server}");
        }
        let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
        check(server, &answer, Mode::Allowed, "DPoP", "replay_store_unavailable", "");
        for proof in &proofs {
            let answer = client.ask("/token", "DPoP", &[proof]).await;
            check(server, &answer, Mode::Allowed, "DPoP", "dpop_proof_replayed", "");
        }
        tenant.clock().advance(Duration::from_secs(301));
        let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
        assert_eq!(answer.status, 200, "{server}: there is room again");
    }
}

/// No proof for one URL passes on another, whatever is written where the host stands.
#[tokio::test]
async fn the_host_field_does_not_change_the_path() {
    let tenant = Tenant::new();
    for (server, client) in start(&tenant, Dpop::allowed()).await {
        let authorization = format!("DPoP {}", client.token);
        let mut count = 0;
        for host in [
            "api/token?",
            "api/token#",
            "api/token",
            "user@api",
            "api:99999",
            "api:80:80",
            "api?",
            "api#",
            "api\\token",
            "[::1",
            "%zz",
            "a,b@c",
            "",
            "api api",
        ] {
            // Proofs for what a joined string would read as.
            for htu in ["http://api/token", &format!("http://{host}/scope"), "http://api/scope"] {
                let proof = tenant.proof("GET", htu).for_token(&client.token).mint();
                let lines =
                    [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
                let host = format!("host: {host}\r\n");
                let answer = send(client.server, "GET /scope", &host, &lines).await;
                assert!(matches!(answer.status, 400 | 401), "{server} {host} {htu}: {answer:?}");
                count += 1;
            }
        }
        assert_eq!(count, 42);
        // Two hosts, and the absolute form (RFC 9112 §3.2.2).
        let url = client.url("/token");
        for (target, host, htu, status) in [
            ("/token", "host: a\r\nhost: a\r\n", "http://a/token", 401),
            ("/token", "host: a\r\nhost: b\r\n", "http://b/token", 401),
            ("/token", "host: API.example:80\r\n", "http://api.example/token", 200),
            ("/token", "host: [::1]:8080\r\n", "http://[::1]:8080/token", 200),
            (&url, &*format!("host: {}\r\n", client.server), &url, 200),
            ("http://other/token", "host: api\r\n", "http://other/token", 401),
            ("http://other/token", "host: api\r\n", "http://api/token", 401),
            ("http://api/token", "host: api\r\n", "http://api/token", 200),
            ("http://api/token", "host: api/scope?\r\n", "http://api/token", 401),
            // Nobody has said whether TLS protects the connection: a proxy may have ended it.
            ("https://api/token", "host: api\r\n", "https://api/token", 200),
            ("https://api/token", "host: api\r\n", "http://api/token", 401),
        ] {
            let proof = tenant.proof("GET", htu).for_token(&client.token).mint();
            let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
            let answer = send(client.server, &format!("GET {target}"), host, &lines).await;
            // A server may itself refuse two Host fields, or one that is none.
            let is_refused = status == 401 && answer.status == 400;
            assert!(
                answer.status == status || is_refused,
                "{server} {target} {host} {htu}: {answer:?}"
            );
        }
    }
}

/// A token that is bound to a certificate (RFC 8705), which a proxy tells of, and a proof for the URL that
/// the proxy was asked for: from a proxy that is trusted, and from anybody else.
#[tokio::test]
async fn what_a_proxy_tells_counts_if_it_is_trusted() {
    let tenant = Tenant::new();
    let (ours, other) = ("client-cert: :AQID:", "client-cert: :AQIE:");
    let token = || tenant.token().subject("auth0|ann").bound_to_certificate(&[1, 2, 3]);
    let both = token().bound_to(&tenant.client_key()).mint();
    let certificate = token().mint();
    let proof = || tenant.proof("GET", "https://api.example/token").for_token(&both).mint();
    let forwarded = "forwarded: host=api.example;proto=https";
    let mismatch = "token_binding_mismatch";
    type Row<'a> = (&'a str, &'a str, &'a str, Vec<&'a str>, [&'a str; 2]);
    let rows: [Row<'_>; 11] = [
        // From a trusted proxy, and from a client.
        ("Bearer", "none", &certificate, vec![], [mismatch, mismatch]),
        ("Bearer", "ours", &certificate, vec![ours], ["", mismatch]),
        ("DPoP", "ours", &certificate, vec![ours], ["", mismatch]),
        ("DPoP", "other", &certificate, vec![other], [mismatch, mismatch]),
        ("DPoP", "two", &certificate, vec![ours, ours], [mismatch, mismatch]),
        ("DPoP", "malformed", &certificate, vec!["client-cert: AQID"], [mismatch, mismatch]),
        ("DPoP", "both bound, no proof", &both, vec![ours], ["dpop_proof_missing"; 2]),
        ("DPoP", "both", &both, vec![ours, forwarded, "proof"], ["", mismatch]),
        ("DPoP", "both, other", &both, vec![other, forwarded, "proof"], [mismatch, mismatch]),
        ("DPoP", "both, URL", &both, vec![ours, "proof"], ["dpop_proof_invalid", mismatch]),
        ("Bearer", "both, no proof", &both, vec![ours], [mismatch, mismatch]),
    ];
    for (trusted, proxies) in [["127.0.0.1"], ["10.0.0.1"]].into_iter().enumerate() {
        let auth = || tenant.builder().trusted_proxies(proxies).build().unwrap();
        for (server, address) in servers::start(auth).await {
            for (scheme, name, token, fields, codes) in &rows {
                let case = format!("{server} {scheme}, {name}, trusted: {proxies:?}");
                let authorization = format!("{scheme} {token}");
                let proof = proof();
                let mut lines = vec![("authorization", authorization.as_bytes())];
                lines.extend(fields.iter().map(|field| match field.split_once(": ") {
                    Some((name, value)) => (name, value.as_bytes()),
                    None => ("dpop", proof.as_bytes()),
                }));
                let answer = get(address, "/token", &lines).await;
                match codes[trusted] {
                    "" => assert_eq!((answer.status, &*answer.body), (200, "auth0|ann"), "{case}"),
                    code => check(&case, &answer, Mode::Allowed, scheme, code, ""),
                }
            }
        }
    }
}

/// HTTP/2 has `:authority`, and may have `Host` as well, which must not differ (RFC 9113 §8.3.1).
#[tokio::test]
async fn over_http2_the_authority_counts() {
    let tenant = Tenant::new();
    for (server, client) in start(&tenant, Dpop::allowed()).await {
        let authorization = format!("DPoP {}", client.token);
        for (url, host, htu, status) in [
            ("http://api.example/token", None, "http://api.example/token", 200),
            ("http://api.example/token?q", None, "http://api.example/token", 200),
            ("http://api.example/token", None, "http://api.example/scope", 401),
            ("http://api.example/token", None, "http://other.example/token", 401),
            ("http://api.example/token", Some("api.example"), "http://api.example/token", 200),
            ("http://api.example/token", Some("api.example:80"), "http://api.example/token", 200),
            ("https://api.example/token", None, "https://api.example/token", 200),
            ("https://api.example/token", None, "http://api.example/token", 401),
            ("http://api.example/token", Some("other.example"), "http://api.example/token", 401),
            ("http://api.example/token", Some("other.example"), "http://other.example/token", 401),
            (
                "http://api.example/token",
                Some("api.example/scope?"),
                "http://api.example/token",
                401,
            ),
        ] {
            let proof = tenant.proof("GET", htu).for_token(&client.token).mint();
            let mut lines =
                vec![("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
            lines.extend(host.map(|host| ("host", host.as_bytes())));
            let answer = get_over_http2(client.server, url, &lines).await;
            assert_eq!(answer, status, "{server} {url} {host:?} {htu}");
        }
    }
}

#[tokio::test]
async fn nonces_are_asked_for_and_renewed() {
    let tenant = Tenant::new();
    let period = Duration::from_secs(60);
    let nonces = DpopNonces::with_secret([7; 32]).lifetime(period);
    let dpop = Dpop::required().nonces(nonces).max_age(Duration::from_secs(3600));
    for (server, mut client) in start(&tenant, dpop.clone()).await {
        let token = tenant.token().scope("read:messages");
        client.token = token.bound_to(&tenant.client_key()).mint();
        let ask = async |nonce: Option<&str>| {
            let proof = client.proof_for("/layer");
            let proof = nonce.map_or(proof.clone(), |nonce| proof.nonce(nonce));
            client.ask("/layer", "DPoP", &[&minted(proof)]).await
        };
        let required = |answer: &Answer| {
            check(server, answer, Mode::Required, "DPoP", "dpop_nonce_required", "");
            assert_eq!(answer.lines("dpop-nonce").len(), 1);
            answer.lines("dpop-nonce")[0].to_owned()
        };
        let first = required(&ask(None).await);
        for wrong in ["", "x", &first[1..], &first.to_lowercase(), &format!("{first}A")] {
            assert_eq!(required(&ask(Some(wrong)).await), first);
        }
        let answer = ask(Some(&first)).await;
        assert_eq!((answer.status, answer.lines("dpop-nonce").len()), (200, 0), "{server}");

        tenant.clock().advance(period);
        let answer = ask(Some(&first)).await;
        assert_eq!(answer.status, 200, "{server}: accepted for one more period");
        let second = answer.lines("dpop-nonce")[0].to_owned();
        assert_ne!(first, second);
        assert_eq!(ask(Some(&second)).await.lines("dpop-nonce").len(), 0, "{server}");

        tenant.clock().advance(period);
        let third = required(&ask(Some(&first)).await);
        assert!(third != first && third != second);
        assert_eq!(ask(Some(&second)).await.status, 200, "{server}");
    }
    // Another instance with the same secret accepts them, one with another does not.
    let clients = start(&tenant, dpop).await;
    let (_, client) = &clients[0];
    let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
    let nonce = answer.lines("dpop-nonce")[0].to_owned();
    let (_, same) =
        &start(&tenant, Dpop::required().nonces(DpopNonces::with_secret([7; 32]).lifetime(period)))
            .await[0];
    let proof = minted(same.proof().nonce(&nonce));
    assert_eq!(same.ask("/token", "DPoP", &[&proof]).await.status, 200);
    let (_, other) =
        &start(&tenant, Dpop::required().nonces(DpopNonces::per_process().lifetime(period))).await
            [0];
    let proof = minted(other.proof().nonce(&nonce));
    let answer = other.ask("/token", "DPoP", &[&proof]).await;
    check("axum", &answer, Mode::Required, "DPoP", "dpop_nonce_required", "");
}

/// Other algorithms, where they are on the list.
#[tokio::test]
async fn algorithms_are_accepted_and_advertised_as_configured() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, RS256};
    let tenant = Tenant::new();
    let algorithms = [RS256, PS256, ES384, EdDSA, ES256];
    for (server, mut client) in start(&tenant, Dpop::allowed().algorithms(algorithms)).await {
        for algorithm in algorithms {
            let key = SigningKey::generate(algorithm).unwrap();
            client.token = tenant.token().bound_to(&key).mint();
            for _ in 0..2 {
                let proof = minted(client.proof().key(&key));
                let answer = client.ask("/token", "DPoP", &[&proof]).await;
                assert_eq!(answer.status, 200, "{server} {algorithm}: {answer:?}");
            }
            // The header says another one.
            if algorithm == RS256 {
                let proof = minted(client.proof().key(&key).algorithm(PS256));
                assert_eq!(client.ask("/token", "DPoP", &[&proof]).await.status, 200, "an RSA key");
                let proof = minted(client.proof().key(&key).algorithm(ES256));
                assert_eq!(client.ask("/token", "DPoP", &[&proof]).await.status, 401, "{server}");
            }
        }
        let answer = get(client.server, "/token", &[]).await;
        let expected = ["Bearer", "DPoP algs=\"RS256 PS256 ES384 EdDSA ES256\""];
        assert_eq!(answer.lines("www-authenticate"), expected, "{server}");
    }
}
