//! The adapter of a request of axum, or of any tower stack, for the core.
use crate::tcp::TcpPeer;
use auth0_core::adapter::{Connection, HeaderLines, HttpParts, RequestView, only};
use axum::extract::{ConnectInfo, OriginalUri};
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version,
    header::AUTHORIZATION, request::Parts, uri::Authority,
};
use std::net::SocketAddr;

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// The head of a request. A layer has it as a whole request, and need not take it apart.
pub(crate) trait Head {
    fn adapter(&self) -> RequestAdapter<'_>;

    fn extensions_mut(&mut self) -> &mut Extensions;
}

impl Head for Parts {
    fn adapter(&self) -> RequestAdapter<'_> {
        let Self { method, uri, version, headers, extensions, .. } = self;
        RequestAdapter { method, uri, version: *version, headers, extensions }
    }

    fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }
}

impl<B> Head for Request<B> {
    fn adapter(&self) -> RequestAdapter<'_> {
        RequestAdapter {
            method: self.method(),
            uri: self.uri(),
            version: self.version(),
            headers: self.headers(),
            extensions: self.extensions(),
        }
    }

    fn extensions_mut(&mut self) -> &mut Extensions {
        self.extensions_mut()
    }
}

/// The request, as the client sent it.
#[derive(Clone, Copy)]
pub(crate) struct RequestAdapter<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) version: Version,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) extensions: &'a Extensions,
}

/// Returns the `Authorization` header, if there is exactly one.
pub(crate) fn only_authorization(headers: &HeaderMap) -> Option<&HeaderValue> {
    only(headers.get_all(AUTHORIZATION))
}

impl<'a> RequestAdapter<'a> {
    /// Returns the view of the request, given its only `Authorization` header: `None` for none or several.
    pub(crate) fn view(&'a self, only: Option<&'a HeaderValue>) -> RequestView<'a> {
        let lines =
            |name: &HeaderName| self.headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
        let view = match only {
            Some(header) => RequestView::new().authorization([header.as_bytes()]),
            None => RequestView::new().authorization(lines(&AUTHORIZATION)),
        };
        // Nearly no request has one, and this lookup is shorter.
        let view = if self.headers.contains_key(&DPOP) { view.proof(lines(&DPOP)) } else { view };
        view.parts(self)
    }

    /// Returns the URI before `nest` removed its prefix.
    fn uri(&self) -> &Uri {
        self.extensions.get::<OriginalUri>().map_or(self.uri, |OriginalUri(uri)| uri)
    }
}

impl HttpParts for RequestAdapter<'_> {
    fn method(&self) -> &str {
        self.method.as_str()
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
        HeaderLines::of(self.headers.get_all(name).into_iter().map(HeaderValue::as_bytes))
    }

    /// Returns the connection that a server has put into the extensions: a [`Connection`], directly or
    /// through `into_make_service_with_connect_info`, or only the address.
    fn connection(&self) -> Connection {
        let extensions = self.extensions;
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
