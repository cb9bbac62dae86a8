//! `auth0-local proof`.
use super::member::member;
use crate::{file::CLIENT_KEY, proofs::request_url};
use auth0_testing::ProofBuilder;
use clap::Args;
use serde_json::Value;
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// Twice the maximum age that an API can be configured to accept.
const EXPIRED_SECONDS: u64 = 2 * 60 * 60;

/// Print a DPoP proof for one request, signed with the key in a file; needs no running tenant
#[derive(Args)]
pub(super) struct ProofCommand {
    /// The client's key: P-256 (or P-384, Ed25519, RSA) in PKCS#8, PEM or DER. A missing file is
    /// created with a P-256 key
    #[arg(long, value_name = "FILE")]
    dpop_key: PathBuf,
    /// The method of the request, in capitals
    #[arg(long, default_value = "GET")]
    method: String,
    /// The URL of the request
    #[arg(long, value_parser = without_query)]
    url: String,
    /// The access token of the request; omit it for a request to /oauth/token
    #[arg(long)]
    token: Option<String>,
    /// The nonce from the server's DPoP-Nonce header
    #[arg(long, allow_hyphen_values = true)]
    nonce: Option<String>,
    /// Date the proof this long ago
    #[arg(long, value_name = "SECONDS")]
    age: Option<u64>,
    /// Date the proof this far ahead
    #[arg(long, value_name = "SECONDS", conflicts_with = "age")]
    ahead: Option<u64>,
    /// Date the proof two hours ago, which is too old for any API
    #[arg(long, conflicts_with_all = ["age", "ahead"])]
    expired: bool,
    /// Set a claim to a value of any type: --claim 'htm="POST"'; can be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = member)]
    claim: Vec<(String, Value)>,
    /// Omit this claim; can be repeated
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Set a member of the header: --header 'typ="JWT"'; can be repeated. An alg that fits the key
    /// also selects the signature
    #[arg(long, value_name = "NAME=JSON", value_parser = member)]
    header: Vec<(String, Value)>,
    /// Omit this member of the header; can be repeated
    #[arg(long, value_name = "NAME")]
    without_header: Vec<String>,
    /// Invert one bit of the signature
    #[arg(long)]
    broken_signature: bool,
    /// Omit the signature, with the alg none
    #[arg(long, conflicts_with = "broken_signature")]
    unsigned: bool,
}

impl ProofCommand {
    pub(super) fn run(self) -> super::Result {
        let key = CLIENT_KEY.read_or_create(&self.dpop_key)?;
        let mut proof = ProofBuilder::new(&key, &self.method, &self.url, SystemTime::now());
        if let Some(token) = &self.token {
            proof = proof.for_token(token);
        }
        if let Some(nonce) = &self.nonce {
            proof = proof.nonce(nonce);
        }
        if let Some(seconds) = self.age.or(self.expired.then_some(EXPIRED_SECONDS)) {
            proof = proof.aged(Duration::from_secs(seconds));
        }
        if let Some(seconds) = self.ahead {
            proof = proof.ahead(Duration::from_secs(seconds));
        }
        if self.broken_signature {
            proof = proof.broken_signature();
        }
        if self.unsigned {
            proof = proof.unsigned();
        }
        let proof = self.claim.iter().fold(proof, |proof, (name, value)| proof.claim(name, value));
        let proof = self.without.iter().fold(proof, |proof, name| proof.without(name));
        let proof =
            self.header.iter().fold(proof, |proof, (name, value)| proof.header(name, value));
        let proof =
            self.without_header.iter().fold(proof, |proof, name| proof.without_header(name));
        super::print(&proof.mint())
    }
}

fn without_query(text: &str) -> Result<String, String> {
    request_url(text).map_err(|why| format!("{why}; use --claim for a wrong htu"))
}
