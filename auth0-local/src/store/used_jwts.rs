use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::time::Duration;

/// The most JWTs that are recognized as used.
const MAX_JWTS: usize = 10_000;

/// The result of the use of a JWT that is valid once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwtUse {
    First,
    Again,
    /// So many are valid that one more would make the tenant forget another one.
    TooMany,
}

/// The JWTs of clients that were used, until they expire.
#[derive(Debug)]
pub(crate) struct UsedJwts(Bounded<Fingerprint, Duration>);

impl UsedJwts {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MAX_JWTS))
    }

    /// Uses the JWT of a client with this `jti`, which is valid until `expires`. JWTs of another purpose may have the
    /// same one.
    pub(crate) fn use_once(
        &mut self,
        purpose: &str,
        client_id: &str,
        jti: &str,
        expires: Duration,
        now: Duration,
    ) -> JwtUse {
        let fingerprint =
            Fingerprint::of(&format!("{purpose}:{}:{client_id}{jti}", client_id.len()));
        if self.0.get(&fingerprint).is_some_and(|until| now < *until) {
            return JwtUse::Again;
        }
        if self.0.is_full() {
            self.0.retain(|until| now < *until);
        }
        if self.0.is_full() {
            return JwtUse::TooMany;
        }
        self.0.insert(fingerprint, expires);
        JwtUse::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_that_is_valid_is_forgotten() {
        let (mut used, end) = (UsedJwts::new(), Duration::from_secs(60));
        let mut use_at =
            |client: &str, jti: &str, now| used.use_once("a", client, jti, now + end, now);
        assert_eq!(use_at("a", "bc", Duration::ZERO), JwtUse::First);
        assert_eq!(use_at("a", "bc", Duration::from_secs(59)), JwtUse::Again);
        assert_eq!(use_at("ab", "c", Duration::ZERO), JwtUse::First, "another client");
        assert_eq!(use_at("a", "bc", end), JwtUse::First, "the first one has expired");
        for number in 2..MAX_JWTS {
            assert_eq!(use_at("a", &number.to_string(), end), JwtUse::First);
        }
        assert_eq!(use_at("a", "one more", Duration::ZERO), JwtUse::TooMany);
        assert_eq!(use_at("a", "bc", end), JwtUse::Again);
        assert_eq!(use_at("a", "later", end + end), JwtUse::First);
    }
}
