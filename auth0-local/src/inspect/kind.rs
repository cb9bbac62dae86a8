//! What a JWT is, by what it says of itself.
use super::decoded::Decoded;
use serde_json::Value;

/// The kinds that can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub(crate) enum Kind {
    AccessToken,
    IdToken,
    LogoutToken,
    Proof,
}

/// The claims that only ID tokens have (OpenID Connect Core 1.0 §2, §3.3.2.11).
const OF_ID_TOKENS: [&str; 4] = ["nonce", "at_hash", "c_hash", "s_hash"];

/// Claims of a user's profile, which Auth0's access tokens do not have.
const OF_PROFILES: [&str; 5] = ["name", "nickname", "picture", "email", "email_verified"];

/// Claims that say what the bearer may do.
const OF_ACCESS_TOKENS: [&str; 5] = ["scope", "scp", "permissions", "client_id", "gty"];

impl Kind {
    pub(crate) const ALL: [Self; 4] =
        [Self::AccessToken, Self::IdToken, Self::LogoutToken, Self::Proof];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    pub(super) fn of(decoded: &Decoded<'_>) -> Self {
        let typ = decoded.header_text("typ").unwrap_or_default().to_ascii_lowercase();
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "dpop+jwt" => return Self::Proof,
            "logout+jwt" => return Self::LogoutToken,
            "at+jwt" => return Self::AccessToken,
            _ => {}
        }
        let has = |name: &&str| decoded.claim(name).is_some();
        if has(&"events") {
            return Self::LogoutToken;
        }
        if has(&"htm") && has(&"htu") {
            return Self::Proof;
        }
        let names_itself = ["typ", "token_use"].iter().any(|name| {
            let stated = decoded.text(name).unwrap_or_default().to_ascii_lowercase();
            matches!(&*stated, "id" | "id_token" | "id-token")
        });
        let audiences = decoded.texts("aud");
        let is_for_its_client = matches!(&*audiences, [one] if decoded.text("azp") == Some(one));
        let is_of_a_profile =
            OF_PROFILES.iter().any(has) && !OF_ACCESS_TOKENS.iter().any(has) && !has(&"azp");
        match names_itself || OF_ID_TOKENS.iter().any(has) || is_for_its_client || is_of_a_profile {
            true => Self::IdToken,
            false => Self::AccessToken,
        }
    }

    /// Returns the name in JSON and on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "access-token",
            Self::IdToken => "id-token",
            Self::LogoutToken => "logout-token",
            Self::Proof => "proof",
        }
    }

    /// Returns the words for it in a sentence.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::AccessToken => "an access token",
            Self::IdToken => "an ID token",
            Self::LogoutToken => "a logout token",
            Self::Proof => "a DPoP proof",
        }
    }
}

/// Returns the profile of an access token.
pub(super) fn profile(decoded: &Decoded<'_>) -> &'static str {
    let typ = decoded.header_text("typ").unwrap_or_default().to_ascii_lowercase();
    let is_rfc9068 = typ.strip_prefix("application/").unwrap_or(&typ) == "at+jwt";
    match (is_rfc9068, decoded.claim("azp").and_then(Value::as_str)) {
        (true, _) => "the profile of RFC 9068",
        (false, Some(_)) => "Auth0's profile",
        (false, None) => "no known profile",
    }
}
