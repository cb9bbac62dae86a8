//! The signature of a token that an issuer has sent to this service, and not to a client of it.
use crate::{
    issuer::Trusted,
    jose::jws::Header,
    keys::{Newer, SignatureCheck, Snapshot, WantedKey},
};
use std::{borrow::Cow, sync::Arc};

/// The reason why a signature is not known to be good.
pub(super) struct NotVerified {
    pub(super) cause: Cow<'static, str>,
    pub(super) kind: NotVerifiedKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotVerifiedKind {
    Invalid,
    /// Its key is unknown, and too many others were to fetch keys for it now: nearly always it was made up.
    KeyUnknown,
    /// The keys of the issuer are not available now.
    Unavailable,
}

impl NotVerifiedKind {
    /// Returns whether the token may be good.
    pub(super) const fn is_temporary(self) -> bool {
        !matches!(self, Self::Invalid)
    }
}

impl NotVerified {
    fn invalid(cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: cause.into(), kind: NotVerifiedKind::Invalid }
    }

    fn unavailable(why: &str) -> Self {
        Self {
            cause: format!("the keys of its issuer: {why}").into(),
            kind: NotVerifiedKind::Unavailable,
        }
    }
}

/// Checks the signature with the keys at hand, and once with newer ones, because the issuer may have rotated its keys.
pub(super) async fn check_signature(
    trusted: &Arc<Trusted>,
    issuer: &str,
    header: &Header,
    check: impl Fn(&Snapshot, Option<&str>) -> SignatureCheck,
) -> Result<(), NotVerified> {
    let keys = trusted.keys.keys().await;
    let keys = keys.map_err(|why| NotVerified::unavailable(&why.cause.to_string()))?;
    if keys.issuer.as_str() != issuer {
        return Err(NotVerified::invalid(
            "iss differs from the issuer's metadata in the slash at the end",
        ));
    }
    let key_id = header.key_id.as_deref();
    let is_unknown = match check(&keys, key_id) {
        SignatureCheck::Valid { .. } => {
            trusted.keys.prove();
            return Ok(());
        }
        SignatureCheck::UnknownKey => true,
        SignatureCheck::Invalid => false,
        other => {
            return Err(NotVerified::invalid(super::pending::signature_error(&other).to_string()));
        }
    };
    let refused = || match is_unknown {
        true => NotVerified::invalid("the issuer publishes no key of its kid"),
        false => NotVerified::invalid("its signature does not verify"),
    };
    let doubted = (!is_unknown).then(|| Arc::clone(&keys));
    let wanted = WantedKey { id: header.key_id.clone(), doubted };
    let newer = match trusted.keys.newer_with(&wanted, &keys).await {
        Ok(Newer::Found(newer)) => newer,
        // The issuer may have begun to use a key, and does not send the token again after a refusal.
        Ok(Newer::OverBudget) if is_unknown => {
            return Err(NotVerified {
                cause: "its kid is unknown, and so were those of other tokens a moment ago: keys are fetched only \
                        every few seconds"
                    .into(),
                kind: NotVerifiedKind::KeyUnknown,
            });
        }
        Ok(Newer::Absent | Newer::OverBudget) => return Err(refused()),
        Err(_) if !is_unknown => return Err(refused()),
        Err(why) => return Err(NotVerified::unavailable(&why.cause.to_string())),
    };
    match check(&newer, key_id) {
        SignatureCheck::Valid { .. } => Ok(()),
        _ => Err(refused()),
    }
}
