//! `$id`, `$anchor` and `$ref`: what subschemas are called, and which one is meant.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::schema::error::SchemaErrorKind;
use crate::schema::keyword::{Id, Keyword};
use crate::schema::tree::{Tree, Value};
use crate::schema::uri;

use super::values::{Keywords, Refusable, error, found, invalid, string};
use super::{Compiler, Edge, Scope};

/// How many names may be looked at to follow all references, and how many bytes of URIs: several times what the largest schemas
/// in use need. Looking costs the product of references and names, so without a limit a schema that is no larger than allowed
/// would take minutes.
const MAX_STEPS: u64 = 1 << 26;

pub(super) struct References {
    /// What has an `$id`; the first one is the whole schema, which need not have one.
    resources: Vec<Resource>,
    /// The resource, the name and the node.
    anchors: Vec<(usize, String, u32)>,
    /// For each subschema the resource that its references are relative to.
    bases: Vec<usize>,
    waiting: Vec<(Scope, u32)>,
    steps: u64,
}

struct Resource {
    uri: String,
    at: u32,
}

impl References {
    pub(super) fn new() -> Self {
        let whole = Resource { uri: String::new(), at: 0 };
        Self { resources: vec![whole], anchors: Vec::new(), bases: Vec::new(), waiting: Vec::new(), steps: 0 }
    }

    /// Counts what looking for something has cost.
    fn spend(&mut self, steps: usize, value: Value<'_>) -> Refusable<()> {
        self.steps += steps as u64;
        if self.steps > MAX_STEPS { Err(error(value, SchemaErrorKind::TooComplex)) } else { Ok(()) }
    }

    /// Takes down what a subschema calls itself, and returns the resource that it is in.
    pub(super) fn enter(&mut self, keywords: &Keywords<'_>, schema: Value<'_>, mut base: usize) -> Refusable<usize> {
        if let Some(value) = keywords.get("$id") {
            const EXPECTED: &str = "a URI reference without a fragment";
            let id = string(value, "$id", EXPECTED)?;
            let (id, fragment) = uri::split_fragment(&id);
            if fragment.is_some_and(|fragment| !fragment.is_empty()) || !uri::is_reference(id) {
                return Err(invalid(value, "$id", EXPECTED));
            }
            let uri = uri::resolve(&self.resources[base].uri, id);
            self.spend(self.resources.len() + uri.len(), value)?;
            if self.resources.iter().skip(1).any(|other| other.uri == uri) {
                return Err(error(value, SchemaErrorKind::Ambiguous { keyword: "$id", name: found(value) }));
            }
            base = self.resources.len();
            self.resources.push(Resource { uri, at: schema.at });
        }
        if let Some(value) = keywords.get("$anchor") {
            const EXPECTED: &str = "a letter or _, then letters, digits, -, . or _";
            let name = string(value, "$anchor", EXPECTED)?;
            if !is_anchor(&name) {
                return Err(invalid(value, "$anchor", EXPECTED));
            }
            self.spend(self.anchors.len(), value)?;
            if self.anchor(base, &name).is_some() {
                return Err(error(value, SchemaErrorKind::Ambiguous { keyword: "$anchor", name: found(value) }));
            }
            self.anchors.push((base, name.into_owned(), schema.at));
        }
        Ok(base)
    }

    pub(super) fn note_base(&mut self, id: Id, base: usize) {
        let id = id as usize;
        if self.bases.len() <= id {
            self.bases.resize(id + 1, 0);
        }
        self.bases[id] = base;
    }

    /// Takes down a reference, to be followed when all names are known.
    pub(super) fn wait(&mut self, scope: Scope, reference: u32) {
        self.waiting.push((scope, reference));
    }

    fn anchor(&self, resource: usize, name: &str) -> Option<u32> {
        self.anchors.iter().find(|(other, anchor, _)| *other == resource && anchor == name).map(|(_, _, at)| *at)
    }
}

fn is_anchor(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

impl Compiler<'_> {
    /// Gives every `$ref` its subschema; compiles those that are where no keyword looks for one.
    pub(super) fn follow_references(&mut self, tree: &Tree<'_>) -> Refusable<()> {
        while let Some((scope, at)) = self.references.waiting.pop() {
            let (target, base) = self.target(tree.value(at), scope.base)?;
            let to = self.schema(target, base, "$ref")?;
            self.edges.push(Edge { from: scope.id, to, in_place: true });
            for rule in &mut self.subschemas[scope.id as usize].rules {
                if let Keyword::Ref(target) = &mut rule.keyword {
                    *target = to;
                }
            }
        }
        Ok(())
    }

    /// What a reference refers to, and the resource that it is in.
    fn target<'a>(&mut self, reference: Value<'a>, base: usize) -> Refusable<(Value<'a>, usize)> {
        let text = reference.text();
        let names = self.references.resources.len() + self.references.anchors.len();
        self.references.spend(names + self.references.resources[base].uri.len(), reference)?;
        let (relative, fragment) = uri::split_fragment(&text);
        let resources = &self.references.resources;
        if !uri::is_reference(&text) {
            return Err(invalid(reference, "$ref", "a URI reference"));
        }
        let uri = uri::resolve(&resources[base].uri, relative);
        // The whole schema comes last: once it has an `$id`, it is meant by that.
        let resource = resources.iter().rposition(|resource| resource.uri == uri);
        let Some(resource) = resource else {
            return Err(error(reference, SchemaErrorKind::Remote { reference: found(reference) }));
        };
        let unresolved = || error(reference, SchemaErrorKind::Unresolved { reference: found(reference) });
        let fragment = uri::decoded(fragment.unwrap_or_default()).ok_or_else(unresolved)?;
        let root = reference.tree.value(resources[resource].at);
        if fragment.is_empty() || fragment.starts_with('/') {
            let mut steps = 0;
            let found = self.walk(root, &fragment, resource, &mut steps);
            self.references.spend(steps, reference)?;
            return found.ok_or_else(unresolved);
        }
        let at = self.references.anchor(resource, &fragment).ok_or_else(unresolved)?;
        Ok((reference.tree.value(at), resource))
    }

    /// Follows a JSON pointer, and counts what is there to be gone past.
    fn walk<'a>(
        &self,
        root: Value<'a>,
        pointer: &str,
        resource: usize,
        steps: &mut usize,
    ) -> Option<(Value<'a>, usize)> {
        let mut at = (root, resource);
        for token in pointer.split('/').skip(1) {
            *steps += at.0.elements().count() + at.0.members().count();
            let value = at.0.child(token)?;
            let known = self.compiled[value.at as usize];
            let base = known.and_then(|id| self.references.bases.get(id as usize).copied());
            at = (value, base.unwrap_or(at.1));
        }
        Some(at)
    }
}
