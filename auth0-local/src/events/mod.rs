//! The Events API: the log of what happened to users and organizations, and those who read it.
mod faults;
mod hub;
mod log;
mod offsets;
mod subscription;
mod timestamp;

pub(crate) use hub::EventHub;
pub(crate) use subscription::{Next, Start, Subscription};
pub(crate) use timestamp::{parse_rfc3339, to_rfc3339};

/// The types that Auth0 documents, by which a reader can filter.
pub(crate) const EVENT_TYPES: [&str; 22] = [
    "group.created",
    "group.deleted",
    "group.member.added",
    "group.member.deleted",
    "group.role.assigned",
    "group.role.deleted",
    "group.updated",
    "organization.connection.added",
    "organization.connection.removed",
    "organization.connection.updated",
    "organization.created",
    "organization.deleted",
    "organization.group.role.assigned",
    "organization.group.role.deleted",
    "organization.member.added",
    "organization.member.deleted",
    "organization.member.role.assigned",
    "organization.member.role.deleted",
    "organization.updated",
    "user.created",
    "user.deleted",
    "user.updated",
];
