//! A request with a DPoP proof, compared with only the signature checks of its token and its proof,
//! in turns. Each proof is new, because none is accepted twice.
use crate::Outcome;
use auth0_core::{
    Algorithm, Auth0, Dpop,
    adapter::{Connection, HeaderLines, HttpParts, RequestView},
};
use auth0_testing::{SigningKey, Tenant};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

const ROUNDS: usize = 100;
const BATCH: usize = 100;

/// `GET https://api.tenant.test/messages`, as an adapter describes it.
struct GetMessages;

impl HttpParts for GetMessages {
    fn method(&self) -> &str {
        "GET"
    }
    fn path(&self) -> &str {
        "/messages"
    }
    fn scheme(&self) -> Option<&str> {
        None
    }
    fn authority(&self) -> Option<&str> {
        None
    }
    fn header(&self, name: &str) -> HeaderLines<'_> {
        if name == "host" { HeaderLines::One(b"api.tenant.test") } else { HeaderLines::Absent }
    }
    fn connection(&self) -> Connection {
        Connection::new().tls(true)
    }
}

struct Contender<'a> {
    name: &'static str,
    accepts: Box<dyn FnMut(&str) -> bool + 'a>,
    best: Duration,
}

pub(crate) fn run() -> Outcome {
    let tenant = Tenant::new();
    let key = SigningKey::generate(Algorithm::ES256)?;
    let token = token(&tenant, &key);
    let authorization = format!("DPoP {token}");
    let proofs = |count| -> Vec<String> {
        let proof = tenant.proof("GET", "https://api.tenant.test/messages").key(&key);
        let proof = proof.for_token(&token);
        (0..count).map(|_| proof.mint()).collect()
    };

    let member = |jwk: &serde_json::Value, name: &str| -> Outcome<Vec<u8>> {
        Ok(URL_SAFE_NO_PAD.decode(jwk[name].as_str().ok_or("no such member")?)?)
    };
    let issuer = tenant.signing_key().jwk();
    let rsa = RsaPublicKeyComponents { n: member(&issuer, "n")?, e: member(&issuer, "e")? };
    let rsa = rsa.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| "no RSA key")?;
    let client = key.jwk();
    let point = [vec![4], member(&client, "x")?, member(&client, "y")?].concat();
    let ec = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| "no EC key")?;
    let unparsed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point);

    let (token_message, token_signature) = split(&token)?;
    let token_is_good = || rsa.verify_sig(token_message, black_box(&token_signature)).is_ok();
    let signature_of =
        |proof: &str| split(proof).map(|(_, signature)| signature).unwrap_or_default();
    // Decoding the signature is part of any check. The baselines decode in advance.
    let decoded: Vec<(String, Vec<u8>)> = proofs((ROUNDS + 1) * BATCH)
        .into_iter()
        .map(|proof| (proof.clone(), signature_of(&proof)))
        .collect();
    let message = |proof: &'_ str| proof.rfind('.').map_or(0, |dot| dot);
    let ours = |token_cache| -> Outcome<Auth0> {
        let dpop = Dpop::required().replay_capacity(1_000_000);
        let auth = tenant.builder().token_cache(token_cache).dpop(dpop).build()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        runtime.block_on(auth.warm_up())?;
        Ok(auth)
    };
    let verify = |auth: Auth0| {
        let authorization = authorization.clone();
        move |proof: &str| {
            let request = RequestView::new()
                .authorization([authorization.as_bytes()])
                .proof([proof.as_bytes()])
                .parts(&GetMessages);
            matches!(auth.authenticate_now(&request), Some(Ok(_)))
        }
    };

    let mut next = decoded.iter().cycle();
    let mut next_unparsed = decoded.iter().cycle();
    let mut next_both = decoded.iter().cycle();
    let mut contenders = vec![
        Contender::new("the proof's signature check alone", |_| {
            let Some((proof, signature)) = next.next() else { return false };
            ec.verify_sig(&proof.as_bytes()[..message(proof)], signature).is_ok()
        }),
        Contender::new("the same, and its key parsed", |_| {
            let Some((proof, signature)) = next_unparsed.next() else { return false };
            unparsed.verify(&proof.as_bytes()[..message(proof)], signature).is_ok()
        }),
        Contender::new("ours, the token is cached", verify(ours(10_000)?)),
        Contender::new("both signature checks alone", |_| {
            let Some((proof, signature)) = next_both.next() else { return false };
            token_is_good() && ec.verify_sig(&proof.as_bytes()[..message(proof)], signature).is_ok()
        }),
        Contender::new("ours, token cache off", verify(ours(0)?)),
    ];
    for round in 0..=ROUNDS {
        let proofs = proofs(BATCH);
        for contender in &mut contenders {
            let began = Instant::now();
            let accepted = proofs.iter().all(|proof| (contender.accepts)(black_box(proof)));
            let time = began.elapsed();
            if !accepted {
                return Err(format!("{} refuses a good proof", contender.name).into());
            }
            // The first round initializes what is created once.
            if round > 0 {
                contender.best = contender.best.min(time);
            }
        }
    }
    println!("| one request | µs |\n|---|---:|");
    for Contender { name, best, .. } in &contenders {
        println!("| {name} | {:.2} |", best.as_secs_f64() * 1e6 / BATCH as f64);
    }
    let ratio =
        |a: usize, b: usize| contenders[a].best.as_secs_f64() / contenders[b].best.as_secs_f64();
    println!("\ncached ÷ proof alone: {:.3}", ratio(2, 0));
    println!("not cached ÷ both alone: {:.3}", ratio(4, 3));
    Ok(())
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, accepts: impl FnMut(&str) -> bool + 'a) -> Self {
        Self { name, accepts: Box::new(accepts), best: Duration::MAX }
    }
}

/// Mints a token of 1 KiB, the size of the other comparisons.
fn token(tenant: &Tenant, key: &SigningKey) -> String {
    tenant
        .token()
        .scope("openid profile email read:messages write:messages")
        .permissions(["read:messages", "write:messages", "delete:messages"])
        .claim("https://acme.com/roles", ["admin", "editor"])
        .claim("https://acme.com/plan", "enterprise-annual-with-support")
        .bound_to(key)
        .mint()
}

fn split(jws: &str) -> Outcome<(&[u8], Vec<u8>)> {
    let (message, signature) = jws.rsplit_once('.').ok_or("no JWS")?;
    Ok((message.as_bytes(), URL_SAFE_NO_PAD.decode(signature)?))
}
