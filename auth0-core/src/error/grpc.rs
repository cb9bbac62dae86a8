//! The refusal of a gRPC call: a status in the headers of a response without a body (trailers-only).
use super::Error;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::borrow::Cow;

/// What `grpc-message` may not have as it is: everything outside of printable ASCII, and the sign itself.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// The refusal of a gRPC call, for any gRPC library: see [`Error::grpc_status`].
///
/// The HTTP status is 200, and there is no body. Copy every header in order (`www-authenticate` may occur more than
/// once): clients see them as metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrpcStatus {
    code: u8,
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl Error {
    /// Returns the refusal as the answer to a gRPC call.
    ///
    /// | HTTP status | gRPC code |
    /// |---|---|
    /// | 400, 401 | 16 `UNAUTHENTICATED` |
    /// | 403 | 7 `PERMISSION_DENIED` |
    /// | 404 | 5 `NOT_FOUND` |
    /// | 413 | 8 `RESOURCE_EXHAUSTED` |
    /// | 503 | 14 `UNAVAILABLE` |
    /// | 500 | 13 `INTERNAL` |
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let error = Tenant::new().auth0().verify("x").await.unwrap_err();
    /// let status = error.grpc_status();
    /// assert_eq!(status.code(), 16);
    /// assert!(status.headers().any(|header| header == ("error-code", "token_malformed")));
    /// assert!(status.headers().any(|(name, _)| name == "www-authenticate"));
    /// # })
    /// ```
    #[must_use]
    pub fn grpc_status(&self) -> GrpcStatus {
        let code = match self.status() {
            400 | 401 => 16,
            403 => 7,
            404 => 5,
            413 => 8,
            503 => 14,
            _ => 13,
        };
        let message = utf8_percent_encode(self.code().description(), ESCAPED).to_string();
        let mut headers: Vec<(&'static str, Cow<'static, str>)> = vec![
            ("content-type", Cow::Borrowed("application/grpc")),
            ("grpc-status", Cow::Owned(code.to_string())),
            ("grpc-message", Cow::Owned(message)),
            ("error-code", Cow::Borrowed(self.code().as_str())),
            // It is a response with the status 200, which a cache might keep.
            ("cache-control", Cow::Borrowed("no-store")),
        ];
        for (name, value) in self.challenge().headers() {
            if let "www-authenticate" | "dpop-nonce" | "retry-after" = name {
                headers.push((name, Cow::Owned(value.to_owned())));
            }
        }
        GrpcStatus { code, headers }
    }
}

impl GrpcStatus {
    /// Returns the gRPC status code: 5, 7, 8, 13, 14 or 16.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.code
    }

    /// Returns every header line: a lower-case name, and a value of printable ASCII.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }
}
