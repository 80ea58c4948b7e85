//! From the text of a schema to what can be checked.
//!
//! Every keyword is read here once; whatever is not understood is refused or, where the draft says so, an annotation.

mod graph;
mod references;
mod values;

use super::decimal::{DIVISOR_DIGITS, Decimal, Divisor};
use super::equal::hash;
use super::error::{DIALECT, SchemaError, SchemaErrorKind};
use super::keyword::{Choice, Compiled, Contains, Id, Keyword, Limit, Named, Properties, Property, Rule, Subschema};
use super::report::{SHOWN, excerpt};
use super::sort::{places, sort};
use super::tree::{self, Kind, Tree, Value, skip_space};
use crate::json::quoted;
use references::References;
use values::{Keywords, count, error, found, invalid, string, strings, types};

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

/// Takes a regular expression, or says what is wrong with it. They are numbered in the order in which they are taken.
pub(super) type TakePattern<'a> = &'a mut dyn FnMut(&str) -> Result<(), String>;

pub(super) fn compile(text: &str, take_pattern: TakePattern<'_>) -> Result<Compiled, SchemaError> {
    let mut nodes = Vec::new();
    let not_json = |problem| SchemaError { pointer: String::new(), kind: SchemaErrorKind::NotJson(problem) };
    let end = tree::read(text, &mut nodes).map_err(not_json)?;
    let end = skip_space(text.as_bytes(), end);
    if end < text.len() {
        return Err(not_json(tree::NotJson { at: end, expected: "the end of the schema" }));
    }
    let subschemas = compile_tree(&Tree { text, nodes: &nodes }, take_pattern)?;
    Ok(Compiled { text: text.to_owned(), nodes, subschemas })
}

fn compile_tree(tree: &Tree<'_>, take_pattern: TakePattern<'_>) -> Result<Vec<Subschema>, SchemaError> {
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
    let endless = graph::lead_into_circles(subschemas.len(), &in_place);
    if let Some(id) = endless.iter().position(|&endless| endless) {
        let at = compiled.iter().position(|other| *other == Some(id as Id)).unwrap_or_default();
        return Err(error(tree.value(at as u32), SchemaErrorKind::Endless));
    }
    let all: Vec<_> = edges.iter().map(|edge| (edge.from, edge.to)).collect();
    for (subschema, recursive) in subschemas.iter_mut().zip(graph::lead_into_circles(compiled.len(), &all)) {
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
    fn schema(&mut self, value: Value<'_>, base: usize, keyword: &'static str) -> Result<Id, SchemaError> {
        let place = value.at as usize;
        if let Some(id) = self.compiled[place] {
            return Ok(id);
        }
        let id = self.subschemas.len() as Id;
        self.subschemas.push(Subschema::default());
        self.compiled[place] = Some(id);
        let rules = match value.kind() {
            Kind::True => Vec::new(),
            Kind::False => vec![Rule { at: value.at, keyword: Keyword::Never(keyword) }],
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

    fn rules(&mut self, keywords: &Keywords<'_>, scope: Scope) -> Result<Vec<Rule>, SchemaError> {
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
        values_of_any_type(keywords, &mut rules)?;
        numbers(keywords, &mut rules)?;
        self.strings(keywords, &mut rules)?;
        self.arrays(keywords, scope, &mut rules)?;
        self.objects(keywords, scope, &mut rules)?;
        self.in_place(keywords, scope, &mut rules)?;
        // What they see is what the rules before them have evaluated.
        if let Some(value) = keywords.get("unevaluatedItems") {
            let id = self.subschema(value, scope, "unevaluatedItems", Applies::Deeper)?;
            rules.add(value, Keyword::UnevaluatedItems(id));
        }
        if let Some(value) = keywords.get("unevaluatedProperties") {
            let id = self.subschema(value, scope, "unevaluatedProperties", Applies::Deeper)?;
            rules.add(value, Keyword::UnevaluatedProperties(id));
        }
        Ok(rules.rules)
    }

    fn strings(&mut self, keywords: &Keywords<'_>, rules: &mut Rules) -> Result<(), SchemaError> {
        if let Some((value, least)) = count(keywords, "minLength")? {
            rules.add(value, Keyword::MinLength(least));
        }
        if let Some((value, most)) = count(keywords, "maxLength")? {
            rules.add(value, Keyword::MaxLength(most));
        }
        if let Some(value) = keywords.get("pattern") {
            let source = string(value, "pattern", "a regular expression")?;
            let pattern = self.pattern(value, &source)?;
            rules.add(value, Keyword::Pattern(pattern));
        }
        Ok(())
    }

    fn arrays(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Result<(), SchemaError> {
        if let Some((value, least)) = count(keywords, "minItems")? {
            rules.add(value, Keyword::MinItems(least));
        }
        if let Some((value, most)) = count(keywords, "maxItems")? {
            rules.add(value, Keyword::MaxItems(most));
        }
        if let Some(value) = keywords.get("uniqueItems") {
            match value.kind() {
                Kind::True => rules.add(value, Keyword::UniqueItems),
                Kind::False => {}
                _ => return Err(invalid(value, "uniqueItems", "true or false")),
            }
        }
        let (prefix, rest) = (keywords.get("prefixItems"), keywords.get("items"));
        if let Some(at) = rest.or(prefix) {
            let prefix = match prefix {
                Some(value) => self.list(value, scope, "prefixItems", Applies::Deeper)?,
                None => Vec::new(),
            };
            let rest = rest.map(|value| self.subschema(value, scope, "items", Applies::Deeper)).transpose()?;
            rules.add(at, Keyword::Items { prefix, rest });
        }
        let (min, max) = (count(keywords, "minContains")?, count(keywords, "maxContains")?);
        if let Some(value) = keywords.get("contains") {
            let schema = self.subschema(value, scope, "contains", Applies::Deeper)?;
            let (min, max) = (min.map_or(1, |(_, min)| min), max.map_or(u64::MAX, |(_, max)| max));
            rules.add(value, Keyword::Contains(Contains { schema, min, max }));
        }
        Ok(())
    }

    fn objects(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Result<(), SchemaError> {
        if let Some((value, least)) = count(keywords, "minProperties")? {
            rules.add(value, Keyword::MinProperties(least));
        }
        if let Some((value, most)) = count(keywords, "maxProperties")? {
            rules.add(value, Keyword::MaxProperties(most));
        }
        self.properties(keywords, scope, rules)?;
        if let Some(value) = keywords.get("propertyNames") {
            let id = self.subschema(value, scope, "propertyNames", Applies::Deeper)?;
            rules.add(value, Keyword::PropertyNames(id));
        }
        if let Some(value) = keywords.get("dependentRequired") {
            let mut dependent = Vec::new();
            for (name, needed) in Keywords::of(value, "dependentRequired", "an object of arrays of names")?.iter() {
                let needed = strings(needed, "dependentRequired", "an array of names, each once")?;
                dependent.push((name.into(), needed));
            }
            rules.add(value, Keyword::DependentRequired(dependent));
        }
        if let Some(value) = keywords.get("dependentSchemas") {
            let dependent = self.map(value, scope, "dependentSchemas", Applies::InPlace)?;
            rules.add(value, Keyword::DependentSchemas(dependent));
        }
        Ok(())
    }

    fn properties(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Result<(), SchemaError> {
        let all =
            ["properties", "patternProperties", "additionalProperties", "required"].map(|name| keywords.get(name));
        let Some(&at) = all.iter().flatten().next() else { return Ok(()) };
        let [named, patterns, additional, required] = all;
        let mut properties = Properties::default();
        if let Some(value) = named {
            for (name, id) in self.map(value, scope, "properties", Applies::Deeper)? {
                properties.names.push(Property { name, schema: Some(id), required: false });
            }
            properties.sort();
        }
        if let Some(value) = patterns {
            for (name, schema) in Keywords::of(value, "patternProperties", "an object of schemas")?.iter() {
                let pattern = self.pattern(schema, std::str::from_utf8(name).unwrap_or(HALF))?;
                let id = self.subschema(schema, scope, "patternProperties", Applies::Deeper)?;
                properties.patterns.push((pattern, id));
            }
        }
        if let Some(value) = additional {
            let id = self.subschema(value, scope, "additionalProperties", Applies::Deeper)?;
            properties.additional = Some(id);
        }
        if let Some(value) = required {
            let names = strings(value, "required", "an array of names, each once")?;
            properties.required_at = value.at;
            properties.required = names.len() as u32;
            for name in names {
                match properties.search(&name) {
                    Some(place) => properties.names[place].required = true,
                    None => {
                        properties.names.push(Property { name, schema: None, required: true });
                    }
                }
            }
            properties.sort();
        }
        rules.add(at, Keyword::Properties(properties));
        Ok(())
    }

    fn in_place(&mut self, keywords: &Keywords<'_>, scope: Scope, rules: &mut Rules) -> Result<(), SchemaError> {
        for name in ["$defs", "definitions"] {
            if let Some(value) = keywords.get(name) {
                self.map(value, scope, name, Applies::OnReference)?;
            }
        }
        if let Some(value) = keywords.get("$ref") {
            string(value, "$ref", "a reference")?;
            self.references.wait(scope, value.at);
            // Until it is followed.
            rules.add(value, Keyword::Ref(scope.id));
        }
        if let Some(value) = keywords.get("allOf") {
            let all = self.list(value, scope, "allOf", Applies::InPlace)?;
            rules.add(value, Keyword::AllOf(all));
        }
        if let Some(value) = keywords.get("anyOf") {
            let any = self.list(value, scope, "anyOf", Applies::InPlace)?;
            rules.add(value, Keyword::AnyOf(any));
        }
        if let Some(value) = keywords.get("oneOf") {
            let one = self.list(value, scope, "oneOf", Applies::InPlace)?;
            rules.add(value, Keyword::OneOf(one));
        }
        if let Some(value) = keywords.get("not") {
            let not = self.subschema(value, scope, "not", Applies::InPlace)?;
            rules.add(value, Keyword::Not(not));
        }
        let [condition, then, otherwise] = ["if", "then", "else"].map(|name| {
            let value = keywords.get(name)?;
            Some(self.subschema(value, scope, name, Applies::InPlace).map(|id| (value, id)))
        });
        let (condition, then, otherwise) = (condition.transpose()?, then.transpose()?, otherwise.transpose()?);
        if let Some((value, condition)) = condition {
            let [then, otherwise] = [then, otherwise].map(|branch| branch.map(|(_, id)| id));
            rules.add(value, Keyword::If { condition, then, otherwise });
        }
        Ok(())
    }

    fn subschema(
        &mut self,
        value: Value<'_>,
        scope: Scope,
        keyword: &'static str,
        applies: Applies,
    ) -> Result<Id, SchemaError> {
        let to = self.schema(value, scope.base, keyword)?;
        if applies != Applies::OnReference {
            self.edges.push(Edge { from: scope.id, to, in_place: applies == Applies::InPlace });
        }
        Ok(to)
    }

    fn list(
        &mut self,
        value: Value<'_>,
        scope: Scope,
        keyword: &'static str,
        applies: Applies,
    ) -> Result<Vec<Id>, SchemaError> {
        if value.elements().next().is_none() {
            return Err(invalid(value, keyword, "an array of at least one schema"));
        }
        value.elements().map(|element| self.subschema(element, scope, keyword, applies)).collect()
    }

    fn map(
        &mut self,
        value: Value<'_>,
        scope: Scope,
        keyword: &'static str,
        applies: Applies,
    ) -> Result<Vec<Named<Id>>, SchemaError> {
        let members = Keywords::of(value, keyword, "an object of schemas")?;
        members
            .iter()
            .map(|(name, schema)| Ok((name.into(), self.subschema(schema, scope, keyword, applies)?)))
            .collect()
    }

    fn pattern(&mut self, value: Value<'_>, source: &str) -> Result<u32, SchemaError> {
        (self.take_pattern)(source).map_err(|problem| {
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
    fn add(&mut self, value: Value<'_>, keyword: Keyword) {
        self.rules.push(Rule { at: value.at, keyword });
    }
}

fn values_of_any_type(keywords: &Keywords<'_>, rules: &mut Rules) -> Result<(), SchemaError> {
    if let Some(value) = keywords.get("type") {
        rules.add(value, Keyword::Type(types(value)?));
    }
    if let Some(value) = keywords.get("const") {
        rules.add(value, Keyword::Const);
    }
    if let Some(value) = keywords.get("enum") {
        if value.kind() != Kind::Array {
            return Err(invalid(value, "enum", "an array"));
        }
        let hashes: Vec<(u64, u32)> = value.elements().map(|value| (hash(value), value.at)).collect();
        let mut order = places(hashes.len());
        sort(&mut order, &|a, b| hashes[a as usize] < hashes[b as usize]);
        let choice = |place: u32| {
            let (hash, at) = hashes[place as usize];
            Choice { hash, at }
        };
        rules.add(value, Keyword::Enum(order.into_iter().map(choice).collect()));
    }
    Ok(())
}

fn numbers(keywords: &Keywords<'_>, rules: &mut Rules) -> Result<(), SchemaError> {
    const LIMITS: [(&str, Limit); 4] = [
        ("minimum", Limit::Minimum),
        ("maximum", Limit::Maximum),
        ("exclusiveMinimum", Limit::ExclusiveMinimum),
        ("exclusiveMaximum", Limit::ExclusiveMaximum),
    ];
    for (name, limit) in LIMITS {
        if let Some(value) = keywords.get(name) {
            if value.kind() != Kind::Number {
                return Err(invalid(value, name, "a number"));
            }
            rules.add(value, Keyword::Limit(limit));
        }
    }
    if let Some(value) = keywords.get("multipleOf") {
        const { assert!(DIVISOR_DIGITS == 18, "the message below says it") };
        let number = (value.kind() == Kind::Number).then(|| Decimal::new(value.raw()));
        let divisor = number.and_then(Divisor::new);
        let divisor =
            divisor.ok_or_else(|| invalid(value, "multipleOf", "a number above zero with at most 18 digits"))?;
        rules.add(value, Keyword::MultipleOf(divisor));
    }
    Ok(())
}
