//! The keys of an issuer: when they are fetched, from where, and how long they serve.
mod documents;
mod doubted;
mod fetch;
mod health;
mod lifetime;
mod location;
mod outage;
mod selection;
mod unknown_key;
mod withdrawal;
