//! What the client sends, keeps and returns, on a clock that the tests advance.
mod authentication;
mod authorization_request;
mod builder;
mod delegation;
mod dpop;
mod errors;
mod exchange;
mod kit;
mod limits;
mod machine;
mod polling;
mod refresh;
mod secrets;
mod vault;
