//! From the text of a schema to what can be checked.
//!
//! Every keyword is read here once; whatever is not understood is refused or, where the draft says so, an annotation.

mod graph;
mod references;
pub(super) mod values;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::decimal::{DIVISOR_DIGITS, Decimal, Divisor, whole};
use super::equal::hash;
use super::error::{DIALECT, SchemaError, SchemaErrorKind};
use super::keyword::{
    Choice, Compiled, Contains, Count, Id, Keyword, Limit, Named, Properties, Property, Rule, Subschema,
};
use super::report::{SHOWN, excerpt};
use super::sort::{places, sort};
use super::tree::{self, Tree, Value, skip_space};
use crate::json::quoted;
use crate::scalar::{Kind, NotJson};
use references::References;
use values::{Keywords, Refusable, count, error, found, invalid, names, string, types};

/// Keywords that would change what a schema means and that are not supported, and what to write instead.
const UNSUPPORTED: [(&str, &str); 7] = [
    ("$dynamicRef", "write $ref"),
    ("$dynamicAnchor", "write $anchor, and $ref to it"),
    ("$recursiveRef", "write $ref"),
    ("$recursiveAnchor", "write $anchor, and $ref to it"),
    ("$vocabulary", "it belongs into a meta-schema; custom vocabularies are not known"),
    ("dependencies", "it is of an older draft: write dependentRequired or dependentSchemas"),
    ("additionalItems", "it is of an older draft: write prefixItems and items"),
];

/// A regular expression that no engine takes, for one with half of a surrogate pair.
const HALF: &str = "(";

/// What tells of a text whether it fits.
pub(super) enum Test<'a> {
    /// A regular expression.
    Pattern(&'a str),
    /// The name of a format.
    Format(&'a str),
}

/// Takes a test, or says what is wrong with it; false for a format that asserts nothing. They are numbered in the order in which
/// they are taken.
pub(super) type TakePattern<'a> = &'a mut dyn FnMut(Test<'_>) -> Result<bool, String>;

pub(super) fn compile(text: &str, take_pattern: TakePattern<'_>) -> Result<Compiled, SchemaError> {
    let mut nodes = Vec::new();
    let not_json = |problem| SchemaError { pointer: String::new(), kind: SchemaErrorKind::NotJson(problem) };
    let end = tree::read(text, &mut nodes).map_err(not_json)?;
    let end = skip_space(text.as_bytes(), end);
    if end < text.len() {
        return Err(not_json(NotJson { at: end, expected: "the end of the schema" }));
    }
    let subschemas = compile_tree(&Tree { text, nodes: &nodes }, take_pattern).map_err(|error| *error)?;
    Ok(Compiled { text: text.to_owned(), nodes, subschemas })
}

fn compile_tree(tree: &Tree<'_>, take_pattern: TakePattern<'_>) -> Refusable<Vec<Subschema>> {
    let mut compiler = Compiler {
        take_pattern,
        patterns: 0,
        subschemas: Vec::new(),
        compiled: vec![None; tree.nodes.len()],
        references: References::new(),
        edges: Vec::new(),
    };
    compiler.schema(tree.root(), 0, "the schema")?;
    compiler.follow_references(tree)?;
    let Compiler { mut subschemas, compiled, edges, .. } = compiler;

    let in_place: Vec<_> = edges.iter().filter(|edge| edge.in_place).map(|edge| (edge.from, edge.to)).collect();
    let too_complex = || error(tree.root(), SchemaErrorKind::TooComplex);
    let endless = graph::lead_into_circles(subschemas.len(), &in_place).ok_or_else(too_complex)?;
    if let Some(id) = endless.iter().position(|&endless| endless) {
        let at = compiled.iter().position(|other| *other == Some(id as Id)).unwrap_or_default();
        return Err(error(tree.value(at as u32), SchemaErrorKind::Endless));
    }
    let all: Vec<_> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let recursive = graph::lead_into_circles(subschemas.len(), &all).ok_or_else(too_complex)?;
    for (subschema, recursive) in subschemas.iter_mut().zip(recursive) {
        subschema.recursive = recursive;
    }
    Ok(subschemas)
}

struct Compiler<'p> {
    take_pattern: TakePattern<'p>,
    patterns: u32,
    subschemas: Vec<Subschema>,
    /// For each node of the schema the subschema that it is, once that is known.
    compiled: Vec<Option<Id>>,
    references: References,
    edges: Vec<Edge>,
}

/// One subschema applies another.
struct Edge {
    from: Id,
    to: Id,
    /// To the same place of the instance.
    in_place: bool,
}

/// The subschema that is being read.
#[derive(Clone, Copy)]
struct Scope {
    id: Id,
    /// The resource that its references are relative to.
    base: usize,
}

/// Where a subschema applies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Applies {
    InPlace,
    Deeper,
    /// Nowhere by itself.
    OnReference,
}

impl Compiler<'_> {
    /// Compiles the subschema that is the value of `keyword`, unless that has been done.
    fn schema(&mut self, value: Value<'_>, base: usize, keyword: &'static str) -> Refusable<Id> {
        let place = value.at as usize;
        if let Some(id) = self.compiled[place] {
            return Ok(id);
        }
        let id = self.subschemas.len() as Id;
        self.subschemas.push(Subschema::default());
        self.compiled[place] = Some(id);
        let rules = match value.kind() {
            Kind::True => Vec::new(),
            Kind::False => vec![Rule { at: value.at, name: keyword, keyword: Keyword::Never }],
            Kind::Object => {
                let keywords = Keywords::new(value)?;
                let base = self.references.enter(&keywords, value, base)?;
                self.references.note_base(id, base);
                self.rules(&keywords, Scope { id, base })?
            }
            _ => return Err(invalid(value, keyword, "a schema: an object, true or false")),
        };
        let unevaluated =
            |rule: &Rule| matches!(rule.keyword, Keyword::UnevaluatedItems(_) | Keyword::UnevaluatedProperties(_));
        let tracks = rules.iter().any(unevaluated);
        self.subschemas[id as usize] = Subschema { rules, tracks, recursive: false };
        Ok(id)
    }

    fn rules(&mut self, keywords: &Keywords<'_>, scope: Scope) -> Refusable<Vec<Rule>> {
        if let Some(dialect) = keywords.get("$schema") {
            let text = string(dialect, "$schema", "the URI of a dialect")?;
            if text.strip_suffix('#').unwrap_or(&text) != DIALECT {
                return Err(error(dialect, SchemaErrorKind::Dialect { found: found(dialect) }));
            }
        }
        for (keyword, way_out) in UNSUPPORTED {
            if let Some(value) = keywords.get(keyword) {
                return Err(error(value, SchemaErrorKind::Unsupported { keyword, way_out }));
            }
        }
        let mut rules = Rules { rules: Vec::new() };
        self.assertions(keywords, &mut rules)?;
        self.arrays(keywords, scope, &mut rules)?;
        self.objects(keywords, scope, &mut rules)?;
        self.in_place(keywords, scope, &mut rules)?;
        // What they see is what the rules before them have evaluated.
        self.one(keywords, scope, "unevaluatedItems", Applies::Deeper, Keyword::UnevaluatedItems, &mut rules)?;
        self.one(
            keywords,
            scope,
            "unevaluatedProperties",
            Applies::Deeper,
            Keyword::UnevaluatedProperties,
            &mut rules,
        )?;
        Ok(rules.rules)
    }

    fn assertions(&mut self, keywords: &Keywords<'_>, rules: &mut Rules) -> Refusable<()> {
        if let Some(value) = keywords.get("type") {
            rules.add("type", value, Keyword::Type(types(value)?));
        }
        if let Some(value) = keywords.get("const") {
            rules.add("const", value, Keyword::Const);
        }
        if let Some(value) = keywords.get("enum") {
            if value.kind() != Kind::Array {
                return Err(invalid(value, "enum", "an array"));
            }
            rules.add("enum", value, Keyword::Enum(choices(value)));
        }
        for (name, limit) in Limit::ALL {
            if let Some(value) = keywords.get(name) {
                if value.kind() != Kind::Number {
                    return Err(invalid(value, name, "a number"));
                }
                rules.add(name, value, Keyword::Limit(limit, whole(value.raw())));
            }
        }
        if let Some(value) = keywords.get("multipleOf") {
            const EXPECTED: &str = "a number above zero with at most 18 digits";
            const { assert!(DIVISOR_DIGITS == 18, "the message says it") };
            let number = (value.kind() == Kind::Number).then(|| Decimal::new(value.raw()));
            let divisor = number.and_then(Divisor::new).ok_or_else(|| invalid(value, "multipleOf", EXPECTED))?;
            rules.add("multipleOf", value, Keyword::MultipleOf(divisor));
        }
        for (name, of, at_most) in Count::ALL {
            if let Some(value) = keywords.get(name) {
                rules.add(name, value, Keyword::Count(Count { of, at_most, limit: count(value, name)? }));
            }
        }
        if let Some(value) = keywords.get("pattern") {
            let source = string(value, "pattern", "a regular expression")?;
            let pattern = self.pattern(value, &source)?;
            rules.add("pattern", value, Keyword::Pattern(pattern));
        }
        if let Some(value) = keywords.get("format").filter(|value| value.kind() == Kind::String) {
            let name = string(value, "format", "the name of a format")?;
            let taken = (self.take_pattern)(Test::Format(&name));
            let unknown = |problem| error(value, SchemaErrorKind::Format { format: found(value), problem });
            if taken.map_err(unknown)? {
                self.patterns += 1;
                rules.add("format", value, Keyword::Pattern(self.patterns - 1));
            }
        }
        if let Some(value) = keywords.get("uniqueItems") {
            match value.kind() {
                Kind::True => rules.add("uniqueItems", value, Keyword::UniqueItems),
                Kind::False => {}
                _ => return Err(invalid(value, "uniqueItems", "true or false")),
            }
        }
        Ok(())
    }

    fn arrays(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Refusable<()> {
        let (prefix, rest) = (keywords.get("prefixItems"), keywords.get("items"));
        if let Some(at) = rest.or(prefix) {
            let prefix = match prefix {
                Some(value) => self.list(value, scope, "prefixItems", Applies::Deeper)?,
                None => Vec::new(),
            };
            let rest = self.optional(rest, scope, "items", Applies::Deeper)?;
            rules.add("items", at, Keyword::Items { prefix, rest });
        }
        let mut bounds = [1, u64::MAX];
        for (keyword, bound) in ["minContains", "maxContains"].into_iter().zip(&mut bounds) {
            if let Some(value) = keywords.get(keyword) {
                *bound = count(value, keyword)?;
            }
        }
        if let Some(value) = keywords.get("contains") {
            let schema = self.subschema(value, scope, "contains", Applies::Deeper)?;
            let [min, max] = bounds;
            rules.add("contains", value, Keyword::Contains(Box::new(Contains { schema, min, max })));
        }
        Ok(())
    }

    fn objects(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Refusable<()> {
        self.properties(keywords, scope, rules)?;
        self.one(keywords, scope, "propertyNames", Applies::Deeper, Keyword::PropertyNames, rules)?;
        if let Some(value) = keywords.get("dependentRequired") {
            for (_, needed) in Keywords::of(value, "dependentRequired", "an object of arrays of names")?.iter() {
                names(needed, "dependentRequired")?;
            }
            rules.add("dependentRequired", value, Keyword::DependentRequired);
        }
        if let Some(value) = keywords.get("dependentSchemas") {
            let dependent = self.map(value, scope, "dependentSchemas", Applies::InPlace)?;
            rules.add("dependentSchemas", value, Keyword::DependentSchemas(dependent));
        }
        Ok(())
    }

    fn properties(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Refusable<()> {
        let all =
            ["properties", "patternProperties", "additionalProperties", "required"].map(|name| keywords.get(name));
        let Some(&at) = all.iter().flatten().next() else { return Ok(()) };
        let [named, patterns, additional, required] = all;
        let mut properties = Box::<Properties>::default();
        if let Some(value) = named {
            for (_, schema) in Keywords::of(value, "properties", "an object of schemas")?.iter() {
                let id = self.subschema(schema, scope, "properties", Applies::Deeper)?;
                // The name of a member stands before its value.
                let name = value.tree.value(schema.at - 1);
                properties.names.push(Property::new(name, Some(id), false));
            }
            properties.sort();
        }
        if let Some(value) = patterns {
            for (name, schema) in Keywords::of(value, "patternProperties", "an object of schemas")?.iter() {
                let pattern = self.pattern(schema, core::str::from_utf8(name).unwrap_or(HALF))?;
                let id = self.subschema(schema, scope, "patternProperties", Applies::Deeper)?;
                properties.patterns.push((pattern, id));
            }
        }
        if let Some(value) = additional {
            let id = self.subschema(value, scope, "additionalProperties", Applies::Deeper)?;
            properties.additional = Some(id);
        }
        if let Some(value) = required {
            let names = names(value, "required")?;
            properties.required_at = value.at;
            properties.required = value.elements().count() as u32;
            for name in names {
                match properties.search(&name.characters()) {
                    Some(place) => properties.names[place].required = true,
                    None => properties.names.push(Property::new(name, None, true)),
                }
            }
            properties.sort();
        }
        rules.add("properties", at, Keyword::Properties(properties));
        Ok(())
    }

    fn in_place(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Refusable<()> {
        for name in ["$defs", "definitions"] {
            if let Some(value) = keywords.get(name) {
                self.map(value, scope, name, Applies::OnReference)?;
            }
        }
        if let Some(value) = keywords.get("$ref") {
            string(value, "$ref", "a reference")?;
            self.references.wait(scope, value.at);
            // Until it is followed.
            rules.add("$ref", value, Keyword::Ref(scope.id));
        }
        type Branches = fn(Vec<Id>) -> Keyword;
        const LISTS: [(&str, Branches); 3] =
            [("allOf", Keyword::AllOf), ("anyOf", Keyword::AnyOf), ("oneOf", Keyword::OneOf)];
        for (name, keyword) in LISTS {
            if let Some(value) = keywords.get(name) {
                let all = self.list(value, scope, name, Applies::InPlace)?;
                rules.add(name, value, keyword(all));
            }
        }
        self.one(keywords, scope, "not", Applies::InPlace, Keyword::Not, rules)?;
        let mut branches = [None; 3];
        for (name, branch) in ["if", "then", "else"].into_iter().zip(&mut branches) {
            *branch = self.optional(keywords.get(name), scope, name, Applies::InPlace)?;
        }
        if let (Some(value), [Some(condition), then, otherwise]) = (keywords.get("if"), branches) {
            rules.add("if", value, Keyword::If { condition, then, otherwise });
        }
        Ok(())
    }

    /// A keyword whose value is one schema.
    fn one(
        &mut self,
        keywords: &Keywords<'_>,
        scope: Scope,
        name: &'static str,
        applies: Applies,
        keyword: fn(Id) -> Keyword,
        rules: &mut Rules,
    ) -> Refusable<()> {
        if let Some(value) = keywords.get(name) {
            rules.add(name, value, keyword(self.subschema(value, scope, name, applies)?));
        }
        Ok(())
    }

    fn optional(
        &mut self,
        value: Option<Value<'_>>,
        scope: Scope,
        keyword: &'static str,
        applies: Applies,
    ) -> Refusable<Option<Id>> {
        value.map(|value| self.subschema(value, scope, keyword, applies)).transpose()
    }

    fn subschema(&mut self, value: Value<'_>, scope: Scope, keyword: &'static str, applies: Applies) -> Refusable<Id> {
        let to = self.schema(value, scope.base, keyword)?;
        if applies != Applies::OnReference {
            self.edges.push(Edge { from: scope.id, to, in_place: applies == Applies::InPlace });
        }
        Ok(to)
    }

    fn list(&mut self, value: Value<'_>, scope: Scope, keyword: &'static str, applies: Applies) -> Refusable<Vec<Id>> {
        if value.elements().next().is_none() {
            return Err(invalid(value, keyword, "an array of at least one schema"));
        }
        let mut list = Vec::new();
        for element in value.elements() {
            list.push(self.subschema(element, scope, keyword, applies)?);
        }
        Ok(list)
    }

    fn map(
        &mut self,
        value: Value<'_>,
        scope: Scope,
        keyword: &'static str,
        applies: Applies,
    ) -> Refusable<Vec<Named<Id>>> {
        let mut map = Vec::new();
        for (name, schema) in Keywords::of(value, keyword, "an object of schemas")?.iter() {
            map.push((name.into(), self.subschema(schema, scope, keyword, applies)?));
        }
        Ok(map)
    }

    fn pattern(&mut self, value: Value<'_>, source: &str) -> Refusable<u32> {
        (self.take_pattern)(Test::Pattern(source)).map_err(|problem| {
            let pattern = excerpt(&quoted(source), SHOWN);
            error(value, SchemaErrorKind::Pattern { pattern, problem })
        })?;
        self.patterns += 1;
        Ok(self.patterns - 1)
    }
}

/// The rules so far.
struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    fn add(&mut self, name: &'static str, value: Value<'_>, keyword: Keyword) {
        self.rules.push(Rule { at: value.at, name, keyword });
    }
}

/// The values of an `enum` in the order of their hashes.
fn choices(list: Value<'_>) -> Vec<Choice> {
    let choices: Vec<Choice> = list.elements().map(|value| Choice { hash: hash(value), at: value.at }).collect();
    let mut order = places(choices.len());
    let hash = |place: u32| choices.get(place as usize).map(|choice| choice.hash);
    sort(&mut order, &|a, b| hash(a) < hash(b));
    order.into_iter().filter_map(|place| choices.get(place as usize).copied()).collect()
}
