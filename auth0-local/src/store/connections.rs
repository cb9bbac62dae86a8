use super::bounded::Bounded;
use crate::secret::Fingerprint;
use std::time::Duration;

/// How long a user has to connect an account.
pub(crate) const CONNECTING_LIFETIME: Duration = Duration::from_secs(300);

const MAX_CONNECTING: usize = 10_000;

/// An account that is being connected.
#[derive(Clone, Debug)]
pub(crate) struct Connecting {
    pub(crate) subject: String,
    pub(crate) client_id: String,
    pub(crate) connection: String,
    /// How the account is named there.
    pub(crate) login_hint: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    pub(crate) code_challenge: String,
    pub(crate) expires: Duration,
}

/// The accounts that are being connected: by the ticket of the browser, then by the code of the client.
#[derive(Debug)]
pub(crate) struct Connections {
    tickets: Bounded<Fingerprint, (Fingerprint, Connecting)>,
    /// By the secret of the client; with the code that the browser has brought back.
    codes: Bounded<Fingerprint, (Fingerprint, Connecting)>,
}

impl Connections {
    pub(super) fn new() -> Self {
        Self { tickets: Bounded::new(MAX_CONNECTING), codes: Bounded::new(MAX_CONNECTING) }
    }

    pub(crate) fn begin(&mut self, ticket: &str, auth_session: &str, connecting: Connecting) {
        let auth_session = Fingerprint::of(auth_session);
        self.tickets.insert(Fingerprint::of(ticket), (auth_session, connecting));
    }

    /// Uses a ticket: the user agrees, and the client gets this code.
    pub(crate) fn agree(&mut self, ticket: &str, code: &str, now: Duration) -> Option<Connecting> {
        let (auth_session, connecting) = self.tickets.remove(&Fingerprint::of(ticket))?;
        if now >= connecting.expires {
            return None;
        }
        self.codes.insert(auth_session, (Fingerprint::of(code), connecting.clone()));
        Some(connecting)
    }

    /// Uses a code.
    pub(crate) fn complete(
        &mut self,
        auth_session: &str,
        code: &str,
        now: Duration,
    ) -> Option<Connecting> {
        let (expected, connecting) = self.codes.remove(&Fingerprint::of(auth_session))?;
        (expected == Fingerprint::of(code) && now < connecting.expires).then_some(connecting)
    }
}
