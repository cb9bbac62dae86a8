use std::collections::{BTreeMap, VecDeque};

/// The most requests that are kept.
const MAX_KEPT: usize = 100;

/// The most characters of a value that are kept.
const MAX_CHARACTERS: usize = 200;

/// The requests to `/oauth/token` since the start, whatever the response: how many there were of each grant, and
/// what the last hundred asked for. They contain no secrets.
///
/// ```
/// use auth0_local::LocalTenant;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = LocalTenant::start().await?;
/// // … 100 callers need a token …
/// let requests = tenant.token_requests();
/// assert_eq!(requests.of("client_credentials"), 0);
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequests {
    /// The grants that the tenant supports, and `other`.
    counts: BTreeMap<&'static str, u64>,
    last: VecDeque<TokenRequest>,
}

/// What one request to `/oauth/token` asked for: see [`TokenRequests`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// `grant_type`, as it was sent.
    pub grant_type: String,
    /// The client, as it names itself. It may not be authenticated.
    pub client_id: Option<String>,
    /// How the client authenticates, by the name that the metadata has for it: `client_secret_post`,
    /// `client_secret_basic`, `private_key_jwt`, `tls_client_auth`, `self_signed_tls_client_auth` or `none`.
    pub authentication: &'static str,
    /// `audience`, or `resource`.
    pub audience: Option<String>,
    /// `scope`.
    pub scope: Option<String>,
    /// `organization`.
    pub organization: Option<String>,
    /// `connection`.
    pub connection: Option<String>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// Whether there was a DPoP proof.
    pub has_proof: bool,
}

impl TokenRequests {
    /// Returns the number of requests of a grant, by its `grant_type`. Those of unknown grants are counted together.
    #[must_use]
    pub fn of(&self, grant_type: &str) -> u64 {
        let known = self.counts.get(grant_type).copied();
        known.unwrap_or_default()
    }

    /// Returns the number of all requests.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns the last hundred requests, the oldest first.
    #[must_use]
    pub fn last(&self) -> impl DoubleEndedIterator<Item = &TokenRequest> + ExactSizeIterator {
        self.last.iter()
    }

    pub(crate) fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// Counts a request. `known` is its grant, if the tenant supports it.
    pub(crate) fn add(&mut self, known: Option<&'static str>, mut request: TokenRequest) {
        *self.counts.entry(known.unwrap_or("other")).or_default() += 1;
        for value in [
            &mut request.client_id,
            &mut request.audience,
            &mut request.scope,
            &mut request.organization,
            &mut request.connection,
            &mut request.login_hint,
        ] {
            *value = value.take().map(|value| shortened(&value));
        }
        request.grant_type = shortened(&request.grant_type);
        if self.last.len() == MAX_KEPT {
            self.last.pop_front();
        }
        self.last.push_back(request);
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_CHARACTERS).collect()
}
