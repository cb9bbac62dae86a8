//! What a proxy forwards: the certificate of the client, and the URL that it called.
use crate::client::{Mode, check};
use auth0_axum::testing::Tenant;
use wire_tests::{client::get, servers};

/// A token that is bound to a certificate (RFC 8705), which a proxy forwards, and a proof for the URL of
/// the request to the proxy. The request comes from a trusted proxy, and from another address.
#[tokio::test]
async fn what_a_proxy_forwards_counts_if_it_is_trusted() {
    let tenant = Tenant::new();
    let (own, other) = ("client-cert: :AQID:", "client-cert: :AQIE:");
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
        ("Bearer", "own", &certificate, vec![own], ["", mismatch]),
        ("DPoP", "own", &certificate, vec![own], ["", mismatch]),
        ("DPoP", "other", &certificate, vec![other], [mismatch, mismatch]),
        ("DPoP", "two", &certificate, vec![own, own], [mismatch, mismatch]),
        ("DPoP", "malformed", &certificate, vec!["client-cert: AQID"], [mismatch, mismatch]),
        ("DPoP", "both bound, no proof", &both, vec![own], ["dpop_proof_missing"; 2]),
        ("DPoP", "both", &both, vec![own, forwarded, "proof"], ["", mismatch]),
        ("DPoP", "both, other", &both, vec![other, forwarded, "proof"], [mismatch, mismatch]),
        ("DPoP", "both, URL", &both, vec![own, "proof"], ["dpop_proof_invalid", mismatch]),
        ("Bearer", "both, no proof", &both, vec![own], [mismatch, mismatch]),
    ];
    for (trusted, proxies) in [["127.0.0.1"], ["10.0.0.1"]].into_iter().enumerate() {
        let auth = || tenant.builder().trusted_proxies(proxies).build().unwrap();
        for (server, address) in servers::start(auth).await {
            for (scheme, name, token, headers, codes) in &rows {
                let case = format!("{server} {scheme}, {name}, trusted: {proxies:?}");
                let authorization = format!("{scheme} {token}");
                let proof = proof();
                let mut lines = vec![("authorization", authorization.as_bytes())];
                lines.extend(headers.iter().map(|header| match header.split_once(": ") {
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
