//! Headers of any bytes.
use crate::common::{
    Request, cases,
    client_certificate::{ANN, BEN, CLIENT, MISMATCH, PROXY, behind_a_proxy, bound, hash, request},
    runtime,
};
use auth0_core::Auth0;
use auth0_testing::Tenant;
use proptest::prelude::*;
use std::{cell::LazyCell, net::IpAddr};
use tokio::runtime::Runtime;

struct Kit {
    runtime: Runtime,
    auth: Auth0,
    request: Request,
}

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(|| {
        let runtime = runtime();
        let tenant = Tenant::new();
        let auth = behind_a_proxy(&tenant);
        runtime.block_on(auth.warm_up()).unwrap();
        Kit { runtime, auth, request: request("DPoP", &bound(&tenant)) }
    });
}

proptest! {
    #![proptest_config(cases(2048))]

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
            let verdict = kit.runtime.block_on(request.authenticate(&kit.auth));
            prop_assert_eq!(verdict.unwrap_err().code(), MISMATCH);
            Ok(())
        })?;
    }

    /// A client that sends elements before that of the proxy never gets the certificate of another client.
    #[test]
    fn an_appended_element_cannot_be_changed(
        before in bytes(),
        subject in "([a-z]|\\\\\"|\\\\,|\\\\\\\\|[=;]){0,8}",
    ) {
        KIT.with(|kit| {
            let ours = format!("Hash={};Subject=\"CN={subject}\"", hash(BEN));
            let theirs = format!("Hash={}", hash(&ANN));
            let value = [theirs.as_bytes(), &*before, b",", ours.as_bytes()].concat();
            let request = kit.request.clone().from(PROXY).with("x-forwarded-client-cert", value);
            let verdict = kit.runtime.block_on(request.authenticate(&kit.auth));
            prop_assert_eq!(verdict.unwrap_err().code(), MISMATCH);
            Ok(())
        })?;
    }

    /// From other peers, the headers change nothing.
    #[test]
    fn headers_of_untrusted_peers_are_ignored(
        standard in bytes(),
        envoy in bytes(),
        peer in any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
    ) {
        prop_assume!(peer.to_string() != PROXY);
        KIT.with(|kit| {
            let request = kit.request.clone().from(&peer.to_string()).certificate(&ANN);
            let request =
                request.with("client-cert", standard).with("x-forwarded-client-cert", envoy);
            prop_assert!(kit.runtime.block_on(request.authenticate(&kit.auth)).is_ok());
            Ok(())
        })?;
    }
}

/// Any bytes, and those that the parsers look for.
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
