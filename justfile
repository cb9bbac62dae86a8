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
    #!/usr/bin/env python3
    import json
    import subprocess

    metadata = ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"]
    for package in json.loads(subprocess.check_output(metadata))["packages"]:
        if package["publish"] == []:
            continue
        for feature in ["", *(name for name in package["features"] if name != "default")]:
            print(f"== {package['name']} --features \"{feature}\"", flush=True)
            only = ["--no-default-features", "--features", feature]
            command = ["cargo", "clippy", "--locked", "-p", package["name"], *only, "--", "-D", "warnings"]
            subprocess.run(command, check=True)

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

# Calls both quickstarts with independent clients, and with tokens of another provider; needs Node.js.
clients:
    .ci/clients
