use crate::{error::LocalError, secret::Hidden, totp};
use serde::Deserialize;

/// A second factor of a user.
///
/// ```
/// use auth0_local::{Factor, LocalTenant, User};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let ann = User::new("auth0|ann")
///     .factor(Factor::otp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
///     .factor(Factor::push());
/// let tenant = LocalTenant::builder().user(ann).start().await?;
/// assert_eq!(tenant.otp("auth0|ann").map(|otp| otp.len()), Some(6));
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
#[must_use]
pub struct Factor(pub(crate) FactorKind);

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum FactorKind {
    /// An authenticator app.
    Otp {
        secret: Hidden,
    },
    Sms {
        phone_number: String,
    },
    Email {
        email: String,
    },
    /// An app that asks the user.
    Push {},
    RecoveryCode {
        code: Hidden,
    },
}

impl Factor {
    /// An authenticator app with this secret, of at least 16 bytes in base32.
    /// [`LocalTenant::otp`](crate::LocalTenant::otp) returns what it shows.
    pub fn otp(secret: impl Into<String>) -> Self {
        Self(FactorKind::Otp { secret: Hidden::new(secret) })
    }

    /// A phone that receives codes: see [`LocalTenant::messages`](crate::LocalTenant::messages).
    pub fn sms(phone_number: impl Into<String>) -> Self {
        Self(FactorKind::Sms { phone_number: phone_number.into() })
    }

    /// An e-mail address that receives codes: see [`LocalTenant::messages`](crate::LocalTenant::messages).
    pub fn email(email: impl Into<String>) -> Self {
        Self(FactorKind::Email { email: email.into() })
    }

    /// An app that asks the user: see [`LocalTenant::approve`](crate::LocalTenant::approve).
    pub fn push() -> Self {
        Self(FactorKind::Push {})
    }

    /// A recovery code, which can be used once. Its use returns the next one.
    pub fn recovery_code(code: impl Into<String>) -> Self {
        Self(FactorKind::RecoveryCode { code: Hidden::new(code) })
    }

    pub(super) fn check(&self, user: &str) -> Result<(), LocalError> {
        let is_good = match &self.0 {
            FactorKind::Otp { secret } => totp::secret(secret.reveal()).is_some(),
            FactorKind::Sms { phone_number } => !phone_number.is_empty(),
            FactorKind::Email { email } => email.contains('@'),
            FactorKind::Push {} => true,
            FactorKind::RecoveryCode { code } => !code.reveal().is_empty(),
        };
        match is_good {
            true => Ok(()),
            false => Err(LocalError::new(format!(
                "a factor of {user} cannot be used. Write a secret of at least 16 bytes in base32 \
                 (26 characters), a phone number, an e-mail address, or a recovery code"
            ))),
        }
    }
}

impl FactorKind {
    /// Returns what its id begins with.
    pub(crate) const fn prefix(&self) -> &'static str {
        match self {
            Self::Otp { .. } => "totp",
            Self::Sms { .. } => "sms",
            Self::Email { .. } => "email",
            Self::Push {} => "push",
            Self::RecoveryCode { .. } => "recovery-code",
        }
    }

    /// Returns its type in `mfa_requirements`.
    pub(crate) const fn requirement(&self) -> &'static str {
        match self {
            Self::Otp { .. } => "otp",
            Self::Sms { .. } => "phone",
            Self::Email { .. } => "email",
            Self::Push {} => "push-notification",
            Self::RecoveryCode { .. } => "recovery-code",
        }
    }

    /// Returns its type as an authenticator, and in `challenge_type`.
    pub(crate) const fn authenticator_type(&self) -> &'static str {
        match self {
            Self::Otp { .. } => "otp",
            Self::Sms { .. } | Self::Email { .. } | Self::Push {} => "oob",
            Self::RecoveryCode { .. } => "recovery-code",
        }
    }

    pub(crate) const fn oob_channel(&self) -> Option<&'static str> {
        match self {
            Self::Sms { .. } => Some("sms"),
            Self::Email { .. } => Some("email"),
            Self::Push {} => Some("auth0"),
            Self::Otp { .. } | Self::RecoveryCode { .. } => None,
        }
    }
}
