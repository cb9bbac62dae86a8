//! The URL in a proof, compared with that of the request. Input: both, separated by `\n`.
use crate::{
    Target, Verdict, refusal,
    world::{NOW, Still, client_key},
};
use auth0_core::{Algorithm, Dpop, ErrorCode, dpop::ProofVerifier};
use fluent_uri::{Uri, normalize::Normalizer};
use serde_json::json;

pub(crate) const TARGET: Target = Target {
    name: "htu",
    run,
    seeds,
    pieces: &[
        "\n",
        "http",
        "https",
        "HTTP",
        "://",
        ":",
        "/",
        "//",
        "/.",
        "/..",
        "/./",
        "/../",
        "%2e",
        "%2E",
        "%2f",
        "%61",
        "%zz",
        "%",
        "a",
        "A",
        "api.test",
        "[::a]",
        "[",
        "]",
        "@",
        "user@",
        ":80",
        ":443",
        ":99999",
        "?x=/y",
        "#z",
        "\\",
        " ",
        "\t",
        "\u{e9}",
        ";",
        "127.0.0.1",
    ],
};

fn run(input: &[u8]) -> Verdict {
    let text = String::from_utf8_lossy(input);
    let (signed, requested) = text.split_once('\n').unwrap_or((&text, &text));
    let verdict = compare(signed, requested);
    assert_eq!(compare(requested, signed).is_ok(), verdict.is_ok(), "not symmetric");
    assert!(verdict.is_err() || compare(signed, signed).is_ok(), "not reflexive");
    if let (Some(signed), Some(requested)) = (normal(signed), normal(requested)) {
        assert_eq!(verdict.is_ok(), signed == requested, "{signed} {requested}");
    } else if verdict.is_ok() {
        // The path has characters that RFC 3986 does not allow. The origin has none, but for an address, whose
        // digits are not checked.
        assert_eq!(normal(origin(signed)), normal(origin(requested)));
        assert!(normal(origin(signed)).is_some() || signed.contains("://["));
    }
    verdict
}

fn compare(signed: &str, requested: &str) -> Verdict {
    let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": client_key().jwk() });
    let payload = json!({ "htm": "POST", "htu": signed, "iat": NOW, "jti": "a" });
    let proof = client_key().sign(header.to_string().as_bytes(), payload.to_string().as_bytes());
    let dpop = Dpop::allowed().algorithms([Algorithm::EdDSA]).replay_capacity(8);
    let verifier = ProofVerifier::new(dpop, Still).unwrap();
    match verifier.verify("POST", requested, proof.as_bytes()) {
        Ok(_) => Ok(()),
        Err(error) => Err(refusal::check(&error, &[ErrorCode::DpopProofInvalid])),
    }
}

/// Returns the normal form of an http or https URL by another implementation of RFC 3986, without query and
/// fragment; `None` if it is not one.
fn normal(text: &str) -> Option<String> {
    let uri = Uri::parse(text).ok()?;
    let mut uri = Normalizer::new().normalize(&uri).ok()?;
    uri.set_fragment(None);
    let authority = uri.authority()?;
    let port = authority.port().map(|port| port.as_str()).unwrap_or_default();
    let is_known = ["http", "https"].contains(&uri.scheme().as_str())
        && !authority.host().is_empty()
        && !authority.has_userinfo()
        && (port.is_empty() || port.parse::<u16>().is_ok());
    let text = uri.as_str().split('?').next()?.to_owned();
    is_known.then(|| if uri.path().as_str().is_empty() { text + "/" } else { text })
}

/// Returns a URL up to its path.
fn origin(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |at| begin + at);
    &url[..end]
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "https://api.test/me\nHTTPS://API.test:443/./%6de?x#y",
        "http://api.test\nhttp://api.test:80/",
        "https://api.test/a/../b\nhttps://api.test/b",
        "https://[::AB]/\nhttps://[::ab]:443/",
        "https://%61pi/%2fb\nhttps://api/%2Fb",
        "https://api.test/\u{e4}/%61\nhttps://api.test/\u{e4}/a",
        "https://[+:ab]:206/\nhttps://[+:AB]:206",
        "https://api.test/me\nhttps://api.test/me/",
        "https://api.test/me\nhttp://api.test/me",
        "https://api.test:443/\nhttp://api.test:443/",
        "https://user@api.test/\nhttps://user@api.test/",
        "https://api.test:99999/\nhttps://api.test:99999/",
        "https://api.test\\a\nhttps://api.test/a",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
