use auth0_testing::Document;

/// Counts the HTTP requests that a tenant received since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests for the metadata.
    pub metadata: Requests,
    /// Requests for the key set.
    pub key_set: Requests,
    /// Requests to `POST /oauth/token`, whatever the response.
    pub token: u64,
    /// Requests to the target of [`Fault::redirect`](crate::Fault::redirect). A verifier should
    /// never send one.
    pub redirect_target: u64,
}

/// Counts the requests for one document, when they arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requests {
    /// Requests that received the document without a fault.
    pub served: u64,
    /// Requests that met a fault, [`Fault::slow`](crate::Fault::slow) included.
    pub faulted: u64,
}

impl Requests {
    /// Returns the number of all requests.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.served.saturating_add(self.faulted)
    }
}

impl Stats {
    pub(crate) fn requests_mut(&mut self, document: Document) -> &mut Requests {
        match document {
            Document::Metadata => &mut self.metadata,
            _ => &mut self.key_set,
        }
    }
}
