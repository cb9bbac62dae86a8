//! The table of key sets and metadata.
use super::{key, key_set};
use crate::common::Documents;
use auth0_core::{Auth0, TrustedIssuer, transport::HttpResponse};
use auth0_testing::Tenant;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The numbers of rows, so that none is lost unseen.
const KEY_SETS: usize = 30;
const METADATA: usize = 18;

const ISSUER: &str = "https://id.acme.com";

#[derive(Deserialize)]
struct Table {
    key_sets: Vec<KeySetRow>,
    metadata: Vec<MetadataRow>,
}

#[derive(Deserialize)]
struct KeySetRow {
    id: String,
    #[serde(default)]
    algorithms: Vec<String>,
    #[serde(default)]
    top: serde_json::Map<String, Value>,
    keys: Vec<Entry>,
    token: Signed,
    #[serde(flatten)]
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Raw { raw: Value },
    Key { use_key: String, set: BTreeMap<String, Value>, drop: Vec<String> },
}

#[derive(Deserialize)]
struct Signed {
    header: BTreeMap<String, Value>,
    key: String,
}

#[derive(Deserialize)]
struct MetadataRow {
    id: String,
    base: String,
    issuer: String,
    configured: Option<String>,
    served_at: String,
    key_set: String,
    content_type: Option<BTreeMap<String, String>>,
    #[serde(default)]
    bom: bool,
    metadata: BTreeMap<String, Value>,
    token_iss: Option<String>,
    #[serde(flatten)]
    expected: Expected,
    with_key_set_url: Option<String>,
}

/// The code of the refusal, or `None`, and a part of the cause.
#[derive(Deserialize)]
struct Expected {
    refused: Option<String>,
    cause: Option<String>,
}

fn table() -> Table {
    serde_json::from_str(include_str!("documents.json")).unwrap()
}

#[tokio::test]
async fn key_sets_are_read_as_providers_publish_them() {
    let table = table();
    let mut wrong = Vec::new();
    for row in &table.key_sets {
        let documents = Documents::default();
        let metadata = json!({ "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/keys") });
        let at = format!("{ISSUER}/.well-known/openid-configuration");
        documents.put_at(&at, metadata.to_string());
        documents.put_at(&format!("{ISSUER}/keys"), row.key_set());
        let mut issuer = TrustedIssuer::new(ISSUER);
        if !row.algorithms.is_empty() {
            issuer = issuer.algorithms(row.algorithms.iter().map(|name| name.parse().unwrap()));
        }
        let tenant = Tenant::new();
        let auth = verifier(&tenant, issuer, documents);
        wrong.extend(row.expected.differs(&row.id, &auth, &row.token(&tenant)).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(table.key_sets.len(), KEY_SETS);
}

#[tokio::test]
async fn metadata_is_read_as_providers_publish_it() {
    let table = table();
    let mut wrong = Vec::new();
    for row in &table.metadata {
        let tenant = Tenant::new();
        let stated = row.stated_issuer();
        let token = tenant.token().issuer(&stated).signed_by(key("RS256"));
        let token = token.header("kid", key("RS256").id()).mint();

        let path = row.configured.as_ref().unwrap_or(&row.issuer);
        let discovered = TrustedIssuer::new(format!("{}{path}", row.base));
        let auth = verifier(&tenant, discovered, row.documents());
        wrong.extend(row.expected.differs(&row.id, &auth, &token).await);

        let named = TrustedIssuer::new(stated).key_set_url(row.key_set_url());
        let auth = verifier(&tenant, named, row.documents());
        let expected = Expected { refused: row.with_key_set_url.clone(), cause: None };
        wrong.extend(expected.differs(&row.id, &auth, &token).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(table.metadata.len(), METADATA);
}

fn verifier(tenant: &Tenant, issuer: TrustedIssuer, documents: Documents) -> Auth0 {
    let builder = Auth0::builder().issuer(issuer).audience(tenant.audience());
    builder.http_client(documents).clock(tenant.clock().clone()).build().unwrap()
}

impl Expected {
    /// Returns how the verdict differs.
    async fn differs(&self, id: &str, auth: &Auth0, token: &str) -> Option<String> {
        let verdict = auth.verify(token).await;
        let code = verdict.as_ref().err().map(|error| error.code().as_str());
        let cause = verdict.as_ref().err().and_then(|error| error.cause()).unwrap_or_default();
        let is_expected = code == self.refused.as_deref()
            && self.cause.as_ref().is_none_or(|part| cause.contains(part.as_str()));
        (!is_expected).then(|| format!("{id}: {code:?} {cause}"))
    }
}

impl KeySetRow {
    fn key_set(&self) -> String {
        let mut set = self.top.clone();
        set.insert("keys".to_owned(), self.keys.iter().map(Entry::jwk).collect());
        Value::Object(set).to_string()
    }

    fn token(&self, tenant: &Tenant) -> String {
        let key = key(&self.token.key);
        let token = tenant.token().issuer(ISSUER).signed_by(key).header("kid", key.id());
        let token = self.token.header.iter().fold(token, |token, (name, value)| match value {
            Value::Null => token.without_header(name),
            value => token.header(name, value),
        });
        token.algorithm(key.algorithm()).mint()
    }
}

impl Entry {
    fn jwk(&self) -> Value {
        let (use_key, set, drop) = match self {
            Self::Raw { raw } => return raw.clone(),
            Self::Key { use_key, set, drop } => (use_key, set, drop),
        };
        let mut jwk = key(use_key).jwk();
        let modulus = jwk["n"].as_str().map(|n| URL_SAFE_NO_PAD.decode(n).unwrap());
        let members = jwk.as_object_mut().unwrap();
        for (name, value) in set {
            let value = match (value.as_str(), &modulus) {
                (Some("{{n==}}"), Some(n)) => STANDARD.encode(n).into(),
                (Some("{{0n}}"), Some(n)) => {
                    URL_SAFE_NO_PAD.encode([&[0], n.as_slice()].concat()).into()
                }
                _ => value.clone(),
            };
            members.insert(name.clone(), value);
        }
        members.retain(|name, _| !drop.contains(name));
        jwk
    }
}

impl MetadataRow {
    fn stated_issuer(&self) -> String {
        match &self.token_iss {
            Some(issuer) => issuer.replace("{{base}}", &self.base),
            None => format!("{}{}", self.base, self.issuer),
        }
    }

    fn key_set_url(&self) -> String {
        match self.key_set.starts_with('/') {
            true => format!("{}{}", self.base, self.key_set),
            false => self.key_set.clone(),
        }
    }

    fn documents(&self) -> Documents {
        let issuer = format!("{}{}", self.base, self.issuer);
        let mut metadata = json!({ "issuer": issuer, "jwks_uri": self.key_set_url() });
        for (name, value) in &self.metadata {
            metadata[name] = match value.as_str() {
                Some(text) => text.replace("{{base}}", &self.base).into(),
                None => value.clone(),
            };
        }
        let documents = Documents::default();
        for (name, url, json) in [
            ("metadata", format!("{}{}", self.base, self.served_at), metadata.to_string()),
            ("key_set", self.key_set_url(), key_set()),
        ] {
            let bom = if self.bom { "\u{feff}" } else { "" };
            let body = format!("{bom}{json}");
            documents.answer_at(
                &url,
                match &self.content_type {
                    None => HttpResponse::json(body),
                    Some(types) => types
                        .get(name)
                        .into_iter()
                        .fold(HttpResponse::new(200, body), |answer, media_type| {
                            answer.with_header("content-type", media_type)
                        }),
                },
            );
        }
        documents
    }
}
