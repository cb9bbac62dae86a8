//! The documented metrics, with the values that they should have. A program of its own, because it needs a
//! feature.
#![allow(clippy::unwrap_used)]
use auth0_core::{
    BackchannelLogout, Revocations, TrustedIssuer,
    adapter::RequestView,
    policy::scope,
    resolver::{IssuerResolver, ResolverContext},
};
use auth0_testing::{Failure, Tenant};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde_json::json;
use std::{collections::BTreeMap, error::Error, sync::Mutex, time::Duration};

/// One recorder for the process, because keys are fetched on a thread of their own.
#[test]
fn everything_is_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    fetches_refusals_ages_and_times_are_counted(&snapshotter);
    lookups_of_a_resolver_are_counted(&snapshotter);
    revocations_are_counted(&snapshotter);
}

fn revocations_are_counted(snapshotter: &Snapshotter) {
    let seen = seen(snapshotter, async {
        let (tenant, revocations) = (Tenant::new(), Revocations::in_memory().capacity(2));
        let auth = tenant.builder().revocations(&revocations).build().unwrap();
        for subject in ["auth0|ann", "auth0|bob", "auth0|eve"] {
            drop(revocations.revoke_subject(tenant.issuer(), subject).await);
        }
        let logout = BackchannelLogout::new(&auth, ["web"]).unwrap();
        let form = Some(&b"application/x-www-form-urlencoded"[..]);
        logout.respond("POST", form, Some(b"logout_token=x")).await;
        auth.warm_up().await.unwrap();
        let forged = tenant.token().audience("web").claim("jti", "l1").claim(
            "events",
            json!({
                "http://schemas.openid.net/event/backchannel-logout": {}
            }),
        );
        for number in 0..5 {
            let forged = forged.clone().header("kid", format!("made-up-{number}")).mint();
            logout.respond("POST", form, Some(format!("logout_token={forged}").as_bytes())).await;
        }
        tenant.fail(Failure::Unreachable);
        let without_keys = tenant.builder().revocations(&revocations).build().unwrap();
        let logout = BackchannelLogout::new(&without_keys, ["web"]).unwrap();
        let token = format!("logout_token={}", forged.mint());
        logout.respond("POST", form, Some(token.as_bytes())).await;
    });
    for (name, value) in [
        ("auth0_revocations{}", "2"),
        ("auth0_revocations_total{kind=subject,outcome=success}", "2"),
        ("auth0_revocations_total{kind=subject,outcome=full}", "1"),
        ("auth0_logout_tokens_total{outcome=refused}", "3"),
        ("auth0_logout_tokens_total{outcome=key_unknown}", "3"),
        ("auth0_logout_tokens_total{outcome=unavailable}", "1"),
    ] {
        assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name}: {seen:?}");
    }
}

/// Runs the traffic, and returns what was counted, with its labels.
fn seen(snapshotter: &Snapshotter, traffic: impl Future<Output = ()>) -> BTreeMap<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(traffic);
    let values = snapshotter.snapshot().into_vec().into_iter().map(|(key, _, _, value)| {
        let labels: Vec<String> =
            key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count.to_string(),
            DebugValue::Gauge(value) => value.to_string(),
            DebugValue::Histogram(values) => format!("{} values", values.len()),
        };
        (format!("{}{{{}}}", key.key().name(), labels.join(",")), value)
    });
    // What was counted before stays as zero.
    values.filter(|(_, value)| !matches!(value.as_str(), "0" | "0 values")).collect()
}

fn fetches_refusals_ages_and_times_are_counted(snapshotter: &Snapshotter) {
    let seen = seen(snapshotter, traffic());
    let issuer = "issuer=https://tenant.test/";
    let expected = [
        (format!("auth0_key_fetches_total{{{issuer},outcome=success}}"), "2"),
        (format!("auth0_key_fetches_total{{{issuer},outcome=status}}"), "1"),
        (format!("auth0_keys_age_seconds{{{issuer}}}"), "60"),
        (format!("auth0_verifications_total{{{issuer}}}"), "2"),
        (format!("auth0_token_cache_hits_total{{{issuer}}}"), "1"),
        (format!("auth0_refusals_total{{{issuer},error_code=token_missing}}"), "1"),
        (format!("auth0_refusals_total{{{issuer},error_code=signature_invalid}}"), "1"),
        (format!("auth0_refusals_total{{{issuer},error_code=insufficient_scope}}"), "1"),
        (format!("auth0_verification_seconds{{{issuer}}}"), "4 values"),
    ];
    let expected: BTreeMap<String, String> =
        expected.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    assert_eq!(seen, expected);
}

fn lookups_of_a_resolver_are_counted(snapshotter: &Snapshotter) {
    let seen = seen(snapshotter, async {
        let tenant = Tenant::new();
        let answers = vec![
            Err("no connection".into()),
            Ok(Vec::new()),
            Ok(vec![TrustedIssuer::new(tenant.issuer())]),
        ];
        let resolver = Answers(Mutex::new(answers));
        let auth = tenant.builder_with([]).issuer_resolver(resolver).build().unwrap();
        for is_trusted in [true, false, false] {
            for _ in 0..2 {
                assert_eq!(auth.verify(&tenant.token().mint()).await.is_ok(), is_trusted);
            }
            auth.forget_resolved_issuers();
        }
    });
    let count = |name: &str| seen.get(name).map(String::as_str);
    assert_eq!(count("auth0_issuer_resolutions_total{outcome=success}"), Some("2"));
    assert_eq!(count("auth0_issuer_resolutions_total{outcome=error}"), Some("1"));
    assert_eq!(
        count("auth0_verifications_total{issuer=resolved}"),
        Some("2"),
        "one label for all resolved issuers"
    );
    assert!(seen.keys().all(|name| !name.contains("tenant.test")), "{seen:?}");
    assert_eq!(count("auth0_refusals_total{issuer=,error_code=issuers_unavailable}"), Some("2"));
}

type Answer = Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>>;

/// Answers with these, the last one first.
struct Answers(Mutex<Vec<Answer>>);

impl IssuerResolver for Answers {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Answer {
        self.0.lock().unwrap().pop().unwrap()
    }
}

async fn traffic() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = auth.verify(&tenant.token().mint()).await.unwrap();
    auth.verify(&tenant.token().mint()).await.unwrap();
    auth.authorize(&token, &scope("read:messages")).unwrap_err();
    auth.verify(&tenant.token().broken_signature().mint()).await.unwrap_err();
    auth.authenticate(&RequestView::new()).await.unwrap_err();
    tenant.fail(Failure::Status(500));
    tenant.clock().advance(Duration::from_secs(60));
    auth.refresh().await.unwrap_err();
}
