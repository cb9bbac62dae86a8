use crate::{
    directory::{FactorKind, User},
    secret,
    secret::Hidden,
    store::bounded::Bounded,
    totp,
};
use std::time::Duration;

const MAX_USERS: usize = 1_000;

/// More than any user has.
const MAX_OF_USER: usize = 20;

/// A second factor of a user, as clients see it.
#[derive(Clone, Debug)]
pub(crate) struct Authenticator {
    pub(crate) id: String,
    pub(crate) factor: FactorKind,
    /// Whether the user confirmed it.
    pub(crate) is_active: bool,
    /// The step of its newest one-time password. None is accepted twice (RFC 6238 §5.2).
    used_step: Option<u64>,
}

/// The second factors of users: those of the configuration, and those that clients associated.
#[derive(Debug)]
pub(crate) struct Authenticators {
    users: Bounded<String, Vec<Authenticator>>,
    numbers: u64,
}

impl Authenticators {
    pub(super) fn new() -> Self {
        Self { users: Bounded::new(MAX_USERS), numbers: 0 }
    }

    pub(crate) fn of(&mut self, user: &User) -> &mut Vec<Authenticator> {
        let subject = user.subject().to_owned();
        if self.users.get(&subject).is_none() {
            let configured = user.factors().iter().map(|factor| factor.0.clone());
            let factors: Vec<FactorKind> = configured.collect();
            let own = factors.into_iter().map(|factor| self.create(factor, true)).collect();
            self.users.insert(subject.clone(), own);
        }
        self.users.get_or_insert_default(subject)
    }

    /// Adds an authenticator that the user has not confirmed. Returns its id, or `None` if there are too many.
    pub(crate) fn associate(&mut self, user: &User, factor: FactorKind) -> Option<String> {
        if self.of(user).len() >= MAX_OF_USER {
            return None;
        }
        let created = self.create(factor, false);
        let id = created.id.clone();
        self.of(user).push(created);
        Some(id)
    }

    /// Removes an authenticator. Returns whether the user had it.
    pub(crate) fn remove(&mut self, user: &User, id: &str) -> bool {
        let own = self.of(user);
        let before = own.len();
        own.retain(|authenticator| authenticator.id != id);
        own.len() < before
    }

    /// Forgets a user, whose configuration changed.
    pub(crate) fn forget(&mut self, subject: &str) {
        self.users.remove(&subject.to_owned());
    }

    /// Confirms an authenticator, and the recovery code that came with it. Others that were never confirmed are
    /// removed.
    pub(super) fn confirm(&mut self, user: &User, id: &str) {
        for own in self.of(user) {
            if own.id == id || matches!(own.factor, FactorKind::RecoveryCode { .. }) {
                own.is_active = true;
            }
        }
        self.of(user).retain(|own| own.is_active);
    }

    /// Uses a one-time password. Returns the id of the authenticator that shows it.
    pub(super) fn with_otp(&mut self, user: &User, otp: &str, now: Duration) -> Option<String> {
        let current = totp::step(now.as_secs());
        for own in self.of(user) {
            let FactorKind::Otp { secret } = &own.factor else { continue };
            let Some(secret) = totp::secret(secret.reveal()) else { continue };
            // The clock of a phone may differ.
            let mut steps = current.saturating_sub(1)..=current + 1;
            let is_it = |step: &u64| {
                own.used_step.is_none_or(|used| *step > used)
                    && secret::equal(&totp::password(&secret, *step), otp)
            };
            if let Some(step) = steps.find(is_it) {
                own.used_step = Some(step);
                return Some(own.id.clone());
            }
        }
        None
    }

    /// Uses a recovery code, and replaces it.
    pub(super) fn with_recovery_code(
        &mut self,
        user: &User,
        sent: &str,
        next: &str,
    ) -> Option<String> {
        for own in self.of(user).iter_mut().filter(|own| own.is_active) {
            if let FactorKind::RecoveryCode { code } = &mut own.factor
                && code.is(sent)
            {
                *code = Hidden::new(next);
                return Some(own.id.clone());
            }
        }
        None
    }

    fn create(&mut self, factor: FactorKind, is_active: bool) -> Authenticator {
        self.numbers += 1;
        let id = format!("{}|dev_{}", factor.prefix(), self.numbers);
        Authenticator { id, factor, is_active, used_step: None }
    }
}
