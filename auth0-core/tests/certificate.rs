//! Tokens that are bound to a certificate (RFC 8705 §3): where the certificate of a client is taken
//! from, and which check the token decides on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice)]
use auth0_core::{
    Auth0, Connection, Dpop, Error, ErrorCode, FieldLines, HttpParts, RequestView,
    testing::{Tenant, TokenBuilder},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{cell::LazyCell, net::IpAddr};
use tokio::runtime::Runtime;

/// What the test kit takes for a certificate: nobody parses it. Its base64 ends in `==`, and has every
/// character that is percent-encoded.
const ANN: [u8; 256] = {
    let mut der = [0; 256];
    let mut place = 0;
    while place < 256 {
        der[place] = 255 - place as u8;
        place += 1;
    }
    der
};
const BEN: &[u8] = b"0\x82\x01\x0a of somebody else";

const PROXY: &str = "10.0.0.7";
const CLIENT: &str = "203.0.113.9";
const URL: &str = "https://api.tenant.test/me";

/// A request for `GET /me`, as a server would hand it on.
#[derive(Clone, Default)]
struct Request {
    authorization: Vec<u8>,
    connection: Connection,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl HttpParts for Request {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/me"
    }

    fn scheme(&self) -> Option<&str> {
        Some("https")
    }

    fn authority(&self) -> Option<&str> {
        Some("api.tenant.test")
    }

    fn field(&self, name: &str) -> FieldLines<'_> {
        FieldLines::of(self.lines(name))
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}

impl Request {
    fn new(scheme: &str, token: &TokenBuilder) -> Self {
        let authorization = format!("{scheme} {}", token.mint()).into_bytes();
        let connection = Connection::new().peer(CLIENT.parse().unwrap()).tls(true);
        Self { authorization, connection, fields: Vec::new() }
    }

    /// The certificate on the connection.
    fn shows(mut self, der: &[u8]) -> Self {
        self.connection = self.connection.client_certificate(der);
        self
    }

    fn from(mut self, peer: &str) -> Self {
        self.connection = self.connection.peer(peer.parse().unwrap());
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    fn with_all(mut self, fields: &[(&'static str, String)]) -> Self {
        self.fields.extend(fields.iter().map(|(name, value)| (*name, value.clone().into_bytes())));
        self
    }

    fn lines<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(known, _)| *known == name).map(|(_, value)| &**value)
    }

    async fn judge(&self, auth: &Auth0) -> Result<(), Error> {
        let view = RequestView::new()
            .authorization([&*self.authorization])
            .proof(self.lines("dpop"))
            .parts(self);
        auth.authenticate(&view).await.map(drop)
    }
}

/// A verifier that trusts the proxy.
fn behind_a_proxy(tenant: &Tenant) -> Auth0 {
    tenant.builder().trusted_proxies([PROXY]).build().unwrap()
}

fn bound(tenant: &Tenant) -> TokenBuilder {
    tenant.token().bound_to_certificate(&ANN)
}

/// Status, code, and that the error stands on the line of the scheme that the client used.
#[track_caller]
fn assert_refused(name: &str, verdict: Result<(), Error>, scheme: &str, code: ErrorCode) {
    let error = verdict.expect_err(name);
    assert_eq!(error.code(), code, "{name}");
    let (status, oauth) = match code {
        ErrorCode::TokenBindingMismatch => (401, "invalid_token"),
        ErrorCode::DpopProofMissing | ErrorCode::DpopProofInvalid => (401, "invalid_dpop_proof"),
        _ => (400, "invalid_request"),
    };
    let challenge = error.challenge();
    assert_eq!(challenge.status(), status, "{name}");
    let lines: Vec<&str> = challenge
        .headers()
        .filter(|(name, value)| *name == "www-authenticate" && value.contains("error="))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(lines.len(), 1, "{name}: {lines:?}");
    assert!(lines[0].starts_with(&format!("{scheme} error=\"{oauth}\"")), "{name}: {lines:?}");
    let body = std::str::from_utf8(challenge.body()).unwrap();
    assert!(body.contains(&format!(r#""error_code":"{}""#, code.as_str())), "{name}: {body}");
}

const MISMATCH: ErrorCode = ErrorCode::TokenBindingMismatch;

#[tokio::test]
async fn the_certificate_of_the_connection_counts_in_every_mode() {
    let tenant = Tenant::new();
    for (mode, schemes) in [
        (Dpop::allowed(), &["DPoP", "Bearer", "dpop", "BEARER"][..]),
        (Dpop::required(), &["DPoP"]),
        (Dpop::disabled(), &["Bearer"]),
    ] {
        let auth = tenant.builder().dpop(mode).build().unwrap();
        for scheme in schemes {
            let used = if scheme.eq_ignore_ascii_case("dpop") { "DPoP" } else { "Bearer" };
            let request = Request::new(scheme, &bound(&tenant));
            assert!(request.clone().shows(&ANN).judge(&auth).await.is_ok(), "{scheme}");
            // What was verified before is judged again.
            for _ in 0..2 {
                let verdict = request.judge(&auth).await;
                assert_refused("none", verdict, used, MISMATCH);
                let verdict = request.clone().shows(BEN).judge(&auth).await;
                assert_refused("another", verdict, used, MISMATCH);
            }
            assert!(request.shows(&ANN).judge(&auth).await.is_ok(), "{scheme}");
        }
    }
}

#[tokio::test]
async fn a_scheme_that_is_not_enabled_stays_so() {
    let tenant = Tenant::new();
    for (mode, scheme) in [(Dpop::required(), "Bearer"), (Dpop::disabled(), "DPoP")] {
        let auth = tenant.builder().dpop(mode).build().unwrap();
        let request = Request::new(scheme, &bound(&tenant)).shows(&ANN);
        let error = request.judge(&auth).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SchemeUnsupported, "{scheme}");
    }
}

#[tokio::test]
async fn a_token_alone_shows_no_certificate() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = bound(&tenant).mint();
    assert_eq!(auth.verify(&token).await.unwrap_err().code(), MISMATCH);
    let field = format!("Bearer {token}");
    let view = RequestView::new().authorization([field.as_bytes()]);
    assert_eq!(auth.authenticate(&view).await.unwrap_err().code(), MISMATCH);
}

#[tokio::test]
async fn a_token_without_a_binding_needs_no_certificate() {
    let tenant = Tenant::new();
    let auth = behind_a_proxy(&tenant);
    let request = Request::new("Bearer", &tenant.token());
    assert!(request.judge(&auth).await.is_ok());
    assert!(request.clone().shows(BEN).judge(&auth).await.is_ok());
    assert!(request.from(PROXY).with("client-cert", "nonsense").judge(&auth).await.is_ok());
}

#[tokio::test]
async fn only_trusted_peers_speak_for_clients() {
    let tenant = Tenant::new();
    let networks = ["10.0.0.7", "192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.0/120"];
    let auth = tenant.builder().trusted_proxies(networks).build().unwrap();
    let nobody = tenant.auth0();
    let request = Request::new("DPoP", &bound(&tenant));
    for (peer, trusted) in [
        ("10.0.0.7", true),
        ("::ffff:10.0.0.7", true),
        ("10.0.0.8", false),
        ("192.0.2.0", true),
        ("192.0.2.255", true),
        ("::ffff:192.0.2.77", true),
        ("192.0.3.0", false),
        ("2001:db8:ffff::1", true),
        ("2001:db9::1", false),
        ("198.51.100.3", true),
        ("::ffff:198.51.100.3", true),
        ("198.51.101.3", false),
        ("127.0.0.1", false),
    ] {
        for (name, value) in told(&ANN) {
            let request = request.clone().from(peer);
            let verdict = request.clone().with(name, value.clone()).judge(&auth).await;
            if trusted {
                assert!(verdict.is_ok(), "{peer} {name}");
            } else {
                assert_refused(peer, verdict, "DPoP", MISMATCH);
            }
            // Nothing that they write takes the place of the connection's own.
            let other = told(BEN).swap_remove(0);
            let verdict = request.clone().shows(&ANN).with(other.0, other.1).judge(&auth).await;
            assert_eq!(verdict.is_ok(), !trusted, "{peer} {name}, and one on the connection");
            // What a proxy shows on its own connection is not its clients'.
            assert_eq!(request.clone().shows(&ANN).judge(&auth).await.is_ok(), !trusted, "{peer}");
            let verdict = request.with(name, value).judge(&nobody).await;
            assert_refused(peer, verdict, "DPoP", MISMATCH);
        }
    }
    // Where the peer is not known, it is nobody's.
    for (name, value) in told(&ANN) {
        let mut request = request.clone().with(name, value);
        request.connection = Connection::new().tls(true);
        assert_refused("unknown", request.judge(&auth).await, "DPoP", MISMATCH);
    }
}

/// The two fields, as a proxy writes them.
fn told(der: &[u8]) -> Vec<(&'static str, String)> {
    vec![
        ("client-cert", client_cert(der)),
        ("x-forwarded-client-cert", format!("Cert=\"{}\"", escaped(&pem(der)))),
        ("x-forwarded-client-cert", format!("Hash={}", hash(der))),
        ("x-forwarded-client-cert", envoy(der)),
    ]
}

fn client_cert(der: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(der))
}

/// As Envoy's `set_current_client_cert_details` has it, with everything turned on.
fn envoy(der: &[u8]) -> String {
    format!(
        "By=spiffe://acme/api;Hash={};Cert=\"{}\";Chain=\"{}\";Subject=\"CN=Ann \\\"A\\\",O=Acme\\, \
         Inc\";URI=spiffe://acme/ann;DNS=ann.acme.com;DNS=www.acme.com",
        hash(der),
        escaped(&pem(der)),
        escaped(&pem(BEN)),
    )
}

fn pem(der: &[u8]) -> String {
    lines(der, "\n")
}

fn lines(der: &[u8], end: &str) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN CERTIFICATE-----{end}");
    for line in base64.as_bytes().chunks(64) {
        text += std::str::from_utf8(line).unwrap();
        text += end;
    }
    text + "-----END CERTIFICATE-----" + end
}

/// As nginx has it in `$ssl_client_escaped_cert`.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn hash(der: &[u8]) -> String {
    use aws_lc_rs::digest::{SHA256, digest};
    digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn client_cert_is_one_byte_sequence() {
    let unpadded = STANDARD_NO_PAD.encode(ANN);
    let trailing_bits = format!("{}B==", &STANDARD.encode(ANN).strip_suffix("A==").unwrap());
    for (name, value, accepted) in [
        ("as it is meant", client_cert(&ANN), true),
        ("with space around", format!(" {}\t", client_cert(&ANN)), true),
        ("without padding", format!(":{unpadded}:"), true),
        ("with bits after the end", format!(":{trailing_bits}:"), true),
        ("of somebody else", client_cert(BEN), false),
        ("a byte short", client_cert(&ANN[1..]), false),
        ("a byte long", client_cert(&[&ANN[..], &[0]].concat()), false),
        ("empty", String::new(), false),
        ("blank", " ".into(), false),
        ("an empty sequence", "::".into(), false),
        ("a colon", ":".into(), false),
        ("no colons", STANDARD.encode(ANN), false),
        ("one colon", format!(":{}", STANDARD.encode(ANN)), false),
        ("quoted", format!("\"{}\"", client_cert(&ANN)), false),
        ("a parameter", format!("{};a=1", client_cert(&ANN)), false),
        ("a list", format!("{0}, {0}", client_cert(&ANN)), false),
        ("two sequences", format!("{0}{0}", client_cert(&ANN)), false),
        ("base64url", client_cert(&ANN).replace('/', "_").replace('+', "-"), false),
        ("percent-encoded", escaped(&client_cert(&ANN)), false),
        ("a space within", format!(":{} :", STANDARD.encode(ANN)), false),
        ("a line within", client_cert(&ANN).replacen('/', "/\r\n", 1), false),
        ("PEM", format!(":{}:", pem(&ANN)), false),
        ("the hash", format!(":{}:", hash(&ANN)), false),
    ] {
        check(name, &[("client-cert", value)], accepted).await;
    }
}

#[tokio::test]
async fn forwarded_client_cert_is_the_last_element() {
    let (pem, hash_of_ann, hash_of_ben) = (pem(&ANN), hash(&ANN), hash(BEN));
    let cert = |pem: &str| format!("Cert=\"{}\"", escaped(pem));
    let (ann, ben) = (format!("Hash={hash_of_ann}"), format!("Hash={hash_of_ben}"));
    let rows = [
        ("a hash", ann.clone(), true),
        ("a hash in upper case", format!("hash={}", hash_of_ann.to_uppercase()), true),
        ("a hash in quotes", format!("HASH=\"{hash_of_ann}\""), true),
        ("a certificate", cert(&pem), true),
        ("its name in lower case", cert(&pem).replace("Cert", "cert"), true),
        ("CR LF", cert(&lines(&ANN, "\r\n")), true),
        ("CR", cert(&lines(&ANN, "\r")), true),
        ("tabs", cert(&lines(&ANN, "\n\t")), true),
        ("one line", cert(&lines(&ANN, " ")), true),
        ("no line ends", cert(&lines(&ANN, "")), true),
        ("not percent-encoded", format!("Cert=\"{}\"", lines(&ANN, " ")), true),
        ("not in quotes", format!("Cert={}", escaped(&pem)), true),
        ("lower-case triplets", cert(&pem).replace("%2B", "%2b").replace("%3D", "%3d"), true),
        (
            "with + / = as they are, as of AWS",
            cert(&pem).replace("%2B", "+").replace("%2F", "/").replace("%3D", "="),
            true,
        ),
        ("text before it", cert(&format!("subject=ann\n{pem}")), false),
        ("text after it", cert(&format!("{pem}subject=ann")), false),
        ("blank", cert(" \n"), false),
        ("two, joined with a comma", cert(&format!("{pem}, {pem}")), false),
        ("a chain, joined with a comma", cert(&format!("{pem}{pem}, {pem}")), false),
        ("a chain, ours first", cert(&(pem.clone() + &self::pem(BEN))), true),
        ("a chain, ours last", cert(&(self::pem(BEN) + &pem)), false),
        ("all that Envoy tells", envoy(&ANN), true),
        ("all that Envoy tells of another", envoy(BEN), false),
        ("both, and equal", format!("{ann};{}", cert(&pem)), true),
        ("both, the hash another's", format!("{ben};{}", cert(&pem)), false),
        ("both, the certificate another's", format!("{ann};{}", cert(&self::pem(BEN))), false),
        ("both, the certificate empty", format!("{ann};Cert=\"\""), false),
        ("both, the hash empty", format!("Hash=;{}", cert(&pem)), false),
        ("twice", format!("{ann};{ann}"), false),
        ("two hashes", format!("{ben};{ann}"), false),
        ("two certificates", format!("{};{}", cert(&self::pem(BEN)), cert(&pem)), false),
        ("empty ones first", format!("Hash=;{ann}"), false),
        ("the last of two", format!("{ben},{ann}"), true),
        ("the last of three", format!("{ben}, {ben} , {ann}"), true),
        ("the first of two", format!("{ann},{ben}"), false),
        ("nothing after the comma", format!("{ann},"), false),
        ("only a comma", ",".into(), false),
        ("empty", String::new(), false),
        ("no certificate, as nginx tells it", "Cert=\"\"".into(), false),
        ("no certificate, without quotes", "Cert=;Hash=".into(), false),
        ("only other names", "By=spiffe://acme/api;Subject=\"CN=Ann\"".into(), false),
        ("in the Chain only", format!("Chain=\"{}\"", escaped(&pem)), false),
        ("no name", hash_of_ann.clone(), false),
        ("a name in quotes", format!("\"Hash\"={hash_of_ann}"), false),
        ("a space in the name", format!("Ha sh={hash_of_ann}"), false),
        ("a hash that is too short", format!("Hash={}", &hash_of_ann[2..]), false),
        ("a hash that is too long", format!("Hash={hash_of_ann}00"), false),
        ("a sign in the hash", format!("Hash=+{}", &hash_of_ann[1..]), false),
        (
            "colons in the hash",
            format!("Hash={}:{}", &hash_of_ann[..32], &hash_of_ann[32..]),
            false,
        ),
        ("a hash in base64", format!("Hash=\"{}\"", STANDARD.encode(&hash_of_ann)), false),
        ("a bad triplet", cert(&pem).replacen("%0A", "%0G", 1), false),
        ("half a triplet", cert(&pem).replacen("%0A", "%", 1), false),
        ("not UTF-8 when decoded", cert(&pem).replacen("%0A", "%FF", 1), false),
        ("encoded twice", format!("Cert=\"{}\"", escaped(&escaped(&pem))), false),
        ("no END", cert(&pem).replace("END", "BEGIN"), false),
        ("another label", cert(&pem.replace("CERTIFICATE", "PUBLIC KEY")), false),
        ("a trusted certificate of OpenSSL's", cert(&pem.replace("BEGIN", "BEGIN TRUSTED")), false),
        ("a null within", cert(&pem.replacen('\n', "\n\0", 1)), false),
        ("an empty PEM", cert("-----BEGIN CERTIFICATE----------END CERTIFICATE-----"), false),
        ("DER in base64", format!("Cert=\"{}\"", escaped(&STANDARD.encode(ANN))), false),
        // What a client can do where a proxy appends its element to the field that was sent.
        ("a quotation mark left open", format!("{ann};Subject=\",{ben}"), false),
        ("closed by the proxy's", format!("{ann};Subject=\",{ben};Subject=\"CN=a\\\"\""), false),
        ("opened with an escape", format!("{ann};Subject=\"\\,{ben};Subject=\"CN=a\\\"\""), false),
        ("a quotation mark within a value", format!("{ann};a=b\",{ben};Subject=\"CN=a\""), false),
        ("a name without a value", format!("{ann};a,{ben}"), false),
    ];
    for (name, value, accepted) in rows {
        check(name, &[("x-forwarded-client-cert", value)], accepted).await;
    }
}

#[tokio::test]
async fn fields_must_not_contradict_each_other() {
    let (standard, envoy) = ("client-cert", "x-forwarded-client-cert");
    let hash = |der: &[u8]| format!("Hash={}", hash(der));
    for (name, fields, accepted) in [
        ("neither", vec![], false),
        ("both", vec![(standard, client_cert(&ANN)), (envoy, hash(&ANN))], true),
        ("another in the one", vec![(standard, client_cert(BEN)), (envoy, hash(&ANN))], false),
        ("another in the other", vec![(standard, client_cert(&ANN)), (envoy, hash(BEN))], false),
        ("none in the one", vec![(standard, "::".into()), (envoy, hash(&ANN))], false),
        ("the one empty", vec![(standard, String::new()), (envoy, hash(&ANN))], false),
        (
            "none in the other",
            vec![(standard, client_cert(&ANN)), (envoy, "Cert=\"\"".into())],
            false,
        ),
        ("the other empty", vec![(standard, client_cert(&ANN)), (envoy, String::new())], false),
        ("the one malformed", vec![(standard, "x".into()), (envoy, hash(&ANN))], false),
        ("the other malformed", vec![(standard, client_cert(&ANN)), (envoy, "x".into())], false),
        ("two lines", vec![(standard, client_cert(&ANN)), (standard, client_cert(&ANN))], false),
        ("two lines of the other", vec![(envoy, hash(BEN)), (envoy, hash(&ANN))], false),
        ("one line empty", vec![(standard, String::new()), (standard, client_cert(&ANN))], false),
        (
            "two lines, and the other",
            vec![(standard, client_cert(&ANN)), (envoy, hash(&ANN)), (envoy, hash(&ANN))],
            false,
        ),
    ] {
        check(name, &fields, accepted).await;
    }
}

/// Whether ANN's token is accepted with these fields of a trusted proxy, under both schemes.
async fn check(name: &str, fields: &[(&'static str, String)], accepted: bool) {
    let tenant = Tenant::new();
    let auth = behind_a_proxy(&tenant);
    for scheme in ["DPoP", "Bearer"] {
        let request = Request::new(scheme, &bound(&tenant)).from(PROXY).with_all(fields);
        let verdict = request.judge(&auth).await;
        if accepted {
            assert!(verdict.is_ok(), "{name}: {verdict:?}");
        } else {
            assert_refused(name, verdict, scheme, MISMATCH);
        }
    }
}

#[tokio::test]
async fn every_member_that_is_known_is_enforced() {
    let tenant = Tenant::new();
    let auth = behind_a_proxy(&tenant);
    let both = bound(&tenant).bound_to(&tenant.client_key());
    let token = both.mint();
    let good = || tenant.proof("GET", URL).for_token(&token).mint();
    let of_another = || tenant.proof("POST", URL).for_token(&token).mint();

    // On the connection, and through the proxy.
    for (peer, shown) in [(CLIENT, true), (PROXY, false)] {
        let with = |der: Option<&[u8]>, proof: Option<String>| {
            let mut request = Request::new("DPoP", &both).from(peer);
            if let Some(der) = der {
                request = match shown {
                    true => request.shows(der),
                    false => request.with("client-cert", client_cert(der)),
                };
            }
            match proof {
                Some(proof) => request.with("dpop", proof),
                None => request,
            }
        };
        assert!(with(Some(&ANN), Some(good())).judge(&auth).await.is_ok(), "{peer}");
        for (name, request, code) in [
            ("good proof, no certificate", with(None, Some(good())), MISMATCH),
            ("good proof, another certificate", with(Some(BEN), Some(good())), MISMATCH),
            ("certificate, no proof", with(Some(&ANN), None), ErrorCode::DpopProofMissing),
            (
                "certificate, bad proof",
                with(Some(&ANN), Some(of_another())),
                ErrorCode::DpopProofInvalid,
            ),
            ("neither", with(None, None), ErrorCode::DpopProofMissing),
            ("both bad", with(Some(BEN), Some(of_another())), MISMATCH),
        ] {
            assert_refused(name, request.judge(&auth).await, "DPoP", code);
        }
        let mut request = with(Some(&ANN), Some(good()));
        request.authorization = format!("Bearer {token}").into_bytes();
        assert_refused("as Bearer", request.judge(&auth).await, "Bearer", MISMATCH);
    }
}

#[tokio::test]
async fn a_proof_that_was_refused_for_its_certificate_is_not_used_up() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let both = bound(&tenant).bound_to(&tenant.client_key());
    let proof = tenant.proof("GET", URL).for_token(&both.mint()).mint();
    let request = Request::new("DPoP", &both).with("dpop", proof);
    assert_refused("no certificate", request.judge(&auth).await, "DPoP", MISMATCH);
    assert!(request.clone().shows(&ANN).judge(&auth).await.is_ok());
    let error = request.shows(&ANN).judge(&auth).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofReplayed);
}

#[tokio::test]
async fn members_that_are_not_known_do_not_count() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let with = |members: Value| tenant.token().claim("cnf", members);
    let x5t = x5t(&ANN);
    for members in [
        json!({ "x5t#S256": x5t, "kid": "a", "jku": "https://evil.test" }),
        json!({ "x5t#S256": x5t, "x5t": "AAAA", "x5t#s256": "BBBB", "JKT": 1 }),
        json!({ "x5t#S256": x5t, "jwk": {}, "": null }),
    ] {
        let request = Request::new("DPoP", &with(members));
        assert_refused("without", request.judge(&auth).await, "DPoP", MISMATCH);
        assert!(request.shows(&ANN).judge(&auth).await.is_ok());
    }
    // Nothing in them that is known: anybody's.
    for members in [json!({}), json!({ "x5t": x5t }), json!({ "x5t#s256": x5t })] {
        assert!(Request::new("Bearer", &with(members)).judge(&auth).await.is_ok());
    }
}

#[tokio::test]
async fn a_member_that_is_no_thumbprint_fits_no_certificate() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let x5t = x5t(&ANN);
    for member in [
        json!(null),
        json!(""),
        json!(1),
        json!([x5t]),
        json!(hash(&ANN)),
        json!(format!("{x5t}=")),
        json!(format!(" {x5t}")),
        json!(&x5t[1..]),
        json!(STANDARD.encode(hash(&ANN))),
    ] {
        let token = tenant.token().claim("cnf", json!({ "x5t#S256": member }));
        for scheme in ["DPoP", "Bearer"] {
            let verdict = Request::new(scheme, &token).shows(&ANN).judge(&auth).await;
            assert_refused(&member.to_string(), verdict, scheme, MISMATCH);
        }
    }
    for member in [json!("x"), json!(null), json!([])] {
        let token = tenant.token().claim("cnf", member);
        let error = Request::new("DPoP", &token).shows(&ANN).judge(&auth).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClaimsInvalid);
    }
}

/// As it stands in a token.
fn x5t(der: &[u8]) -> String {
    let token = Tenant::new().token().bound_to_certificate(der).mint();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    payload["cnf"]["x5t#S256"].as_str().unwrap().to_owned()
}

#[test]
fn the_thumbprint_is_the_sha256_of_the_der() {
    let bytes: Vec<u8> = URL_SAFE_NO_PAD.decode(x5t(&ANN)).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, hash(&ANN));
}

#[tokio::test]
async fn a_proof_belongs_to_a_token_that_is_bound_to_a_key() {
    let tenant = Tenant::new();
    let token = bound(&tenant);
    let with_proof = |scheme| {
        let proof = tenant.proof("GET", URL).for_token(&token.mint()).mint();
        Request::new(scheme, &token).shows(&ANN).with("dpop", proof)
    };
    for mode in [Dpop::allowed(), Dpop::required()] {
        let auth = tenant.builder().dpop(mode).build().unwrap();
        assert_refused("DPoP", with_proof("DPoP").judge(&auth).await, "DPoP", MISMATCH);
    }
    let auth = tenant.auth0();
    let verdict = with_proof("Bearer").judge(&auth).await;
    assert_refused("Bearer", verdict, "Bearer", ErrorCode::RequestMalformed);
    // There the field is nobody's business.
    let auth = tenant.builder().dpop(Dpop::disabled()).build().unwrap();
    assert!(with_proof("Bearer").judge(&auth).await.is_ok());
}

struct Kit {
    runtime: Runtime,
    auth: Auth0,
    request: Request,
}

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tenant = Tenant::new();
        let auth = behind_a_proxy(&tenant);
        runtime.block_on(auth.warm_up()).unwrap();
        Kit { runtime, auth, request: Request::new("DPoP", &bound(&tenant)) }
    });
}

/// Bytes that are anything, and such as the parsers look for.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        ":",
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "%",
        "%0A",
        "%F",
        "Cert",
        "Hash",
        "Cert=\"",
        "Hash=",
        "-----BEGIN CERTIFICATE-----",
        "-----END CERTIFICATE-----",
        "QUJD",
        "ab",
        "\u{e9}",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn no_bytes_panic_or_pass_for_a_certificate(
        standard in prop::collection::vec(bytes(), 0..3),
        envoy in prop::collection::vec(bytes(), 0..3),
        peer in prop::sample::select(vec![PROXY, CLIENT]),
    ) {
        KIT.with(|kit| {
            let mut request = kit.request.clone().from(peer);
            for line in standard {
                request = request.with("client-cert", line);
            }
            for line in envoy {
                request = request.with("x-forwarded-client-cert", line);
            }
            let verdict = kit.runtime.block_on(request.judge(&kit.auth));
            prop_assert_eq!(verdict.unwrap_err().code(), MISMATCH);
            Ok(())
        })?;
    }

    /// Whatever a client sends before what a proxy appends: it never has another's certificate.
    #[test]
    fn appended_elements_cannot_be_reached_into(
        before in bytes(),
        subject in "([a-z]|\\\\\"|\\\\,|\\\\\\\\|[=;]){0,8}",
    ) {
        KIT.with(|kit| {
            let ours = format!("Hash={};Subject=\"CN={subject}\"", hash(BEN));
            let theirs = format!("Hash={}", hash(&ANN));
            let value = [theirs.as_bytes(), &*before, b",", ours.as_bytes()].concat();
            let request = kit.request.clone().from(PROXY).with("x-forwarded-client-cert", value);
            let verdict = kit.runtime.block_on(request.judge(&kit.auth));
            prop_assert_eq!(verdict.unwrap_err().code(), MISMATCH);
            Ok(())
        })?;
    }

    /// From others, the fields change nothing.
    #[test]
    fn untrusted_peers_are_not_listened_to(
        standard in bytes(),
        envoy in bytes(),
        peer in any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
    ) {
        prop_assume!(peer.to_string() != PROXY);
        KIT.with(|kit| {
            let request = kit.request.clone().from(&peer.to_string()).shows(&ANN);
            let request =
                request.with("client-cert", standard).with("x-forwarded-client-cert", envoy);
            prop_assert!(kit.runtime.block_on(request.judge(&kit.auth)).is_ok());
            Ok(())
        })?;
    }
}
