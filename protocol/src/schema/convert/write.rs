//! Writes a schema anew, in the order in which it stands.

use alloc::string::String;

use super::place::{Holds, Place, place};
use super::pointer::{Led, follow, fragment};
use super::{Dialect, Draft, Seen, draft_of};
use crate::json::quoted;
use crate::scalar::Kind;
use crate::schema::compile::values::{Keywords, Refusable, error, found, invalid, string};
use crate::schema::error::{DIALECT, SchemaErrorKind};
use crate::schema::tree::Value;
use crate::schema::uri;

/// What draft 7 ignores beside `$ref`, and draft 2020-12 does not. What holds definitions stays, because references lead there.
const ASSERTIONS: [&str; 37] = [
    "$id",
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "items",
    "additionalItems",
    "maxItems",
    "minItems",
    "uniqueItems",
    "contains",
    "maxProperties",
    "minProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "dependencies",
    "propertyNames",
    "if",
    "then",
    "else",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "$recursiveRef",
    "$dynamicRef",
    "$recursiveAnchor",
    "$dynamicAnchor",
];

const BESIDE_REF: &str = "draft 7 ignores it beside $ref, and draft 2020-12 would not: remove it, or, if it is meant to hold, move $ref \
                          into allOf: \"allOf\": [{\"$ref\": …}]";
const ASTRAY: &str = "it leads to what is no schema in its draft: put that schema under definitions";
const ID_FRAGMENT: &str = "draft 2020-12 has no $id with a fragment behind a URI: remove the fragment";
const ID_EMPTY: &str = "an empty one names nothing: remove it";
const CONTAINS: &str = "together with contains it means something else in draft 2020-12, which takes what contains has found for \
                        evaluated: remove one of them";
const RECURSIVE: &str = "where schemas with an $id of their own extend each other, it has no counterpart: write $ref";
const TWICE: &str = "definitions and $defs are one in draft 2020-12, and both have this name: rename one";

pub(super) struct Writer<'s> {
    pub(super) draft: Draft,
    pub(super) seen: &'s Seen,
    pub(super) out: String,
}

/// An object that is being written.
#[derive(Default)]
struct Object {
    is_begun: bool,
}

impl Writer<'_> {
    /// Writes a schema that is in the resource `base`.
    pub(super) fn schema(&mut self, schema: Value<'_>, mut base: usize) -> Refusable<()> {
        if schema.kind() != Kind::Object {
            self.copy(schema);
            return Ok(());
        }
        let keywords = Keywords::new(schema)?;
        self.refuse_lossy(&keywords)?;
        let own = self.seen.resources.iter().skip(1).position(|(_, at)| *at == schema.at);
        base = own.map_or(base, |own| own + 1);
        let mut object = Object::default();
        self.out.push('{');
        for (name, value) in keywords.iter() {
            match name {
                b"$schema" => self.dialect(&mut object, value)?,
                b"$id" => self.id(&mut object, schema, value)?,
                b"$ref" => self.reference(&mut object, value, base)?,
                b"$recursiveRef" if self.draft == Draft::Draft201909 => {
                    self.recursive(&mut object, value, &keywords)?;
                }
                b"$recursiveAnchor" if self.draft == Draft::Draft201909 => {}
                b"definitions" if keywords.get("$defs").is_some() => {}
                b"$defs" if keywords.get("definitions").is_some() => {
                    self.merged(&mut object, &keywords, base)?;
                }
                _ => self.keyword(&mut object, name, value, &keywords, base)?,
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn keyword(
        &mut self,
        object: &mut Object,
        name: &[u8],
        value: Value<'_>,
        keywords: &Keywords<'_>,
        base: usize,
    ) -> Refusable<()> {
        match place(Dialect::Older(self.draft), name, value, keywords) {
            Place::Gone => {}
            Place::Dependencies => self.dependencies(object, value, base)?,
            Place::As(new, holds) => {
                match new {
                    Some(new) => self.name(object, new),
                    None => self.same_name(object, value),
                }
                match (holds, value.kind()) {
                    (Holds::Schema, _) => self.schema(value, base)?,
                    (Holds::List, Kind::Array) => {
                        let mut list = Object::default();
                        self.out.push('[');
                        for element in value.elements() {
                            self.next(&mut list);
                            self.schema(element, base)?;
                        }
                        self.out.push(']');
                    }
                    (Holds::Map, Kind::Object) => self.map(&[value], base)?,
                    _ => self.copy(value),
                }
            }
        }
        Ok(())
    }

    /// The members of one or two objects of schemas as one.
    fn map(&mut self, maps: &[Value<'_>], base: usize) -> Refusable<()> {
        let mut object = Object::default();
        self.out.push('{');
        for map in maps {
            for (_, schema) in Keywords::of(*map, "$defs", "an object of schemas")?.iter() {
                self.same_name(&mut object, schema);
                self.schema(schema, base)?;
            }
        }
        self.out.push('}');
        Ok(())
    }

    fn merged(&mut self, object: &mut Object, keywords: &Keywords<'_>, base: usize) -> Refusable<()> {
        let maps = ["definitions", "$defs"].map(|name| keywords.get(name));
        if let [Some(older), Some(newer)] = maps {
            let taken = Keywords::of(older, "definitions", "an object of schemas")?;
            let both = Keywords::of(newer, "$defs", "an object of schemas")?;
            let twice = both.iter().find(|(name, _)| taken.iter().any(|(other, _)| other == *name));
            if let Some((_, value)) = twice {
                return Err(not_converted(value, "$defs", TWICE));
            }
            self.name(object, "$defs");
            self.map(&[older, newer], base)?;
        }
        Ok(())
    }

    /// `dependencies` by what they have: names or a schema.
    fn dependencies(&mut self, object: &mut Object, value: Value<'_>, base: usize) -> Refusable<()> {
        let all = Keywords::of(value, "dependencies", "an object of schemas and arrays of names")?;
        for (keyword, names) in [("dependentRequired", true), ("dependentSchemas", false)] {
            let mut some = all.iter().filter(|(_, value)| (value.kind() == Kind::Array) == names).peekable();
            if some.peek().is_none() {
                continue;
            }
            self.name(object, keyword);
            let mut inner = Object::default();
            self.out.push('{');
            for (_, value) in some {
                self.same_name(&mut inner, value);
                if names { self.copy(value) } else { self.schema(value, base)? }
            }
            self.out.push('}');
        }
        Ok(())
    }

    fn dialect(&mut self, object: &mut Object, value: Value<'_>) -> Refusable<()> {
        let text = string(value, "$schema", "the URI of a dialect")?;
        let same = match self.draft {
            Draft::Draft7 => "draft-07/schema",
            Draft::Draft201909 => "draft/2019-09/schema",
        };
        if draft_of(&text) != same {
            return Err(error(value, SchemaErrorKind::Dialect { found: found(value) }));
        }
        self.name(object, "$schema");
        self.out.push_str(&quoted(DIALECT));
        Ok(())
    }

    /// In draft 7 a fragment alone is what is `$anchor` now.
    fn id(&mut self, object: &mut Object, schema: Value<'_>, value: Value<'_>) -> Refusable<()> {
        let text = string(value, "$id", "a URI reference")?;
        let (id, fragment) = uri::split_fragment(&text);
        let fragment = fragment.filter(|fragment| !fragment.is_empty());
        match (id, fragment) {
            // The whole schema needs none.
            ("", None) if schema.at == 0 => {}
            ("", None) => return Err(not_converted(value, "$id", ID_EMPTY)),
            ("", Some(anchor)) if self.draft == Draft::Draft7 => {
                self.name(object, "$anchor");
                self.out.push_str(&quoted(anchor));
            }
            (_, Some(_)) => return Err(not_converted(value, "$id", ID_FRAGMENT)),
            (id, None) => {
                self.name(object, "$id");
                self.out.push_str(&quoted(id));
            }
        }
        Ok(())
    }

    fn reference(&mut self, object: &mut Object, value: Value<'_>, base: usize) -> Refusable<()> {
        let text = string(value, "$ref", "a reference")?;
        self.same_name(object, value);
        let (relative, pointer) = uri::split_fragment(&text);
        let uri = uri::resolve(&self.seen.resources[base].0, relative);
        let resource = self.seen.resources.iter().rfind(|(other, _)| *other == uri);
        let pointer = pointer.and_then(uri::decoded).filter(|pointer| pointer.starts_with('/'));
        let (Some((_, root)), Some(pointer)) = (resource, pointer) else {
            // By a name, or to what is not here: compiling it tells.
            self.copy(value);
            return Ok(());
        };
        match follow(Dialect::Older(self.draft), value.tree.value(*root), &pointer)? {
            Led::ToSchema(after) if after != pointer => {
                self.out.push_str(&quoted(&[relative, "#", &fragment(&after)].concat()));
            }
            Led::ToSchema(_) | Led::Nowhere => self.copy(value),
            Led::Astray => return Err(not_converted(value, "$ref", ASTRAY)),
        }
        Ok(())
    }

    /// Within one resource it is what `$ref` is.
    fn recursive(&mut self, object: &mut Object, value: Value<'_>, keywords: &Keywords<'_>) -> Refusable<()> {
        if value.kind() != Kind::String || value.text() != "#" {
            return Err(invalid(value, "$recursiveRef", "\"#\""));
        }
        let extends = self.seen.has_recursive_anchor && self.seen.has_inner_resources();
        if extends || keywords.get("$ref").is_some() {
            return Err(not_converted(value, "$recursiveRef", RECURSIVE));
        }
        self.name(object, "$ref");
        self.copy(value);
        Ok(())
    }

    fn refuse_lossy(&self, keywords: &Keywords<'_>) -> Refusable<()> {
        if self.seen.ignores_siblings(keywords)
            && let Some((keyword, value)) = ASSERTIONS.iter().find_map(|&name| Some((name, keywords.get(name)?)))
        {
            return Err(not_converted(value, keyword, BESIDE_REF));
        }
        match keywords.get("unevaluatedItems") {
            Some(value) if self.seen.has_contains => Err(not_converted(value, "unevaluatedItems", CONTAINS)),
            _ => Ok(()),
        }
    }

    /// The name that a member has, which stands before its value.
    fn same_name(&mut self, object: &mut Object, value: Value<'_>) {
        self.next(object);
        self.copy(value.tree.value(value.at - 1));
        self.out.push(':');
    }

    fn name(&mut self, object: &mut Object, name: &str) {
        self.next(object);
        self.out.push_str(&quoted(name));
        self.out.push(':');
    }

    fn next(&mut self, object: &mut Object) {
        if object.is_begun {
            self.out.push(',');
        }
        object.is_begun = true;
    }

    /// A value to the byte.
    fn copy(&mut self, value: Value<'_>) {
        self.out.push_str(value.tree.text.get(value.span()).unwrap_or_default());
    }
}

impl Seen {
    /// Whether a part of the schema has an `$id` of its own.
    fn has_inner_resources(&self) -> bool {
        self.resources.iter().skip(1).any(|(_, at)| *at != 0)
    }
}

fn not_converted(
    value: Value<'_>,
    keyword: &'static str,
    way_out: &'static str,
) -> alloc::boxed::Box<crate::schema::error::SchemaError> {
    error(value, SchemaErrorKind::NotConverted { keyword, way_out })
}
