//! The methods of `McpTools` in the adapters, whose type implements the traits of their framework.

/// Writes the methods of a type `McpTools(Arc<mcp::McpTools>)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __mcp_tools {
    () => {
        /// Creates requirements under which a valid token is enough for every operation.
        pub fn new() -> Self {
            Self(::std::sync::Arc::new($crate::mcp::McpTools::new()))
        }

        /// Adds what every operation needs.
        pub fn default(self, requirement: $crate::Requirement) -> Self {
            self.map(|tools| tools.default(requirement))
        }

        /// Adds what a tool needs beside the default (`tools/call`).
        pub fn tool(self, name: impl Into<String>, requirement: $crate::Requirement) -> Self {
            self.map(|tools| tools.tool(name, requirement))
        }

        /// Adds what a prompt needs beside the default (`prompts/get`, and completions of its arguments).
        pub fn prompt(self, name: impl Into<String>, requirement: $crate::Requirement) -> Self {
            self.map(|tools| tools.prompt(name, requirement))
        }

        /// Adds what every resource needs whose URI begins with this text, beside the default: see
        /// [`auth0_core::mcp::McpTools::resource_prefix`].
        pub fn resource_prefix(
            self,
            prefix: impl Into<String>,
            requirement: $crate::Requirement,
        ) -> Self {
            self.map(|tools| tools.resource_prefix(prefix, requirement))
        }

        /// Sets the size up to which a body is read, in bytes: 4 MiB by default. A longer one is refused with `413
        /// request_too_large`.
        pub fn max_body_bytes(self, bytes: usize) -> Self {
            self.map(|tools| tools.max_body_bytes(bytes))
        }

        /// Returns whether a token may call a tool, for the answer to `tools/list`. Nothing is logged.
        #[must_use]
        pub fn allows<C>(&self, token: &$crate::VerifiedToken<C>, tool: &str) -> bool {
            self.0.allows(token, tool)
        }

        fn map(self, change: impl FnOnce($crate::mcp::McpTools) -> $crate::mcp::McpTools) -> Self {
            Self(::std::sync::Arc::new(change(::std::sync::Arc::unwrap_or_clone(self.0))))
        }
    };
}
