//! What a session has, and how long it lasts.
mod claims;
mod profile;
mod session_record;
mod times;

pub(crate) use claims::{of_user, payload, session_expiry};
pub use profile::Profile;
pub(crate) use session_record::{Dropped, Purpose, Record, Secret, TokenSet};
pub(crate) use times::Times;
