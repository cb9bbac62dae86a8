//! What the messages of a request body ask for. What is uncertain asks for everything.
use crate::jose::json::{self, Value};
use std::borrow::Cow;

/// A batch of more different operations asks for everything, so that it costs no more to judge than to read.
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
    /// It cannot be known how the server reads the message.
    Everything,
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
    /// Not JSON, or JSON that two parsers may read in two ways.
    Unreadable,
}

impl<'a> Body<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        let Ok(text) = std::str::from_utf8(bytes) else { return Self::Unreadable };
        match text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('[') {
            true => Self::read_batch(text),
            false => Message::read(text).map_or(Self::Unreadable, Self::Message),
        }
    }

    fn read_batch(text: &'a str) -> Self {
        let Ok(array) = json::check(text) else { return Self::Unreadable };
        let mut operations: Vec<Operation<'_>> = Vec::new();
        let is_too_much = array.any_element(|element| {
            if operations.len() > MAX_OPERATIONS {
                return true;
            }
            let operation =
                Message::read(element.raw()).map_or(Operation::Everything, |it| it.operation);
            if !operations.contains(&operation) {
                operations.push(operation);
            }
            false
        });
        match is_too_much || operations.is_empty() {
            true => Self::Batch(vec![Operation::Everything]),
            false => Self::Batch(operations),
        }
    }
}

impl<'a> Message<'a> {
    /// Reads a JSON-RPC message. `None` if it is no object, or not certain.
    fn read(text: &'a str) -> Option<Self> {
        let (mut method, mut params, mut is_response, mut is_odd) = (None, None, false, false);
        json::check_object(text, |name, value| match name {
            "method" => method = Some(value),
            "params" => params = Some(value),
            "result" | "error" => is_response = true,
            _ => is_odd |= is_private_name(name),
        })
        .ok()?;
        if is_odd {
            return None;
        }
        let Some(method) = method else {
            // The answer of a client to the server.
            let is_certain = is_response && params.is_none();
            let operation = if is_certain { Operation::Other } else { Operation::Everything };
            return Some(Self { method: None, name: None, operation });
        };
        let method = method.as_str()?;
        let params = Params::read(params)?;
        let operation = params.operation(&method);
        let name = params.name.or(params.uri).or(params.task);
        Some(Self { name, method: Some(method), operation })
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
    /// Returns `None` if a name is not a text, or the parameters are no object.
    fn read(params: Option<Value<'a>>) -> Option<Self> {
        let mut read = Self::default();
        let mut is_certain = true;
        let Some(params) = params.filter(|params| !params.is_null()) else { return Some(read) };
        json::check_object(params.raw(), |name, value| {
            let place = match name {
                "name" => &mut read.name,
                "uri" => &mut read.uri,
                "taskId" => return read.task = value.as_str(),
                "ref" => return read.reference = Some(value),
                "notifications" => return read.notifications = Some(value),
                _ => return is_certain &= !is_private_name(name),
            };
            *place = value.as_str();
            is_certain &= place.is_some();
        })
        .ok()?;
        is_certain.then_some(read)
    }

    fn operation(&self, method: &str) -> Operation<'a> {
        let known = |name: &Option<Cow<'a, str>>, of: fn(Cow<'a, str>) -> Operation<'a>| {
            name.clone().map_or(Operation::Everything, of)
        };
        match method {
            "tools/call" => known(&self.name, Operation::Tool),
            "prompts/get" => known(&self.name, Operation::Prompt),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                known(&self.uri, Operation::Resource)
            }
            "completion/complete" => self.completed().unwrap_or(Operation::Everything),
            "subscriptions/listen" if self.notifications.is_some_and(is_of_resources) => {
                Operation::EveryResource
            }
            _ if self.name.is_some() || self.uri.is_some() => Operation::Everything,
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
    !notifications.is_object() || notifications.member("resourceSubscriptions").is_some()
}

/// Returns whether a member is one by which `serde_json` recognizes texts of its own, which it parses again.
fn is_private_name(name: &str) -> bool {
    name.starts_with("$serde_json::")
}
