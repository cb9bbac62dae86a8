//! The metadata of an issuer (OpenID Connect Discovery §4). Input: the body of the answer.
use crate::{
    Target, Verdict, json, refusal,
    world::{ISSUER, payload, published, runtime, settings, token},
};
use auth0_core::{
    BoxFuture, ErrorCode, TrustedIssuer,
    adapter::RequestView,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use url::Url;

pub(crate) const TARGET: Target = Target {
    name: "metadata",
    run,
    seeds,
    pieces: &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "null",
        "1",
        "\"issuer\"",
        "\"jwks_uri\"",
        "\"https://tenant.test/\"",
        "\"https://tenant.test/keys\"",
        "\"http://tenant.test/keys\"",
        "\"https://keys.test/\"",
        "\"file:///\"",
        "\"https://\"",
        "\"https://a@b/\"",
        "\"//tenant.test\"",
        "\"\\u0068ttps://tenant.test/\"",
        "\\",
        "\"",
        "\u{e9}",
        "\u{feff}",
        " ",
    ],
};

const METADATA_URL: &str = "https://tenant.test/.well-known/openid-configuration";

/// An issuer that publishes this metadata, and good keys at every other URL. It notes the URLs.
#[derive(Clone, Debug)]
struct Publisher {
    metadata: Vec<u8>,
    fetched: Arc<Mutex<Vec<String>>>,
}

impl HttpClient for Publisher {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        self.fetched.lock().unwrap().push(request.url.to_owned());
        let body = if request.url == METADATA_URL {
            self.metadata.clone()
        } else {
            json!({ "keys": [published()] }).to_string().into_bytes()
        };
        Box::pin(async move { Ok(HttpResponse::json(body)) })
    }
}

fn run(input: &[u8]) -> Verdict {
    let strict = discover(input, true);
    let verdict = discover(input, false);
    assert!(strict.is_err() || verdict.is_ok(), "the stricter setting accepts more");
    verdict
}

fn discover(input: &[u8], same_origin: bool) -> Verdict {
    let publisher = Publisher { metadata: input.to_vec(), fetched: Arc::default() };
    let issuer = TrustedIssuer::domain("tenant.test").same_origin_keys(same_origin);
    let auth = settings(issuer).http_client(publisher.clone()).build().unwrap();
    let verdict = runtime().block_on(auth.warm_up());

    let fetched = publisher.fetched.lock().unwrap().clone();
    assert_eq!(fetched[0], METADATA_URL);
    let expected = key_set_url(input, same_origin);
    match (&fetched[1..], &verdict) {
        ([], Err(_)) => assert_eq!(expected, None, "good metadata was refused"),
        ([url], Ok(())) => assert_eq!(Some(url), expected.as_ref()),
        other => panic!("fetched {other:?}"),
    }
    if let Err(error) = verdict {
        return Err(refusal::check(&error, &[ErrorCode::KeysUnavailable]));
    }
    let line = format!("Bearer {}", token(&payload(json!({}))));
    let request = RequestView::new().authorization([line.as_bytes()]);
    // The metadata settles the slash at the end of the issuer.
    let is_ours = named(input).as_deref() == Some(ISSUER);
    assert_eq!(auth.authenticate_now(&request).is_some_and(|verdict| verdict.is_ok()), is_ours);
    Ok(())
}

/// Returns the URL of the key set as another reader sees it, if the metadata is good.
fn key_set_url(input: &[u8], same_origin: bool) -> Option<String> {
    let members = json::members_used(json::without_mark(input), &["issuer", "jwks_uri"])?;
    let issuer = members.get("issuer").and_then(Value::as_str)?;
    if issuer != ISSUER && issuer != ISSUER.trim_end_matches('/') {
        return None;
    }
    let url = members.get("jwks_uri").and_then(Value::as_str)?;
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let is_allowed = !same_origin || url.host_str() == Some("tenant.test") && url.port().is_none();
    is_allowed.then(|| url.into())
}

/// Returns the name of the issuer as another reader sees it.
fn named(input: &[u8]) -> Option<String> {
    let members = json::members_used(json::without_mark(input), &["issuer"])?;
    members.get("issuer").and_then(Value::as_str).map(Into::into)
}

fn seeds() -> Vec<Vec<u8>> {
    let with = |issuer: &str, uri: &str| json!({ "issuer": issuer, "jwks_uri": uri, "more": [1] });
    let documents = [
        with(ISSUER, "https://tenant.test/keys"),
        with(ISSUER, "https://tenant.test:443/a/../keys?x#y"),
        with(ISSUER, "https://keys.test/"),
        with(ISSUER, "https://tenant.test:8443/keys"),
        with(ISSUER, "https://user:secret@tenant.test/keys"),
        with(ISSUER, "http://tenant.test/keys"),
        with(ISSUER, "http://127.0.0.1/keys"),
        with(ISSUER, "/keys"),
        with("https://tenant.test", "https://tenant.test/keys"),
        with("https://evil.test/", "https://tenant.test/keys"),
        json!({ "issuer": ISSUER }),
        json!({ "issuer": ISSUER, "jwks_uri": 1 }),
        json!([ISSUER, "https://tenant.test/keys"]),
    ];
    let mut seeds: Vec<_> = documents.iter().map(|json| json.to_string().into_bytes()).collect();
    seeds.push(format!("\u{feff}{}", documents[0]).into_bytes());
    let duplicate = documents[0].to_string().replacen('{', r#"{"issuer":"https://evil.test/","#, 1);
    seeds.push(duplicate.into_bytes());
    // A member that is not used, and not UTF-8.
    let spoilt = documents[0].to_string().replacen("[1]", "\"?\"", 1).into_bytes();
    seeds.push(spoilt.iter().map(|byte| if *byte == b'?' { 0xff } else { *byte }).collect());
    seeds
}
