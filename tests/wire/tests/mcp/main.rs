//! Protected resources (RFC 9728) and MCP servers: metadata, challenges, tools, sessions, at all three servers.
mod challenges;
mod metadata;
mod servers;
mod sessions;
mod tools;
