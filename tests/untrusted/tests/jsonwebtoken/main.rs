//! The verdicts of our verifier and of `jsonwebtoken`, about the same tokens.
mod comparison;
mod keys;
mod kinds;
mod parties;
mod table;
mod tokens;
