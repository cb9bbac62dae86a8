//! The description of a client.
use auth0_client::{Client, ProofKey, SigningKey};
use auth0_core::ConfigError;
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientDescription {
    issuer: String,
    client_id: String,
    authentication: Authentication,
    /// The key of signed requests, in PEM, if the client authenticates in another way.
    request_key: Option<String>,
    /// The DPoP key, in PEM.
    dpop: Option<String>,
    /// The limit of a call, in seconds.
    deadline: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Authentication {
    SecretPost(String),
    SecretBasic(String),
    Key {
        pem: String,
        algorithm: String,
        id: Option<String>,
    },
    /// With its key, in PEM.
    Certificate(String),
    None,
}

impl ClientDescription {
    pub(crate) fn build(self) -> Result<Client, ConfigError> {
        let client = Client::builder().issuer(self.issuer).client_id(self.client_id);
        let mut client = match self.authentication {
            Authentication::SecretPost(secret) => client.client_secret(secret),
            Authentication::SecretBasic(secret) => {
                client.client_secret(secret).basic_authentication()
            }
            Authentication::Key { pem, algorithm, id } => {
                let algorithm = algorithm.parse().expect("the name of an algorithm");
                let key = SigningKey::from_pem(&pem)?.algorithm(algorithm)?;
                client.signing_key(match id {
                    Some(id) => key.key_id(&id)?,
                    None => key,
                })
            }
            Authentication::Certificate(pem) => client.certificate(pem),
            Authentication::None => client.public(),
        };
        if let Some(pem) = self.request_key {
            client = client.request_key(SigningKey::from_pem(&pem)?);
        }
        if let Some(pem) = self.dpop {
            client = client.dpop(ProofKey::from_pem(&pem)?);
        }
        if let Some(seconds) = self.deadline {
            client = client.deadline(Duration::from_secs_f64(seconds));
        }
        client.build()
    }
}
