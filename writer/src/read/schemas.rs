//! The schemas that one read needs.

use std::borrow::Cow;
use std::collections::HashMap;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::manifest::SchemaRef;
use lastgood_protocol::read::{Objection, SchemaObject};

use crate::schema::compile_text;

/// The bytes of schemas under the digest that they have.
#[derive(Default)]
pub(super) struct Schemas(HashMap<Sha256, Vec<u8>>);

impl Schemas {
    pub(super) fn keep(&mut self, bytes: Vec<u8>) -> SchemaObject {
        let schema = SchemaObject { sha256: Sha256::of(&bytes), size: bytes.len() as u64 };
        self.0.insert(schema.sha256, bytes);
        schema
    }

    pub(super) fn validate(&self, payload: &impl AsRef<[u8]>, schema: &SchemaRef) -> Result<(), Objection> {
        let unsupported = |problem: &dyn ToString| Objection::Unsupported(problem.to_string());
        let bytes = self.0.get(&schema.sha256).expect("what is to be validated against was answered before");
        let schema = compile_text(bytes, false).map_err(|problem| unsupported(&problem))?;
        let invalid = |problem: &dyn ToString| Objection::Invalid(problem.to_string());
        let payload = std::str::from_utf8(payload.as_ref()).map_err(|error| invalid(&error))?;
        let valid = schema.validate(Cow::Borrowed(payload)).map_err(|problem| unsupported(&problem))?;
        valid.map_err(|violations| invalid(&violations))
    }
}
