//! What the client sends, keeps and returns, on a clock that the tests advance.
mod kit;
mod machine;
