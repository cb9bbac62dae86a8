//! Where the certificate of a client is taken from: the connection, or the headers of a trusted proxy.
mod headers;
mod properties;

use crate::common::client_certificate::{
    ANN, BEN, MISMATCH, assert_refused, bound, headers_of, request,
};
use auth0_core::adapter::Connection;
use auth0_testing::Tenant;

#[tokio::test]
async fn only_trusted_peers_hand_certificates_on() {
    let tenant = Tenant::new();
    let networks = ["10.0.0.7", "192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.0/120"];
    let auth = tenant.builder().trusted_proxies(networks).build().unwrap();
    let without_proxies = tenant.auth0();
    let request = request("DPoP", &bound(&tenant));
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
        for (name, value) in headers_of(&ANN) {
            let request = request.clone().from(peer);
            let verdict = request.clone().with(name, value.clone()).authenticate(&auth).await;
            if trusted {
                assert!(verdict.is_ok(), "{peer} {name}");
            } else {
                assert_refused(peer, verdict, "DPoP", MISMATCH);
            }
            // No header replaces the certificate of the connection.
            let other = headers_of(BEN).swap_remove(0);
            let verdict =
                request.clone().certificate(&ANN).with(other.0, other.1).authenticate(&auth).await;
            assert_eq!(verdict.is_ok(), !trusted, "{peer} {name}, and one on the connection");
            // The certificate of a proxy itself is not that of its clients.
            assert_eq!(
                request.clone().certificate(&ANN).authenticate(&auth).await.is_ok(),
                !trusted,
                "{peer}"
            );
            let verdict = request.with(name, value).authenticate(&without_proxies).await;
            assert_refused(peer, verdict, "DPoP", MISMATCH);
        }
    }
    // Without a known peer, no header counts.
    for (name, value) in headers_of(&ANN) {
        let request = request.clone().with(name, value).connection(Connection::new().tls(true));
        assert_refused("unknown", request.authenticate(&auth).await, "DPoP", MISMATCH);
    }
}
