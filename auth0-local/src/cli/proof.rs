use super::member::member;
use crate::key_file;
use auth0_core::testing::ProofBuilder;
use clap::Args;
use serde_json::Value;
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};
use url::Url;

/// Twice what an API can be set to accept.
const EXPIRED_SECONDS: u64 = 2 * 60 * 60;

/// Print a DPoP proof for one request, made with the key in a file; no tenant has to run
#[derive(Args)]
pub(super) struct Proof {
    /// The client's key: P-256 (or P-384, Ed25519, RSA) in PKCS#8, PEM or DER. A P-256 key is made if
    /// the file is not there
    #[arg(long, value_name = "FILE")]
    dpop_key: PathBuf,
    /// The method of the request, in capitals
    #[arg(long, default_value = "GET")]
    method: String,
    /// The URL of the request
    #[arg(long, value_parser = without_query)]
    url: String,
    /// The access token that the request carries; none for a request to /oauth/token
    #[arg(long)]
    token: Option<String>,
    /// The nonce that the server asked for in a DPoP-Nonce field
    #[arg(long, allow_hyphen_values = true)]
    nonce: Option<String>,
    /// Made this long ago
    #[arg(long, value_name = "SECONDS")]
    age: Option<u64>,
    /// Made by a client whose clock is this far ahead
    #[arg(long, value_name = "SECONDS", conflicts_with = "age")]
    ahead: Option<u64>,
    /// Made two hours ago, which is too long for any API
    #[arg(long, conflicts_with_all = ["age", "ahead"])]
    expired: bool,
    /// Another value for a claim, whatever its type: --claim 'htm="POST"'; can be repeated
    #[arg(long, value_name = "NAME=JSON", value_parser = member)]
    claim: Vec<(String, Value)>,
    /// Leave this claim out; can be repeated
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,
    /// Another value for a member of the header: --header 'typ="JWT"'; can be repeated. An alg that the
    /// key can sign with is signed with
    #[arg(long, value_name = "NAME=JSON", value_parser = member)]
    header: Vec<(String, Value)>,
    /// Leave this member of the header out; can be repeated
    #[arg(long, value_name = "NAME")]
    without_header: Vec<String>,
    /// One bit of the signature is wrong
    #[arg(long)]
    broken_signature: bool,
    /// No signature, and the alg none
    #[arg(long, conflicts_with = "broken_signature")]
    unsigned: bool,
}

impl Proof {
    pub(super) fn run(self) -> super::Result {
        let key = key_file::OF_CLIENT.read_or_create(&self.dpop_key)?;
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

/// `htu` has neither query nor fragment (RFC 9449 §4.2). The rest stays as it is written.
fn without_query(text: &str) -> Result<String, String> {
    let is_http = |url: Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    if !Url::parse(text).is_ok_and(is_http) {
        return Err("this is not a URL of a request. Write all of it, for example \
                    http://127.0.0.1:3000/api/private; for a wrong htu there is --claim"
            .into());
    }
    Ok(text.split(['?', '#']).next().unwrap_or(text).to_owned())
}
