use auth0_core::testing::Document;

/// What a tenant was asked for over HTTP since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The metadata.
    pub metadata: Requests,
    /// The key set.
    pub key_set: Requests,
    /// `POST /oauth/token`, whatever the answer.
    pub token: u64,
    /// The place that [`Fault::redirect`](crate::Fault::redirect) leads to. A verifier should never
    /// come there.
    pub redirect_target: u64,
}

/// The requests of a document, counted when they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requests {
    /// Those that got the document.
    pub served: u64,
    /// Those that met with a fault, [`Fault::slow`](crate::Fault::slow) among them.
    pub faulted: u64,
}

impl Requests {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.served.saturating_add(self.faulted)
    }
}

impl Stats {
    pub(crate) fn of(&mut self, document: Document) -> &mut Requests {
        match document {
            Document::Metadata => &mut self.metadata,
            _ => &mut self.key_set,
        }
    }
}
