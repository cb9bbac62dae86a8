//! The lines of `Authorization`. Input: the lines, separated by `\n`; none if it is empty.
use crate::{
    Target, Verdict, parts, refusal,
    signer::unsigned,
    world::{AUDIENCE, HEADER, ISSUER, NOW, attacker_key, payload, token, verifier},
};
use auth0_core::{Algorithm, Auth0, Dpop, ErrorCode, adapter::RequestView};
use serde_json::json;
use std::cell::LazyCell;

pub(crate) const TARGET: Target = Target {
    name: "credentials",
    run,
    seeds,
    pieces: &[
        "Bearer ",
        "bEARER  ",
        "Bearer",
        "DPoP ",
        "dpop ",
        "Basic ",
        " ",
        "\t",
        ",",
        "=",
        "==",
        "a",
        "~+/-._",
        "\"",
        "\n",
        "\u{e9}",
        "eyJhbGciOiJub25lIn0",
        ".",
        "..",
        "e30",
        "realm=\"x\"",
    ],
};

const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A mode, and the schemes that it enables.
type Mode = (fn() -> Dpop, &'static [&'static str]);

const MODES: [Mode; 3] = [
    (Dpop::allowed, &["bearer", "dpop"]),
    (Dpop::required, &["dpop"]),
    (Dpop::disabled, &["bearer"]),
];

/// What may become of a token that stands alone after its scheme.
const CODES: [ErrorCode; 12] = [
    ErrorCode::TokenMalformed,
    ErrorCode::TokenOpaque,
    ErrorCode::AlgorithmUnsupported,
    ErrorCode::KeyUnknown,
    ErrorCode::SignatureInvalid,
    ErrorCode::IssuerMismatch,
    ErrorCode::AudienceMismatch,
    ErrorCode::TokenExpired,
    ErrorCode::ClaimsInvalid,
    ErrorCode::TokenTypeInvalid,
    ErrorCode::TokenBindingMismatch,
    ErrorCode::DpopProofMissing,
];

struct Kit {
    /// For each mode, a verifier without a token cache and one with.
    verifiers: Vec<(Auth0, Auth0, &'static [&'static str])>,
    good: [String; 2],
}

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(|| Kit {
        verifiers: MODES
            .map(|(dpop, schemes)| {
                let with = |cached: usize| {
                    verifier(|settings| {
                        settings.dpop(dpop().algorithms([Algorithm::EdDSA])).token_cache(cached)
                    })
                };
                (with(0), with(64), schemes)
            })
            .into(),
        good: good(),
    });
}

/// What the grammar says of the lines (RFC 9110 §11.4, RFC 6750 §2.1).
enum Grammar<'a> {
    Refused(ErrorCode),
    Token { scheme: String, token: &'a [u8] },
}

fn run(input: &[u8]) -> Verdict {
    let lines = if input.is_empty() { vec![] } else { parts(input, b'\n') };
    KIT.with(|kit| {
        let mut verdicts = kit.verifiers.iter().map(|(auth, cached, schemes)| {
            let request = RequestView::new().authorization(lines.iter().copied());
            let verdict = auth.authenticate_now(&request).expect("the keys are fixed");
            let verdict = match (verdict, grammar(&lines, schemes)) {
                (Ok(_), Grammar::Token { scheme, token }) => {
                    let is_good = kit.good.iter().any(|good| good.as_bytes() == token);
                    assert!(is_good && scheme == "bearer", "a forged token was accepted");
                    Ok(())
                }
                (Err(error), Grammar::Refused(code)) => Err(refusal::check(&error, &[code])),
                (Err(error), Grammar::Token { .. }) => Err(refusal::check(&error, &CODES)),
                (Ok(_), Grammar::Refused(code)) => panic!("accepted instead of {code:?}"),
            };
            for again in [cached, cached, auth] {
                let again = again.authenticate_now(&request).expect("the key was known before");
                assert_eq!(again.map(drop).map_err(|error| error.code()), verdict);
            }
            verdict
        });
        let first = verdicts.next().expect("three modes");
        verdicts.for_each(drop);
        first
    })
}

fn grammar<'a>(lines: &[&'a [u8]], schemes: &[&str]) -> Grammar<'a> {
    let line = match lines {
        [] => return Grammar::Refused(ErrorCode::TokenMissing),
        [line] => *line,
        _ => return Grammar::Refused(ErrorCode::RequestMalformed),
    };
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if end == 0 || !line[..end].iter().all(is_name) {
        return Grammar::Refused(ErrorCode::RequestMalformed);
    }
    let scheme = String::from_utf8_lossy(&line[..end]).to_ascii_lowercase();
    if !schemes.contains(&scheme.as_str()) {
        return Grammar::Refused(ErrorCode::SchemeUnsupported);
    }
    let spaces = line[end..].iter().take_while(|byte| **byte == b' ').count();
    let token = &line[end + spaces..];
    let mut content = token;
    while let Some(shorter) = content.strip_suffix(b"=") {
        content = shorter;
    }
    let is_token68 = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    if content.is_empty() || !content.iter().all(is_token68) || token.len() > MAX_TOKEN_BYTES {
        return Grammar::Refused(ErrorCode::RequestMalformed);
    }
    Grammar::Token { scheme, token }
}

fn good() -> [String; 2] {
    [
        token(&payload(json!({}))),
        token(&payload(json!({ "aud": [AUDIENCE, "https://other.test"] }))),
    ]
}

fn seeds() -> Vec<Vec<u8>> {
    let [one, two] = good();
    let tokens = [
        one.clone(),
        two.clone(),
        token(&payload(json!({ "exp": NOW - 60 }))),
        token(&payload(json!({ "iss": "https://evil.test/" }))),
        token(&payload(json!({ "aud": "https://other.test" }))),
        token(&payload(json!({ "nonce": "n" }))),
        token(&payload(json!({ "cnf": { "jkt": "a" } }))),
        token(&payload(json!({ "sub": 1 }))),
        attacker_key().sign(HEADER.as_bytes(), payload(json!({})).as_bytes()),
        unsigned(br#"{"alg":"none"}"#, payload(json!({})).as_bytes(), b""),
        unsigned(br#"{"alg":"EdDSA","kid":"unknown"}"#, payload(json!({})).as_bytes(), &[0; 64]),
        unsigned(br#"{"alg":"dir","enc":"A256GCM"}"#, b"", b""),
        format!("{}=", one),
        "a".repeat(MAX_TOKEN_BYTES + 1),
        "a.b.c.d.e".to_owned(),
        format!("{ISSUER} {two}"),
    ];
    let mut lines: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"Basic YTpi".to_vec(),
        b"Bearer".to_vec(),
        format!("Bearer {one}\nBearer {two}").into_bytes(),
    ];
    for scheme in ["Bearer", "DPoP", "bearer "] {
        lines.extend(tokens.iter().map(|token| format!("{scheme} {token}").into_bytes()));
    }
    lines
}
