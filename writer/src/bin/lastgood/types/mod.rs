//! `lastgood types`

mod kinds;
mod references;
mod schema;
mod typescript;

use std::collections::BTreeSet;
use std::fmt;

use clap::Args;
use lastgood::protocol::manifest::{Entry, Manifest};
use lastgood::protocol::name::DatasetName;
use serde::Serialize;
use serde_json::Value;

use self::schema::{Declaration, declarations, free_name};
use self::typescript::{Member, Type, type_name, write_doc};
use crate::exit::{Exit, Failure};
use crate::remote::{HttpOrigin, RemoteOptions};
use crate::{Session, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood types > feed.d.ts
  lastgood types --url https://example.org/data/ > src/feed.d.ts   (of what is served, from any machine)
  lastgood types performance transactions                          (of these datasets alone)

In the page: import type { Feed } from './feed'; const feed = await open<Feed>('/data/');

Everything that a schema accepts has its type. A type may accept more: bounds, patterns and conditions are not in it. Where a
schema says nothing that a type could say, it is `unknown`, and a comment tells why.";

/// Print the types of datasets for TypeScript, made of the schemas that they were published with
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Types {
    /// Only these datasets [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<DatasetName>,
    #[command(flatten)]
    remote: RemoteOptions,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    datasets: Vec<Dataset>,
    /// The text of the declarations.
    types: String,
}

#[derive(Serialize)]
struct Dataset {
    dataset: String,
    /// The version of the schema that the type is made of; null when there is none.
    schema_version: Option<u32>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.types)
    }
}

impl Types {
    /// Whether it reads at an address, and no directory.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote.url.is_some()
    }

    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut origin = self.remote.origin();
        let manifest = match &mut origin {
            Some(origin) => origin.published().map_err(Failure::Remote)?,
            None => session.feed().manifest()?,
        };
        unknown::check(self.names.iter(), &manifest)?;
        let mut module = Module::default();
        let mut datasets = Vec::new();
        for (name, entry) in wanted(&self.names, &manifest) {
            let schema = schema_of(session, origin.as_mut(), name, entry)?;
            let schema_version = entry.schema.as_ref().map(|schema| schema.version);
            module.add(name, entry, schema.as_deref());
            datasets.push(Dataset { dataset: name.to_string(), schema_version });
        }
        session.output.answer(&Report { datasets, types: module.text() }, Exit::Done)
    }
}

fn wanted<'a>(names: &[DatasetName], manifest: &'a Manifest) -> impl Iterator<Item = (&'a DatasetName, &'a Entry)> {
    manifest.datasets.iter().filter(|(name, _)| names.is_empty() || names.contains(name))
}

/// The bytes of the schema that a dataset was published with, verified.
fn schema_of(
    session: &Session,
    origin: Option<&mut HttpOrigin>,
    name: &DatasetName,
    entry: &Entry,
) -> Result<Option<Vec<u8>>, Failure> {
    match (origin, &entry.schema) {
        (_, None) => Ok(None),
        (None, Some(_)) => Ok(session.feed().schema_of(name, entry)?),
        (Some(origin), Some(schema)) => origin.schema(name, schema).map(Some).map_err(Failure::Remote),
    }
}

/// The declarations of a feed.
struct Module {
    /// The names that are no longer free.
    taken: BTreeSet<String>,
    members: Vec<Member>,
    declarations: Vec<Declaration>,
}

/// The name of the interface with all datasets.
const FEED: &str = "Feed";

impl Default for Module {
    fn default() -> Self {
        Self { taken: BTreeSet::from([FEED.to_owned()]), members: Vec::new(), declarations: Vec::new() }
    }
}

impl Module {
    fn add(&mut self, dataset: &DatasetName, entry: &Entry, schema: Option<&[u8]>) {
        let (ty, doc) = match schema.map(serde_json::from_slice::<Value>) {
            None if !entry.ext.is_json() => (Type::Unknown(None), format!("An artifact (.{}).", entry.ext)),
            None => (Type::Unknown(None), "It was published without a schema.".to_owned()),
            Some(Err(error)) => (Type::unknown(format!("the schema cannot be taken apart: {error}")), String::new()),
            Some(Ok(schema)) => {
                let name = type_name(dataset.as_str());
                let begins_with_digit = name.starts_with(|char: char| char.is_ascii_digit());
                let name = if begins_with_digit { format!("Dataset{name}") } else { name };
                let name = free_name(&name, &mut self.taken);
                self.declarations.extend(declarations(&schema, &name, &mut self.taken));
                (Type::Named(name), String::new())
            }
        };
        let version = entry.schema.as_ref().map(|schema| format!("Version {} of its schema.", schema.version));
        let doc = [Some(doc), version].into_iter().flatten().filter(|line| !line.is_empty()).collect();
        self.members.push(Member { name: dataset.to_string(), ty, required: true, doc });
    }

    fn text(self) -> String {
        let mut out = String::from(
            "// Made by `lastgood types` of the schemas that the datasets were published with. To change it, make it again.\n\n",
        );
        write_doc(&mut out, 0, &["The datasets of the feed: `open<Feed>(url)`.".to_owned()]);
        write_interface(&mut out, self.members);
        for Declaration { name, doc, ty } in self.declarations {
            out.push('\n');
            write_doc(&mut out, 0, &doc);
            out.push_str(&format!("export type {name} = "));
            ty.write(&mut out, 0);
            out.push_str(";\n");
        }
        out
    }
}

fn write_interface(out: &mut String, members: Vec<Member>) {
    out.push_str(&format!("export interface {FEED} "));
    Type::Object { members, index: None }.write(out, 0);
    out.push('\n');
}
