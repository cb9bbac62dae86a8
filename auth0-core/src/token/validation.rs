//! The conditions that the claims of a token must meet, and their check.
use super::{
    SubjectKinds, Times, Verified,
    binding::Binding,
    claim_mapping::ClaimMapping,
    claims::Claims,
    payload_text::{
        OneOrMany, PayloadStr, PayloadStrs, Scopes, invalid, lenient, not_null, optional,
    },
    verified::AcceptedBy,
};
use crate::{
    error::{Error, ErrorCode},
    identifier::{Audience, Issuer},
    jose::{AlgorithmSet, jws::Header},
    telemetry::{Escaped, listed_escaped},
};
use std::{sync::Arc, time::Duration};

/// The conditions that a token of one issuer must meet.
#[derive(Debug, PartialEq)]
pub(crate) struct Validation {
    pub(crate) issuer: Issuer,
    pub(crate) audiences: Vec<Audience>,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) leeway: Duration,
    pub(crate) rfc9068_only: bool,
    /// Whether tokens that look like ID tokens are refused, although nothing says surely that they are. By
    /// default those of Auth0.
    pub(crate) refuses_likely_id_tokens: Option<bool>,
    /// The clients whose tokens are accepted without an audience.
    pub(crate) client_ids: Vec<String>,
    /// How its tokens tell persons from machines, if not by default.
    pub(crate) subject_kinds: Option<SubjectKinds>,
    /// The paths of claims that the provider names differently from Auth0.
    pub(crate) mapping: Option<Box<ClaimMapping>>,
}

impl Validation {
    /// Checks the claims of a token whose signature is good, and returns the values that the application may
    /// read.
    pub(crate) fn check(
        &self,
        issuer: PayloadStr,
        header: &Header,
        claims: &Claims<'_>,
        payload: &str,
        accepted_by: &Arc<AcceptedBy>,
        now: Duration,
    ) -> Result<Verified, Error> {
        let refuses_likely = self.refuses_likely_id_tokens.unwrap_or(accepted_by.is_auth0);
        self.check_type(header, claims, payload, refuses_likely)?;
        let mapping = self.mapping.as_deref();
        let client_id: Option<PayloadStr> = match mapping.filter(|map| !map.client_id.is_default())
        {
            Some(mapping) => mapping.client_id(payload),
            None => lenient(claims.client_id, payload),
        };
        let audiences =
            self.check_audience(header, claims, client_id.as_ref(), payload, refuses_likely)?;
        let times = Times::read(claims, payload, self.leeway)?;
        times.check(now, self.leeway)?;
        let token_id: Option<PayloadStr> = lenient(claims.token_id, payload);
        let subject = self.subject(claims, payload)?;
        if self.rfc9068_only {
            for (name, present) in [
                ("client_id", client_id.is_some()),
                ("jti", token_id.is_some()),
                ("iat", times.issued_at.is_some()),
            ] {
                if !present {
                    return Err(invalid(format!("the claim {name} is missing or of the wrong type"))
                        .expecting(format!("{name}, which RFC 9068 requires"))
                        .advising(
                            "Set the token profile of the API to RFC 9068 (Dashboard > Applications > APIs > \
                             Settings > JSON Web Token Profile), or leave Builder::rfc9068_only out",
                        ));
                }
            }
        }
        let binding = Binding::read(claims.confirmation)?;
        let scope = match mapping.filter(|map| !map.scope.is_default()) {
            Some(mapping) => mapping.scope(payload),
            None => lenient(claims.scope, payload).map(|Scopes(scopes)| scopes),
        };
        let permissions = match mapping.filter(|map| !map.permissions.is_default()) {
            Some(mapping) => mapping.permissions(payload),
            None => lenient(claims.permissions, payload).unwrap_or_default(),
        };
        Ok(Verified {
            issuer,
            subject,
            audiences,
            times,
            token_id,
            client_id: client_id.or_else(|| lenient(claims.authorized_party, payload)),
            scope,
            permissions,
            organization_id: lenient(claims.organization_id, payload),
            organization_name: lenient(claims.organization_name, payload),
            session_id: match mapping.filter(|map| !map.session.is_default()) {
                Some(mapping) => mapping.session(payload),
                None => lenient(claims.session_id, payload),
            },
            authenticated_at: lenient(claims.authenticated_at, payload),
            authentication_class: lenient(claims.authentication_class, payload),
            authentication_methods: lenient(claims.authentication_methods, payload)
                .unwrap_or_default(),
            binding,
            accepted_by: Arc::clone(accepted_by),
            payload: Box::default(),
            signed_with: None,
            revocation_marks: None,
            cached: None,
        })
    }

    /// Returns whether a claim is configured that names the login session.
    pub(crate) fn has_sessions(&self) -> bool {
        self.mapping.as_ref().is_some_and(|mapping| !mapping.session.is_default())
    }

    /// Returns the claim that permissions are read from, for the log.
    pub(crate) fn permissions_claim(&self) -> Box<str> {
        match self.mapping.as_ref().filter(|mapping| !mapping.permissions.is_default()) {
            Some(mapping) => mapping.permissions.to_string().into(),
            None => "permissions".into(),
        }
    }

    /// Reads the subject, which is never empty.
    fn subject(&self, claims: &Claims<'_>, payload: &str) -> Result<PayloadStr, Error> {
        let advice = "If this provider's tokens for machines have no sub, name another claim with \
                      TrustedIssuer::subject_claim";
        if let Some(mapping) = self.mapping.as_ref().filter(|map| !map.subject.is_empty()) {
            return mapping.subject(payload)?.ok_or_else(|| {
                invalid("the claims for the subject are missing or empty".to_owned())
                    .expecting(format!("one of {}", mapping.subject_names()))
                    .advising(advice)
            });
        }
        let subject: Option<PayloadStr> = optional("sub", claims.subject, payload)?;
        let refuse = |seen: &str| {
            invalid(seen.to_owned())
                .expecting("sub to name the user or the machine")
                .advising(advice)
        };
        let subject = subject.ok_or_else(|| refuse("the claim sub is missing"))?;
        if subject.of(payload).is_empty() {
            return Err(refuse("the claim sub is empty"));
        }
        Ok(subject)
    }

    /// Checks `typ`, and refuses tokens whose payload says that they are of another kind.
    fn check_type(
        &self,
        header: &Header,
        claims: &Claims<'_>,
        payload: &str,
        refuses_likely: bool,
    ) -> Result<(), Error> {
        let refuse = |seen: String| Err(Error::new(ErrorCode::TokenTypeInvalid).because(seen));
        match (TypHeader::of(header), claims.other_kind) {
            (TypHeader::Other(stated), _) => {
                refuse(format!("the token's typ is {}", Escaped(stated)))
            }
            (_, Some(kind)) => refuse(format!("it is {kind}")),
            (TypHeader::AccessToken, None) => Ok(()),
            (TypHeader::None, None) => {
                let is_looked_for = refuses_likely || self.rfc9068_only;
                match is_looked_for.then(|| likely_id_token(claims, payload)).flatten() {
                    Some(seen) => refuse(format!("it is {seen}")),
                    None if self.rfc9068_only => refuse("the token's typ is not at+jwt".to_owned()),
                    None => Ok(()),
                }
            }
        }
    }

    fn check_audience(
        &self,
        header: &Header,
        claims: &Claims<'_>,
        client_id: Option<&PayloadStr>,
        payload: &str,
        refuses_likely: bool,
    ) -> Result<PayloadStrs, Error> {
        let mismatch = |cause| Err(Error::new(ErrorCode::AudienceMismatch).because(cause));
        // Optional only where a client counts instead.
        let audience = match self.client_ids.is_empty() {
            true => claims.audience,
            false => not_null(claims.audience),
        };
        let Some(OneOrMany(stated)) = optional("aud", audience, payload)? else {
            if self.client_ids.is_empty() {
                return mismatch("the claim aud is missing".to_owned());
            }
            // The client is checked instead (see `TrustedIssuer::client_ids`).
            let client_id = client_id.map(|client| client.of(payload)).unwrap_or_default();
            if self.client_ids.iter().any(|ours| ours == client_id) {
                return Ok(PayloadStrs::Empty);
            }
            let ours = listed_escaped(self.client_ids.iter().map(String::as_str));
            return Err(Error::new(ErrorCode::AudienceMismatch)
                .because(format!(
                    "the claim aud is missing, and the token is of the client {}",
                    Escaped(client_id)
                ))
                .expecting(format!("one of the clients {ours}"))
                .advising(
                    "Let this client call the API, or add it with TrustedIssuer::client_ids",
                ));
        };
        let ours = |stated: &str| self.audiences.iter().any(|ours| ours.as_str() == stated);
        if stated.of(payload).any(ours) {
            return Ok(stated);
        }
        // The audience of an ID token is its client, so the audience alone would not say what is wrong.
        let likely = match TypHeader::of(header) {
            TypHeader::AccessToken => None,
            _ => likely_id_token(claims, payload),
        };
        if let Some(seen) = likely.filter(|_| refuses_likely) {
            return Err(Error::new(ErrorCode::TokenTypeInvalid).because(format!("it is {seen}")));
        }
        let difference = stated.of(payload).find_map(|stated| self.difference(stated));
        let stated = listed_escaped(stated.of(payload));
        mismatch(match (stated.is_empty(), difference, likely) {
            (true, ..) => "aud is empty".to_owned(),
            (false, Some(difference), _) => format!("aud is {stated} ({difference})"),
            (false, None, Some(seen)) => format!("aud is {stated}, and the token may be {seen}"),
            (false, None, None) => format!("aud is {stated}"),
        })
    }

    /// Returns the difference to an audience that is nearly the same, for the log.
    fn difference(&self, stated: &str) -> Option<&'static str> {
        let bare = |text: &str| text.trim().trim_end_matches('/').to_owned();
        let without_scheme = |text: &str| {
            let text = bare(text);
            text.split_once("://").map_or_else(|| text.clone(), |(_, rest)| rest.to_owned())
        };
        self.audiences.iter().map(Audience::as_str).find_map(|ours| {
            if stated.trim() == ours {
                Some("the difference is a space")
            } else if bare(stated) == bare(ours) {
                Some("the difference is a slash at the end")
            } else if stated.eq_ignore_ascii_case(ours) {
                Some("the difference is in upper and lower case")
            } else if bare(stated).eq_ignore_ascii_case(&bare(ours)) {
                Some("the difference is a slash at the end, and upper and lower case")
            } else if without_scheme(stated).eq_ignore_ascii_case(&without_scheme(ours)) {
                Some("the difference is the scheme of the URL")
            } else {
                None
            }
        })
    }
}

/// What the header's `typ` says (RFC 7515 §4.1.9: a media type, so its case does not matter, and `application/`
/// may be left out).
enum TypHeader<'a> {
    /// Nothing: it is missing, empty, or says that the token is a JWT.
    None,
    /// An access token (RFC 9068 §2.1).
    AccessToken,
    Other(&'a str),
}

impl<'a> TypHeader<'a> {
    fn of(header: &'a Header) -> Self {
        let stated = header.token_type.as_deref().unwrap_or_default();
        let prefix = stated.get(.."application/".len());
        let name = match prefix.filter(|start| start.eq_ignore_ascii_case("application/")) {
            Some(prefix) => stated.get(prefix.len()..).unwrap_or_default(),
            None => stated,
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match () {
            () if stated.is_empty() || is("JWT") => Self::None,
            () if is("at+jwt") => Self::AccessToken,
            () => Self::Other(stated),
        }
    }
}

/// Returns why a token looks like an ID token, which has no distinct `typ`. Access tokens of some providers
/// look alike.
fn likely_id_token(claims: &Claims<'_>, payload: &str) -> Option<&'static str> {
    if claims.id_token_member {
        return Some("an ID token (it has a nonce or a hash)");
    }
    let OneOrMany(audience) = lenient(claims.audience, payload)?;
    let client: PayloadStr = lenient(claims.authorized_party, payload)?;
    let mut audience = audience.of(payload);
    let is_for_its_client =
        audience.next() == Some(client.of(payload)) && audience.next().is_none();
    is_for_its_client.then_some("an ID token (its audience is the client)")
}
