//! A future whose work leaves nothing in the log: a verifier logs its refusals, and this one verifies for a person who
//! looks at a token, in a process that may be a service.
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tracing::dispatcher::{Dispatch, with_default};

pub(super) fn quietly<F: Future>(future: F) -> Quiet<F> {
    Quiet(Box::pin(future))
}

pub(super) struct Quiet<F>(Pin<Box<F>>);

impl<F: Future> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        with_default(&Dispatch::none(), || self.0.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use crate::inspect::{Settings, inspect};
    use auth0_core::support::SystemClock;
    use auth0_testing::Tenant;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tracing::{
        Event, Metadata, Subscriber,
        span::{Attributes, Id, Record},
    };

    /// Counts events.
    #[derive(Default)]
    struct Log(Arc<AtomicUsize>);

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn an_inspection_leaves_nothing_in_the_log() {
        let log = Log::default();
        let events = Arc::clone(&log.0);
        let _guard = tracing::subscriber::set_default(log);
        let tenant = Tenant::new();
        let settings = Settings {
            key_set: Some(tenant.key_set_json()),
            audiences: vec!["https://other.test".into()],
            ..Settings::new(SystemClock::new())
        };
        let token = tenant.token().expired().mint();
        assert!(inspect(token.as_bytes(), &settings).await.is_ok());
        assert_eq!(events.load(Ordering::Relaxed), 0);
        // A verifier of a service writes it.
        let _ = tenant.auth0().verify(&token).await;
        assert!(events.load(Ordering::Relaxed) > 0);
    }
}
