//! Faults as text.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
use auth0_local::{Fault, Throttle};
use proptest::prelude::*;
use std::time::Duration;

fn fault() -> impl Strategy<Value = Fault> {
    let kind = prop_oneof![
        Just(Fault::hang()),
        Just(Fault::reset()),
        Just(Fault::garbage()),
        Just(Fault::html()),
        Just(Fault::huge()),
        Just(Fault::redirect()),
        Just(Fault::empty()),
        Just(Fault::wrong()),
        (400_u16..600).prop_map(|code| Fault::html_with_status(code).unwrap()),
        (400_u16..600).prop_map(|code| Fault::empty_with_status(code).unwrap()),
        any::<Duration>().prop_map(|time| Fault::throttled(Throttle::Tenant, time)),
        any::<Duration>().prop_map(|time| Fault::throttled(Throttle::Policy, time)),
        any::<Duration>().prop_map(|time| Fault::throttled(Throttle::ClientQuota, time)),
        any::<Duration>().prop_map(|time| Fault::throttled(Throttle::OrganizationQuota, time)),
        (400_u16..600).prop_map(|code| Fault::status(code).unwrap()),
        any::<Duration>().prop_map(Fault::rate_limited),
        any::<Duration>().prop_map(Fault::slow),
        (0..3_600_000_000_000_u64).prop_map(|nanos| Fault::slow(Duration::from_nanos(nanos))),
    ];
    let rare = (kind.clone(), 0.0..=1.0).prop_map(|(kind, p)| kind.with_probability(p).unwrap());
    let some = (prop_oneof![kind.clone(), rare.clone()], 1..=u32::MAX);
    let some = some.prop_map(|(fault, times)| fault.times(times).unwrap());
    prop_oneof![Just(Fault::none()), kind, rare, some]
}

proptest! {
    #[test]
    fn every_fault_is_parsed_from_its_text(fault in fault()) {
        let text = fault.to_string();
        prop_assert_eq!(text.parse::<Fault>().unwrap(), fault, "{}", text);
    }

    #[test]
    fn every_accepted_text_is_written_and_parsed_again(text in "[a-z0-9@:.+-]{0,12}|(html|empty|quota|policy):[0-9]{1,4}(x[0-9]{1,12})?|(slow|429):[0-9.]{1,6}(@[0-9.]{1,4})?|[3-6][0-9]{2}@[01]\\.[0-9]{0,3}") {
        if let Ok(fault) = text.parse::<Fault>() {
            prop_assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }
    }
}

#[test]
fn forms() {
    for (text, written) in [
        ("500", "500"),
        ("599@1", "599"),
        ("429", "429"),
        ("429:30", "429:30"),
        ("429:030", "429:30"),
        ("slow", "slow:10"),
        ("slow:0.25@.5", "slow:0.25@0.5"),
        ("slow:3600", "slow:3600"),
        ("empty@0", "empty@0"),
        ("none", "none"),
        ("500x3", "500x3"),
        ("500@0.5x03", "500@0.5x3"),
        ("html:502", "html:502"),
        ("empty:500x1", "empty:500x1"),
        ("throttled", "throttled:30"),
        ("organization-quota:7", "organization-quota:7"),
    ] {
        assert_eq!(text.parse::<Fault>().unwrap().to_string(), written, "{text}");
    }
    assert_eq!(Fault::default(), Fault::none());
    assert_eq!(Fault::slow(Duration::MAX).to_string(), "slow:3600");
    assert_eq!(Fault::hang().with_probability(-0.0).unwrap().to_string(), "hang@0");
}

#[test]
fn an_error_lists_the_faults() {
    for (text, reason) in [
        ("", "\"\" is not a fault"),
        ("Slow", "\"Slow\" is not a fault"),
        (" 500", "not a fault"),
        ("0500", "not a fault"),
        ("+50", "not a fault"),
        ("hang:5", "not a fault"),
        ("500:5", "not a fault"),
        ("200", "200 is not the status of an error"),
        ("600", "600 is not the status of an error"),
        ("429:", "not a Retry-After"),
        ("429:1.5", "not a Retry-After"),
        ("429:99999999999999999999", "not a Retry-After"),
        ("slow:", "not a delay"),
        ("slow:3600.1", "not a delay"),
        ("slow:-1", "not a delay"),
        ("slow:1e3", "not a delay"),
        ("slow:NaN", "not a delay"),
        ("slow:.", "not a delay"),
        ("500@", "not a probability"),
        ("500@1.5", "not a probability"),
        ("500@-0", "not a probability"),
        ("500@nan", "not a probability"),
        ("500@0.5@0.5", "not a probability"),
        ("none@0.5", "none has no probability"),
    ] {
        let error = text.parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        for choice in ["400 to 599", "429:", "slow:", "hang", "reset", "garbage", "html", "huge"] {
            assert!(error.contains(choice), "{text}: {error}");
        }
        assert!(
            error.contains("redirect, empty, empty:STATUS or none; append @0.5"),
            "{text}: {error}"
        );
    }
    assert!(Fault::status(399).is_err() && Fault::hang().with_probability(f64::NAN).is_err());
    assert!(Fault::none().with_probability(1.0).is_err());
}
