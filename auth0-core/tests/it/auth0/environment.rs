//! The environment as configuration.
use crate::common::test_in_a_process;
use auth0_core::Auth0;

#[test]
fn the_environment_configures_a_verifier() {
    let domain = ("AUTH0_DOMAIN", "https://Acme.eu.auth0.com/");
    let issuer = ("AUTH0_ISSUER", "http://127.0.0.1:4400/");
    let audience = ("AUTH0_AUDIENCE", "https://api.acme.com, urn:second ,third");

    let auth = from_env(&[domain, audience]).unwrap();
    for part in
        ["https://acme.eu.auth0.com/", "\"https://api.acme.com\"", "\"urn:second\"", "\"third\""]
    {
        assert!(auth.contains(part), "{part} in {auth}");
    }
    assert!(from_env(&[issuer, audience]).unwrap().contains("http://127.0.0.1:4400/"));
    let several =
        from_env(&[("AUTH0_DOMAIN", "acme.eu.auth0.com, login.acme.com"), audience]).unwrap();
    for issuer in ["https://acme.eu.auth0.com/", "https://login.acme.com/"] {
        assert!(several.contains(issuer), "{several}");
    }
    let more = [("AUTH0_DPOP", "required"), ("AUTH0_PUBLIC_URL", "https://acme.com/api")];
    from_env(
        &[&[domain, audience, ("AUTH0_TRUSTED_PROXIES", "10.0.0.7, 10.1.0.0/16")], &more[..]]
            .concat(),
    )
    .unwrap();
    let inside = ("AUTH0_ISSUER", "http://auth0:4400/");
    let allowed = ("AUTH0_ALLOW_HTTP_HOSTS", "keycloak, auth0");
    assert!(from_env(&[inside, audience, allowed]).unwrap().contains("http://auth0:4400/"));
    // What a file, a shell or a dashboard keeps around a value.
    let pasted = from_env(&[
        ("AUTH0_DOMAIN", "\"acme.eu.auth0.com\""),
        ("AUTH0_AUDIENCE", "[\"https://api.acme.com\", \"urn:second\"]"),
        ("AUTH0_DPOP", "'required'"),
        ("AUTH0_PUBLIC_URL", "\u{feff}\"https://acme.com/api\"\r\n"),
        ("AUTH0_TRUSTED_PROXIES", "[\"10.0.0.7\",\"10.1.0.0/16\"]"),
    ]);
    let pasted = pasted.unwrap();
    for part in ["https://acme.eu.auth0.com/", "\"https://api.acme.com\"", "\"urn:second\""] {
        assert!(pasted.contains(part), "{part} in {pasted}");
    }
    assert_eq!(
        from_env(&[("AUTH0_ISSUER", "'http://127.0.0.1:4400/'"), audience]),
        from_env(&[issuer, audience])
    );
    for empty in ["\"\"", "[]", "[\"\"]", "' '"] {
        let values = ["AUTH0_DPOP", "AUTH0_PUBLIC_URL"].map(|name| (name, empty));
        assert_eq!(
            from_env(&[values[0], values[1], domain, audience]),
            from_env(&[domain, audience])
        );
    }
    let list = ("AUTH0_AUDIENCE", "urn:list[0],http://[::1]");
    let list = from_env(&[domain, list]).unwrap();
    assert!(list.contains("\"urn:list[0]\"") && list.contains("\"http://[::1]\""), "{list}");
    // Compose files pass unset variables as empty ones.
    from_env(&[("AUTH0_DOMAIN", ""), issuer, audience]).unwrap();
    from_env(&[domain, ("AUTH0_ISSUER", " "), audience]).unwrap();

    for (variables, what) in [
        (vec![], "AUTH0_DOMAIN is not set"),
        (vec![audience], "AUTH0_DOMAIN is not set"),
        (vec![domain], "AUTH0_AUDIENCE is not set"),
        (vec![domain, ("AUTH0_AUDIENCE", "")], "AUTH0_AUDIENCE is not set"),
        (vec![domain, ("AUTH0_AUDIENCE", "a,,b")], "is empty"),
        (vec![domain, ("AUTH0_AUDIENCE", "YOUR_API_IDENTIFIER")], "placeholder"),
        (vec![("AUTH0_DOMAIN", "YOUR_DOMAIN"), audience], "placeholder"),
        (vec![domain, ("AUTH0_AUDIENCE", "a,")], "is empty"),
        (vec![("AUTH0_DOMAIN", ""), audience], "AUTH0_DOMAIN is not set"),
        (vec![domain, ("AUTH0_AUDIENCE", "[a,b]")], "AUTH0_AUDIENCE=a,b"),
        (vec![domain, ("AUTH0_AUDIENCE", "\"a")], "AUTH0_AUDIENCE=a"),
        (vec![("AUTH0_DOMAIN", "[acme.eu.auth0.com]"), audience], "AUTH0_DOMAIN=acme.eu.auth0.com"),
        (vec![("AUTH0_ISSUER", "https://acme.com/'"), audience], "AUTH0_ISSUER=https://acme.com/"),
        (
            vec![("AUTH0_ISSUER", "'https://user:s3cr3t@acme.com/"), audience],
            "AUTH0_ISSUER=…@acme.com/",
        ),
        (vec![domain, audience, ("AUTH0_DPOP", "[\"required\",\"allowed\"]")], "list of 2 values"),
        (
            vec![domain, audience, ("AUTH0_PUBLIC_URL", "https://api.acme.com\"")],
            "AUTH0_PUBLIC_URL=https://api",
        ),
        (
            vec![domain, audience, ("AUTH0_TRUSTED_PROXIES", "[10.0.0.7]")],
            "AUTH0_TRUSTED_PROXIES=10.0.0.7",
        ),
        (vec![domain, ("AUTH0_AUDIENCE", "a\u{200b}b")], "invisible"),
        (vec![domain, issuer, audience], "leave the other out"),
        (vec![("AUTH0_DOMAIN", "acme.eu.auth0.com,,b.com"), audience], "is empty"),
        (vec![domain, audience, ("AUTH0_DPOP", "on")], "allowed, required or disabled"),
        (vec![domain, audience, ("AUTH0_PUBLIC_URL", "api.acme.com")], "public URL"),
        (vec![domain, audience, ("AUTH0_TRUSTED_PROXIES", "10.0.0.7,proxy")], "proxy"),
        (vec![inside, audience], "AUTH0_ALLOW_HTTP_HOSTS=auth0"),
        (vec![inside, audience, ("AUTH0_ALLOW_HTTP_HOSTS", "")], "AUTH0_ALLOW_HTTP_HOSTS=auth0"),
        (vec![domain, audience, ("AUTH0_ALLOW_HTTP_HOSTS", "auth0,*")], "wildcard"),
        (vec![domain, audience, ("AUTH0_ALLOW_HTTP_HOSTS", "auth0,")], "is empty"),
        (vec![domain, inside, audience, allowed], "leave the other out"),
    ] {
        let sentence = from_env(&variables).unwrap_err();
        assert!(sentence.contains(what), "{variables:?}: {sentence}");
    }
}

/// Returns the verifier of these variables as text, or the sentence that refuses them.
fn from_env(variables: &[(&str, &str)]) -> Result<String, String> {
    let mut command = test_in_a_process(module_path!(), "the_environment_is_read");
    for name in [
        "AUTH0_DOMAIN",
        "AUTH0_ISSUER",
        "AUTH0_AUDIENCE",
        "AUTH0_DPOP",
        "AUTH0_PUBLIC_URL",
        "AUTH0_TRUSTED_PROXIES",
        "AUTH0_ALLOW_HTTP_HOSTS",
    ] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let after = |sign: &str| {
        let (_, rest) = text.split_once(sign)?;
        Some(rest.lines().next().unwrap_or_default().to_owned())
    };
    match (after("built: "), after("refused: ")) {
        (Some(auth), None) => Ok(auth),
        (None, Some(sentence)) => Err(sentence),
        _ => panic!("{text}"),
    }
}

/// Reads the environment of this process. The test above runs it with other variables.
#[test]
fn the_environment_is_read() {
    match Auth0::from_env() {
        Ok(auth) => println!("built: {auth:?}"),
        Err(error) => println!("refused: {error}"),
    }
}
