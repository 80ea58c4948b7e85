//! The published schemas that this page has seen, and the validator that is asked about them.

use std::cell::RefCell;

use js_sys::futures::JsFuture;
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::failure::{Code, Failure};
use lastgood_protocol::manifest::SchemaRef;
use lastgood_protocol::read::{Objection, SchemaObject};
use wasm_bindgen::prelude::*;

use crate::page::{self, Page};
use crate::payload::Payload;

/// Schemas by digest; the text is that of bytes with this digest.
#[derive(Default)]
pub(crate) struct Schemas(RefCell<Vec<(SchemaObject, JsValue)>>);

impl Schemas {
    /// A schema that is here.
    pub(crate) fn known(&self, sha256: Sha256) -> Option<SchemaObject> {
        self.0.borrow().iter().find(|(schema, _)| schema.sha256 == sha256).map(|&(schema, _)| schema)
    }

    /// Adds a schema under the digest that was computed from its bytes.
    pub(crate) fn add(&self, payload: &Payload) -> SchemaObject {
        let schema = SchemaObject { sha256: payload.sha256, size: payload.size };
        if self.known(schema.sha256).is_none() {
            self.0.borrow_mut().push((schema, payload.text.clone()));
        }
        schema
    }

    /// Validates a payload against a schema that is here.
    pub(crate) async fn validate(&self, page: &Page, payload: &Payload, schema: &SchemaRef) -> Result<(), Objection> {
        let text = {
            let known = self.0.borrow();
            let (_, text) = known
                .iter()
                .find(|(known, _)| known.sha256 == schema.sha256)
                .expect("what is to be validated against was answered before");
            text.clone()
        };
        let unavailable = |thrown: JsValue| {
            let detail = format!("the validator of published schemas cannot be had ({})", page::describe(&thrown));
            Objection::Refused(Failure::new(Code::Offline, detail))
        };
        let bytes = payload.bytes_again().await.map_err(unavailable)?;
        let verdict =
            JsFuture::from(page.validate(&schema.sha256.to_string(), &text, &bytes)).await.map_err(unavailable)?;
        let told = |name: &str| page::get(&verdict, name).as_string();
        match (told("invalid"), told("unsupported")) {
            (Some(problem), _) => Err(Objection::Invalid(problem)),
            (None, Some(problem)) => Err(Objection::Unsupported(problem)),
            (None, None) => Ok(()),
        }
    }
}
