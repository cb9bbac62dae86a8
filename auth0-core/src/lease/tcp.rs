//! A second handle of a TCP connection, for a client that does not read.
use super::websocket::CLOSING;
use crate::{
    auth0::Auth0,
    runtime::fetch_thread::{passed, spawn},
    token::VerifiedToken,
};
use std::{
    future::Future,
    io,
    net::{Shutdown, TcpStream},
    sync::Arc,
};
use tokio::sync::oneshot;

/// A second handle of a TCP connection. A server writes a response as fast as the client reads. If the client does not
/// read, the server waits, and does not see the end of the response: this handle closes the connection.
///
/// It takes one file descriptor for each connection.
#[derive(Clone, Debug)]
pub struct TcpHandle(Arc<TcpStream>);

impl TcpHandle {
    /// Creates a handle of a connection.
    ///
    /// # Errors
    /// The process has no file descriptor left.
    #[cfg(unix)]
    pub fn of(connection: &impl std::os::fd::AsFd) -> io::Result<Self> {
        Ok(Self(Arc::new(connection.as_fd().try_clone_to_owned()?.into())))
    }

    /// Creates a handle of a connection.
    ///
    /// # Errors
    /// The process has no socket left.
    #[cfg(windows)]
    pub fn of(connection: &impl std::os::windows::io::AsSocket) -> io::Result<Self> {
        Ok(Self(Arc::new(connection.as_socket().try_clone_to_owned()?.into())))
    }

    /// Closes the connection, also in the midst of a response.
    pub fn close(&self) {
        // It may be closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Closes the connection if this future is not ready in two seconds.
    pub async fn close_unless(&self, auth: &Auth0, is_closed: impl Future) {
        tokio::select! {
            biased;
            _ = is_closed => {}
            () = auth.passed(CLOSING) => self.close(),
        }
    }

    /// Closes the connection two seconds after the end of a token, unless the response has ended: then drop the value.
    pub fn close_after<C>(&self, token: &VerifiedToken<C>) -> CloseGuard {
        let (guard, mut is_dropped) = oneshot::channel::<()>();
        let (handle, ended) = (self.clone(), token.ended());
        let limit = {
            let clock = Arc::clone(&token.accepted_by().clock);
            async move { passed(&*clock, CLOSING).await }
        };
        let close = async move {
            tokio::select! {
                () = async { ended.await; limit.await } => handle.close(),
                _ = &mut is_dropped => {}
            }
        };
        // Without the thread, tokens end at once, and so do responses.
        let _ = spawn(close);
        CloseGuard(guard)
    }
}

/// Keeps a connection open: see [`TcpHandle::close_after`].
#[derive(Debug)]
#[must_use = "the connection is not closed if it is dropped"]
pub struct CloseGuard(#[allow(dead_code, reason = "its drop is seen")] oneshot::Sender<()>);
