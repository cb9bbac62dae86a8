//! The table of tokens.
use super::{filled, key, key_set, recipes};
use crate::common::{Documents, Request};
use auth0_core::{Auth0, Error, ErrorCode, SubjectKind, TrustedIssuer, VerifiedToken};
use auth0_testing::{SigningKey, Tenant};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The numbers of issuers and tokens in the table, so that no row is lost unseen.
const ISSUERS: usize = 45;
const TOKENS: usize = 173;

const CERTIFICATE: &[u8] = b"a client certificate";

#[derive(Deserialize)]
struct Table {
    issuers: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    provider: String,
    issuer: String,
    audience: String,
    keys: String,
    #[serde(default = "yes")]
    metadata: bool,
    recipe: Option<String>,
    tokens: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    present: Option<String>,
    source: String,
    header: Value,
    payload: Value,
    natural: Option<Verdict>,
    with_recipe: Option<Verdict>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
enum Verdict {
    Refused { refused: String },
    Accepted(Seen),
}

/// What an accepted token says.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

const fn yes() -> bool {
    true
}

fn table() -> Table {
    serde_json::from_str(include_str!("tokens.json")).unwrap()
}

#[tokio::test]
async fn every_token_gets_its_verdict() {
    let (table, tenant) = (table(), Tenant::new());
    let mut wrong = Vec::new();
    let (mut ids, mut verdicts) = (BTreeSet::new(), 0);
    for group in &table.issuers {
        let natural = TrustedIssuer::new(&*group.issuer).audience(&*group.audience);
        let natural = group.verifier(&tenant, natural);
        let recipe =
            group.recipe.as_deref().map(|name| group.verifier(&tenant, recipes::named(name)));
        for row in &group.tokens {
            assert!(!row.source.is_empty() && ids.insert(&row.id), "{}", row.id);
            let got = row.verdict(group, &tenant, &natural).await;
            if row.natural.as_ref() != Some(&got) {
                wrong.push(json!({ "id": row.id, "natural": got }));
            }
            verdicts += 1;
            let Some(recipe) = &recipe else { continue };
            assert!(recipe.is_ok(), "{}: the recipe is refused: {recipe:?}", group.provider);
            let got = row.verdict(group, &tenant, recipe).await;
            if row.with_recipe.as_ref() != Some(&got) {
                wrong.push(json!({ "id": row.id, "with_recipe": got }));
            }
            verdicts += 1;
        }
    }
    let wrong: Vec<String> = wrong.iter().map(Value::to_string).collect();
    assert!(wrong.is_empty(), "what the verifier says instead:\n{}", wrong.join("\n"));
    assert_eq!((table.issuers.len(), ids.len()), (ISSUERS, TOKENS));
    assert!(verdicts > TOKENS, "recipes were run");
}

/// The page has the recipes as they are run here.
#[test]
fn the_page_has_the_recipes_that_are_tested() {
    let page = include_str!("../../../../../docs/issuers.md");
    let of = |text: &str| -> BTreeSet<String> {
        let functions = text.split("\nfn ").skip(1);
        let ends =
            functions.filter_map(|rest| Some(format!("fn {}\n}}", rest.split_once("\n}")?.0)));
        ends.filter(|function| function.contains("() -> TrustedIssuer {")).collect()
    };
    let (here, there) = (of(include_str!("recipes.rs")), of(page));
    let differing: Vec<_> = here.symmetric_difference(&there).map(String::as_str).collect();
    assert!(differing.is_empty(), "not the same in both:\n{}", differing.join("\n\n"));

    let used: BTreeSet<String> = table().issuers.into_iter().filter_map(|it| it.recipe).collect();
    let written = here.iter().filter_map(|it| it.strip_prefix("fn ")?.split_once('('));
    assert_eq!(used, written.map(|(name, _)| name.to_owned()).collect(), "each recipe is run");
}

impl Group {
    /// Returns a verifier that trusts this issuer, and that finds its documents where the provider has them.
    fn verifier(&self, tenant: &Tenant, issuer: TrustedIssuer) -> Result<Auth0, String> {
        let documents = Documents::default();
        documents.put_at(&self.keys, key_set());
        if self.metadata {
            let at = self.issuer.trim_end_matches('/');
            let metadata = json!({ "issuer": self.issuer, "jwks_uri": self.keys });
            documents
                .put_at(&format!("{at}/.well-known/openid-configuration"), metadata.to_string());
        }
        let builder = Auth0::builder().issuer(issuer).http_client(documents);
        let built = builder.clock(tenant.clock().clone()).build();
        built.map_err(|error| error.to_string())
    }
}

impl Row {
    async fn verdict(
        &self,
        group: &Group,
        tenant: &Tenant,
        auth: &Result<Auth0, String>,
    ) -> Verdict {
        let Ok(auth) = auth else {
            return Verdict::Refused { refused: "not_configurable".to_owned() };
        };
        match self.send(group, tenant, auth).await {
            Ok(token) => Verdict::Accepted(Seen::by(&token)),
            Err(error) => Verdict::Refused { refused: error.code().as_str().to_owned() },
        }
    }

    async fn send(
        &self,
        group: &Group,
        tenant: &Tenant,
        auth: &Auth0,
    ) -> Result<VerifiedToken, Error> {
        let token = self.token(group, tenant);
        let bearer = Request::to("api.acme.com").authorized("Bearer", &token);
        let request = match self.present.as_deref() {
            Some("dpop") => {
                let proof = tenant.proof("GET", "https://api.acme.com/me").for_token(&token);
                Request::http2("https", "api.acme.com")
                    .authorized("DPoP", &token)
                    .with("dpop", proof.mint())
            }
            Some("certificate") => {
                Request::to("api.acme.com").authorized("DPoP", &token).certificate(CERTIFICATE)
            }
            None | Some("jwe" | "hmac") => return bearer.authenticate(auth).await,
            Some(other) => panic!("{}: how is a token presented as {other}?", self.id),
        };
        let stolen = bearer.authenticate(auth).await.unwrap_err();
        assert_eq!(stolen.code(), ErrorCode::TokenBindingMismatch, "{}", self.id);
        request.authenticate(auth).await
    }

    fn token(&self, group: &Group, tenant: &Tenant) -> String {
        let stated = self.header["alg"].as_str().unwrap();
        let signing = self.signing_key(stated, tenant);
        let client_key = tenant.client_key();
        let client_jwk = client_key.jwk().to_string();
        let thumbprint = client_key.thumbprint();
        let certificate = tenant.token().bound_to_certificate(CERTIFICATE).payload_json();
        let certificate: Value = serde_json::from_str(&certificate).unwrap();
        let texts = [
            ("iss", &*group.issuer),
            ("aud", &*group.audience),
            ("kid", signing.id()),
            ("jkt", &*thumbprint),
            ("ath", "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"),
            ("x5t#S256", certificate["cnf"]["x5t#S256"].as_str().unwrap()),
        ];
        let mut header = self.header.clone();
        if header["jwk"] == "{{jwk}}" {
            header["jwk"] = serde_json::from_str(&client_jwk).unwrap();
        }
        let (header, payload) = (filled(&header, &texts), filled(&self.payload, &texts));
        if self.present.as_deref() == Some("jwe") {
            return format!("{}.a2V5.aXY.dGV4dA.dGFn", URL_SAFE_NO_PAD.encode(header));
        }
        let token = tenant.token().raw_header(header).raw_payload(payload);
        match self.present.as_deref() {
            Some("hmac") => token.symmetric().mint(),
            _ => token.signed_by(&signing).algorithm(signing.algorithm()).mint(),
        }
    }

    /// Returns the issuer's key for the algorithm, or the client's key for a proof.
    fn signing_key(&self, algorithm: &str, tenant: &Tenant) -> SigningKey {
        match (self.header.get("jwk"), self.present.as_deref()) {
            (Some(_), _) => tenant.client_key(),
            (None, Some("jwe" | "hmac")) => key("RS256").clone(),
            (None, _) => key(algorithm).clone(),
        }
    }
}

impl Seen {
    fn by(token: &VerifiedToken) -> Self {
        let owned = |texts: &mut dyn Iterator<Item = &str>| texts.map(str::to_owned).collect();
        Self {
            subject: token.subject().to_owned(),
            client: token.client_id().map(str::to_owned),
            scopes: owned(&mut token.scopes()),
            permissions: owned(&mut token.permissions()),
            kind: token.subject_kind().map(|kind| match kind {
                SubjectKind::User => "user".to_owned(),
                SubjectKind::Machine => "machine".to_owned(),
                other => format!("{other:?}"),
            }),
        }
    }
}
