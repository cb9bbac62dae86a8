//! `Client-Cert` (RFC 9440) and `X-Forwarded-Client-Cert`: what is read as a certificate.
use crate::common::client_certificate::{
    ANN, BEN, MISMATCH, PROXY, assert_refused, behind_a_proxy, bound, client_cert, envoy, escaped,
    hash, pem, pem_with, request,
};
use auth0_testing::Tenant;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};

#[tokio::test]
async fn client_cert_is_one_byte_sequence() {
    let unpadded = STANDARD_NO_PAD.encode(ANN);
    let trailing_bits = format!("{}B==", &STANDARD.encode(ANN).strip_suffix("A==").unwrap());
    for (name, value, accepted) in [
        ("as RFC 9440 has it", client_cert(&ANN), true),
        ("with space around", format!(" {}\t", client_cert(&ANN)), true),
        ("without padding", format!(":{unpadded}:"), true),
        ("with bits after the end", format!(":{trailing_bits}:"), true),
        ("of another client", client_cert(BEN), false),
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
async fn of_x_forwarded_client_cert_the_last_element_counts() {
    let (pem, hash_of_ann, hash_of_ben) = (pem(&ANN), hash(&ANN), hash(BEN));
    let cert = |pem: &str| format!("Cert=\"{}\"", escaped(pem));
    let (ann, ben) = (format!("Hash={hash_of_ann}"), format!("Hash={hash_of_ben}"));
    let rows = [
        ("a hash", ann.clone(), true),
        ("a hash in upper case", format!("hash={}", hash_of_ann.to_uppercase()), true),
        ("a hash in quotes", format!("HASH=\"{hash_of_ann}\""), true),
        ("a certificate", cert(&pem), true),
        ("its name in lower case", cert(&pem).replace("Cert", "cert"), true),
        ("CR LF", cert(&pem_with(&ANN, "\r\n")), true),
        ("CR", cert(&pem_with(&ANN, "\r")), true),
        ("tabs", cert(&pem_with(&ANN, "\n\t")), true),
        ("one line", cert(&pem_with(&ANN, " ")), true),
        ("no line ends", cert(&pem_with(&ANN, "")), true),
        ("not percent-encoded", format!("Cert=\"{}\"", pem_with(&ANN, " ")), true),
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
        ("all that Envoy writes", envoy(&ANN), true),
        ("all that Envoy writes of another", envoy(BEN), false),
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
        ("no certificate, as nginx writes it", "Cert=\"\"".into(), false),
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
        // What a client can try where a proxy appends its element to the header that was sent.
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
async fn headers_must_not_contradict_each_other() {
    let (standard, envoy) = ("client-cert", "x-forwarded-client-cert");
    let hash = |der: &[u8]| format!("Hash={}", hash(der));
    for (name, headers, accepted) in [
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
        check(name, &headers, accepted).await;
    }
}

/// Asserts whether the token of Ann is accepted with these headers of a trusted proxy, under both schemes.
async fn check(name: &str, headers: &[(&'static str, String)], accepted: bool) {
    let tenant = Tenant::new();
    let auth = behind_a_proxy(&tenant);
    for scheme in ["DPoP", "Bearer"] {
        let request = request(scheme, &bound(&tenant)).from(PROXY);
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.with(name, value.as_str()));
        let verdict = request.authenticate(&auth).await;
        if accepted {
            assert!(verdict.is_ok(), "{name}: {verdict:?}");
        } else {
            assert_refused(name, verdict, scheme, MISMATCH);
        }
    }
}
