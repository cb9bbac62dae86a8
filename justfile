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

# Builds the documentation of the published crates; a broken link is an error.
docs:
    .ci/docs

# Compares the public items of each published crate with docs/api; `.ci/api --write` writes them anew.
api:
    .ci/api

# Packages every published crate as for a release, and looks into the packages.
publish-check:
    .ci/publish

# Checks the published crates with the oldest Rust, and the oldest versions of the crates that they name; needs rustup.
versions:
    .ci/versions

# Counts the instructions and allocations of a verification; needs valgrind and gungraun-runner.
instructions:
    .ci/instructions

# Starts both quickstarts as a new user would, and calls them with curl.
quickstart:
    .ci/quickstart axum-quickstart
    .ci/quickstart actix-quickstart

# Starts the quickstarts and auth0-local as in a container; needs root.
container:
    .ci/container

# Starts an application on rustls with ring, which is not in the workspace.
rustls-ring:
    cargo run --locked --manifest-path tests/rustls-ring/Cargo.toml --target-dir target

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

# Checks and tests the alerts for Prometheus; needs promtool.
alerts:
    .ci/alerts

# Checks licences, bans and sources with cargo-deny.
dependencies:
    .ci/dependencies

# Makes a book of the guide, in target/book; needs mdbook.
book:
    mdbook build docs
