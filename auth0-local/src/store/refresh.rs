use super::{Grant, bounded::Bounded};
use crate::secret::Fingerprint;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Auth0's default lifetime of a family of refresh tokens.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Auth0's default lifetime of a refresh token that is not used.
const IDLE_LIFETIME: Duration = Duration::from_secs(15 * 24 * 60 * 60);

const MAX_FAMILIES: usize = 10_000;

/// The most tokens of a family that are recognized, so that their reuse is detected.
const MAX_MEMBERS: usize = 64;

/// The refresh tokens of all logins. Those that replace each other are a family.
#[derive(Debug)]
pub(crate) struct RefreshTokens {
    families: Bounded<u64, Family>,
    /// The number of each token's family.
    tokens: HashMap<Fingerprint, u64>,
}

/// A family, under the number of its grant.
#[derive(Debug)]
struct Family {
    grant: Arc<Grant>,
    /// The thumbprint of the key to which the tokens are bound.
    key: Option<String>,
    issued: Duration,
    used: Duration,
    /// The newest tokens, the oldest first.
    members: VecDeque<Member>,
}

#[derive(Debug)]
struct Member {
    fingerprint: Fingerprint,
    /// The first token has 0, and each token one more than the one that it replaces.
    generation: u64,
    replaced: Option<Duration>,
}

/// A refresh token that is known and not expired. It may have been replaced.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) grant: Arc<Grant>,
    pub(crate) key: Option<String>,
}

impl RefreshTokens {
    pub(super) fn new() -> Self {
        Self { families: Bounded::new(MAX_FAMILIES), tokens: HashMap::new() }
    }

    /// Begins the family of a login with its first token.
    pub(crate) fn begin(
        &mut self,
        secret: &str,
        grant: Arc<Grant>,
        key: Option<String>,
        now: Duration,
    ) {
        let number = grant.number;
        let family = Family { grant, key, issued: now, used: now, members: VecDeque::new() };
        if let Some(evicted) = self.families.insert(number, family) {
            self.forget(evicted);
        }
        self.add(secret, number, 0);
    }

    pub(crate) fn presented(&self, fingerprint: &Fingerprint, now: Duration) -> Option<Presented> {
        let family = self.families.get(self.tokens.get(fingerprint)?)?;
        let is_alive = now < family.issued + LIFETIME && now < family.used + IDLE_LIFETIME;
        is_alive.then(|| Presented { grant: Arc::clone(&family.grant), key: family.key.clone() })
    }

    /// Notes the use of a token that is not replaced.
    pub(crate) fn touch(&mut self, grant: u64, now: Duration) {
        if let Some(family) = self.families.get_mut(&grant) {
            family.used = now;
        }
    }

    /// Replaces a token. Returns whether it may be used: it is the newest one of its family, or the one
    /// before, which was replaced less than `reuse_interval` ago. Any other use is a theft of a token,
    /// so the family ends.
    pub(crate) fn rotate(
        &mut self,
        fingerprint: &Fingerprint,
        successor: &str,
        reuse_interval: Duration,
        now: Duration,
    ) -> bool {
        let Some(number) = self.tokens.get(fingerprint).copied() else { return false };
        let Some(family) = self.families.get_mut(&number) else { return false };
        let newest = family.members.back().map_or(0, |member| member.generation);
        let mut members = family.members.iter_mut();
        let Some(member) = members.find(|member| member.fingerprint == *fingerprint) else {
            return false;
        };
        let may_be_used = match member.replaced {
            None => true,
            Some(replaced) => {
                member.generation + 1 == newest && now.saturating_sub(replaced) < reuse_interval
            }
        };
        if !may_be_used {
            self.remove(number);
            return false;
        }
        let generation = member.generation + 1;
        member.replaced.get_or_insert(now);
        family.used = now;
        self.add(successor, number, generation);
        true
    }

    pub(crate) fn remove(&mut self, grant: u64) {
        if let Some(family) = self.families.remove(&grant) {
            self.forget(family);
        }
    }

    fn add(&mut self, secret: &str, number: u64, generation: u64) {
        let fingerprint = Fingerprint::of(secret);
        let Some(family) = self.families.get_mut(&number) else { return };
        family.members.push_back(Member {
            fingerprint: fingerprint.clone(),
            generation,
            replaced: None,
        });
        let oldest = match family.members.len() > MAX_MEMBERS {
            true => family.members.pop_front(),
            false => None,
        };
        self.tokens.insert(fingerprint, number);
        if let Some(oldest) = oldest {
            self.tokens.remove(&oldest.fingerprint);
        }
    }

    fn forget(&mut self, family: Family) {
        for member in family.members {
            self.tokens.remove(&member.fingerprint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(number: u64) -> Arc<Grant> {
        Arc::new(Grant {
            number,
            client_id: "web".into(),
            subject: "auth0|ann".into(),
            audience: None,
            requested: Vec::new(),
            scopes: Vec::new(),
            organization: None,
            session_id: String::new(),
            authenticated: 0,
            has_max_age: false,
            nonce: None,
        })
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let mut tokens = RefreshTokens::new();
        for number in 0..=MAX_FAMILIES as u64 {
            tokens.begin(&format!("first-{number}"), grant(number), None, Duration::ZERO);
        }
        assert_eq!(tokens.tokens.len(), MAX_FAMILIES, "the first family is gone");
        assert!(tokens.presented(&Fingerprint::of("first-0"), Duration::ZERO).is_none());

        let mut last = "first-1".to_owned();
        for round in 0..2 * MAX_MEMBERS {
            let next = format!("next-{round}");
            assert!(tokens.rotate(&Fingerprint::of(&last), &next, Duration::ZERO, Duration::ZERO));
            last = next;
        }
        assert_eq!(tokens.tokens.len(), MAX_FAMILIES - 1 + MAX_MEMBERS);
        tokens.remove(1);
        assert_eq!(tokens.tokens.len(), MAX_FAMILIES - 1);
    }
}
