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
    telemetry::Escaped,
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
        let audiences = self.check_audience(header, claims, client_id.as_ref(), payload)?;
        let times = Times::read(claims, payload)?;
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
                    return Err(invalid(format!(
                        "the claim {name} is missing or of the wrong type (RFC 9068 §2.2)"
                    )));
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
            session_id: lenient(claims.session_id, payload),
            authenticated_at: lenient(claims.authenticated_at, payload),
            authentication_class: lenient(claims.authentication_class, payload),
            authentication_methods: lenient(claims.authentication_methods, payload)
                .unwrap_or_default(),
            binding,
            accepted_by: Arc::clone(accepted_by),
            payload: Box::default(),
            cached: None,
        })
    }

    /// Reads the subject, which is never empty.
    fn subject(&self, claims: &Claims<'_>, payload: &str) -> Result<PayloadStr, Error> {
        if let Some(mapping) = self.mapping.as_ref().filter(|map| !map.subject.is_empty()) {
            return mapping.subject(payload)?.ok_or_else(|| {
                let names = mapping.subject_names();
                invalid(format!("the claims for the subject ({names}) are missing or empty"))
            });
        }
        let missing = "the claim sub is missing. If this provider's tokens for machines have none, name \
                       another claim with TrustedIssuer::subject_claim";
        let subject: PayloadStr =
            optional("sub", claims.subject, payload)?.ok_or_else(|| invalid(missing.to_owned()))?;
        if subject.of(payload).is_empty() {
            return Err(invalid("the claim sub is empty".to_owned()));
        }
        Ok(subject)
    }

    /// Checks `typ` (RFC 9068 §2.1; a media type, so its case does not matter), and refuses tokens whose
    /// payload says that they are of another kind.
    fn check_type(
        &self,
        header: &Header,
        claims: &Claims<'_>,
        payload: &str,
        refuses_likely: bool,
    ) -> Result<(), Error> {
        let refuse = |cause: String| Err(Error::new(ErrorCode::TokenTypeInvalid).because(cause));
        let stated = header.token_type.as_deref();
        let is = |name: &str| stated.is_some_and(|stated| stated.eq_ignore_ascii_case(name));
        if is("at+jwt") || is("application/at+jwt") {
            return Ok(());
        }
        match (stated, claims.other_kind) {
            (Some(other), _) if !is("JWT") => {
                refuse(format!("the token's typ is {}", Escaped(other)))
            }
            (_, Some(kind)) => refuse(format!("it is {kind}. Send the access token")),
            _ => {
                let is_looked_for = refuses_likely || self.rfc9068_only;
                match is_looked_for.then(|| likely_id_token(claims, payload)).flatten() {
                    Some(cause) => refuse(cause.to_owned()),
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
            return mismatch(format!(
                "the claim aud is missing, and the client {} is not one of the configured",
                Escaped(client_id)
            ));
        };
        // The audience of an ID token is its client, so the audience alone would not say what is wrong.
        let is_typed = header.token_type.as_ref().is_some_and(|stated| stated.contains("at+jwt"));
        let ours = |stated: &str| self.audiences.iter().any(|ours| ours.as_str() == stated);
        if stated.of(payload).any(ours) {
            return Ok(stated);
        }
        if let Some(cause) = likely_id_token(claims, payload).filter(|_| !is_typed) {
            return Err(Error::new(ErrorCode::TokenTypeInvalid).because(cause));
        }
        mismatch(format!(
            "aud is {} ({} in all), not one of the configured",
            Escaped(stated.of(payload).next().unwrap_or_default()),
            stated.of(payload).count()
        ))
    }
}

/// Returns why a token looks like an ID token, which has no distinct `typ`. Access tokens of some providers
/// look alike.
fn likely_id_token(claims: &Claims<'_>, payload: &str) -> Option<&'static str> {
    if claims.id_token_member {
        return Some("it is an ID token (it has a nonce or a hash). Send the access token");
    }
    let OneOrMany(audience) = lenient(claims.audience, payload)?;
    let client: PayloadStr = lenient(claims.authorized_party, payload)?;
    let mut audience = audience.of(payload);
    let is_for_its_client =
        audience.next() == Some(client.of(payload)) && audience.next().is_none();
    is_for_its_client
        .then_some("it is an ID token (its audience is the client). Send the access token")
}
