//! The certificate that a proxy reports. Input: `Client-Cert` (RFC 9440) and `X-Forwarded-Client-Cert`, separated
//! by `\n`; an empty line is an absent header.
use crate::{
    Target, Verdict,
    exchange::Exchange,
    parts, refusal,
    signer::sha256,
    world::{payload, token, verifier},
};
use auth0_core::{Auth0, ErrorCode, adapter::Connection};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::cell::LazyCell;

pub(crate) const TARGET: Target = Target {
    name: "certificates",
    run,
    seeds,
    pieces: &[
        "\n",
        ":",
        "\"",
        "\\",
        "\\\"",
        ",",
        ";",
        "=",
        " ",
        "%",
        "%0A",
        "%0a",
        "%2B",
        "%F",
        "%20",
        "Cert",
        "Cert=\"",
        "Hash",
        "Hash=",
        "By=",
        "URI=",
        "Subject=\"CN=a\"",
        "-----BEGIN CERTIFICATE-----",
        "-----END CERTIFICATE-----",
        "MIIB",
        "QUJD",
        "==",
        "ab",
        "\u{e9}",
        "0",
    ],
};

const PROXY: [u8; 4] = [10, 0, 0, 7];
const CLIENT: [u8; 4] = [192, 0, 2, 1];

/// Two certificates. Only their hashes matter, so they are any bytes.
const ANN: [u8; 48] = [0x5a; 48];
const BEN: [u8; 48] = [0x6b; 48];

struct Kit {
    auth: Auth0,
    authorization: String,
}

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(|| {
        let bound = payload(json!({ "cnf": { "x5t#S256": sha256(&ANN) } }));
        Kit {
            auth: verifier(|settings| settings.trusted_proxies(["10.0.0.7"])),
            authorization: format!("DPoP {}", token(&bound)),
        }
    });
}

fn run(input: &[u8]) -> Verdict {
    let parts = parts(input, b'\n');
    let (standard, envoy) = (parts[0], parts.get(1).copied().unwrap_or_default());
    KIT.with(|kit| {
        let admits = |connection: Connection, standard: &[u8], envoy: &[u8]| {
            let request = Exchange::default()
                .from(connection)
                .with("authorization", kit.authorization.as_bytes())
                .with("client-cert", standard)
                .with("x-forwarded-client-cert", envoy);
            request
                .authenticate(&kit.auth)
                .map_err(|error| refusal::check(&error, &[ErrorCode::TokenBindingMismatch]))
        };
        let from = |address: [u8; 4]| Connection::new().peer(address.into());

        // From a client, the headers change nothing.
        assert!(admits(from(CLIENT), standard, envoy).is_err());
        let shown = from(CLIENT).client_certificate(&ANN);
        assert_eq!(admits(shown, standard, envoy), Ok(()));

        // The certificate of the proxy's connection does not stand for that of a client.
        let proxy = from(PROXY).client_certificate(&ANN);
        let verdict = admits(proxy, standard, envoy);
        assert_eq!(admits(from(PROXY), standard, envoy), verdict);
        assert!(verdict.is_err() || shows_ann(standard) || shows_ann(envoy), "from nowhere");

        // What a client writes before the element of the proxy changes nothing in it.
        let appended = [envoy, b",Hash=", hex(&BEN).as_bytes()].concat();
        assert!(admits(from(PROXY), standard, &appended).is_err());
        let appended = [envoy, b", ", envoy_of(&BEN).as_bytes()].concat();
        assert!(admits(from(PROXY), b"", &appended).is_err());

        // If the two headers differ, neither counts.
        assert!(admits(from(PROXY), client_cert(&BEN).as_bytes(), envoy).is_err());
        assert!(admits(from(PROXY), standard, envoy_of(&BEN).as_bytes()).is_err());
        verdict
    })
}

/// Returns whether a header contains the hash or the base64 of the certificate, in any encoding.
fn shows_ann(header: &[u8]) -> bool {
    let unescaped: Vec<u8> = header.iter().filter(|byte| **byte != b'\\').copied().collect();
    let decoded =
        percent_encoding::percent_decode(&unescaped).filter(|byte| !byte.is_ascii_whitespace());
    let decoded: Vec<u8> = decoded.collect();
    let text = String::from_utf8_lossy(&decoded);
    text.contains(&STANDARD.encode(ANN)) || text.to_ascii_lowercase().contains(&hex(&ANN))
}

fn hex(der: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, der);
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn client_cert(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    format!("-----BEGIN%20CERTIFICATE-----%0A{base64}%0A-----END%20CERTIFICATE-----%0A")
}

/// Returns an element as Envoy writes it.
fn envoy_of(der: &[u8]) -> String {
    format!(
        "By=spiffe://acme/api;Hash={};Cert=\"{}\";Subject=\"CN=a\\\"b,O=c\"",
        hex(der),
        pem(der)
    )
}

fn seeds() -> Vec<Vec<u8>> {
    let (ann, ben) = (envoy_of(&ANN), envoy_of(&BEN));
    [
        client_cert(&ANN),
        client_cert(&BEN),
        "::".to_owned(),
        format!("\n{ann}"),
        format!("\n{ben},{ann}"),
        format!("\n{ann},{ben}"),
        format!("\nHash={}", hex(&ANN)),
        format!("\nHash={}", hex(&ANN).to_uppercase()),
        format!("\nCert=\"{}{}\"", pem(&ANN), pem(&BEN)),
        format!("\nCert=\"{}\"", pem(&ANN).replace("%0A", "%20")),
        format!("\nHash={};Cert=\"{}\"", hex(&BEN), pem(&ANN)),
        format!("\nHash={};Hash={}", hex(&ANN), hex(&ANN)),
        "\nHash=;Cert=".to_owned(),
        format!("{}\n{ann}", client_cert(&ANN)),
        format!("{}\n{ann}", client_cert(&BEN)),
    ]
    .map(String::into_bytes)
    .into()
}
