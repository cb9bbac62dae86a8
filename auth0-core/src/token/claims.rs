//! The claims of a payload that are used: RFC 7519 §4.1, RFC 9068 §2.2, and Auth0's.
use crate::{
    error::{Error, ErrorCode},
    jose::json::{self, Value},
};

/// The values of the claims that are used, borrowed from the payload. Their types are checked one by one
/// afterwards, because a missing `iss` and a missing `exp` are different refusals.
#[derive(Debug, Default)]
pub(crate) struct Claims<'a> {
    pub(crate) issuer: Option<Value<'a>>,
    pub(crate) subject: Option<Value<'a>>,
    pub(crate) audience: Option<Value<'a>>,
    pub(crate) expires_at: Option<Value<'a>>,
    pub(crate) not_before: Option<Value<'a>>,
    pub(crate) issued_at: Option<Value<'a>>,
    pub(crate) token_id: Option<Value<'a>>,
    pub(crate) client_id: Option<Value<'a>>,
    pub(crate) authorized_party: Option<Value<'a>>,
    pub(crate) scope: Option<Value<'a>>,
    pub(crate) permissions: Option<Value<'a>>,
    pub(crate) organization_id: Option<Value<'a>>,
    pub(crate) organization_name: Option<Value<'a>>,
    pub(crate) session_id: Option<Value<'a>>,
    pub(crate) authenticated_at: Option<Value<'a>>,
    pub(crate) authentication_class: Option<Value<'a>>,
    pub(crate) authentication_methods: Option<Value<'a>>,
    pub(crate) confirmation: Option<Value<'a>>,
    /// Whether there is a `nonce`, `at_hash`, `c_hash` or `s_hash`, as in ID tokens.
    pub(crate) id_token_member: bool,
    /// What the token is according to its payload, if that is not an access token.
    pub(crate) other_kind: Option<&'static str>,
}

impl<'a> Claims<'a> {
    pub(crate) fn parse(payload: &'a str) -> Result<Self, Error> {
        let mut claims = Self::default();
        json::check_object(payload, |name, value| {
            let place = match name {
                "iss" => &mut claims.issuer,
                "sub" => &mut claims.subject,
                "aud" => &mut claims.audience,
                "exp" => &mut claims.expires_at,
                "nbf" => &mut claims.not_before,
                "iat" => &mut claims.issued_at,
                "jti" => &mut claims.token_id,
                "client_id" => &mut claims.client_id,
                "azp" => &mut claims.authorized_party,
                "scope" => &mut claims.scope,
                "permissions" => &mut claims.permissions,
                "org_id" => &mut claims.organization_id,
                "org_name" => &mut claims.organization_name,
                "sid" => &mut claims.session_id,
                "auth_time" => &mut claims.authenticated_at,
                "acr" => &mut claims.authentication_class,
                "amr" => &mut claims.authentication_methods,
                "cnf" => &mut claims.confirmation,
                "nonce" | "at_hash" | "c_hash" | "s_hash" => {
                    claims.id_token_member = true;
                    return;
                }
                "typ" | "token_use" | "tokenName" | "events" => {
                    claims.other_kind = claims.other_kind.or_else(|| other_kind(name, value));
                    return;
                }
                _ => return,
            };
            *place = Some(value);
        })
        .map_err(|why| {
            Error::new(ErrorCode::TokenMalformed)
                .because(format!("the token's payload: {}", why.as_str()))
        })?;
        Ok(claims)
    }
}

/// Returns the kind of a token that a member of its payload names: `typ` (Keycloak), `token_use` (Amazon
/// Cognito), `tokenName` (`PingAM`), `events` (RFC 8417 §2.2, OpenID Connect Back-Channel Logout §2.4). `None` for an access token,
/// and for values of other meanings.
fn other_kind(name: &str, value: Value<'_>) -> Option<&'static str> {
    if name == "events" {
        return has_event(value).then_some("a logout token or a security event token");
    }
    let stated = value.as_str()?;
    // `ID`, `id_token` and `ID token` are one kind.
    let end = stated.len().saturating_sub("_token".len());
    let kind = match stated.split_at_checked(end) {
        Some((kind, end)) if is_one_of(end, &["_token", "-token", " token"]) => kind,
        _ => &*stated,
    };
    match () {
        () if is_one_of(kind, &["ID", "Serialized-ID"]) => Some("an ID token"),
        () if is_one_of(kind, &["Refresh", "Offline"]) => Some("a refresh token"),
        () if is_one_of(kind, &["Logout"]) => Some("a logout token"),
        () => None,
    }
}

fn is_one_of(text: &str, names: &[&str]) -> bool {
    names.iter().any(|name| text.eq_ignore_ascii_case(name))
}

/// Returns whether an object has events, whose names are URIs.
fn has_event(value: Value<'_>) -> bool {
    let mut has_event = false;
    let is_object = value.is_object()
        && json::check_object(value.raw(), |name, _| has_event |= name.contains(':')).is_ok();
    is_object && has_event
}

impl Claims<'_> {
    /// Returns the client, for the log: the first of the two claims that is there, if it is a string.
    pub(crate) fn client_id(&self) -> Option<Box<str>> {
        self.client_id.or(self.authorized_party)?.as_str().map(Into::into)
    }
}
