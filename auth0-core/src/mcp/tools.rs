//! The requirements of an MCP server.
use super::{
    operation::{Body, Message, Operation},
    uri,
};
use crate::{
    error::{Error, ErrorCode},
    policy::{Requirement, authenticated},
    request::{HeaderLines, HttpParts},
    telemetry::Escaped,
    token::VerifiedToken,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    fmt, ptr,
};

/// As the official SDKs of MCP.
const DEFAULT_MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// What a token needs for the operations of an MCP server (Model Context Protocol): by default, for each tool and
/// prompt, and for resources by the beginning of their URI. The adapters have a layer or middleware of it.
///
/// ```
/// use auth0_core::{mcp::McpTools, policy::*};
/// use auth0_testing::Tenant;
///
/// let tools = McpTools::new()
///     .default(scope("mcp:read"))
///     .tool("purge", scope("mcp:purge"))
///     .prompt("review", permission("reviews"))
///     .resource_prefix("file:///secret/", organization("org_a1"));
///
/// let token = Tenant::new().token().scope("mcp:read").verified();
/// assert!(tools.allows(&token, "whoami"));
/// assert!(!tools.allows(&token, "purge")); // to leave it out of tools/list
/// assert_eq!(tools.requirement_of_tool("purge").scopes(), ["mcp:read", "mcp:purge"]);
/// ```
///
/// Each operation needs the default requirement and its own. A batch needs those of all its messages. What cannot
/// be read with certainty needs everything: JSON with a member twice, a tool's name that is not a text, a method
/// that is not known with a name or URI, JSON that is nested more than 32 levels deep, a body that is compressed.
#[derive(Clone)]
#[must_use]
pub struct McpTools {
    default: Requirement,
    tools: BTreeMap<String, Requirement>,
    prompts: BTreeMap<String, Requirement>,
    resources: Vec<(String, Requirement)>,
    max_body_bytes: usize,
}

impl McpTools {
    /// Creates requirements under which a valid token is enough for every operation.
    pub const fn new() -> Self {
        Self {
            default: authenticated(),
            tools: BTreeMap::new(),
            prompts: BTreeMap::new(),
            resources: Vec::new(),
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
        }
    }

    /// Adds what every operation needs.
    pub fn default(mut self, requirement: Requirement) -> Self {
        self.default = self.default.and(requirement);
        self
    }

    /// Adds what a tool needs beside the default (`tools/call`).
    pub fn tool(mut self, name: impl Into<String>, requirement: Requirement) -> Self {
        add(&mut self.tools, name.into(), requirement);
        self
    }

    /// Adds what a prompt needs beside the default (`prompts/get`, and completions of its arguments).
    pub fn prompt(mut self, name: impl Into<String>, requirement: Requirement) -> Self {
        add(&mut self.prompts, name.into(), requirement);
        self
    }

    /// Adds what every resource needs whose URI begins with this text, beside the default (`resources/read`,
    /// subscriptions, completions). If several prefixes fit, all count. A URI that is not in normal form
    /// (`/../`, `//`, `%73`) needs the requirements of all resources, and a prefix that is not fits every URI.
    pub fn resource_prefix(mut self, prefix: impl Into<String>, requirement: Requirement) -> Self {
        self.resources.push((prefix.into(), requirement));
        self
    }

    /// Sets the size up to which a body is read, in bytes: 4 MiB by default. A longer one is refused with `413
    /// request_too_large`.
    pub const fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Returns the size up to which a body is read, in bytes.
    #[must_use]
    pub const fn body_limit(&self) -> usize {
        self.max_body_bytes
    }

    /// Returns what a tool needs, the default included.
    #[must_use]
    pub fn requirement_of_tool(&self, name: &str) -> Requirement {
        self.requirement(&[Operation::Tool(Cow::Borrowed(name))]).requirement
    }

    /// Returns whether a token may call a tool, for the answer to `tools/list`. Nothing is logged. A requirement that
    /// needs a value of the request, such as the organization of its path, is not met here.
    #[must_use]
    pub fn allows<C>(&self, token: &VerifiedToken<C>, tool: &str) -> bool {
        self.requirement_of_tool(tool).is_met_by(token)
    }

    /// Returns what a request needs. `body` is its whole body.
    ///
    /// # Errors
    /// `mcp_header_mismatch` if a header `Mcp-Method` or `Mcp-Name` says something else than the body.
    pub fn requirement_of(
        &self,
        request: &impl HttpParts,
        body: &[u8],
    ) -> Result<OperationRequirement, Error> {
        let is_plain = match request.header("content-encoding") {
            HeaderLines::Absent => true,
            HeaderLines::One(encoding) => encoding.eq_ignore_ascii_case(b"identity"),
            HeaderLines::Several => false,
        };
        if !is_plain {
            return Ok(self.everything("it is compressed"));
        }
        Ok(match Body::read(body) {
            Body::Empty => {
                refuse_headers(request, "is empty")?;
                self.requirement(&[])
            }
            Body::Message(message) => {
                check_headers(request, &message)?;
                self.requirement(&[message.operation])
            }
            Body::Batch(operations) => {
                refuse_headers(request, "is a batch")?;
                self.requirement(&operations)
            }
            Body::Unreadable(why) => self.everything(why),
        })
    }

    /// Returns what a request needs whose body is not read, because it has no end: the connection becomes another
    /// protocol. It is none if the connection stays one of HTTP.
    #[must_use]
    pub fn requirement_of_upgrade(&self, request: &impl HttpParts) -> Option<OperationRequirement> {
        let leaves_http = request.method() == "CONNECT"
            || match request.header("upgrade") {
                HeaderLines::Absent => false,
                HeaderLines::One(protocols) => !protocols.split(|byte| *byte == b',').all(is_http),
                HeaderLines::Several => true,
            };
        leaves_http.then(|| self.everything("the connection becomes another protocol"))
    }

    /// Returns the refusal of a body that is too long.
    #[must_use]
    pub fn too_large(&self) -> Error {
        Error::new(ErrorCode::RequestTooLarge)
            .because("the body of the request is too long")
            .expecting(format!("at most {} bytes (McpTools::max_body_bytes)", self.max_body_bytes))
    }

    /// Returns the refusal of a body that did not arrive in full.
    #[must_use]
    pub fn broken_off(&self) -> Error {
        Error::new(ErrorCode::BodyIncomplete)
            .because("the body of the request did not arrive in full")
    }

    /// Returns what operations need together.
    fn requirement(&self, operations: &[Operation<'_>]) -> OperationRequirement {
        let mut needed = Needed::default();
        for operation in operations {
            match operation {
                Operation::Other => {}
                Operation::Tool(name) => needed.extend(self.tools.get(&**name)),
                Operation::Prompt(name) => needed.extend(self.prompts.get(&**name)),
                Operation::Resource(uri) => needed.extend(self.of_resource(uri)),
                Operation::EveryResource => needed.extend(self.of_all_resources()),
                Operation::Everything(why) => return self.everything(why),
            }
        }
        OperationRequirement { requirement: needed.with(&self.default), uncertain: None }
    }

    fn everything(&self, why: &'static str) -> OperationRequirement {
        let mut needed = Needed::default();
        needed.extend(self.tools.values().chain(self.prompts.values()));
        needed.extend(self.of_all_resources());
        OperationRequirement { requirement: needed.with(&self.default), uncertain: Some(why) }
    }

    fn of_all_resources(&self) -> impl Iterator<Item = &Requirement> {
        self.resources.iter().map(|(_, requirement)| requirement)
    }

    fn of_resource<'a>(&'a self, uri: &str) -> impl Iterator<Item = &'a Requirement> {
        let uri = uri::Uri::new(uri);
        let fits = move |prefix: &str| uri.has_prefix(prefix);
        self.resources
            .iter()
            .filter(move |(prefix, _)| fits(prefix))
            .map(|(_, requirement)| requirement)
    }
}

/// What a request to an MCP server needs: see [`McpTools::requirement_of`].
#[derive(Clone, Debug)]
pub struct OperationRequirement {
    pub(crate) requirement: Requirement,
    /// Why everything is needed, if it is.
    pub(crate) uncertain: Option<&'static str>,
}

impl OperationRequirement {
    /// Returns the requirement, the default included.
    #[must_use]
    pub const fn requirement(&self) -> &Requirement {
        &self.requirement
    }
}

/// Requirements, each once.
#[derive(Default)]
struct Needed<'a> {
    all: Vec<&'a Requirement>,
    known: HashSet<*const Requirement>,
}

impl<'a> Needed<'a> {
    fn extend(&mut self, more: impl IntoIterator<Item = &'a Requirement>) {
        for requirement in more {
            if self.known.insert(ptr::from_ref(requirement)) {
                self.all.push(requirement);
            }
        }
    }

    fn with(self, default: &Requirement) -> Requirement {
        self.all.into_iter().fold(default.clone(), |all, requirement| {
            // Equal ones may have checks of the same name that are not the same function.
            match *requirement == authenticated() || requirement.is_same(&all) {
                true => all,
                false => all.and(requirement.clone()),
            }
        })
    }
}

impl Default for McpTools {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for McpTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpTools")
            .field("default", &self.default)
            .field("tools", &self.tools)
            .field("prompts", &self.prompts)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

fn add(all: &mut BTreeMap<String, Requirement>, name: String, requirement: Requirement) {
    let before = all.remove(&name).unwrap_or_else(authenticated);
    all.insert(name, before.and(requirement));
}

/// Returns whether HTTP goes on with this protocol of `Upgrade` (RFC 9110, section 7.8). Some clients offer HTTP/2 with
/// each request.
fn is_http(protocol: &[u8]) -> bool {
    let protocol = protocol.trim_ascii();
    let begins = |with: &[u8]| {
        protocol.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    protocol.eq_ignore_ascii_case(b"h2c") || begins(b"http/") || begins(b"tls/")
}

/// Checks that the headers say what the message says, if they are there (MCP, Streamable HTTP). Clients of older
/// versions do not send them.
fn check_headers(request: &impl HttpParts, message: &Message<'_>) -> Result<(), Error> {
    check_header(request, "mcp-method", message.method.as_deref())?;
    check_header(request, "mcp-name", message.name.as_deref())
}

fn check_header(
    request: &impl HttpParts,
    name: &'static str,
    stated: Option<&str>,
) -> Result<(), Error> {
    let text = match request.header(name) {
        HeaderLines::Absent => return Ok(()),
        HeaderLines::One(line) => std::str::from_utf8(line).ok().and_then(decoded),
        HeaderLines::Several => None,
    };
    if text.is_some() && text.as_deref() == stated {
        return Ok(());
    }
    let stated = stated.map_or_else(|| "has none".to_owned(), |it| Escaped(it).to_string());
    Err(Error::new(ErrorCode::McpHeaderMismatch)
        .because(format!("the header {name} says something else than the body: {stated}")))
}

fn refuse_headers(request: &impl HttpParts, body: &'static str) -> Result<(), Error> {
    for name in ["mcp-method", "mcp-name"] {
        if !request.header(name).is_absent() {
            return Err(Error::new(ErrorCode::McpHeaderMismatch)
                .because(format!("the header {name} describes one message, and the body {body}")));
        }
    }
    Ok(())
}

/// Returns the text of a header, which is in base64 if it is not plain ASCII.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim_matches([' ', '\t']);
    let Some(inside) = text.strip_prefix("=?base64?").and_then(|it| it.strip_suffix("?=")) else {
        return Some(Cow::Borrowed(text));
    };
    String::from_utf8(STANDARD.decode(inside).ok()?).ok().map(Cow::Owned)
}
