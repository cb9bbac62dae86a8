//! Names that configuration files contain: each is parsed and deserialized by the same rules.
use auth0_core::{Algorithm, Audience, ConfigError, Domain, DpopMode, Issuer};
use serde::{Deserialize, de::DeserializeOwned};
use std::{fmt::Display, str::FromStr};

/// Checks that parsing and deserializing agree, and returns the value as text, or the sentence that refuses
/// it.
fn read<T>(text: &str) -> Result<String, String>
where
    T: FromStr<Err = ConfigError> + DeserializeOwned + Display + PartialEq,
{
    let parsed: Result<T, ConfigError> = text.parse();
    let deserialized: Result<T, _> = serde_json::from_value(text.into());
    match (parsed, deserialized) {
        (Ok(parsed), Ok(deserialized)) => {
            assert!(parsed == deserialized, "{text:?}");
            assert!(parsed.to_string().parse::<T>().is_ok_and(|again| again == parsed), "{text:?}");
            Ok(parsed.to_string())
        }
        (Err(refused), Err(also)) => {
            assert_eq!(also.to_string(), refused.to_string(), "{text:?}");
            Err(refused.to_string())
        }
        (parsed, deserialized) => {
            panic!("{text:?}: parsed {}, deserialized {}", parsed.is_ok(), deserialized.is_ok())
        }
    }
}

#[test]
fn good_names_are_read() {
    for (text, expected) in [
        ("acme.eu.auth0.com", "acme.eu.auth0.com"),
        ("https://Acme.eu.auth0.com/", "acme.eu.auth0.com"),
        ("login.acme.com", "login.acme.com"),
    ] {
        assert_eq!(read::<Domain>(text).as_deref(), Ok(expected));
    }
    for text in
        ["https://acme.eu.auth0.com/", "https://a.example/realms/b", "http://127.0.0.1:4400/"]
    {
        assert_eq!(read::<Issuer>(text).as_deref(), Ok(text));
    }
    for text in ["https://api.acme.com", "urn:second", "api"] {
        assert_eq!(read::<Audience>(text).as_deref(), Ok(text));
    }
    for text in ["RS256", "ES384", "EdDSA"] {
        assert_eq!(read::<Algorithm>(text).as_deref(), Ok(text));
    }
    for text in ["allowed", "required", "disabled"] {
        assert_eq!(read::<DpopMode>(text).as_deref(), Ok(text));
    }
}

#[test]
fn bad_names_are_refused_with_the_remedy() {
    for (refused, remedy) in [
        (read::<Domain>(""), "domain"),
        (read::<Domain>("YOUR_DOMAIN"), "placeholder"),
        (read::<Domain>("acme.eu.auth0.com/path"), "domain"),
        (read::<Issuer>("acme.eu.auth0.com"), "Write it as in the iss claim"),
        (read::<Issuer>("http://acme.com/"), "Write it as in the iss claim"),
        (read::<Issuer>("https://a:b@acme.com/"), "Write it as in the iss claim"),
        (read::<Audience>(""), "empty"),
        (read::<Audience>("YOUR_API_IDENTIFIER"), "placeholder"),
        (read::<Algorithm>("HS256"), "Write one of"),
        (read::<Algorithm>("none"), "Write one of"),
        (read::<DpopMode>("on"), "Write allowed, required or disabled"),
    ] {
        let sentence = refused.unwrap_err();
        assert!(sentence.contains(remedy), "{sentence}");
    }
}

/// The section of an application's own configuration file.
#[test]
fn a_configuration_file_is_read() {
    #[derive(Deserialize)]
    struct Configuration {
        domain: Domain,
        audiences: Vec<Audience>,
        algorithms: Vec<Algorithm>,
        dpop: DpopMode,
    }
    let json = r#"{"domain": "acme.eu.auth0.com", "audiences": ["https://api.acme.com"],
                   "algorithms": ["RS256", "PS256"], "dpop": "required"}"#;
    let read: Configuration = serde_json::from_str(json).unwrap();
    assert_eq!(read.domain.to_string(), "acme.eu.auth0.com");
    assert_eq!(read.audiences[0].to_string(), "https://api.acme.com");
    assert_eq!(
        (read.algorithms, read.dpop),
        (vec![Algorithm::RS256, Algorithm::PS256], DpopMode::Required)
    );
}
