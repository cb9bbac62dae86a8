use super::{
    Grant,
    bounded::Bounded,
    refresh_token::{RefreshToken, Scribe},
};
use crate::error::LocalError;
use std::{sync::Arc, time::Duration};

/// Auth0's default lifetime of a family of refresh tokens.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Auth0's default lifetime of a refresh token that is not used.
const IDLE_LIFETIME: Duration = Duration::from_secs(15 * 24 * 60 * 60);

const MAX_FAMILIES: usize = 10_000;

/// The most tokens of a family that can be used. Reuse within the interval adds one each time.
const MAX_MEMBERS: usize = 64;

/// The refresh tokens of all logins. Those that replace each other are a family.
#[derive(Debug)]
pub(crate) struct RefreshTokens {
    families: Bounded<u64, Family>,
    scribe: Scribe,
}

/// A family, under the number of its grant.
#[derive(Debug)]
struct Family {
    grant: Arc<Grant>,
    /// The thumbprint of the key to which the tokens are bound.
    key: Option<String>,
    issued: Duration,
    used: Duration,
    /// The number of its newest token.
    newest: u64,
    /// The tokens that may be used, the oldest first. The use of any other one is a theft of it.
    members: Vec<Member>,
}

impl Family {
    fn is_alive(&self, now: Duration) -> bool {
        now < self.issued + LIFETIME && now < self.used + IDLE_LIFETIME
    }
}

/// A token that is the newest one of a branch, or the one before.
#[derive(Debug)]
struct Member {
    number: u64,
    /// The number of the token that it replaces.
    before: Option<u64>,
    replaced: Option<Duration>,
}

/// A refresh token of a family that is not expired. It may have been replaced.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) token: RefreshToken,
    pub(crate) grant: Arc<Grant>,
    pub(crate) key: Option<String>,
}

impl RefreshTokens {
    pub(super) fn new() -> Result<Self, LocalError> {
        Ok(Self { families: Bounded::new(MAX_FAMILIES), scribe: Scribe::new()? })
    }

    /// Begins the family of a login. Returns its first token.
    pub(crate) fn begin(
        &mut self,
        grant: Arc<Grant>,
        key: Option<String>,
        now: Duration,
    ) -> String {
        let first = Member { number: 0, before: None, replaced: None };
        let token = RefreshToken { family: grant.number, number: first.number };
        let members = vec![first];
        let family = Family { grant, key, issued: now, used: now, newest: token.number, members };
        self.families.insert(token.family, family);
        self.scribe.write(token)
    }

    pub(crate) fn presented(&self, text: &str, now: Duration) -> Option<Presented> {
        let token = self.scribe.read(text)?;
        let family = self.families.get(&token.family)?;
        let is_alive = family.is_alive(now);
        let (grant, key) = (Arc::clone(&family.grant), family.key.clone());
        is_alive.then_some(Presented { token, grant, key })
    }

    /// Notes the use of a token that is not replaced. Returns whether its family is still there.
    pub(crate) fn touch(&mut self, token: RefreshToken, now: Duration) -> bool {
        let family = self.families.get_mut(&token.family);
        family.map(|family| family.used = now).is_some()
    }

    /// Replaces a token. Returns the next one if it may be used: it is the newest one of its branch, or the one
    /// before, which was replaced less than `reuse_interval` ago. Any other use is a theft of a token, so
    /// the family ends.
    pub(crate) fn rotate(
        &mut self,
        token: RefreshToken,
        reuse_interval: Duration,
        now: Duration,
    ) -> Option<String> {
        let family = self.families.get_mut(&token.family)?;
        let may_be_used = |member: &&mut Member| {
            let since = member.replaced.map(|replaced| now.saturating_sub(replaced));
            member.number == token.number && since.is_none_or(|since| since < reuse_interval)
        };
        let Some(member) = family.members.iter_mut().find(may_be_used) else {
            self.families.remove(&token.family);
            return None;
        };
        member.replaced.get_or_insert(now);
        // A client that uses a token has received it, and needs the one before no more.
        if let Some(before) = member.before {
            family.members.retain(|member| member.number != before);
        }
        family.used = now;
        family.newest += 1;
        let next = Member { number: family.newest, before: Some(token.number), replaced: None };
        let text = self.scribe.write(RefreshToken { number: next.number, ..token });
        if family.members.len() == MAX_MEMBERS {
            family.members.remove(0);
        }
        family.members.push(next);
        Some(text)
    }

    /// Removes the tokens of a user. Returns the grants of those that had not expired.
    pub(crate) fn remove_of(&mut self, subject: &str, now: Duration) -> Vec<Arc<Grant>> {
        let mut removed = Vec::new();
        self.families.retain(|family| {
            let is_removed = family.grant.subject == subject;
            if is_removed && family.is_alive(now) {
                removed.push(Arc::clone(&family.grant));
            }
            !is_removed
        });
        removed
    }

    pub(crate) fn remove(&mut self, grant: u64) {
        self.families.remove(&grant);
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
            scopes: Vec::new(),
            organization: None,
            session_id: String::new(),
            authenticated: 0,
            has_max_age: false,
            has_factor: false,
            nonce: None,
            authorization_details: None,
        })
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let (mut tokens, now) = (RefreshTokens::new().unwrap(), Duration::ZERO);
        let first = tokens.begin(grant(0), None, now);
        let second = tokens.begin(grant(1), None, now);
        for number in 2..=MAX_FAMILIES as u64 {
            tokens.begin(grant(number), None, now);
        }
        assert!(tokens.presented(&first, now).is_none(), "the first family is gone");

        let second = tokens.presented(&second, now).unwrap().token;
        let mut last = second;
        for _ in 0..2 * MAX_MEMBERS {
            let next = tokens.rotate(last, Duration::ZERO, now).unwrap();
            last = tokens.presented(&next, now).unwrap().token;
        }
        assert_eq!(tokens.families.get(&1).unwrap().members.len(), 2, "the newest, and one before");
        let uses = (0..2 * MAX_MEMBERS).map_while(|_| {
            let next = tokens.rotate(last, Duration::from_secs(1), now)?;
            assert!(tokens.families.get(&1).unwrap().members.len() <= MAX_MEMBERS);
            Some(next)
        });
        assert!((MAX_MEMBERS - 2..=MAX_MEMBERS).contains(&uses.count()));
        assert!(tokens.families.get(&1).is_none(), "more uses of one token than a client needs");
    }
}
