//! The check that a client holds the key or the certificate of its token.
mod certificate;
mod dpop;
