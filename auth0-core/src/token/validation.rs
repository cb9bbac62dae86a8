//! The conditions that the claims of a token must meet, and their check.
use super::{
    Times, Verified,
    binding::Binding,
    claim_mapping::ClaimMapping,
    claims::Claims,
    payload_text::{OneOrMany, PayloadStr, PayloadStrs, Typed, invalid, optional, required},
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
    /// The clients whose tokens are accepted without an audience.
    pub(crate) client_ids: Vec<String>,
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
        self.check_type(header, claims, payload)?;
        let client_id = self.client_id(claims, payload)?;
        let audiences = self.check_audience(claims, client_id.as_ref(), payload)?;
        let times = Times::read(claims, payload)?;
        times.check(now, self.leeway)?;
        let token_id: Option<PayloadStr> = optional("jti", claims.token_id, payload)?;
        let subject: PayloadStr = required("sub", claims.subject, payload)?;
        if subject.of(payload).is_empty() {
            return Err(invalid("the claim sub is empty".to_owned()));
        }
        if self.rfc9068_only {
            for (name, present) in [
                ("client_id", client_id.is_some()),
                ("jti", token_id.is_some()),
                ("iat", times.issued_at.is_some()),
            ] {
                if !present {
                    return Err(invalid(format!("the claim {name} is missing (RFC 9068 §2.2)")));
                }
            }
        }
        let binding = Binding::read(claims.confirmation)?;
        let authorized_party: Option<PayloadStr> =
            optional("azp", claims.authorized_party, payload)?;
        let scope = match self.mapping.as_ref().filter(|mapping| !mapping.scope.is_default()) {
            Some(mapping) => mapping.scope(payload)?,
            None => optional("scope", claims.scope, payload)?,
        };
        let mapped = self.mapping.as_ref().filter(|mapping| !mapping.permissions.is_default());
        let list = |name, value| {
            Ok::<PayloadStrs, Error>(optional(name, value, payload)?.unwrap_or_default())
        };
        Ok(Verified {
            issuer,
            subject,
            audiences,
            times,
            token_id,
            client_id: client_id.or(authorized_party),
            scope,
            permissions: match mapped {
                Some(mapping) => mapping.permissions(payload)?,
                None => list("permissions", claims.permissions)?,
            },
            organization_id: optional("org_id", claims.organization_id, payload)?,
            organization_name: optional("org_name", claims.organization_name, payload)?,
            session_id: optional("sid", claims.session_id, payload)?,
            authenticated_at: optional("auth_time", claims.authenticated_at, payload)?,
            authentication_class: optional("acr", claims.authentication_class, payload)?,
            authentication_methods: list("amr", claims.authentication_methods)?,
            binding,
            accepted_by: Arc::clone(accepted_by),
            payload: Box::default(),
            cached: None,
        })
    }

    /// Checks `typ` (RFC 9068 §2.1; a media type, so its case does not matter), and refuses ID tokens, which
    /// have no distinct `typ`.
    fn check_type(&self, header: &Header, claims: &Claims<'_>, payload: &str) -> Result<(), Error> {
        let refuse = |cause: String| Err(Error::new(ErrorCode::TokenTypeInvalid).because(cause));
        let stated = header.token_type.as_deref();
        let is = |name: &str| stated.is_some_and(|stated| stated.eq_ignore_ascii_case(name));
        if is("at+jwt") || is("application/at+jwt") {
            return Ok(());
        }
        match stated {
            Some(other) if !is("JWT") => refuse(format!("the token's typ is {}", Escaped(other))),
            _ if claims.id_token_member => refuse(
                "it is an ID token (it has a nonce or a hash). Send the access token".to_owned(),
            ),
            _ if self.is_for_its_client(claims, payload) => refuse(
                "it is an ID token (its audience is the client). Send the access token".to_owned(),
            ),
            _ if self.rfc9068_only => refuse("the token's typ is not at+jwt".to_owned()),
            _ => Ok(()),
        }
    }

    fn is_for_its_client(&self, claims: &Claims<'_>, payload: &str) -> bool {
        let audience = claims.audience.and_then(|value| OneOrMany::read(value, payload));
        let client = claims.authorized_party.and_then(|value| PayloadStr::read(value, payload));
        match (audience, client) {
            (Some(OneOrMany(audience)), Some(client)) => {
                let mut audience = audience.of(payload);
                audience.next() == Some(client.of(payload)) && audience.next().is_none()
            }
            _ => false,
        }
    }

    fn client_id(&self, claims: &Claims<'_>, payload: &str) -> Result<Option<PayloadStr>, Error> {
        match self.mapping.as_ref().filter(|mapping| !mapping.client_id.is_default()) {
            Some(mapping) => mapping.client_id(payload),
            None => optional("client_id", claims.client_id, payload),
        }
    }

    fn check_audience(
        &self,
        claims: &Claims<'_>,
        client_id: Option<&PayloadStr>,
        payload: &str,
    ) -> Result<PayloadStrs, Error> {
        let mismatch = |cause| Err(Error::new(ErrorCode::AudienceMismatch).because(cause));
        let Some(OneOrMany(stated)) = optional("aud", claims.audience, payload)? else {
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
        let ours = |stated: &str| self.audiences.iter().any(|ours| ours.as_str() == stated);
        if stated.of(payload).any(ours) {
            return Ok(stated);
        }
        mismatch(format!(
            "aud is {} ({} in all), not one of the configured",
            Escaped(stated.of(payload).next().unwrap_or_default()),
            stated.of(payload).count()
        ))
    }
}
