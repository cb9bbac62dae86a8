use crate::kit::{API, Answer, Parameters, acme, claims, client, code, url};
use auth0_local::{Client, LocalTenant};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::json;

const KEY: &str = "key-of-the-edge-1234";
/// The tenant compares the hash only.
const DER: [&[u8]; 2] = [b"0\x03one", b"0\x03two"];

fn thumbprint(der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, der))
}

fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der).replace('+', "%2B").replace('=', "%3D");
    format!("-----BEGIN%20CERTIFICATE-----%0A{body}%0A-----END%20CERTIFICATE-----%0A")
}

async fn tenant() -> LocalTenant {
    let client =
        Client::with_certificate("mtls", thumbprint(DER[0])).callback(crate::kit::CALLBACK);
    acme().client(client).mtls("https://mtls.acme.test", KEY).start().await.unwrap()
}

fn machine() -> Parameters {
    Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "mtls"),
        ("audience", API),
    ])
}

async fn ask(tenant: &LocalTenant, form: &Parameters, headers: &[(&str, &str)]) -> Answer {
    let request = client().post(url(tenant, "oauth/token")).body(form.encoded());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request =
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn the_certificate_of_the_edge_authenticates_and_binds() {
    let tenant = tenant().await;
    let pem = pem(DER[0]);
    for status in ["SUCCESS", "FAILED", "FAILED:self signed certificate"] {
        let headers = [
            ("cname-api-key", KEY),
            ("client-certificate", pem.as_str()),
            ("client-certificate-ca-verified", status),
        ];
        let answer = ask(&tenant, &machine(), &headers).await;
        assert_eq!((answer.status, answer.text("token_type")), (200, "DPoP".into()), "{answer:?}");
        let claims = claims(&tenant, &answer.text("access_token"));
        assert_eq!(claims["cnf"], json!({ "x5t#S256": thumbprint(DER[0]) }));
    }
    // A login, too.
    let login = Parameters::of_login().with("client_id", "mtls");
    let form = Parameters::of_code(&code(&tenant, &login).await).with("client_id", "mtls");
    let headers = [
        ("cname-api-key", KEY),
        ("client-certificate", pem.as_str()),
        ("client-certificate-ca-verified", "SUCCESS"),
    ];
    let answer = ask(&tenant, &form, &headers).await;
    let access = answer.text("access_token");
    assert_eq!(claims(&tenant, &access)["cnf"]["x5t#S256"], thumbprint(DER[0]));
    // Its token needs the certificate at /userinfo, under either scheme.
    for (scheme, count, status) in
        [("DPoP", 3, 200), ("Bearer", 3, 200), ("DPoP", 2, 401), ("Bearer", 0, 401)]
    {
        let request = client().get(url(&tenant, "userinfo"));
        let request = request.header("authorization", format!("{scheme} {access}"));
        let sent = headers.iter().take(count);
        let request = sent.fold(request, |request, (name, value)| request.header(*name, *value));
        assert_eq!(request.send().await.unwrap().status(), status, "{scheme} {count}");
    }
}

#[tokio::test]
async fn headers_that_are_wrong_in_one_way() {
    let tenant = tenant().await;
    let good = [
        ("cname-api-key", KEY.to_owned()),
        ("client-certificate", pem(DER[0])),
        ("client-certificate-ca-verified", "SUCCESS".to_owned()),
    ];
    let long = "A".repeat(4096);
    for (name, value) in [
        ("cname-api-key", None),
        ("cname-api-key", Some("key-of-the-edge-1235")),
        ("cname-api-key", Some("")),
        ("client-certificate", None),
        ("client-certificate", Some("")),
        ("client-certificate", Some("%00%ff")),
        ("client-certificate", Some(&*pem(DER[1]))),
        ("client-certificate", Some(&*pem(&[]))),
        ("client-certificate", Some(&*(pem(DER[0]) + &long))),
        ("client-certificate-ca-verified", None),
        ("client-certificate-ca-verified", Some("NONE")),
        ("client-certificate-ca-verified", Some("success")),
    ] {
        let mut headers: Vec<(&str, &str)> =
            good.iter().map(|(name, value)| (*name, value.as_str())).collect();
        headers.retain(|(other, _)| *other != name);
        headers.extend(value.map(|value| (name, value)));
        let answer = ask(&tenant, &machine(), &headers).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (401, "invalid_client".into()),
            "{name} {value:?}"
        );
    }
    let mut twice: Vec<(&str, &str)> = good.iter().map(|(name, it)| (*name, it.as_str())).collect();
    twice.push(("cname-api-key", KEY));
    assert_eq!(ask(&tenant, &machine(), &twice).await.status, 401);
    // No secret in the place of the certificate.
    let secret = machine().with("client_secret", "any");
    assert_eq!(ask(&tenant, &secret, &twice[..3]).await.status, 401);
}

#[tokio::test]
async fn the_metadata_names_the_endpoints_at_the_edge() {
    let tenant = tenant().await;
    let request = client().get(url(&tenant, ".well-known/openid-configuration"));
    let metadata = Answer::of(request.send().await.unwrap()).await.json();
    let aliases = &metadata["mtls_endpoint_aliases"];
    assert_eq!(aliases["token_endpoint"], "https://mtls.acme.test/oauth/token");
    assert_eq!(aliases["userinfo_endpoint"], "https://mtls.acme.test/userinfo");
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
        assert!(methods.contains(&json!(method)), "{methods:?}");
    }
}

#[tokio::test]
async fn configurations_that_cannot_start() {
    for (builder, sentence) in [
        (acme().mtls("https://mtls.acme.test", "short"), "16 characters"),
        (acme().mtls("mtls.acme.test", KEY), "base URL"),
        (acme().mtls("https://mtls.acme.test/?a", KEY), "base URL"),
        (acme().client(Client::with_certificate("a", "AAAA")), "SHA-256"),
    ] {
        assert!(!format!("{builder:?}").contains(KEY), "the key does not print");
        let error = builder.start().await.unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
    // Without the edge, no header is believed.
    let client = Client::with_certificate("mtls", thumbprint(DER[0]));
    let tenant = acme().client(client).start().await.unwrap();
    let pem = pem(DER[0]);
    let headers = [
        ("cname-api-key", KEY),
        ("client-certificate", pem.as_str()),
        ("client-certificate-ca-verified", "SUCCESS"),
    ];
    let answer = ask(&tenant, &machine(), &headers).await;
    assert!(answer.text("error_description").contains("has no mTLS"), "{}", answer.body);
}
