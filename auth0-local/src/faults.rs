//! Which document has which fault, and how that is written.
use crate::{error::LocalError, fault::Fault};
use auth0_core::testing::Document;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The documents that can have a fault, by the names that they have on the command line, in JSON
/// and in the path of a redirect.
const DOCUMENTS: [(&str, Document); 2] =
    [("metadata", Document::Metadata), ("jwks", Document::KeySet)];

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    metadata: Fault,
    key_set: Fault,
}

impl Faults {
    pub(crate) fn of(&self, document: Document) -> Fault {
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

/// `metadata=none jwks=500`: what `auth0-local fault` takes.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metadata={} jwks={}", self.metadata, self.key_set)
    }
}

/// What `/__local/faults` is sent and answers with. What is left out stays as it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Changes {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<String>,
}

impl Changes {
    /// All of them or, if one cannot be read, none.
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

    /// What they come to where nothing went wrong before.
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

impl From<Faults> for Changes {
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

/// `jwks=500`.
#[cfg(feature = "cli")]
pub(crate) fn assignment(text: &str) -> Result<(Document, Fault), LocalError> {
    let (name, fault) = text.split_once('=').unwrap_or_default();
    let document = document_named(name).ok_or_else(|| {
        LocalError::new(
            "no document is named in it. Write jwks=FAULT or metadata=FAULT, for example jwks=500",
        )
    })?;
    Ok((document, fault.parse()?))
}
