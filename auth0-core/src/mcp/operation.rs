//! What the messages of a request body ask for. What is uncertain asks for everything.
use crate::jose::json::{self, Value};
use std::borrow::Cow;

/// A batch of more different operations asks for everything, so that it costs no more to check than to read.
const MAX_OPERATIONS: usize = 64;

/// What a message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation<'a> {
    /// None of the following.
    Other,
    Tool(Cow<'a, str>),
    Prompt(Cow<'a, str>),
    Resource(Cow<'a, str>),
    /// Changes of any resource.
    EveryResource,
    /// It cannot be known how the server reads the message, for this reason.
    Everything(&'static str),
}

/// A message, as the headers `Mcp-Method` and `Mcp-Name` describe it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) method: Option<Cow<'a, str>>,
    /// `params.name`, `params.uri` or, for the methods of tasks, `params.taskId`.
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) operation: Operation<'a>,
}

/// A body.
#[derive(Debug)]
pub(super) enum Body<'a> {
    Empty,
    Message(Message<'a>),
    Batch(Vec<Operation<'a>>),
    /// Not JSON, or JSON that two parsers may read in two ways, for this reason.
    Unreadable(&'static str),
}

impl<'a> Body<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::Unreadable("it is not UTF-8");
        };
        match text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('[') {
            true => Self::read_batch(text),
            false => Message::read(text).map_or_else(Self::Unreadable, Self::Message),
        }
    }

    fn read_batch(text: &'a str) -> Self {
        let array = match json::check(text) {
            Ok(array) => array,
            Err(why) => return Self::Unreadable(why.as_str()),
        };
        let mut operations: Vec<Operation<'_>> = Vec::new();
        let mut uncertain = None;
        array.any_element(|element| {
            if uncertain.is_some() {
                return true;
            }
            match Message::read(element.raw()).map(|message| message.operation) {
                Err(why) | Ok(Operation::Everything(why)) => uncertain = Some(why),
                Ok(operation) if operations.contains(&operation) => {}
                Ok(_) if operations.len() == MAX_OPERATIONS => {
                    uncertain = Some("it is a batch of too many operations");
                }
                Ok(operation) => operations.push(operation),
            }
            false
        });
        if operations.is_empty() {
            uncertain = uncertain.or(Some("it is an empty batch"));
        }
        uncertain.map_or(Self::Batch(operations), Self::Unreadable)
    }
}

impl<'a> Message<'a> {
    /// Reads a JSON-RPC message. The error says why it is not certain.
    fn read(text: &'a str) -> Result<Self, &'static str> {
        let (mut method, mut params, mut is_response, mut is_odd) = (None, None, false, false);
        json::check_object(text, |name, value| match name {
            "method" => method = Some(value),
            "params" => params = Some(value),
            "result" | "error" => is_response = true,
            _ => is_odd |= is_private_name(name),
        })
        .map_err(json::Malformed::as_str)?;
        if is_odd {
            return Err(PRIVATE_NAME);
        }
        let Some(method) = method else {
            // The answer of a client to the server.
            let is_certain = is_response && params.is_none();
            if !is_certain {
                return Err("it has no method, and is no answer");
            }
            return Ok(Self { method: None, name: None, operation: Operation::Other });
        };
        let method = method.as_str().ok_or("its method is not a text")?;
        let params = Params::read(params)?;
        let operation = params.operation(&method);
        let name = params.name.or(params.uri).or(params.task);
        Ok(Self { name, method: Some(method), operation })
    }
}

/// The members of `params` that name something.
#[derive(Debug, Default)]
struct Params<'a> {
    name: Option<Cow<'a, str>>,
    uri: Option<Cow<'a, str>>,
    task: Option<Cow<'a, str>>,
    /// What `completion/complete` completes.
    reference: Option<Value<'a>>,
    notifications: Option<Value<'a>>,
}

impl<'a> Params<'a> {
    /// The error says why the names are not certain.
    fn read(params: Option<Value<'a>>) -> Result<Self, &'static str> {
        let mut read = Self::default();
        let mut uncertain = None;
        let Some(params) = params.filter(|params| !params.is_null()) else { return Ok(read) };
        json::check_object(params.raw(), |name, value| {
            let place = match name {
                "name" => &mut read.name,
                "uri" => &mut read.uri,
                "taskId" => return read.task = value.as_str(),
                "ref" => return read.reference = Some(value),
                "notifications" => return read.notifications = Some(value),
                _ if is_private_name(name) => return uncertain = Some(PRIVATE_NAME),
                _ => return,
            };
            *place = value.as_str();
            if place.is_none() {
                uncertain = Some("its name or URI is not a text");
            }
        })
        .map_err(|_| "its params are not an object")?;
        uncertain.map_or(Ok(read), Err)
    }

    fn operation(&self, method: &str) -> Operation<'a> {
        let known = |name: &Option<Cow<'a, str>>, of: fn(Cow<'a, str>) -> Operation<'a>| {
            name.clone().map_or(Operation::Everything("its name or URI is missing"), of)
        };
        match method {
            "tools/call" => known(&self.name, Operation::Tool),
            "prompts/get" => known(&self.name, Operation::Prompt),
            "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "resources/directory/read"
            | "skills/get" => known(&self.uri, Operation::Resource),
            "completion/complete" => self
                .completed()
                .unwrap_or(Operation::Everything("it completes neither a prompt nor a resource")),
            "subscriptions/listen" if self.notifications.is_some_and(is_of_resources) => {
                Operation::EveryResource
            }
            _ if self.name.is_some() || self.uri.is_some() => {
                Operation::Everything("its method is not known, and it has a name or URI")
            }
            _ => Operation::Other,
        }
    }

    /// Returns the prompt or resource template whose argument is completed.
    fn completed(&self) -> Option<Operation<'a>> {
        let reference = self.reference?;
        let text = |name| reference.member(name).and_then(Value::as_str);
        match (&*text("type")?, text("name"), text("uri")) {
            ("ref/prompt", Some(name), None) => Some(Operation::Prompt(name)),
            ("ref/resource", None, Some(uri)) => Some(Operation::Resource(uri)),
            _ => None,
        }
    }
}

fn is_of_resources(notifications: Value<'_>) -> bool {
    let subscriptions = notifications.member("resourceSubscriptions");
    let is_none = |list: Value<'_>| list.is_null() || list.raw() == "[]";
    !notifications.is_object() || subscriptions.is_some_and(|list| !is_none(list))
}

const PRIVATE_NAME: &str = "it has a member of a name that serde_json keeps for itself";

/// Returns whether a member is one by which `serde_json` recognizes texts of its own, which it parses again.
fn is_private_name(name: &str) -> bool {
    name.starts_with("$serde_json::")
}
