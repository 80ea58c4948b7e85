//! `$ref`: which schema is meant, and what it takes.

use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::kinds::Kinds;

/// A schema whose references can be followed. Places in it are JSON pointers.
pub(super) struct References<'a> {
    root: &'a Value,
    /// The schemas with an `$id`, and the whole: place and identifier.
    resources: Vec<(String, String)>,
    /// Places and their `$anchor`.
    anchors: Vec<(String, String)>,
}

impl<'a> References<'a> {
    pub(super) fn of(root: &'a Value) -> Self {
        let mut references = Self { root, resources: Vec::new(), anchors: Vec::new() };
        references.collect(root, String::new());
        if references.resources.iter().all(|(at, _)| !at.is_empty()) {
            references.resources.push((String::new(), String::new()));
        }
        references
    }

    fn collect(&mut self, value: &Value, at: String) {
        match value {
            Value::Object(members) => {
                let text = |keyword: &str| members.get(keyword).and_then(Value::as_str).map(str::to_owned);
                self.resources.extend(text("$id").map(|id| (at.clone(), id)));
                self.anchors.extend(text("$anchor").map(|anchor| (at.clone(), anchor)));
                for (name, member) in members {
                    // What is in these is no schema.
                    if !["const", "enum", "default", "examples"].contains(&name.as_str()) {
                        self.collect(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")));
                    }
                }
            }
            Value::Array(elements) => {
                for (number, element) in elements.iter().enumerate() {
                    self.collect(element, format!("{at}/{number}"));
                }
            }
            _ => {}
        }
    }

    /// The schema at a place.
    pub(super) fn at(&self, place: &str) -> Option<&'a Value> {
        self.root.pointer(place)
    }

    /// The place of what a reference means that stands at `from`.
    pub(super) fn target(&self, reference: &str, from: &str) -> Option<String> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let home = self.resource_of(from)?;
        let (resource, _) = match address {
            "" => home,
            address => self.resources.iter().find(|(_, id)| is_same(id, address, &home.1))?,
        };
        let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
        let target = match fragment.strip_prefix('/') {
            _ if fragment.is_empty() => resource.clone(),
            Some(_) => format!("{resource}{fragment}"),
            None => {
                let is_in = |at: &str| self.resource_of(at).is_some_and(|(found, _)| found == resource);
                self.anchors.iter().find(|(at, anchor)| *anchor == fragment && is_in(at))?.0.clone()
            }
        };
        self.at(&target).map(|_| target)
    }

    /// The innermost resource around a place.
    fn resource_of(&self, place: &str) -> Option<&(String, String)> {
        let is_around = |at: &str| place.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.resources.iter().filter(|(at, _)| is_around(at)).max_by_key(|(at, _)| at.len())
    }

    /// The kinds of values that a schema takes, as far as it says so itself or by what it refers to.
    pub(super) fn kinds(&self, schema: &Map<String, Value>, at: &str) -> Kinds {
        self.kinds_within(schema, at, &mut BTreeSet::new())
    }

    /// The same of the schema at a place.
    pub(super) fn kinds_at(&self, place: &str) -> Kinds {
        self.kinds_of(self.at(place), place, &mut BTreeSet::new())
    }

    fn kinds_of(&self, schema: Option<&Value>, at: &str, seen: &mut BTreeSet<String>) -> Kinds {
        match schema {
            Some(Value::Bool(false)) => Kinds::NONE,
            Some(Value::Object(schema)) => self.kinds_within(schema, at, seen),
            _ => Kinds::ALL,
        }
    }

    fn kinds_within(&self, schema: &Map<String, Value>, at: &str, seen: &mut BTreeSet<String>) -> Kinds {
        let mut kinds = schema.get("type").map_or(Kinds::ALL, Kinds::declared);
        let listed = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        for values in listed.into_iter().chain(schema.get("const").map(std::slice::from_ref)) {
            kinds = kinds & values.iter().map(Kinds::of).fold(Kinds::NONE, |all, kind| all | kind);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(branches) = schema.get(keyword).and_then(Value::as_array) else { continue };
            let each: Vec<Kinds> = branches
                .iter()
                .enumerate()
                .map(|(number, branch)| self.kinds_of(Some(branch), &format!("{at}/{keyword}/{number}"), seen))
                .collect();
            kinds = kinds
                & match keyword {
                    "allOf" => each.into_iter().fold(Kinds::ALL, |all, kinds| all & kinds),
                    _ => each.into_iter().fold(Kinds::NONE, |all, kinds| all | kinds),
                };
        }
        // One that has been followed says nothing new.
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|to| self.target(to, at))
            && seen.insert(target.clone())
        {
            kinds = kinds & self.kinds_of(self.at(&target), &target, seen);
        }
        kinds
    }
}

/// Whether an address is that of a resource: to the letter, or beside the one in which it is written.
fn is_same(id: &str, address: &str, home: &str) -> bool {
    let beside = |name: &str| match home.rsplit_once('/') {
        Some((directory, _)) if !name.contains("://") && !name.starts_with('/') => format!("{directory}/{name}"),
        _ => name.to_owned(),
    };
    let id = id.trim_end_matches('#');
    !id.is_empty() && (id == address || beside(id) == beside(address))
}
