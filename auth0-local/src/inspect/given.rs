//! The verifiers: one for the token as it is, and one for copies of it. What the caller does not name is taken from the
//! token, and is not checked then.
use super::{
    copy::Signer,
    decoded::Decoded,
    pasted::Unusable,
    settings::{IssuerName, Settings},
};
use auth0_core::{Algorithm, Audience, Auth0, Builder, ConfigError, Dpop, TrustedIssuer, support};

/// Names that no token has.
const NO_ISSUER: &str = "https://no-issuer.invalid/";
const NO_AUDIENCE: &str = "https://no-audience.invalid";

/// A copy may be longer than a token may be.
const LARGEST_COPY: usize = 1024 * 1024;

/// Inspections remember no proofs.
const FEW_PROOFS: usize = 16;

#[derive(Debug)]
pub(super) struct Given {
    /// Verifies the token.
    pub(super) original: Auth0,
    /// Verifies copies of it, which this program has signed.
    pub(super) copies: Auth0,
    pub(super) signer: Signer,
    /// The `iss` that the verifiers expect.
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) has_issuer: bool,
    /// Whether the keys are those of the issuer that the caller means.
    pub(super) has_keys: bool,
    pub(super) has_audience: bool,
    /// Whether the verifiers expect names that no token has, because those of the token cannot be configured.
    pub(super) expects_no_issuer: bool,
    pub(super) expects_no_audience: bool,
}

impl Given {
    /// Creates the verifiers. `audiences` are those that the caller names.
    pub(super) fn new(
        decoded: &Decoded<'_>,
        audiences: &[String],
        settings: &Settings,
    ) -> Result<Self, Unusable> {
        let signer = Signer::new();
        let own_keys = signer.key_set();
        let stated = decoded.text("iss").filter(|iss| {
            let issuer = TrustedIssuer::new(*iss).key_set(&own_keys);
            builder(settings).and_then(|it| it.issuer(issuer).audience(NO_AUDIENCE).build()).is_ok()
        });
        let issuer = settings.issuer.clone();
        let (has_issuer, expects_no_issuer) =
            (issuer.is_some(), issuer.is_none() && stated.is_none());
        let issuer =
            issuer.unwrap_or_else(|| IssuerName::Url(stated.unwrap_or(NO_ISSUER).to_owned()));
        let has_audience = !audiences.is_empty();
        let mut audiences = audiences.to_vec();
        if !has_audience {
            let usable = |aud: &&str| aud.parse::<Audience>().is_ok_and(|it| it.as_str() == *aud);
            audiences.extend(decoded.texts("aud").into_iter().filter(usable).map(str::to_owned));
        }
        let expects_no_audience = audiences.is_empty();
        if expects_no_audience {
            audiences.push(NO_AUDIENCE.to_owned());
        }
        let has_keys = has_issuer || settings.key_set.is_some();
        let trusted = trusted(&issuer);
        let original = match (&settings.key_set, has_issuer) {
            (Some(keys), _) => trusted.clone().key_set(keys),
            (None, true) => trusted.clone(),
            (None, false) => trusted.clone().key_set(&own_keys),
        };
        let build = |issuer: TrustedIssuer, change: &dyn Fn(Builder) -> Builder| {
            let builder = builder(settings)?.issuer(issuer).audiences(&audiences);
            change(builder).build()
        };
        let algorithms = |builder: Builder| match settings.algorithms.is_empty() {
            true => builder,
            false => builder.algorithms(settings.algorithms.iter().copied()),
        };
        let of_copies =
            |builder: Builder| builder.algorithms([Algorithm::RS256]).max_token_bytes(LARGEST_COPY);
        let original = build(original, &algorithms).map_err(Unusable::options)?;
        let copies = build(trusted.key_set(&own_keys), &of_copies).map_err(Unusable::options)?;
        let issuer = original.issuers().next().unwrap_or(NO_ISSUER).to_owned();
        let audience = audiences.into_iter().next().unwrap_or_default();
        Ok(Self {
            original,
            copies,
            signer,
            issuer,
            audience,
            has_issuer,
            has_keys,
            has_audience,
            expects_no_issuer,
            expects_no_audience,
        })
    }

    pub(super) const fn verifier(&self, is_original: bool) -> &Auth0 {
        if is_original { &self.original } else { &self.copies }
    }
}

fn trusted(name: &IssuerName) -> TrustedIssuer {
    match name {
        #[cfg(feature = "cli")]
        IssuerName::Domain(domain) => TrustedIssuer::domain(domain),
        IssuerName::Url(url) => TrustedIssuer::new(url),
    }
}

fn builder(settings: &Settings) -> Result<Builder, ConfigError> {
    let mut builder = support::without_introduction(Auth0::builder())
        .token_cache(0)
        .dpop(dpop(settings))
        .allow_http_hosts(&settings.http_hosts)
        .rfc9068_only(settings.rfc9068_only)
        .clock(std::sync::Arc::clone(&settings.clock));
    if let Some(leeway) = settings.leeway {
        builder = builder.leeway(leeway);
    }
    Ok(builder)
}

/// Returns the settings for proofs: those of an API that sets nothing.
pub(super) fn dpop(settings: &Settings) -> Dpop {
    let dpop = Dpop::allowed().replay_capacity(FEW_PROOFS);
    match settings.proof_algorithms.is_empty() {
        true => dpop,
        false => dpop.algorithms(settings.proof_algorithms.iter().copied()),
    }
}
