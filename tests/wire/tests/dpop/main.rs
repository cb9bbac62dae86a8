//! DPoP on the wire (RFC 9449), at all three servers and in all three modes.
mod client;
mod origin;
mod proofs;
mod proxies;
mod replay;
mod schemes;
mod settings;
