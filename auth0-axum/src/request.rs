//! The adapter of a request of axum, or of any tower stack, for the core.
use crate::tcp::TcpPeer;
use auth0_core::adapter::{Connection, HeaderLines, HttpParts, RequestView};
use axum::extract::{ConnectInfo, OriginalUri};
use http::{HeaderName, HeaderValue, Uri, header::AUTHORIZATION, request::Parts, uri::Authority};
use std::net::SocketAddr;

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// The request, as the client sent it.
pub(crate) struct RequestAdapter<'a>(pub(crate) &'a Parts);

impl<'a> RequestAdapter<'a> {
    /// Returns the view of the request, given its only `Authorization` header: `None` for none or several.
    pub(crate) fn view(&'a self, only: Option<&'a HeaderValue>) -> RequestView<'a> {
        let lines =
            |name: &HeaderName| self.0.headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        let view = match only {
            Some(header) => RequestView::new().authorization([header.as_bytes()]),
            None => RequestView::new().authorization(lines(&AUTHORIZATION)),
        };
        // Nearly no request has one, and this lookup is shorter.
        let view = if self.0.headers.contains_key(&DPOP) { view.proof(lines(&DPOP)) } else { view };
        view.parts(self)
    }

    /// Returns the URI before `nest` removed its prefix.
    fn uri(&self) -> &Uri {
        self.0.extensions.get::<OriginalUri>().map_or(&self.0.uri, |OriginalUri(uri)| uri)
    }
}

impl HttpParts for RequestAdapter<'_> {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn path(&self) -> &str {
        self.uri().path()
    }

    fn scheme(&self) -> Option<&str> {
        self.uri().scheme_str()
    }

    fn authority(&self) -> Option<&str> {
        self.uri().authority().map(Authority::as_str)
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        HeaderLines::of(self.0.headers.get_all(name).into_iter().map(HeaderValue::as_bytes))
    }

    /// Returns the connection that a server has put into the extensions: a [`Connection`], directly or
    /// through `into_make_service_with_connect_info`, or only the address.
    fn connection(&self) -> Connection {
        let extensions = &self.0.extensions;
        let address = extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| *peer)
            .or_else(|| TcpPeer::of(extensions).map(TcpPeer::address))
            .map(|peer| peer.ip());
        let known = extensions.get::<Connection>().or_else(|| {
            extensions.get::<ConnectInfo<Connection>>().map(|ConnectInfo(known)| known)
        });
        match (known.copied().unwrap_or_default(), address) {
            (known, Some(address)) if !known.has_peer() => known.peer(address),
            (known, _) => known,
        }
    }
}
