//! What is documented of the operations behind a guard.
use crate::{alternatives::Alternatives, operation};
use auth0_core::{
    Policy, Requirement,
    policy::{self, authenticated},
};
use utoipa::openapi::path::Paths;

/// Documents what operations need of a token, for handlers that check it themselves: see [`document`],
/// [`any_token`] and [`public`].
///
/// An operation that is documented twice needs both. What the macro `utoipa::path` says with `security(…)` is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Documentation(Alternatives);

/// Documents the requirement of a policy, for handlers that take `Authorized<P>`.
///
/// ```
/// use auth0_core::policy::*;
/// use auth0_openapi::document;
/// use utoipa::openapi::path::{HttpMethod, Operation, Paths};
///
/// policy!(pub ReadMessages = scope("read:messages"));
///
/// let mut paths = Paths::new();
/// paths.add_path_operation("/messages", vec![HttpMethod::Get], Operation::new());
/// document::<ReadMessages>().apply_to(&mut paths);
///
/// let json = serde_json::to_value(&paths)?;
/// assert_eq!(json["/messages"]["get"]["security"][0]["auth0"][0], "read:messages");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn document<P: Policy>() -> Documentation {
    Documentation::of(policy::of::<P>())
}

/// Documents that any valid token is enough, for handlers that take an `AccessToken`.
pub fn any_token() -> Documentation {
    Documentation::of(&authenticated())
}

/// Documents that no token is needed.
pub fn public() -> Documentation {
    Documentation(Alternatives::default())
}

impl Documentation {
    /// Documents a requirement.
    pub fn of(requirement: &Requirement) -> Self {
        Self(Alternatives::of(requirement))
    }

    /// Documents that a request without a token is admitted, too, for handlers that take `Option<AccessToken>` or
    /// `MaybeAccessToken`.
    pub fn optional(self) -> Self {
        Self(self.0.or_anonymous())
    }

    /// Edits all operations of these paths.
    pub fn apply_to(&self, paths: &mut Paths) {
        for operation in operation::all_of(paths) {
            operation::restrict(operation, &self.0);
        }
    }
}
