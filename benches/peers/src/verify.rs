//! One verification of the same token by each contender, in turns, so that other load of the
//! machine affects all of them.
use crate::{
    Outcome, acceptance,
    token::{Claims, Token},
};
use auth0_core::{Auth0, adapter::RequestView};
use auth0_local::LocalTenant;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use axum_jwt_auth::{JwtDecoder, RemoteJwksDecoder};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use jwt_authorizer::JwtAuthorizer;
use std::{
    collections::HashMap,
    hint::black_box,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 100;
/// Verifications of one contender before the next one's turn.
const BATCH: usize = 100;
const CACHE_SIZE: usize = 10_000;
const IN_ROTATION: usize = 2048;

pub(crate) fn run() -> Outcome {
    // The issuer runs on a thread of its own; this thread measures.
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let tenant = runtime.block_on(LocalTenant::start())?;
    let mut contenders = contenders(&runtime, &tenant)?;
    compare(&mut contenders)?;
    print_times(&contenders);
    print_acceptance(&contenders, &tenant);
    Ok(())
}

/// Verifies a token completely, and reports whether it is valid.
trait Verify {
    fn accepts(&self, token: &Token) -> bool;

    /// In the trait, so that a call through the trait object is a batch and not one verification.
    fn accept_all(&self, tokens: &mut dyn Iterator<Item = &Token>) -> bool {
        let mut accepted = true;
        for token in tokens {
            accepted &= self.accepts(black_box(token));
        }
        accepted
    }
}

impl<F: Fn(&Token) -> bool> Verify for F {
    fn accepts(&self, token: &Token) -> bool {
        self(token)
    }
}

struct Contender {
    name: &'static str,
    verifier: Box<dyn Verify>,
    tokens: Arc<[Token]>,
    next: usize,
    /// Nanoseconds per verification, one for each round.
    times: Vec<f64>,
}

impl Contender {
    fn new(
        name: &'static str,
        tokens: &Arc<[Token]>,
        verifier: impl Fn(&Token) -> bool + 'static,
    ) -> Self {
        let tokens = Arc::clone(tokens);
        Self { name, verifier: Box::new(verifier), tokens, next: 0, times: Vec::new() }
    }

    /// Verifies the next `count` tokens, which must be valid, and returns the time.
    fn advance(&mut self, count: usize) -> Outcome<Duration> {
        let Self { name, verifier, tokens, next, .. } = self;
        let mut batch = tokens.iter().cycle().skip(*next).take(count);
        let began = Instant::now();
        let accepted = verifier.accept_all(&mut batch);
        let time = began.elapsed();
        *next = (*next + count) % tokens.len();
        if accepted { Ok(time) } else { Err(format!("{name} refuses a good token").into()) }
    }

    fn best(&self) -> f64 {
        self.times.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

fn contenders(runtime: &Runtime, tenant: &LocalTenant) -> Outcome<Vec<Contender>> {
    let one: Arc<[Token]> = [Token::new(tenant, 0)].into();
    let rotating = Token::several(tenant, IN_ROTATION)?;
    // No token repeats before the end.
    let new = Token::several(tenant, CACHE_SIZE + 1000 + (ROUNDS + 1) * BATCH)?;
    let ours = |token_cache| -> Outcome<_> {
        let auth = verifier(tenant, token_cache)?;
        runtime.block_on(auth.warm_up())?;
        Ok(move |token: &Token| {
            let request = RequestView::new().authorization([token.header().as_bytes()]);
            matches!(auth.authenticate_now(&request), Some(Ok(_)))
        })
    };

    let mut contenders = vec![
        Contender::new("the signature check alone (aws-lc-rs)", &one, baseline(tenant, &one)?),
        Contender::new("ours, cache off", &one, ours(0)?),
        Contender::new("ours, cache of 10,000, a new token", &new, ours(CACHE_SIZE)?),
        Contender::new("ours, the same token again", &one, ours(CACHE_SIZE)?),
        Contender::new("ours, 2,048 tokens in rotation", &rotating, ours(CACHE_SIZE)?),
        Contender::new("jsonwebtoken 11, `decode`, a known key", &one, decode(tenant)?),
        Contender::new(
            "jsonwebtoken 11, `decode_header`, key by `kid`, `decode`",
            &one,
            decode_by_key_id(tenant)?,
        ),
        Contender::new("jwt-authorizer, `check_auth`", &one, jwt_authorizer(runtime, tenant)?),
        Contender::new("axum-jwt-auth, `RemoteJwksDecoder`", &one, axum_jwt_auth(runtime, tenant)?),
        Contender::new("jwtk, `JwkSetVerifier`", &one, jwtk(tenant)?),
    ];
    // Fills the caches: completely for the new tokens, once through for the rotation.
    for contender in &mut contenders {
        let fill = match contender.tokens.len() {
            1 => BATCH,
            IN_ROTATION => IN_ROTATION,
            _ => CACHE_SIZE + 1000,
        };
        contender.advance(fill)?;
    }
    Ok(contenders)
}

fn compare(contenders: &mut [Contender]) -> Outcome {
    for _ in 0..ROUNDS {
        for contender in &mut *contenders {
            let time = contender.advance(BATCH)?;
            contender.times.push(time.as_secs_f64() * 1e9 / BATCH as f64);
        }
    }
    Ok(())
}

fn print_times(contenders: &[Contender]) {
    println!("| one verification | fastest batch, ns | median, ns | ÷ signature check |");
    println!("|---|---:|---:|---:|");
    let baseline = contenders.first().map_or(f64::NAN, Contender::best);
    for contender in contenders {
        let (name, best, median) = (contender.name, contender.best(), contender.median());
        println!("| {name} | {best:.0} | {median:.0} | {:.2} |", best / baseline);
    }
    // Its verification is private; its public API handles requests.
    println!("| tower-oauth2-resource-server | HTTP only | | |");
}

/// Times are only comparable between verifiers that check the same.
fn print_acceptance(contenders: &[Contender], tenant: &LocalTenant) {
    // Without the baseline, which sees no token, and with each of the others once.
    let once = contenders.iter().skip(1).filter(|contender| contender.tokens.len() == 1);
    let bad = Token::bad(tenant);
    acceptance::print(once.map(|contender| {
        let accepted = bad.each_ref().map(|(_, token)| contender.verifier.accepts(token));
        (contender.name, accepted)
    }));
}

fn verifier(tenant: &LocalTenant, token_cache: usize) -> Outcome<Auth0> {
    let (issuer, audience) = (tenant.issuer(), tenant.audience());
    Ok(Auth0::builder().issuer(issuer).audience(audience).token_cache(token_cache).build()?)
}

fn baseline(tenant: &LocalTenant, tokens: &[Token]) -> Outcome<impl Fn(&Token) -> bool + use<>> {
    let jwk = tenant.tenant().signing_key().jwk();
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap_or_default());
    let key: ParsedPublicKey = RsaPublicKeyComponents { n: member("n")?, e: member("e")? }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?;
    let token = tokens.first().ok_or("no token")?;
    let (message, signature) = token.text().rsplit_once('.').ok_or("no token")?;
    let (message, signature) = (message.to_owned(), URL_SAFE_NO_PAD.decode(signature)?);
    Ok(move |_: &Token| key.verify_sig(message.as_bytes(), black_box(&signature)).is_ok())
}

/// Returns a validation that is as strict as its options allow.
pub(crate) fn validation(issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation
}

pub(crate) fn keys_by_id(key_set: JwkSet) -> Outcome<HashMap<String, DecodingKey>> {
    let keys = key_set.keys.iter().filter_map(|jwk| {
        let id = jwk.common.key_id.clone()?;
        Some(DecodingKey::from_jwk(jwk).map(|key| (id, key)))
    });
    Ok(keys.collect::<Result<_, _>>()?)
}

fn keys(tenant: &LocalTenant) -> Outcome<HashMap<String, DecodingKey>> {
    keys_by_id(serde_json::from_str(&tenant.tenant().key_set_json())?)
}

fn decode(tenant: &LocalTenant) -> Outcome<impl Fn(&Token) -> bool + use<>> {
    let validation = validation(tenant.issuer(), tenant.audience());
    let key = keys(tenant)?.into_values().next().ok_or("no key")?;
    Ok(move |token: &Token| {
        let verdict = jsonwebtoken::decode::<Claims>(token.text(), &key, &validation);
        black_box(verdict).is_ok()
    })
}

/// Selects the key by `kid`, as middlewares with more than one key do.
fn decode_by_key_id(tenant: &LocalTenant) -> Outcome<impl Fn(&Token) -> bool + use<>> {
    let validation = validation(tenant.issuer(), tenant.audience());
    let keys = keys(tenant)?;
    Ok(move |token: &Token| {
        let header = jsonwebtoken::decode_header(token.text()).ok();
        let key = header.and_then(|header| keys.get(header.kid.as_ref()?));
        let verdict = key.map(|key| jsonwebtoken::decode::<Claims>(token.text(), key, &validation));
        matches!(black_box(verdict), Some(Ok(_)))
    })
}

fn jwt_authorizer(
    runtime: &Runtime,
    tenant: &LocalTenant,
) -> Outcome<impl Fn(&Token) -> bool + use<>> {
    let validation = jwt_authorizer::Validation::new()
        .iss(&[tenant.issuer()])
        .aud(&[tenant.audience()])
        .nbf(true)
        .algs(vec![]);
    let authorizer = JwtAuthorizer::<Claims>::from_oidc(tenant.issuer()).validation(validation);
    let authorizer = runtime.block_on(authorizer.build())?;
    // The first token makes it fetch the keys.
    runtime.block_on(authorizer.check_auth(Token::new(tenant, 0).text()))?;
    Ok(move |token: &Token| matches!(at_once(authorizer.check_auth(token.text())), Some(Ok(_))))
}

fn axum_jwt_auth(
    runtime: &Runtime,
    tenant: &LocalTenant,
) -> Outcome<impl Fn(&Token) -> bool + use<>> {
    let decoder = runtime.block_on(remote_decoder(tenant.issuer(), tenant.audience()))?;
    Ok(move |token: &Token| {
        let verdict = JwtDecoder::<Claims>::decode(&decoder, token.text());
        matches!(at_once(verdict), Some(Ok(_)))
    })
}

/// Returns a decoder that has fetched its keys.
pub(crate) async fn remote_decoder(issuer: &str, audience: &str) -> Outcome<RemoteJwksDecoder> {
    use jsonwebtoken_of_axum_jwt_auth::{Algorithm, Validation};
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    let decoder = RemoteJwksDecoder::builder()
        .jwks_url(format!("{issuer}.well-known/jwks.json"))
        .validation(validation)
        .build()?;
    decoder.initialize().await?;
    Ok(decoder)
}

/// `jwtk` checks `exp` and `nbf` if they are present, and leaves the rest to its user.
fn jwtk(tenant: &LocalTenant) -> Outcome<impl Fn(&Token) -> bool + use<>> {
    #[derive(serde::Deserialize)]
    #[allow(dead_code, reason = "deserialising them is what is measured")]
    struct More {
        azp: Option<String>,
        scope: Option<String>,
        #[serde(default)]
        permissions: Vec<String>,
    }
    let keys: jwtk::jwk::JwkSet = serde_json::from_str(&tenant.tenant().key_set_json())?;
    let keys = keys.verifier();
    let (issuer, audience) = (tenant.issuer().to_owned(), tenant.audience().to_owned());
    Ok(move |token: &Token| {
        let Ok(verified) = keys.verify::<More>(token.text()) else { return false };
        let claims = black_box(verified.claims());
        claims.exp.is_some()
            && claims.iss.as_ref() == Some(&issuer)
            && claims.aud.iter().any(|one| *one == audience)
    })
}

/// Returns the output of a future that does not wait, because the keys are available.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(black_box(answer)),
        Poll::Pending => None,
    }
}
