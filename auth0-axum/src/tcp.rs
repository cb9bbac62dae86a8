//! The TCP connection of a request, for responses that end with their token.
use auth0_core::adapter::TcpHandle;
use axum::extract::ConnectInfo;
use http::Extensions;
use std::net::SocketAddr;

/// The address of the client, and a handle of its connection. With it,
/// [`AuthLayer::end_responses_with_token`](crate::AuthLayer::end_responses_with_token) also ends the response to a
/// client that does not read.
///
/// `axum::serve` stores it with the feature `serve`:
///
#[cfg_attr(feature = "serve", doc = "```no_run")]
#[cfg_attr(not(feature = "serve"), doc = "```ignore")]
/// # async fn start(listener: tokio::net::TcpListener, app: axum::Router) -> std::io::Result<()> {
/// use auth0_axum::TcpPeer;
///
/// axum::serve(listener, app.into_make_service_with_connect_info::<TcpPeer>()).await
/// # }
/// ```
///
/// Each connection takes one more file descriptor. On HTTP/2, all requests of such a client end; a connection of a
/// [trusted proxy](auth0_core::Builder::trusted_proxies), which may carry those of several clients, stays open.
///
/// Another server puts `ConnectInfo<TcpPeer>` into the extensions of each request:
///
/// ```
/// use auth0_axum::{TcpHandle, TcpPeer};
/// use std::net::{TcpListener, TcpStream};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let client = TcpStream::connect(listener.local_addr()?)?;
/// let (connection, address) = listener.accept()?;
/// let peer = TcpPeer::new(address, TcpHandle::of(&connection).ok());
/// assert_eq!(peer.address(), client.local_addr()?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TcpPeer {
    address: SocketAddr,
    handle: Option<TcpHandle>,
}

impl TcpPeer {
    /// Creates the value for a connection. There is no handle if the process has no file descriptor left.
    #[must_use]
    pub const fn new(address: SocketAddr, handle: Option<TcpHandle>) -> Self {
        Self { address, handle }
    }

    /// Returns the address of the client, or of a proxy.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<ConnectInfo<Self>>().map(|ConnectInfo(peer)| peer)
    }

    pub(crate) const fn handle(&self) -> Option<&TcpHandle> {
        self.handle.as_ref()
    }
}

#[cfg(feature = "serve")]
mod serve {
    use super::{TcpHandle, TcpPeer};
    use axum::{extract::connect_info::Connected, serve::IncomingStream};
    use tokio::net::TcpListener;

    impl Connected<IncomingStream<'_, TcpListener>> for TcpPeer {
        fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
            Self::new(*stream.remote_addr(), TcpHandle::of(stream.io()).ok())
        }
    }
}
