//! What the verifier reads of a request.
mod client_certificate;
mod origin;
mod wire;
