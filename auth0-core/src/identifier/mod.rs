//! Identifiers that are parsed once: domains, issuers, audiences, resources.
mod audience;
mod domain;
mod issuer;
mod placeholder;
mod plain_http;
mod resource;

pub use audience::Audience;
pub use domain::Domain;
pub use issuer::Issuer;
pub use issuer::is_loopback;
pub(crate) use placeholder::{is_placeholder, without_user_information};
pub use plain_http::PlainHttp;
pub(crate) use resource::Resource;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn domains_as_people_paste_them() {
        for text in [
            "acme.eu.auth0.com",
            "https://acme.eu.auth0.com/",
            "https://acme.eu.auth0.com",
            "HTTPS://ACME.EU.AUTH0.COM/",
            "\tacme.eu.auth0.com\n",
        ] {
            assert_eq!(text.parse::<Domain>().unwrap().as_str(), "acme.eu.auth0.com", "{text:?}");
        }
        for (text, sentence) in [
            ("", "is empty"),
            ("  ", "is empty"),
            ("YOUR_DOMAIN", "placeholder"),
            ("{yourDomain}", "placeholder"),
            ("your_auth0_domain", "placeholder"),
            ("https://{yourDomain}/", "placeholder"),
            ("<tenant>.auth0.com", "placeholder"),
            ("your-tenant.auth0.com", "placeholder"),
            ("yourdomain.auth0.com", "placeholder"),
            ("http://acme.auth0.com", "http://"),
            ("acme.auth0.com/path", "path"),
            ("acme.auth0.com//", "path"),
            ("https://acme.auth0.com/?x", "query"),
            ("acme.auth0.com#x", "fragment"),
            ("user:secret@acme.auth0.com", "user information"),
            ("acme.auth0.com:443", "port"),
            ("acme", "full domain"),
            ("localhost", "full domain"),
            ("127.0.0.1", "full domain"),
            ("acme.0x", "full domain"),
            ("acme.0x7F", "full domain"),
            ("ac me.auth0.com", "host name"),
            ("acme..com", "host name"),
            ("-acme.com", "host name"),
            ("acme.com.", "host name"),
            ("äcme.com", "xn--"),
        ] {
            let error = text.parse::<Domain>().unwrap_err().to_string();
            assert!(error.contains(sentence), "{text:?}: {error}");
            assert!(error.contains("acme.eu.auth0.com"), "says what to write: {error}");
        }
    }

    #[test]
    fn audiences_are_any_text_but_a_placeholder() {
        for text in ["urn:your_orders", "https://api.acme.com", "a{b}", "price<5", "messages"] {
            assert_eq!(text.parse::<Audience>().unwrap().as_str(), text);
        }
        for text in [
            "YOUR_API_IDENTIFIER",
            "your_api",
            "{yourApiIdentifier}",
            "<audience>",
            "$AUDIENCE",
            " ",
        ] {
            text.parse::<Audience>().unwrap_err();
        }
    }

    #[test]
    fn issuers() {
        for (text, expected) in [
            ("https://acme.eu.auth0.com/", "https://acme.eu.auth0.com/"),
            ("https://acme.eu.auth0.com", "https://acme.eu.auth0.com/"),
            ("HTTPS://Login.Acme.com/", "https://login.acme.com/"),
            ("https://accounts.google.com", "https://accounts.google.com"),
            ("https://id.acme.com/realms/one", "https://id.acme.com/realms/one"),
            ("https://id.acme.com:8443/", "https://id.acme.com:8443/"),
            ("http://localhost:4400/", "http://localhost:4400/"),
            ("http://127.0.0.1:4400/", "http://127.0.0.1:4400/"),
            ("http://[::1]:4400/", "http://[::1]:4400/"),
            ("https://Acme.com:443/", "https://acme.com:443/"),
            ("https://acme.com:443", "https://acme.com:443"),
            ("https://acme.com:443/am/Alpha", "https://acme.com:443/am/Alpha"),
            ("http://localhost:80/a", "http://localhost:80/a"),
        ] {
            assert_eq!(text.parse::<Issuer>().unwrap().as_str(), expected, "{text}");
        }
        for (text, sentence) in [
            ("", "is empty"),
            ("acme.eu.auth0.com", "not a URL"),
            ("ftp://acme.com/", "neither https nor http"),
            ("http://acme.com/", "loopback only"),
            ("http://127.0.0.1.evil.com/", "loopback only"),
            ("http://localhost.evil.com/", "loopback only"),
            ("https://user:secret@acme.com/", "user information"),
            ("https://acme.com/?a", "query"),
            ("https://acme.com/#a", "fragment"),
            ("https://acme.com/a/../b", "normal form"),
            ("https://acme.com:0443/", "normal form"),
            ("https://acme.eu.auth0.com:443/", "normal form"),
            ("https://YOUR_DOMAIN/", "placeholder"),
        ] {
            let error = text.parse::<Issuer>().unwrap_err().to_string();
            assert!(error.contains(sentence), "{text:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn metadata_is_found_below_the_path() {
        for (issuer, expected) in [
            ("https://acme.com/", "https://acme.com/.well-known/openid-configuration"),
            ("https://acme.com/r/one", "https://acme.com/r/one/.well-known/openid-configuration"),
        ] {
            assert_eq!(issuer.parse::<Issuer>().unwrap().metadata_url(), expected);
        }
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(text in any::<String>(), name in "[A-Za-z0-9.-]{1,30}") {
            for text in [text, name] {
                if let Ok(domain) = text.parse::<Domain>() {
                    prop_assert_eq!(&domain.as_str().parse::<Domain>().unwrap(), &domain);
                    prop_assert_eq!(domain.issuer().as_str().parse::<Issuer>().unwrap(), domain.issuer());
                }
                if let Ok(issuer) = text.parse::<Issuer>() {
                    prop_assert_eq!(issuer.as_str().parse::<Issuer>().unwrap(), issuer);
                }
                let _ = text.parse::<Audience>();
            }
        }
    }
}
