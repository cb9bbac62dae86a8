//! The tools, prompts and resources of an MCP server (Model Context Protocol), and what a token needs for each.
mod methods;
mod operation;
mod sessions;
mod tools;
mod uri;

pub use sessions::McpSessions;
pub use tools::{McpTools, OperationRequirement};
