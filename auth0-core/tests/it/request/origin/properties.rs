//! Headers of any bytes.
use super::{CLIENT, FORWARDED, HOST, Kit, PROTO, PROXY, from};
use crate::common::cases;
use proptest::prelude::*;
use std::cell::LazyCell;

thread_local! {
    static KIT: LazyCell<Kit> = LazyCell::new(Kit::behind_a_proxy);
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn no_bytes_panic(forwarded in bytes(), proto in bytes(), host in bytes()) {
        KIT.with(|kit| {
            let request = from(PROXY)
                .with(FORWARDED, forwarded)
                .with(PROTO, proto)
                .with(HOST, host);
            kit.is_url(&request, "https://public.test/me");
        });
    }

    #[test]
    fn untrusted_peers_change_nothing(forwarded in bytes(), proto in bytes(), host in bytes()) {
        KIT.with(|kit| {
            let request = from(CLIENT)
                .with(FORWARDED, forwarded)
                .with(PROTO, proto)
                .with(HOST, host);
            prop_assert!(kit.is_url(&request, "http://api.test/me"));
            Ok(())
        })?;
    }

    /// The element that a proxy appends is read as a whole or not at all.
    #[test]
    fn an_appended_element_cannot_be_changed(
        before in bytes(),
        own in prop::sample::select(vec![
            "for=192.0.2.1;proto=https",
            "for=\"[2001:db8::9]\";proto=https",
            "proto=https;for=\"_gaz=onk\"",
            "by=\"10.0.0.7:80\";proto=https",
        ]),
    ) {
        KIT.with(|kit| {
            let value = [b"host=evil.test;", &*before, b", ", own.as_bytes()].concat();
            let request = from(PROXY).with(FORWARDED, value);
            for url in ["http://evil.test/me", "https://evil.test/me", "http://api.test/me"] {
                prop_assert!(!kit.is_url(&request, url));
            }
            Ok(())
        })?;
    }

    /// A proxy that overwrites its own headers may let others through. Those do not outrank its own:
    /// the URL is the one that the proxy wrote, or there is none.
    #[test]
    fn headers_that_a_proxy_lets_through_do_not_outrank_its_own(forwarded in bytes()) {
        KIT.with(|kit| {
            let request = from(PROXY)
                .with(FORWARDED, forwarded)
                .with(PROTO, "https")
                .with(HOST, "public.test");
            prop_assert!([None, Some("https://public.test/me")].contains(&kit.url_of(&request)));
            Ok(())
        })?;
    }
}

/// Any bytes, and those that the parsers look for.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "\t",
        ":",
        "[",
        "]",
        "%",
        "@",
        "for=",
        "for=\"",
        "proto=https",
        "host=evil.test",
        "host=\"",
        "https",
        "evil.test",
        "a",
        "\u{e9}",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..48),
        prop::collection::vec(pieces, 0..16).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}
