//! Decisions of users, as the library makes them.
use super::{Builder, LocalTenant};
use crate::{error::LocalError, pending::PendingRequest};

impl Builder {
    /// Approves the requests of the device flow and of CIBA at once, so that the first poll succeeds. Unset, they
    /// wait for [`LocalTenant::approve`].
    pub fn approve_at_once(mut self) -> Self {
        self.settings.approves_at_once = true;
        self
    }
}

impl LocalTenant {
    /// Returns the requests of clients that wait for the decision of a user, the oldest first: those of the device
    /// flow and of CIBA. The tenant keeps the newest 1,000.
    #[must_use]
    pub fn pending_requests(&self) -> Vec<PendingRequest> {
        self.running.pending_requests()
    }

    /// Approves a request with this id, as the user whom it names. One of the device flow names none, and is
    /// approved as the user who logs in by default.
    ///
    /// # Errors
    /// No such request waits.
    pub fn approve(&self, id: &str) -> Result<(), LocalError> {
        self.running.approve(id, None)
    }

    /// Approves a request as the user with this `sub`.
    ///
    /// # Errors
    /// No such request waits, the tenant has no such user, or the request asks another one.
    pub fn approve_as(&self, id: &str, subject: &str) -> Result<(), LocalError> {
        self.running.approve(id, Some(subject))
    }

    /// Denies a request.
    ///
    /// # Errors
    /// No such request waits.
    pub fn deny(&self, id: &str) -> Result<(), LocalError> {
        self.running.deny(id)
    }
}
