//! The key or certificate that a token is bound to: the claim `cnf`. The module `possession` checks whether
//! the client holds it.
use super::payload_text::{invalid, not_null};
use crate::{
    error::Error,
    jose::{Thumbprint, TokenHash, json::Value},
};

/// The members of `cnf` that are supported. Others are ignored (RFC 7800 §3.1).
#[derive(Debug)]
pub(crate) struct Binding {
    /// `jkt` (RFC 9449 §6.1).
    pub(crate) key: Bound,
    /// `x5t#S256` (RFC 8705 §3.1).
    pub(crate) certificate: Bound,
    /// The hash of the whole token, which a proof contains as `ath`.
    pub(crate) token: Option<TokenHash>,
}

/// The binding by one member of `cnf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    No,
    To(Thumbprint),
    /// The member is not a thumbprint, so that no client can meet it.
    ToNothing,
}

impl Bound {
    fn read(member: Option<Value<'_>>) -> Self {
        match member {
            None => Self::No,
            Some(value) => value
                .as_str()
                .and_then(|text| Thumbprint::parse(&text))
                .map_or(Self::ToNothing, Self::To),
        }
    }

    pub(crate) const fn is_bound(&self) -> bool {
        !matches!(self, Self::No)
    }
}

impl Binding {
    /// Reads the claim `cnf`. `None` for a bearer token.
    pub(crate) fn read(confirmation: Option<Value<'_>>) -> Result<Option<Box<Self>>, Error> {
        let Some(confirmation) = not_null(confirmation) else { return Ok(None) };
        if !confirmation.is_object() {
            return Err(invalid("the claim cnf has another type".to_owned())
                .expecting("cnf to be an object"));
        }
        let key = Bound::read(confirmation.member("jkt"));
        let certificate = Bound::read(confirmation.member("x5t#S256"));
        let is_bound = key.is_bound() || certificate.is_bound();
        Ok(is_bound.then(|| Box::new(Self { key, certificate, token: None })))
    }

    /// Returns whether two tokens are bound to the same key and certificate, or both to none.
    pub(crate) fn is_same(one: Option<&Self>, other: Option<&Self>) -> bool {
        let members = |binding: &Self| (binding.key, binding.certificate);
        one.map(members) == other.map(members)
    }

    /// Sets the hash of the token that the claim was read from.
    pub(crate) fn set_token(&mut self, hash: TokenHash) {
        self.token = Some(hash);
    }
}
