//! The fault of each document, and its forms as text and JSON.
use super::Fault;
use crate::error::LocalError;
use auth0_testing::Document;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The documents that can have a fault, with their names on the command line, in JSON and in the
/// path of a redirect.
const DOCUMENTS: [(&str, Document); 2] =
    [("metadata", Document::Metadata), ("jwks", Document::KeySet)];

/// The current fault of each document.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    metadata: Fault,
    key_set: Fault,
}

impl Faults {
    pub(crate) fn fault(&self, document: Document) -> Fault {
        match document {
            Document::Metadata => self.metadata,
            _ => self.key_set,
        }
    }

    pub(crate) fn set(&mut self, document: Document, fault: Fault) {
        match document {
            Document::Metadata => self.metadata = fault,
            _ => self.key_set = fault,
        }
    }
}

/// Writes `metadata=none jwks=500`, which `auth0-local fault` accepts.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata={} jwks={}", self.metadata, self.key_set)
    }
}

/// The JSON of requests to `/__local/faults` and of their responses. A document that is left out
/// keeps its fault.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FaultChanges {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<String>,
}

impl FaultChanges {
    /// Applies all changes or, if one cannot be parsed, none.
    pub(crate) fn apply_to(&self, faults: &mut Faults) -> Result<(), LocalError> {
        let mut changed = *faults;
        for (text, document) in
            [(&self.metadata, Document::Metadata), (&self.jwks, Document::KeySet)]
        {
            if let Some(text) = text {
                changed.set(document, text.parse()?);
            }
        }
        *faults = changed;
        Ok(())
    }

    /// Returns the faults after these changes to a tenant without faults.
    #[cfg(feature = "cli")]
    pub(crate) fn faults(&self) -> Result<Faults, LocalError> {
        let mut faults = Faults::default();
        self.apply_to(&mut faults)?;
        Ok(faults)
    }

    #[cfg(feature = "cli")]
    pub(crate) fn set(&mut self, document: Document, fault: Fault) {
        match document {
            Document::Metadata => self.metadata = Some(fault.to_string()),
            _ => self.jwks = Some(fault.to_string()),
        }
    }
}

impl From<Faults> for FaultChanges {
    fn from(faults: Faults) -> Self {
        let Faults { metadata, key_set } = faults;
        Self { metadata: Some(metadata.to_string()), jwks: Some(key_set.to_string()) }
    }
}

pub(crate) fn document_named(name: &str) -> Option<Document> {
    DOCUMENTS.iter().find(|(known, _)| *known == name).map(|(_, document)| *document)
}

pub(crate) fn name_of(document: Document) -> &'static str {
    DOCUMENTS.iter().find(|(_, known)| *known == document).map_or("document", |(name, _)| name)
}

/// Parses an argument such as `jwks=500`.
#[cfg(feature = "cli")]
pub(crate) fn assignment(text: &str) -> Result<(Document, Fault), LocalError> {
    let (name, fault) = text.split_once('=').unwrap_or_default();
    let document = document_named(name).ok_or_else(|| {
        LocalError::new(
            "it names no document. Write jwks=FAULT or metadata=FAULT, for example jwks=500",
        )
    })?;
    Ok((document, fault.parse()?))
}
