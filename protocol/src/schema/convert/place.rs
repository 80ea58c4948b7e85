//! Where schemas are in a schema, and what the keyword that holds them is called in draft 2020-12.

use super::{Dialect, Draft};
use crate::scalar::Kind;
use crate::schema::compile::values::Keywords;
use crate::schema::tree::Value;

/// What becomes of a keyword.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// It is called so; `None` leaves its name.
    As(Option<&'static str>, Holds),
    /// It goes: it asserts nothing here.
    Gone,
    /// `dependencies`, which has become two keywords.
    Dependencies,
}

/// What the value of a keyword has in it.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    /// No schemas.
    Nothing,
    /// It is a schema.
    Schema,
    /// A list of schemas.
    List,
    /// Schemas by name.
    Map,
}

const SCHEMAS: [&str; 7] = ["contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"];
const NEWER_SCHEMAS: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];
const LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const MAPS: [&str; 2] = ["properties", "patternProperties"];

/// What becomes of the keyword `name` with this value, among these.
pub(super) fn place(dialect: Dialect, name: &[u8], value: Value<'_>, keywords: &Keywords<'_>) -> Place {
    let Ok(name) = core::str::from_utf8(name) else { return Place::As(None, Holds::Nothing) };
    let older = matches!(dialect, Dialect::Older(_));
    let draft_7 = dialect.is(Draft::Draft7);
    let is_array = |value: &Value<'_>| value.kind() == Kind::Array;
    match name {
        "items" if older && is_array(&value) => match value.elements().next() {
            Some(_) => Place::As(Some("prefixItems"), Holds::List),
            None => Place::Gone,
        },
        "items" => Place::As(None, Holds::Schema),
        "additionalItems" if older => match keywords.get("items").filter(is_array) {
            Some(_) => Place::As(Some("items"), Holds::Schema),
            None => Place::Gone,
        },
        "definitions" if older => Place::As(Some("$defs"), Holds::Map),
        "definitions" | "$defs" => Place::As(None, Holds::Map),
        "dependencies" if draft_7 => Place::Dependencies,
        "dependentSchemas" if !draft_7 => Place::As(None, Holds::Map),
        "prefixItems" if !older => Place::As(None, Holds::List),
        _ if SCHEMAS.contains(&name) || (!draft_7 && NEWER_SCHEMAS.contains(&name)) => Place::As(None, Holds::Schema),
        _ if LISTS.contains(&name) => Place::As(None, Holds::List),
        _ if MAPS.contains(&name) => Place::As(None, Holds::Map),
        _ => Place::As(None, Holds::Nothing),
    }
}
