//! Names that are parsed once and are never bare strings after that.
use crate::{builder::ConfigError, token::AccessToken};
use std::fmt;
use url::{Host, Url};

/// An Auth0 domain, for example `acme.eu.auth0.com`, or a custom one: a host name and nothing
/// else.
///
/// What people paste is normalised: white space around it, `https://` before it, one `/` after
/// it, upper case.
///
/// ```
/// # use auth0_core::Domain;
/// let domain: Domain = " https://Acme.EU.auth0.com/ ".parse()?;
/// assert_eq!(domain.as_str(), "acme.eu.auth0.com");
/// assert_eq!(domain.issuer().as_str(), "https://acme.eu.auth0.com/");
/// assert!("YOUR_DOMAIN".parse::<Domain>().is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// The normalised host name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The issuer that Auth0 names in the tokens of this domain: `https://{domain}/`.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        Issuer(format!("https://{}/", self.0).into())
    }
}

impl std::str::FromStr for Domain {
    type Err = ConfigError;

    /// # Errors
    /// Whatever is not a host name of at least two labels: an empty text, a placeholder, a path, a
    /// query, a port, user information, an IP address, `http://`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| {
            Err(ConfigError::new(format!(
                "the domain {:?} {why}. Write the bare domain of your tenant, for example \
                 \"acme.eu.auth0.com\" (Dashboard > Applications > Settings > Domain)",
                without_user_information(text)
            )))
        };
        let name = text.trim();
        if name.is_empty() {
            return refuse("is empty");
        }
        let template = name.contains(['{', '}', '<', '>', '$']);
        if is_placeholder(name) || template {
            return refuse("is still a placeholder");
        }
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("http://") {
            return refuse(
                "begins with http://. Auth0 is reached over https only; for a tenant on your own \
                 machine set the issuer instead (AUTH0_ISSUER=http://127.0.0.1:4400/)",
            );
        }
        let name = lower.strip_prefix("https://").unwrap_or(&lower);
        let name = name.strip_suffix('/').unwrap_or(name);
        for (sign, what) in [
            ('@', "has user information in it"),
            ('?', "has a query in it"),
            ('#', "has a fragment in it"),
            ('/', "has a path in it; an issuer with a path goes into AUTH0_ISSUER"),
            (':', "has a port in it; an issuer with a port goes into AUTH0_ISSUER"),
        ] {
            if name.contains(sign) {
                return refuse(what);
            }
        }
        if !name.is_ascii() {
            return refuse("is not ASCII; write an international domain in its xn-- form");
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return refuse("is not a host name");
        }
        match name.rsplit('.').next() {
            Some(last) if !name.contains('.') || is_number(last) => refuse(
                "is not a full domain name; for a tenant on your own machine set AUTH0_ISSUER",
            ),
            _ => Ok(Self(name.into())),
        }
    }
}

/// As the last label, which makes a URL take the host for an address.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An issuer identifier: the URL that the `iss` claim must equal, byte for byte
/// (RFC 7519 §4.1.1, OpenID Connect Discovery §4.3).
///
/// ```
/// # use auth0_core::Issuer;
/// let issuer: Issuer = "https://login.acme.com/".parse()?;
/// assert_eq!(issuer.as_str(), "https://login.acme.com/");
/// assert!("http://login.acme.com/".parse::<Issuer>().is_err(), "plain http");
/// assert!("http://127.0.0.1:4400/".parse::<Issuer>().is_ok(), "but on loopback");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(Box<str>);

impl Issuer {
    /// The identifier as it must stand in `iss`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the issuer describes itself (OpenID Connect Discovery §4.1).
    pub(crate) fn metadata_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }

    /// Whether it may be reached without TLS, because it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }
}

/// That of a token, which is one of those that its verifier trusts.
impl<C> From<&AccessToken<C>> for Issuer {
    fn from(token: &AccessToken<C>) -> Self {
        Self(token.issuer().into())
    }
}

impl std::str::FromStr for Issuer {
    type Err = ConfigError;

    /// # Errors
    /// Whatever is not an https URL (http on loopback) without query, fragment and user
    /// information.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| {
            Err(ConfigError::new(format!(
                "the issuer {:?} {why}. Write it as it stands in the iss claim of your tokens, for \
                 example \"https://acme.eu.auth0.com/\"",
                without_user_information(text)
            )))
        };
        let name = text.trim();
        if name.is_empty() {
            return refuse("is empty");
        }
        if is_placeholder(name) {
            return refuse("is still a placeholder");
        }
        let Ok(url) = Url::parse(name) else { return refuse("is not a URL") };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refuse("is plain http, which is accepted on loopback only"),
            _ => return refuse("is neither https nor http"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("has user information in it");
        }
        if url.query().is_some() {
            return refuse("has a query in it");
        }
        if url.fragment().is_some() {
            return refuse("has a fragment in it");
        }
        // The issuer is compared as text, so a spelling that a URL parser would change is not one
        // that a token can carry. Only what cannot differ is put right: case, and the `/` that
        // every Auth0 issuer ends with.
        let normal = url.as_str();
        let bare = normal.strip_suffix('/').unwrap_or(normal);
        if name.eq_ignore_ascii_case(normal) {
            Ok(Self(normal.into()))
        } else if name.eq_ignore_ascii_case(bare) && url.path() == "/" {
            let auth0 = url.host_str().is_some_and(|host| host.ends_with(".auth0.com"));
            Ok(Self(if auth0 { normal } else { bare }.into()))
        } else {
            refuse(&format!("is not in normal form; that would be {normal:?}"))
        }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An audience: the identifier of an API, as registered with Auth0 and as it stands in `aud`.
/// It often looks like a URL, but is compared as text.
///
/// ```
/// # use auth0_core::Audience;
/// let audience: Audience = "https://api.acme.com".parse()?;
/// assert_eq!(audience.as_str(), "https://api.acme.com");
/// assert!("".parse::<Audience>().is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience(Box<str>);

impl Audience {
    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Audience {
    type Err = ConfigError;

    /// # Errors
    /// An empty text or a placeholder.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let name = text.trim();
        let why = match name {
            "" => "is empty",
            name if is_placeholder(name) => "is still a placeholder",
            name if name.starts_with(['"', '\'']) => {
                "has quotes around it, which are taken literally"
            }
            name if name.contains(is_stray) => "has a space or an invisible character in it",
            _ => return Ok(Self(name.into())),
        };
        Err(ConfigError::new(format!(
            "the audience {text:?} {why}. Write the identifier of your API, for example \
             \"https://api.acme.com\" (Dashboard > Applications > APIs > Identifier)"
        )))
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The shapes that documentation leaves to be filled in: `YOUR_DOMAIN`, `{yourDomain}`, `<domain>`,
/// `$AUTH0_DOMAIN`, `https://your-api`. An identifier may well have such a word further in
/// (`urn:your_orders`), so only its beginning counts.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let name = lower.strip_prefix("https://").unwrap_or(&lower);
    let wanted = ["domain", "tenant", "api", "audience", "auth0", "issuer", "identifier"];
    let yours = |name: &str| {
        name.strip_prefix("your").is_some_and(|rest| {
            let rest = rest.trim_start_matches(['-', '_', ' ']);
            wanted.iter().any(|wanted| rest.starts_with(wanted))
        })
    };
    text.contains("YOUR_")
        || yours(name)
        || name.contains("{your")
        || text.starts_with('{') && text.ends_with('}')
        || text.starts_with('<') && text.ends_with('>')
        || text.starts_with('$')
        || text == "..."
}

/// Characters that no identifier has, and that come along when one is pasted.
fn is_stray(c: char) -> bool {
    let is_invisible =
        matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}');
    c.is_control() || c.is_whitespace() || is_invisible
}

/// A password in a pasted URL must not end up in a log.
fn without_user_information(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((_, rest)) => format!("…@{rest}"),
        None => text.to_owned(),
    }
}

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
            ("https://acme.com:443/", "normal form"),
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
