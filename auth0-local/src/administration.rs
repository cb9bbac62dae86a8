//! What an administrator does to users and organizations while the tenant runs. Each action adds its event to the
//! Events API.
use crate::{
    directory::{Membership, User},
    error::LocalError,
    events::{EventHub, to_rfc3339},
    running::RunningTenant,
};
use serde_json::{Map, Value, json};

/// The length of an id of an event or a stream, after its prefix.
const ID_LENGTH: usize = 22;

impl RunningTenant {
    /// Adds a user, or replaces the user with the same `sub` and the second factors of that.
    pub(crate) fn add_user(&self, user: User) -> Result<(), LocalError> {
        let (subject, object) = (user.subject().to_owned(), user.event_object());
        let is_known = self.directory().user(&subject).is_some();
        self.directory().add_user(user)?;
        self.store().mfa.authenticators.forget(&subject);
        self.report_user(if is_known { "user.updated" } else { "user.created" }, object);
        Ok(())
    }

    /// Blocks a user, or ends that. Sessions and refresh tokens stay, and cannot be used by a blocked user.
    pub(crate) fn set_blocked(&self, subject: &str, blocked: bool) -> Result<(), LocalError> {
        self.check_user(subject)?;
        self.change_user(subject, |user| user.with_blocked(blocked))?;
        let object = self.user(subject).map(|user| user.event_object()).unwrap_or_default();
        self.report_user("user.updated", object);
        Ok(())
    }

    /// Deletes a user with all sessions, refresh tokens and second factors.
    pub(crate) fn delete_user(&self, subject: &str) -> Result<(), LocalError> {
        self.check_user(subject)?;
        let mut object = self.user(subject).map(|user| user.event_object()).unwrap_or_default();
        self.directory().delete_user(subject);
        let now = self.now();
        {
            let mut store = self.store();
            store.end_logins(subject, now);
            store.mfa.authenticators.forget(subject);
        }
        object.insert("deleted_at".into(), json!(to_rfc3339(now)));
        self.report("user.deleted", &Value::Object(object));
        Ok(())
    }

    /// Removes a user from an organization, by its id or name. Returns the organization.
    pub(crate) fn remove_member(
        &self,
        organization: &str,
        subject: &str,
    ) -> Result<Membership, LocalError> {
        self.check_user(subject)?;
        let membership = self.user(subject).and_then(|user| user.membership(organization));
        let membership = membership.ok_or_else(|| {
            LocalError::new(format!(
                "the user {subject:?} is not a member of {organization:?}. Write an organization of the user"
            ))
        })?;
        self.change_user(subject, |user| user.without_membership(membership.clone()))?;
        let object = json!({
            "organization": { "id": membership.id(), "name": membership.name() },
            "user": { "user_id": subject },
        });
        self.report("organization.member.deleted", &object);
        Ok(membership)
    }

    /// Deletes an organization, by its id or name. Returns it and its members.
    pub(crate) fn delete_organization(
        &self,
        organization: &str,
    ) -> Result<(Membership, Vec<String>), LocalError> {
        let users: Vec<_> = {
            let default = self.default_user();
            let directory = self.directory();
            let known: Vec<_> = directory.all_users().cloned().collect();
            if known.is_empty() { default.into_iter().collect() } else { known }
        };
        let own = users.iter().find_map(|user| user.own_membership(organization).cloned());
        let any = || users.iter().find_map(|user| user.membership(organization));
        let membership = own.or_else(any).ok_or_else(|| {
            LocalError::new(format!(
                "the tenant has no organization {organization:?}. Write one that a user is a member of"
            ))
        })?;
        let mut members = Vec::new();
        for user in users.iter().filter(|user| user.membership(membership.id()).is_some()) {
            self.change_user(user.subject(), |user| user.without_membership(membership.clone()))?;
            members.push(user.subject().to_owned());
        }
        let object = json!({ "id": membership.id(), "name": membership.name() });
        self.report("organization.deleted", &object);
        Ok((membership, members))
    }

    /// Adds an event of any type to the Events API.
    pub(crate) fn emit_event(&self, kind: &str, object: &Value) -> Result<(), LocalError> {
        EventHub::check(kind, object)?;
        self.report(kind, object);
        Ok(())
    }

    /// Sets the status that new connections to the Events API receive.
    pub(crate) fn refuse_events(
        &self,
        status: Option<u16>,
        retry_after: Option<u32>,
    ) -> Result<(), LocalError> {
        if let Some(other) = status.filter(|status| !(400..=599).contains(status)) {
            return Err(LocalError::new(format!(
                "{other} is not the status of an error. Write one from 400 to 599"
            )));
        }
        self.events().change_faults(|faults| {
            (faults.status, faults.retry_after) = (status, retry_after);
        });
        Ok(())
    }

    /// Adds an event about a user as it is now.
    pub(crate) fn report_user(&self, kind: &str, mut object: Map<String, Value>) {
        let now = to_rfc3339(self.now());
        if kind == "user.created" {
            object.insert("created_at".into(), json!(now));
        }
        object.insert("updated_at".into(), json!(now));
        self.report(kind, &Value::Object(object));
    }

    /// Adds an event, in the form of `CloudEvents` that Auth0 documents.
    fn report(&self, kind: &str, object: &Value) {
        let (now, issuer) = (self.now(), self.tenant().issuer());
        let domain = issuer.trim_start_matches("http://").trim_end_matches('/');
        let id: String = self.names().next().chars().take(ID_LENGTH).collect();
        let event = json!({
            "specversion": "1.0",
            "type": kind,
            "source": format!("urn:auth0:{domain}"),
            "id": format!("evt_{id}"),
            "time": to_rfc3339(now),
            "data": { "object": object },
            "a0tenant": "local",
            "a0stream": "est_0000000000000000000000",
        });
        self.events().append(kind, now, event);
    }
}
