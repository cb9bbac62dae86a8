//! What a token or a proof is, and whether an API accepts it. Each verdict is one of the verifier: for a token that it
//! refuses, it verifies a copy in which that is set right, and so finds what else it would refuse.
//!
//! Nothing of the token is sent or stored. Keys come from the caller, or from the issuer that the caller names.
mod access;
mod check;
mod copy;
mod decoded;
mod facts;
mod found;
mod given;
mod issued;
#[cfg(feature = "cli")]
mod json;
mod kind;
mod moment;
mod pasted;
mod proof;
mod quiet;
mod report;
mod rules;
mod settings;
mod shown;
#[cfg(feature = "cli")]
mod terminal;

pub(crate) use check::{Check, Outcome};
pub(crate) use kind::Kind;
#[cfg(feature = "cli")]
pub(crate) use pasted::MAX_BYTES;
pub(crate) use pasted::Unusable;
pub(crate) use report::{Report, Verdict};
pub(crate) use settings::{IssuerName, Request, Settings};
pub(crate) use shown::printable;
#[cfg(feature = "cli")]
pub(crate) use {json::ascii, terminal::Terminal};

use decoded::Decoded;
use pasted::Pasted;
use quiet::quietly;

/// Inspects what was pasted: a token or a proof, or a text that has one.
pub(crate) async fn inspect(pasted: &[u8], settings: &Settings) -> Result<Report, Unusable> {
    quietly(run(pasted, settings)).await
}

async fn run(pasted: &[u8], settings: &Settings) -> Result<Report, Unusable> {
    let Pasted { text, scheme, notes } = Pasted::read(pasted)?;
    let decoded = match Decoded::of(&text) {
        Some(decoded) => decoded,
        None => return Err(pasted::not_a_token(&text).await),
    };
    let kind = Kind::of(&decoded);
    let as_kind = settings.checked_as(kind);
    let found = match as_kind {
        Kind::AccessToken => access::check(&decoded, scheme, settings).await?,
        Kind::IdToken | Kind::LogoutToken => issued::check(&decoded, as_kind, settings).await?,
        Kind::Proof => proof::check(&decoded, settings)?,
    };
    Ok(Report::new(&decoded, kind, as_kind, found, notes, settings))
}
