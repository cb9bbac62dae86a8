//! `auth0-local proof`.
use crate::kit::{Directory, Server, failure, parts, printed};
use auth0_core::{
    Algorithm, Auth0, ErrorCode,
    adapter::{Connection, HeaderLines, HttpParts, RequestView},
};
use auth0_local::DEFAULT_AUDIENCE;
use auth0_testing::SigningKey;
use serde_json::json;
use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

/// `GET /messages`, as an adapter describes it.
struct GetMessages;

impl HttpParts for GetMessages {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/messages"
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn header(&self, _: &str) -> HeaderLines<'_> {
        HeaderLines::Absent
    }

    fn connection(&self) -> Connection {
        Connection::new()
    }
}

#[tokio::test]
async fn proofs_are_accepted_or_rejected_as_requested() {
    const URL: &str = "https://api.acme.test/messages";
    let directory = Directory::new("dpop");
    let file = directory.file("client.pem");
    let server = Server::start(&[]);
    let token = server.token(&["--dpop-key", &file]);
    let written = fs::read_to_string(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let auth = Auth0::builder()
        .issuer(&server.issuer)
        .audience(DEFAULT_AUDIENCE)
        .public_url("https://api.acme.test")
        .build()
        .unwrap();
    let authorization = format!("DPoP {token}");
    let verdict = async |proof: &str| {
        let request = RequestView::new()
            .authorization([authorization.as_bytes()])
            .proof([proof.as_bytes()])
            .parts(&GetMessages);
        auth.authenticate(&request).await.err().map(|error| error.code())
    };
    let proof = |arguments: &[&str]| {
        let mut line = vec!["proof", "--dpop-key", &file];
        for option in [["--url", URL], ["--token", &token]] {
            if !arguments.contains(&option[0]) {
                line.extend(option);
            }
        }
        printed(&[&line, arguments].concat())
    };
    let good = proof(&[]);
    assert_eq!(verdict(&good).await, None);
    assert_eq!(verdict(&good).await, Some(ErrorCode::DpopProofReplayed));
    assert_eq!(verdict(&proof(&["--url", &format!("{URL}?a=b#c")])).await, None);
    assert_eq!(verdict(&proof(&["--nonce", "-_", "--age", "200"])).await, None);
    for wrong in [
        &["--claim", "htm=\"POST\""][..],
        &["--method", "get"],
        &["--url", "https://api.acme.test/Messages"],
        &["--token", "another.access.token"],
        &["--without", "jti"],
        &["--without", "iat"],
        &["--claim", "jti=7"],
        &["--expired"],
        &["--age", "400"],
        &["--ahead", "100"],
        &["--header", "typ=\"JWT\""],
        &["--without-header", "jwk"],
        &["--broken-signature"],
        &["--unsigned"],
    ] {
        assert_eq!(verdict(&proof(wrong)).await, Some(ErrorCode::DpopProofInvalid), "{wrong:?}");
    }
    let other = ["--dpop-key", &directory.file("other.pem")];
    let foreign = printed(&[&["proof", "--url", URL, "--token", &token], &other[..]].concat());
    assert_eq!(verdict(&foreign).await, Some(ErrorCode::TokenBindingMismatch));
    assert_eq!(auth.verify(&token).await.unwrap_err().code(), ErrorCode::TokenBindingMismatch);
    assert_eq!(fs::read_to_string(&file).unwrap(), written, "the file is not written to again");
}

#[test]
fn every_algorithm_makes_a_proof() {
    let directory = Directory::new("proof");
    for (algorithm, header) in [
        (Algorithm::ES256, None),
        (Algorithm::ES384, None),
        (Algorithm::EdDSA, None),
        (Algorithm::RS256, None),
        (Algorithm::RS256, Some("PS256")),
    ] {
        let key = SigningKey::generate(algorithm).unwrap();
        let file = directory.file(&format!("{algorithm}.der"));
        fs::write(&file, key.to_pkcs8().unwrap()).unwrap();
        let (url, name) = ("http://127.0.0.1:3000/a", header.unwrap_or(algorithm.as_str()));
        let header = format!("alg=\"{name}\"");
        let proof = printed(&["proof", "--dpop-key", &file, "--url", url, "--header", &header]);
        let (header, payload, signature) = parts(&proof);
        assert_eq!((&header["alg"], &header["typ"]), (&json!(name), &json!("dpop+jwt")));
        assert!(header["jwk"].get("d").is_none() && !signature.is_empty());
        assert_eq!((&payload["htm"], &payload["htu"]), (&json!("GET"), &json!(url)));
        assert!(payload.get("ath").is_none() && payload.get("nonce").is_none());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(payload["iat"].as_u64().unwrap()) < 60, "{payload}");
    }
    let text = directory.file("text");
    fs::write(&text, "dear diary").unwrap();
    let (status, sentence) = failure(&["proof", "--dpop-key", &text, "--url", "http://a/"]);
    assert!(
        status == 1 && sentence.contains("must contain an unencrypted P-256 key"),
        "{sentence}"
    );
}
