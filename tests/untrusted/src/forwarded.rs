//! What a proxy forwards about the URL of a request. Input: `Forwarded` (RFC 7239), `X-Forwarded-Proto`,
//! `X-Forwarded-Host` and `Host`, separated by `\n`; an empty line is an absent header.
use crate::{
    Target, Verdict,
    exchange::Exchange,
    parts, refusal,
    signer::sha256,
    world::{NOW, client_key, payload, token, verifier},
};
use auth0_core::{Auth0, ErrorCode, adapter::Connection};
use serde_json::json;
use std::cell::RefCell;

pub(crate) const TARGET: Target = Target {
    name: "forwarded",
    run,
    seeds,
    pieces: &[
        "\n",
        "\"",
        "\\",
        "\\\"",
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
        "for=\"[::1]\"",
        "proto=https",
        "PROTO=http",
        "host=evil.test",
        "host=public.test",
        "host=\"public.test\"",
        "host=\"",
        "by=_x",
        "https",
        "http",
        "HTTPS",
        "public.test",
        "evil.test",
        "evil.test:443",
        "a",
        "\u{e9}",
    ],
};

const PROXY: [u8; 4] = [10, 0, 0, 7];
const CLIENT: [u8; 4] = [192, 0, 2, 1];

/// The proofs that a verifier keeps before another one takes its place.
const WORN: u32 = 20_000;

struct Kit {
    auth: Auth0,
    token: String,
    proofs: u32,
}

impl Kit {
    fn new() -> Self {
        let bound = payload(json!({ "cnf": { "jkt": client_key().thumbprint() } }));
        let auth = verifier(|settings| settings.trusted_proxies(["10.0.0.7"]));
        Self { auth, token: token(&bound), proofs: 0 }
    }

    /// Returns whether the request was sent to this URL: whether a proof for it is accepted.
    fn is_url(&mut self, request: &Exchange<'_>, url: &str) -> Verdict {
        if self.proofs == WORN {
            *self = Self::new();
        }
        self.proofs += 1;
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": client_key().jwk() });
        let payload = json!({
            "htm": "POST", "htu": url, "iat": NOW, "jti": self.proofs.to_string(),
            "ath": sha256(self.token.as_bytes()),
        });
        let (header, payload) = (header.to_string(), payload.to_string());
        let proof = client_key().sign(header.as_bytes(), payload.as_bytes());
        let authorization = format!("DPoP {}", self.token);
        let request = request
            .clone()
            .with("authorization", authorization.as_bytes())
            .with("dpop", proof.as_bytes());
        request
            .authenticate(&self.auth)
            .map_err(|error| refusal::check(&error, &[ErrorCode::DpopProofInvalid]))
    }
}

thread_local! {
    static KIT: RefCell<Kit> = RefCell::new(Kit::new());
}

fn peer(address: [u8; 4]) -> Connection {
    Connection::new().peer(address.into())
}

fn run(input: &[u8]) -> Verdict {
    let parts = parts(input, b'\n');
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let (forwarded, proto, host) = (part(0), part(1), part(2));
    let from = |address| Exchange::default().from(peer(address));
    KIT.with_borrow_mut(|kit| {
        // From a client, the headers change nothing.
        let request = from(CLIENT)
            .with("host", b"api.test")
            .with("forwarded", forwarded)
            .with("x-forwarded-proto", proto)
            .with("x-forwarded-host", host);
        assert_eq!(kit.is_url(&request, "http://api.test/me"), Ok(()));
        assert!(kit.is_url(&request, "https://public.test/me").is_err());

        // What a client writes before the element of the proxy changes nothing in it.
        let appended =
            [b"host=evil.test;", forwarded, b", for=192.0.2.1;proto=https;host=public.test"]
                .concat();
        let request = from(PROXY).with("host", b"api.test").with("forwarded", &appended);
        for url in [
            "https://evil.test/me",
            "http://evil.test/me",
            "http://api.test/me",
            "https://api.test/me",
        ] {
            assert!(kit.is_url(&request, url).is_err(), "{url}");
        }

        // A header that the proxy lets through does not outrank those that it writes.
        let overwritten = from(PROXY)
            .with("host", b"api.test")
            .with("forwarded", forwarded)
            .with("x-forwarded-proto", b"https")
            .with("x-forwarded-host", b"public.test");
        for url in ["https://evil.test/me", "http://public.test/me", "https://api.test/me"] {
            assert!(kit.is_url(&overwritten, url).is_err(), "{url}");
        }

        // Simple values have one meaning; any other has one verdict.
        let request = from(PROXY)
            .with("forwarded", forwarded)
            .with("x-forwarded-proto", proto)
            .with("x-forwarded-host", host)
            .with("host", part(3));
        let verdict = kit.is_url(&request, "https://public.test/me");
        assert_eq!(kit.is_url(&request, "https://public.test/me"), verdict);
        if forwarded.is_empty() && is_name(host) && (proto == b"http" || proto == b"https") {
            let [proto, host] = [proto, host].map(String::from_utf8_lossy);
            assert_eq!(kit.is_url(&request, &format!("{proto}://{host}/me")), Ok(()));
        }
        if verdict.is_ok() {
            let all = [forwarded, b"\n", host, b"\n", part(3)].concat();
            assert!(contains(&all, b"public"), "the host comes from nowhere");
            let all = [forwarded, b"\n", proto].concat();
            assert!(contains(&all, b"https"), "the scheme comes from nowhere");
        }
        verdict
    })
}

fn is_name(host: &[u8]) -> bool {
    let is_label = |label: &[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_lowercase);
    host.split(|byte| *byte == b'.').all(is_label)
}

/// Returns whether a text contains a word, in any case and with any percent-encoding or escape.
fn contains(text: &[u8], word: &[u8]) -> bool {
    let text: Vec<u8> = text.iter().filter(|byte| **byte != b'\\').copied().collect();
    let decoded: Vec<u8> = percent_encoding::percent_decode(&text).collect();
    decoded.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "for=192.0.2.1;proto=https;host=public.test",
        "host=evil.test, for=\"[2001:db8::9]:80\";Proto=HTTPS;HOST=\"Public.test:443\"",
        "for=\"a\\\"b\\\\\";proto=https;host=public.test;by=_x",
        "proto=https\n\n\npublic.test",
        "\nhttps\npublic.test",
        "\nhttp\npublic.test",
        "\nHTTPS \n public.test\napi.test",
        "proto=https;host=public.test\nhttps\npublic.test\napi.test",
        "proto=https;host=public.test\nhttp\npublic.test",
        "proto=https;host=public.test\nhttps\nevil.test",
        "proto=https;proto=http;host=public.test",
        "proto=https;host=\"public.test",
        "proto=https;host=public.test,",
        "proto=ftp;host=public.test",
        "\nhttps, http\npublic.test, evil.test",
        "\nhttps\n[::1]:443",
        "\n\n\napi.test:99999",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
