//! An issuer that a verifier trusts, with its keys.
use super::config::{IssuerConfig, IssuerDefaults, same_requirement};
use crate::{
    error::{ChallengeOptions, DpopMode},
    keys::{Fetcher, KeyCache, Lease},
    policy::Requirement,
    revocation::{IssuerHash, Revocations},
    runtime::Clock,
    telemetry::metrics,
    token::{AcceptedBy, PublishedKeys, Revocable, SubjectKinds, Validation},
    transport::Transport,
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};

#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) validation: Validation,
    pub(crate) keys: Arc<KeyCache>,
    /// Marks the keys of a resolved issuer as used while the issuer exists.
    _lease: Option<Lease>,
    pub(crate) dpop: DpopMode,
    /// The requirement that each of its tokens must meet.
    pub(crate) requirement: Option<Requirement>,
    /// The data of the issuer that its tokens keep.
    pub(crate) accepted_by: Arc<AcceptedBy>,
}

/// How a verifier knows an issuer.
enum Role {
    Configured { position: usize },
    Resolved(Lease),
}

/// The settings of a verifier for all issuers.
pub(crate) struct IssuerSettings {
    pub(crate) defaults: IssuerDefaults,
    /// How long keys are served while an issuer fails.
    pub(crate) stale_keys: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    /// The challenge for each mode, shared by all issuers of the mode.
    pub(crate) challenges: [Arc<ChallengeOptions>; 3],
    pub(crate) revocations: Option<Revocations>,
    /// Whether connections end when the key of their token is withdrawn.
    pub(crate) ends_with_keys: bool,
}

impl Trusted {
    pub(crate) fn name(&self) -> &str {
        self.validation.issuer.as_str()
    }

    /// Returns the name of the issuer in metrics.
    pub(crate) fn metrics_label(&self) -> &str {
        &self.accepted_by.metrics_label
    }

    pub(crate) fn challenge(&self) -> &Arc<ChallengeOptions> {
        &self.accepted_by.challenge
    }

    /// Returns whether it has this configuration and this source of keys.
    pub(super) fn is(&self, config: &IssuerConfig) -> bool {
        self.validation == config.validation
            && self.dpop == config.dpop
            && same_requirement(self.requirement.as_ref(), config.requirement.as_ref())
            && *self.keys.source() == config.key_source
            && self.accepted_by.is_auth0 == config.is_auth0
    }
}

impl IssuerSettings {
    /// Creates the issuer of the configuration at this position. Fixed keys need no transport.
    pub(crate) fn configured(
        &self,
        position: usize,
        config: IssuerConfig,
        transport: Option<Transport>,
    ) -> Trusted {
        let clock = Arc::clone(&self.clock);
        let fetcher = Fetcher::new(config.key_source.clone(), transport, Arc::clone(&clock));
        let keys = KeyCache::new(fetcher, self.stale_keys, None, clock);
        self.trusted(config, keys, Role::Configured { position })
    }

    /// Creates an issuer that a resolver has found.
    pub(super) fn resolved(&self, config: IssuerConfig, lease: Lease) -> Trusted {
        self.trusted(config, Arc::clone(&lease.keys), Role::Resolved(lease))
    }

    fn trusted(&self, config: IssuerConfig, keys: Arc<KeyCache>, role: Role) -> Trusted {
        let IssuerConfig { validation, dpop, requirement, key_source: _, is_auth0 } = config;
        let (label, position, lease) = match role {
            Role::Configured { position } => (validation.issuer.as_str(), Some(position), None),
            Role::Resolved(lease) => (metrics::RESOLVED, None, Some(lease)),
        };
        let accepted_by = Arc::new(AcceptedBy {
            challenge: self.challenge(dpop),
            leeway: validation.leeway,
            clock: Arc::clone(&self.clock),
            metrics_label: label.into(),
            is_auth0,
            permissions_claim: validation.permissions_claim(),
            subject_kinds: validation.subject_kinds.unwrap_or(match is_auth0 {
                true => SubjectKinds::Auth0,
                false => SubjectKinds::KnownSigns,
            }),
            position,
            published_keys: self.ends_with_keys.then(|| {
                let keys: Weak<dyn PublishedKeys> = Arc::<KeyCache>::downgrade(&keys);
                keys
            }),
            revocable: self.revocations.as_ref().map(|revocations| Revocable {
                revocations: revocations.downgrade(),
                issuer: IssuerHash::new(validation.issuer.as_str()),
            }),
        });
        Trusted { validation, keys, _lease: lease, dpop, requirement, accepted_by }
    }

    pub(crate) fn challenge(&self, mode: DpopMode) -> Arc<ChallengeOptions> {
        let [allowed, required, disabled] = &self.challenges;
        Arc::clone(match mode {
            DpopMode::Allowed => allowed,
            DpopMode::Required => required,
            DpopMode::Disabled => disabled,
        })
    }
}
