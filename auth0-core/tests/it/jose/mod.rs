//! Signed tokens and keys as text: what is read, and what is refused.
mod algorithm;
mod jws;
mod key_set;
mod oracle;
mod properties;
