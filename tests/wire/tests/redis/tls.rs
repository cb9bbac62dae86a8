//! Redis over TLS. Trusted authorities come from the environment of a process, so each case is a process.
use crate::service::{API, authenticate, bound_token, proof};
use auth0_axum::{Dpop, auth0_core::revocation::RevocationStore, testing::Tenant};
use auth0_redis::{RedisReplayStore, RedisRevocationStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use wire_tests::redis_server::{RedisServer, free_port};

const URL: &str = "WIRE_TESTS_REDIS_URL";
const EXPECTED: &str = "WIRE_TESTS_EXPECTED";

#[test]
fn over_tls() {
    if let Ok(url) = env::var(URL) {
        return ask(&url, &env::var(EXPECTED).unwrap());
    }
    let Some(mut redis) = RedisServer::stopped() else { return };
    // It names the first argument that it refuses.
    let probe = Command::new("redis-server").args(["--tls-port", "0", "--port", "none"]).output();
    if String::from_utf8_lossy(&probe.unwrap().stderr).contains("tls-port") {
        println!("skipped: redis-server cannot do TLS");
        return;
    }
    let authority = Authority::new(redis.directory(), "own");
    let other_authority = Authority::new(redis.directory(), "other");
    let (certificate, key) = authority.issue(redis.directory(), "127.0.0.1");
    let port = free_port();
    for (name, value) in [
        ("--tls-port", port.to_string().as_str()),
        ("--tls-cert-file", certificate.to_str().unwrap()),
        ("--tls-key-file", key.to_str().unwrap()),
        ("--tls-auth-clients", "no"),
    ] {
        redis = redis.with(name).with(value);
    }
    redis.restart();

    let trusted = format!("rediss://127.0.0.1:{port}/");
    let other_name = format!("rediss://localhost:{port}/");
    let plain = format!("redis://127.0.0.1:{port}/");
    for (url, trust, expected) in [
        (&trusted, &authority, "passes"),
        (&trusted, &other_authority, "replay_store_unavailable"),
        (&other_name, &authority, "replay_store_unavailable"),
        (&plain, &authority, "replay_store_unavailable"),
    ] {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", "tls::over_tls", "--nocapture"]);
        child.env(URL, url).env(EXPECTED, expected);
        child.env("SSL_CERT_FILE", &trust.file).env_remove("SSL_CERT_DIR");
        let output = child.output().unwrap();
        assert!(output.status.success(), "{url} {}: {output:?}", trust.file.display());
    }
    let keys: usize = redis.ask("DBSIZE");
    assert_eq!(keys, 2, "of the case that passed: a used proof, and the log of revocations");
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(directory: &Path, name: &str) -> Self {
        let mut certificate = CertificateParams::new([]).unwrap();
        certificate.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let file = directory.join(format!("{name}.pem"));
        fs::write(&file, certificate.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(certificate, key), file }
    }

    /// Returns the files of a certificate and its key.
    fn issue(&self, directory: &Path, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &self.issuer).unwrap();
        let (file, key_file) = (directory.join("server.pem"), directory.join("server.key"));
        fs::write(&file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        (file, key_file)
    }
}

/// The process of a case.
#[tokio::main(flavor = "current_thread")]
async fn ask(url: &str, expected: &str) {
    let store = RedisReplayStore::new(url).unwrap().time_limit(Duration::from_secs(10));
    let tenant = Tenant::new();
    let (token, dpop) = (bound_token(&tenant), Dpop::required().replay_store(store));
    let auth = tenant.builder().public_url(API).dpop(dpop).build().unwrap();
    let proof = proof(&tenant, &token);
    let ask = async || match authenticate(&auth, &token, &proof).await {
        Ok(()) => "passes",
        Err(code) => code.as_str(),
    };
    assert_eq!(ask().await, expected);
    if expected == "passes" {
        assert_eq!(ask().await, "dpop_proof_replayed");
    }
    let revocations = RedisRevocationStore::new(url).unwrap().time_limit(Duration::from_secs(10));
    let changes = revocations.changes(None, Duration::ZERO).await;
    assert_eq!(changes.is_ok(), expected == "passes", "{changes:?}");
}
