//! Futures behind trait objects.
use std::{future::Future, pin::Pin};

/// A future that a trait object can return.
///
/// ```
/// use auth0_core::BoxFuture;
///
/// fn answer() -> BoxFuture<'static, u8> {
///     Box::pin(async { 42 })
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// assert_eq!(answer().await, 42);
/// # })
/// ```
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
