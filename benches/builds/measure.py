#!/usr/bin/env python3
"""What a crate adds to a small service with JSON and logs: seconds of a clean debug build, crates, and megabytes of the
stripped release program. Prints Markdown. On a machine that does nothing else; the order changes with each round.
Without rounds (0), it measures no seconds.

    benches/builds/measure.py [ROUNDS] [PROGRAM...]
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# What a service has without any of the crates.
SERVICE = """
axum = "0.8"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tokio = { version = "1", features = ["full"] }
tracing = "0.1"
tracing-subscriber = { version = "0.3", features = ["env-filter"] }
"""
# A crate from a registry is not built incrementally either.
ENVIRONMENT = {**os.environ, "CARGO_INCREMENTAL": "0"}

MAIN = """
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt::init();
    BODY
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"""


def main(body):
    return MAIN.replace("BODY", body.strip())


def ours(options):
    return f'auth0-axum = {{ path = "{REPOSITORY}/auth0-axum"{options} }}'


OURS = """
use axum::{Router, routing::get};
use auth0_axum::{AccessToken, Auth0};
async fn me(token: AccessToken) -> String { token.subject().to_owned() }
""" + main('let app = Router::new().route("/me", get(me)).with_state(Auth0::from_env().unwrap());')

# Name: dependencies, and the program.
PROGRAMS = {
    "no protection": ([], """
use axum::{Router, routing::get};
async fn me() -> &'static str { "ann" }
""" + main('let app = Router::new().route("/me", get(me));')),
    "auth0-axum": ([ours("")], OURS),
    "auth0-axum, domains in ASCII only": ([ours("")], OURS),
    "auth0-axum without an HTTP client": ([ours(", default-features = false")], """
use axum::{Router, routing::get};
use auth0_axum::{AccessToken, Auth0, TrustedIssuer};
async fn me(token: AccessToken) -> String { token.subject().to_owned() }
""" + main("""
    let keys = std::fs::read_to_string("jwks.json").unwrap();
    let issuer = TrustedIssuer::domain("acme.eu.auth0.com").key_set(keys);
    let auth = Auth0::builder().issuer(issuer).audience("https://api.acme.com").build().unwrap();
    let app = Router::new().route("/me", get(me)).with_state(auth);
""")),
    "jwt-authorizer 0.15": ([
        'jwt-authorizer = "0.15"',
    ], """
use axum::{Router, routing::get};
use jwt_authorizer::{Authorizer, IntoLayer, JwtAuthorizer, JwtClaims, RegisteredClaims};
async fn me(JwtClaims(user): JwtClaims<RegisteredClaims>) -> String { user.sub.unwrap_or_default() }
""" + main("""
    let auth: Authorizer = JwtAuthorizer::from_oidc("https://acme.eu.auth0.com").build().await.unwrap();
    let app = Router::new().route("/me", get(me)).layer(auth.into_layer());
""")),
    "oauth-resource-server 0.4": ([
        'oauth-resource-server = { version = "0.4", features = ["axum", "serde"] }',
    ], """
use axum::{Router, routing::get};
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator, axum::AuthLayer, static_token_policy};
use std::sync::Arc;
async fn me() -> &'static str { "ann" }
""" + main("""
    let config: OAuthConfig = serde_json::from_str(&std::fs::read_to_string("oauth.json").unwrap()).unwrap();
    let resolved = config.resolve(KeyNaming::Dotted("oauth")).unwrap().unwrap();
    let oauth = Arc::new(OAuthValidator::new(&resolved).unwrap());
    let decision = static_token_policy(None, Some(&resolved), false).unwrap();
    let auth = AuthLayer::from_decision(decision, Some(oauth)).unwrap();
    let app = Router::new().route("/me", get(me)).route_layer(auth);
""")),
    "axum-jwt-auth 0.7": ([
        'axum-jwt-auth = "0.7"', 'jsonwebtoken = { version = "10", default-features = false }',
    ], """
use axum::{Router, routing::get};
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
use jsonwebtoken::{Algorithm, Validation};
use std::sync::Arc;
#[derive(serde::Deserialize)]
struct Registered { sub: String }
async fn me(token: Claims<Registered>) -> String { token.claims.sub }
""" + main("""
    let decoder = RemoteJwksDecoder::builder()
        .jwks_url("https://acme.eu.auth0.com/.well-known/jwks.json".to_string())
        .validation(Validation::new(Algorithm::RS256))
        .build()
        .unwrap();
    let app = Router::new().route("/me", get(me)).with_state(Arc::new(decoder) as Decoder<Registered>);
""")),
    "axum-login 0.18": ([
        'axum-login = "0.18"', 'tower-sessions = "0.14"',
    ], """
use axum::{Router, routing::get};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, UserId};
use tower_sessions::{MemoryStore, SessionManagerLayer};
#[derive(Clone, Debug)]
struct User(i64);
impl AuthUser for User {
    type Id = i64;
    fn id(&self) -> i64 { self.0 }
    fn session_auth_hash(&self) -> &[u8] { b"" }
}
#[derive(Clone)]
struct Backend;
impl AuthnBackend for Backend {
    type User = User;
    type Credentials = i64;
    type Error = std::convert::Infallible;
    async fn authenticate(&self, id: i64) -> Result<Option<User>, Self::Error> { Ok(Some(User(id))) }
    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, Self::Error> { Ok(Some(User(*id))) }
}
async fn me(session: AuthSession<Backend>) -> String { session.user.map(|it| it.0.to_string()).unwrap_or_default() }
""" + main("""
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let layer = AuthManagerLayerBuilder::new(Backend, sessions).build();
    let app = Router::new().route("/me", get(me)).layer(layer);
""")),
}


def run(folder, *command):
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)


def service(name):
    return SERVICE.replace('axum = "0.8"', 'axum = "0.7"') if "jwt-authorizer" in name else SERVICE


def prepare(folder, name):
    dependencies, program = PROGRAMS[name]
    (folder / "src").mkdir(parents=True)
    (folder / "src/main.rs").write_text(program)
    manifest = ["[package]", 'name = "service"', 'edition = "2024"', "[dependencies]", service(name), *dependencies]
    (folder / "Cargo.toml").write_text("\n".join([*manifest, "[workspace]", "[profile.release]", "strip = true", ""]))
    if "ASCII" in name:
        run(folder, "cargo", "update", "-q", "-p", "idna_adapter", "--precise", "1.0.0")
    run(folder, "cargo", "fetch", "-q")


def crates(folder):
    tree = ["cargo", "tree", "--offline", "-e", "normal,build", "--prefix", "none", "--no-dedupe"]
    lines = subprocess.check_output(tree, cwd=folder, text=True).splitlines()
    return len({" ".join(line.split()[:2]) for line in lines if line}) - 1


def seconds(folder):
    shutil.rmtree(folder / "target", ignore_errors=True)
    start = time.monotonic()
    run(folder, "cargo", "build", "-q", "--offline")
    return time.monotonic() - start


rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
names = sys.argv[2:] or list(PROGRAMS)
with tempfile.TemporaryDirectory(prefix="builds-") as folder:
    folders = {}
    for name in names:
        folders[name] = pathlib.Path(folder, name.replace(" ", "-"))
        prepare(folders[name], name)
    taken = {name: [] for name in names}
    for number in range(rounds):
        for name in names[number % len(names):] + names[:number % len(names)]:
            taken[name].append(seconds(folders[name]))
            print(f"{name}: {taken[name][-1]:.0f} s", file=sys.stderr, flush=True)
    print("| program | seconds | crates | megabytes |\n|---|---:|---:|---:|")
    for name in names:
        run(folders[name], "cargo", "build", "-q", "--offline", "--release")
        size = (folders[name] / "target/release/service").stat().st_size
        shutil.rmtree(folders[name] / "target")
        median = f"{statistics.median(taken[name]):.0f}" if rounds else ""
        print(f"| {name} | {median} | {crates(folders[name])} | {size / 1e6:.1f} |", flush=True)
