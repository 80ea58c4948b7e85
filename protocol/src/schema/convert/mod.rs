//! Schemas of older drafts, written as the draft that is read: the same values fit before and after.
//!
//! Publishers convert, so that readers have one draft to know. What cannot be said in the newer draft, or would say something else
//! there, is refused with what to write instead; nothing is left out that asserts anything.

mod place;
mod pointer;
mod write;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::compile::values::{Keywords, Refusable, error, found, string};
use super::error::{SchemaError, SchemaErrorKind};
use super::tree::{self, Tree, Value};
use crate::scalar::Kind;

use self::place::{Holds, Place, place};
use self::write::Writer;

/// An older draft whose schemas are converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Draft {
    /// Draft 7, of 2018.
    Draft7,
    /// Draft 2019-09.
    Draft201909,
}

impl Draft {
    /// The stable text: `draft-07`, `2019-09`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Draft::Draft7 => "draft-07",
            Draft::Draft201909 => "2019-09",
        }
    }
}

/// As people call it: `draft 7`, `draft 2019-09`.
impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Draft::Draft7 => "draft 7",
            Draft::Draft201909 => "draft 2019-09",
        })
    }
}

/// A schema that has been converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The schema in draft 2020-12.
    pub text: String,
    /// The draft that it was written in.
    pub draft: Draft,
}

/// Converts the text of a schema that names an older draft as its `$schema`; `None` for any other, which is to be compiled as it
/// stands. A text that is no JSON is left to that, too.
///
/// # Errors
/// What cannot be converted, with what to write instead; and what people write for JSON Schema that is of OpenAPI 3.0.
pub fn convert(text: &str) -> Result<Option<Converted>, SchemaError> {
    let mut nodes = Vec::new();
    if tree::read(text, &mut nodes).is_err() {
        return Ok(None);
    }
    let tree = Tree { text, nodes: &nodes };
    convert_tree(&tree).map_err(|error| *error)
}

fn convert_tree(tree: &Tree<'_>) -> Refusable<Option<Converted>> {
    let root = tree.root();
    let dialect = Dialect::of(root)?;
    let mut seen = Seen::new(dialect);
    seen.schema(root, 0)?;
    let Dialect::Older(draft) = dialect else { return Ok(None) };
    let mut writer = Writer { draft, seen: &seen, out: String::new() };
    writer.schema(root, 0)?;
    Ok(Some(Converted { text: writer.out, draft }))
}

/// What the keywords of a schema mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Older(Draft),
    /// Draft 2020-12, named or not.
    Current {
        named: bool,
    },
}

const DRAFT_7: &str = "draft 6 is draft 7 without if, then and else: write \"$schema\": \"http://json-schema.org/draft-07/schema#\", \
                       which is converted";
const DRAFT_4: &str = "in it write $id for id, numbers for exclusiveMinimum and exclusiveMaximum, and \
                       \"$schema\": \"http://json-schema.org/draft-07/schema#\", which is converted";

impl Dialect {
    fn of(root: Value<'_>) -> Refusable<Self> {
        let Some((_, value)) = root.members().find(|(name, _)| name.raw() == b"$schema") else {
            return Ok(Self::Current { named: false });
        };
        let text = string(value, "$schema", "the URI of a dialect")?;
        let other = |way_out| error(value, SchemaErrorKind::OtherDraft { found: found(value), way_out });
        match draft_of(&text) {
            "draft-07/schema" => Ok(Self::Older(Draft::Draft7)),
            "draft/2019-09/schema" => Ok(Self::Older(Draft::Draft201909)),
            "draft-06/schema" => Err(other(DRAFT_7)),
            "draft-04/schema" | "draft-03/schema" | "schema" => Err(other(DRAFT_4)),
            // What it is, and whether it is known, is seen when it is compiled.
            _ => Ok(Self::Current { named: true }),
        }
    }

    fn is(self, draft: Draft) -> bool {
        self == Self::Older(draft)
    }
}

/// The part of the URI of a draft that tells it from others; empty for other URIs.
fn draft_of(uri: &str) -> &str {
    let uri = uri.strip_suffix('#').unwrap_or(uri);
    let uri = uri.strip_prefix("http://").or_else(|| uri.strip_prefix("https://")).unwrap_or_default();
    uri.strip_prefix("json-schema.org/").unwrap_or_default()
}

/// Keywords of draft 2020-12 that an older draft does not have: there they assert nothing, and would from now on.
const NOT_IN_DRAFT_7: [&str; 8] = [
    "prefixItems",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$anchor",
];
const NOT_IN_2019_09: [&str; 1] = ["prefixItems"];

const FOREIGN: &str = "the draft that $schema names does not have it; remove it, or write \
                       \"$schema\": \"https://json-schema.org/draft/2020-12/schema\" if that is what the schema is written in";
const NULLABLE: &str = "it is of OpenAPI 3.0, and JSON Schema does not know it: allow null with \"type\": [\"string\", \"null\"], \
                        or with {\"type\": \"null\"} as a part of anyOf";
const TUPLE: &str = "an array of schemas is of an older draft: write prefixItems, or name the draft: \
                     \"$schema\": \"http://json-schema.org/draft-07/schema#\"";
const OLDER: &str = "it is of an older draft: write prefixItems and items, dependentRequired or dependentSchemas, or name the \
                     draft: \"$schema\": \"http://json-schema.org/draft-07/schema#\"";

/// What is in a schema, found before anything is written.
struct Seen {
    dialect: Dialect,
    /// What has an `$id`, with its URI and its node; the first one is the whole schema, which need not have one.
    resources: Vec<(String, u32)>,
    has_contains: bool,
    has_recursive_anchor: bool,
}

impl Seen {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, resources: alloc::vec![(String::new(), 0)], has_contains: false, has_recursive_anchor: false }
    }

    /// Looks through a schema, which is in the resource `base`.
    fn schema(&mut self, schema: Value<'_>, mut base: usize) -> Refusable<()> {
        if schema.kind() != Kind::Object {
            return Ok(());
        }
        let keywords = Keywords::new(schema)?;
        self.refuse_foreign(&keywords)?;
        if let Some(id) = keywords.get("$id").filter(|_| !self.ignores_siblings(&keywords)) {
            let id = string(id, "$id", "a URI reference")?;
            let (id, _) = super::uri::split_fragment(&id);
            if !id.is_empty() {
                self.resources.push((super::uri::resolve(&self.resources[base].0, id), schema.at));
                base = self.resources.len() - 1;
            }
        }
        self.has_contains |= keywords.get("contains").is_some();
        self.has_recursive_anchor |= keywords.get("$recursiveAnchor").is_some_and(|value| value.kind() == Kind::True);
        for (name, value) in keywords.iter() {
            let holds = match place(self.dialect, name, value, &keywords) {
                Place::As(_, holds) => holds,
                // Those of its members that are arrays are no schemas, and are passed over.
                Place::Dependencies => Holds::Map,
                Place::Gone => Holds::Nothing,
            };
            match holds {
                Holds::Nothing => {}
                Holds::Schema => self.schema(value, base)?,
                Holds::List => value.elements().try_for_each(|element| self.schema(element, base))?,
                Holds::Map => value.members().try_for_each(|(_, member)| self.schema(member, base))?,
            }
        }
        Ok(())
    }

    /// Whether `$ref` stands alone, whatever is beside it.
    fn ignores_siblings(&self, keywords: &Keywords<'_>) -> bool {
        self.dialect.is(Draft::Draft7) && keywords.get("$ref").is_some()
    }

    fn refuse_foreign(&self, keywords: &Keywords<'_>) -> Refusable<()> {
        let refused = |keyword: &'static str, value, way_out| {
            Err(error(value, SchemaErrorKind::Unsupported { keyword, way_out }))
        };
        let nullable = keywords.get("nullable").filter(|value| value.kind() == Kind::True);
        if let Some(value) = nullable.filter(|_| !keywords.get("type").is_some_and(names_null)) {
            return refused("nullable", value, NULLABLE);
        }
        let foreign: &[&'static str] = match self.dialect {
            Dialect::Older(Draft::Draft7) => &NOT_IN_DRAFT_7,
            Dialect::Older(Draft::Draft201909) => &NOT_IN_2019_09,
            Dialect::Current { named } => {
                if let Some(items) = keywords.get("items").filter(|items| !named && items.kind() == Kind::Array) {
                    return refused("items", items, TUPLE);
                }
                for keyword in ["additionalItems", "dependencies"] {
                    if let Some(value) = keywords.get(keyword).filter(|_| !named) {
                        return refused(keyword, value, OLDER);
                    }
                }
                &[]
            }
        };
        match foreign.iter().find_map(|&keyword| Some((keyword, keywords.get(keyword)?))) {
            Some((keyword, value)) => refused(keyword, value, FOREIGN),
            None => Ok(()),
        }
    }
}

/// Whether a value of `type` allows null.
fn names_null(value: Value<'_>) -> bool {
    value.text() == "null" && value.kind() == Kind::String || value.elements().any(|element| element.text() == "null")
}
