//! The application's handler of events.
use crate::event::Event;
use auth0_core::BoxFuture;
use std::{fmt, sync::Arc};

type Call = dyn Fn(Event) -> BoxFuture<'static, Result<(), String>> + Send + Sync;

/// A handler, and the types of events that it gets.
#[derive(Clone)]
pub(crate) struct Handler {
    call: Arc<Call>,
    /// `None`: all.
    pub(crate) types: Option<Vec<String>>,
}

impl Handler {
    pub(crate) fn new<F, R, E>(types: Option<Vec<String>>, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        let call = move |event| -> BoxFuture<'static, Result<(), String>> {
            let result = handler(event);
            Box::pin(async move { result.await.map_err(|error| error.to_string()) })
        };
        Self { call: Arc::new(call), types }
    }

    pub(crate) fn wants(&self, kind: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.iter().any(|own| own == kind))
    }

    /// Calls the handler when the future is polled, so that its panic is one of the future.
    pub(crate) fn call(
        &self,
        event: Event,
    ) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let call = Arc::clone(&self.call);
        async move { call(event).await }
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").field("types", &self.types).finish_non_exhaustive()
    }
}
