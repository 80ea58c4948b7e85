//! Whether what a manifest says of a dataset is what its reader wants: decided before anything is downloaded.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::plan::{Kind, Shape, Wanted};
use crate::failure::{Code, Failure};
use crate::layout;
use crate::manifest::{Entry, MAX_SCHEMA_BYTES, Manifest};
use crate::name::{DatasetName, Ext};

impl Wanted {
    /// The entry of the dataset, if it can be read at all.
    pub(super) fn entry<'a>(&self, manifest: &'a Manifest, max_bytes: u64) -> Result<&'a Entry, Failure> {
        let dataset = &self.dataset;
        let Some(entry) = manifest.datasets.get(dataset) else {
            return Err(Failure::new(Code::NotFound, absent(dataset, manifest)).of(dataset));
        };
        self.kind.fits(dataset, entry).map_err(|failure| failure.of(dataset))?;
        if entry.size > max_bytes {
            let path = layout::object(&entry.sha256, &entry.ext);
            return Err(Failure::too_large(path.as_str(), max_bytes).of(dataset));
        }
        Ok(entry)
    }
}

/// What a manifest without a dataset says of it.
fn absent(dataset: &DatasetName, manifest: &Manifest) -> String {
    if let Some(at) = manifest.withdrawn.get(dataset) {
        return format!("\"{dataset}\" was withdrawn from the feed at {at}");
    }
    let others: Vec<&str> = manifest.datasets.keys().take(8).map(DatasetName::as_str).collect();
    let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    format!("the feed has no dataset \"{dataset}\"; it has: {others}")
}

impl Kind {
    fn fits(&self, dataset: &DatasetName, entry: &Entry) -> Result<(), Failure> {
        let ext = &entry.ext;
        match self {
            Kind::Json(_) if !ext.is_json() => {
                let detail = format!("\"{dataset}\" is an artifact (.{ext}), not JSON: read it as an artifact");
                Err(Failure::new(Code::WrongKind, detail))
            }
            Kind::Artifact if ext.is_json() => {
                let detail = format!("\"{dataset}\" is JSON, not an artifact: read it as a value");
                Err(Failure::new(Code::WrongKind, detail))
            }
            Kind::Json(shape) | Kind::Any(shape) => shape.fits(dataset, entry),
            Kind::Artifact => Ok(()),
        }
    }
}

impl Shape {
    fn fits(&self, dataset: &DatasetName, entry: &Entry) -> Result<(), Failure> {
        let schema = entry.schema.as_ref();
        if let Some(versions) = &self.versions {
            let Some(schema) = schema else {
                let detail = format!(
                    "the reader understands versions {} to {} of \"{dataset}\", which was published without a schema",
                    versions.start(),
                    versions.end(),
                );
                return Err(Failure::new(Code::SchemaMissing, detail));
            };
            let version = schema.version;
            if version > *versions.end() {
                let detail = format!(
                    "the schema of \"{dataset}\" has version {version}, the reader understands up to {}: update it",
                    versions.end(),
                );
                return Err(Failure::new(Code::SchemaNewer, detail));
            }
            if version < *versions.start() {
                let detail = format!(
                    "the schema of \"{dataset}\" has version {version}, the reader understands {} and later: publish it anew, or \
                     migrate from that version",
                    versions.start(),
                );
                return Err(Failure::new(Code::SchemaOlder, detail));
            }
        }
        match schema.filter(|schema| self.validate && schema.size > MAX_SCHEMA_BYTES) {
            Some(schema) => {
                Err(Failure::too_large(layout::object(&schema.sha256, &Ext::json()).as_str(), MAX_SCHEMA_BYTES))
            }
            None => Ok(()),
        }
    }
}
