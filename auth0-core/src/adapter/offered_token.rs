//! The token that a browser offers as a subprotocol of its WebSocket.
use std::fmt;

/// The subprotocol that announces a token as the next one, and that a server selects, so that its answer has no token.
pub const BEARER_PROTOCOL: &str = "bearer";

/// More subprotocols than a client has. With more, a token is not used.
const MAX_PROTOCOLS: usize = 64;

/// What a browser offers with a WebSocket: a token, which cannot be in `Authorization` there, and its subprotocols.
/// `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfferedToken<'a> {
    /// The subprotocol after [`BEARER_PROTOCOL`]. It is empty where two tokens are offered, or one among more than 64
    /// subprotocols: then none is used.
    pub token: &'a str,
    /// The value of `Sec-WebSocket-Protocol` without the token.
    pub protocols: String,
}

/// Returns the token of the lines of `Sec-WebSocket-Protocol` (RFC 6455, section 11.3.4), or none if they offer none:
/// `bearer, <token>`, alone or among other subprotocols.
///
/// ```
/// use auth0_core::adapter::offered_token;
///
/// let lines: [&[u8]; 1] = [b"chat, bearer, abc.def.ghi"];
/// let offered = offered_token(lines).ok_or("no token")?;
/// assert_eq!(offered.token, "abc.def.ghi");
/// assert_eq!(offered.protocols, "chat, bearer");
///
/// let lines: [&[u8]; 1] = [b"graphql-transport-ws"];
/// assert_eq!(offered_token(lines), None);
/// # Ok::<_, &str>(())
/// ```
pub fn offered_token<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<OfferedToken<'a>> {
    let mut items = Vec::new();
    let (mut is_too_long, mut is_announced) = (false, false);
    for line in lines {
        let line = std::str::from_utf8(line).ok().filter(|line| line.is_ascii())?;
        for item in line.split(',') {
            let item = item.trim();
            is_announced |= item == BEARER_PROTOCOL;
            is_too_long |= items.len() == MAX_PROTOCOLS;
            if !is_too_long {
                items.push(item);
            }
        }
    }
    if is_too_long && is_announced {
        return Some(OfferedToken { token: "", protocols: BEARER_PROTOCOL.to_owned() });
    }
    let announced = items.iter().position(|item| *item == BEARER_PROTOCOL)?;
    if announced + 1 == items.len() {
        return None;
    }
    let token = items.remove(announced + 1);
    let is_offered_twice = items.iter().filter(|item| **item == BEARER_PROTOCOL).count() > 1;
    Some(OfferedToken {
        token: if is_offered_twice { "" } else { token },
        protocols: items.join(", "),
    })
}

impl fmt::Debug for OfferedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferedToken").finish_non_exhaustive()
    }
}
