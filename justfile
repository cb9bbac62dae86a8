# The recurring commands. `.ci/run` runs the same ones.

# Lists the recipes.
default:
    @just --list

# Checks formatting and lints.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

# Runs every test.
test:
    cargo test --workspace --all-features

# Lints each published crate without features, and with each feature alone.
features:
    .ci/features

# Builds the documentation; a broken link is an error.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --all-features --no-deps --locked

# Counts the instructions and allocations of a verification; needs valgrind and gungraun-runner.
instructions:
    .ci/instructions

# Starts both quickstarts as a new user would, and calls them with curl.
quickstart:
    cargo build --locked -p axum-quickstart -p actix-quickstart
    .ci/quickstart axum-quickstart
    .ci/quickstart actix-quickstart

# Starts the quickstarts and auth0-local as in a container; needs root.
container:
    .ci/container

# Starts an application on rustls with ring, which is not in the workspace.
rustls-ring:
    cargo run --locked --manifest-path tests/rustls-ring/Cargo.toml --target-dir target/rustls-ring

# Compiles the fuzz targets, which are not in the workspace.
fuzz-check:
    cargo clippy --locked --manifest-path fuzz/Cargo.toml --no-default-features --target-dir target -- -D warnings

# Calls quickstarts and MCP servers with independent clients, and with tokens of another provider; needs Node.js.
clients:
    .ci/clients

# Validates the documents of the OpenAPI examples, and logs in with Swagger UI; needs Node.js and Chromium.
openapi:
    .ci/openapi

# Calls the gRPC example with the official libraries for Python and grpc-web; needs Python with venv, and Node.js.
grpc:
    .ci/grpc

# Checks licences, bans and sources with cargo-deny.
dependencies:
    .ci/dependencies

# Makes a book of the guide, in target/book; needs mdbook.
book:
    mdbook build docs
