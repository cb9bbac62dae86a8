//! The connection of a request.
use crate::jose::Thumbprint;
use std::net::IpAddr;

/// What a server knows of a connection: the peer's address, whether TLS protects it, and the
/// certificate that the client presented.
///
/// Optional: a server creates one for each connection and passes it on with the requests, as the adapter's
/// documentation describes. Only tokens that are bound to a certificate (RFC 8705) and headers of trusted
/// proxies need it.
///
/// ```
/// use auth0_core::adapter::Connection;
/// use std::net::{IpAddr, Ipv4Addr};
///
/// let der = [0x30, 0x82]; // the certificate that rustls has checked
/// let connection =
///     Connection::new().peer(IpAddr::from(Ipv4Addr::LOCALHOST)).tls(true).client_certificate(&der);
/// assert!(format!("{connection:?}").contains("127.0.0.1"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct Connection {
    pub(crate) peer: Option<IpAddr>,
    pub(crate) tls: Option<bool>,
    pub(crate) certificate: Option<Thumbprint>,
}

impl Connection {
    /// Creates a connection of which nothing is known.
    pub const fn new() -> Self {
        Self { peer: None, tls: None, certificate: None }
    }

    /// Sets the address of the peer: the client, or the proxy in front.
    pub fn peer(mut self, address: IpAddr) -> Self {
        self.peer = Some(address.to_canonical());
        self
    }

    /// Sets whether TLS protects the connection, which makes the scheme of its URLs `https`.
    pub const fn tls(mut self, protected: bool) -> Self {
        self.tls = Some(protected);
        self
    }

    /// Sets the certificate of the client in the TLS handshake, in DER, and marks the connection as
    /// protected. Only its SHA-256 is kept. The TLS library decides whether the certificate's issuer is
    /// trusted.
    pub fn client_certificate(mut self, der: &[u8]) -> Self {
        self.certificate = Some(Thumbprint::of_certificate(der));
        self.tls = Some(true);
        self
    }

    /// Returns whether the peer's address is known.
    #[must_use]
    pub const fn has_peer(&self) -> bool {
        self.peer.is_some()
    }
}
