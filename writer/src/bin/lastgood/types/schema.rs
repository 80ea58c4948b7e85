//! From a JSON Schema to types.
//!
//! Whatever the schema accepts has the type; the type may accept more, because types know no bounds, patterns or conditions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::kinds::Kinds;
use super::references::References;
use super::typescript::{Element, Member, Type, quoted, type_name};

/// A type with a name.
pub(super) struct Declaration {
    pub(super) name: String,
    pub(super) doc: Vec<String>,
    pub(super) ty: Type,
}

/// Keywords that narrow what is accepted in ways that types cannot express.
const BEYOND_TYPES: [&str; 8] = [
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "not",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// What every object of JavaScript has.
const INHERITED: [&str; 7] =
    ["constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"];

/// Makes the declarations of a schema: its own under `name`, then those that it refers to. `taken` are the names that there are
/// already.
pub(super) fn declarations(schema: &Value, name: &str, taken: &mut BTreeSet<String>) -> Vec<Declaration> {
    let mut names = BTreeMap::new();
    names.insert(String::new(), name.to_owned());
    let mut types =
        Types { references: References::of(schema), prefix: name, names, taken, waiting: vec![String::new()] };
    let mut declarations = Vec::new();
    while let Some(at) = types.waiting.pop() {
        let Some(schema) = types.references.at(&at) else { continue };
        let ty = types.of(schema, &at, Kinds::ALL);
        declarations.push(Declaration { name: types.names[&at].clone(), doc: doc(schema), ty });
    }
    declarations
}

/// What is said of a schema for people.
pub(super) fn doc(schema: &Value) -> Vec<String> {
    let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
    let mut lines: Vec<String> = Vec::new();
    for text in [text("title"), text("description")].into_iter().flatten() {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.extend(text("format").map(|format| format!("Format: {format}.")));
    let beyond = BEYOND_TYPES.iter().filter(|keyword| schema.get(**keyword).is_some());
    let beyond: Vec<&str> = beyond.copied().collect();
    if !beyond.is_empty() {
        lines.push(format!("The schema says more than this type: {}.", beyond.join(", ")));
    }
    if schema.get("deprecated") == Some(&Value::Bool(true)) {
        lines.push("@deprecated".to_owned());
    }
    lines
}

struct Types<'a> {
    references: References<'a>,
    /// How the names of further types begin.
    prefix: &'a str,
    /// The names of those that are referred to, by place.
    names: BTreeMap<String, String>,
    taken: &'a mut BTreeSet<String>,
    /// The places whose declarations are still to be made.
    waiting: Vec<String>,
}

/// The place of what is so many steps below another, as a JSON pointer.
fn pointer(at: &str, steps: &[&str]) -> String {
    let escaped = steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
    at.to_owned() + &escaped.collect::<String>()
}

impl<'a> Types<'a> {
    /// The type of the schema at a place, as far as values of these kinds are concerned.
    fn of(&mut self, schema: &'a Value, place: &str, outer: Kinds) -> Type {
        let schema = match schema {
            Value::Bool(false) => return Type::Never,
            Value::Object(schema) => schema,
            _ => return Type::union(outer.words()),
        };
        let kinds = self.references.kinds(schema, place) & outer;
        let mut parts = Vec::new();
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(branches) = schema.get(keyword).and_then(Value::as_array) else { continue };
            let types = branches
                .iter()
                .enumerate()
                .map(|(number, branch)| self.of(branch, &pointer(place, &[keyword, &number.to_string()]), kinds));
            let types: Vec<Type> = types.collect();
            parts.push(if keyword == "allOf" { Type::intersection(types) } else { Type::union(types) });
        }
        // What the branches say of kinds need not be said again.
        let mut is_said = !parts.is_empty();
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let (named, of) = self.named(reference, place);
            is_said |= kinds.contains(of);
            parts.insert(0, named);
        }
        let own = self.own(schema, place, kinds, is_said);
        Type::intersection(own.into_iter().chain(parts))
    }

    /// What the schema itself says, beside the schemas in it that are about the same value.
    fn own(&mut self, schema: &'a Map<String, Value>, place: &str, kinds: Kinds, is_said: bool) -> Option<Type> {
        let values = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        let constant = schema.get("const").map(std::slice::from_ref);
        let listed: Vec<&[Value]> = values.into_iter().chain(constant).collect();
        if !listed.is_empty() {
            let types = listed
                .into_iter()
                .map(|values| Type::union(values.iter().filter(|value| kinds.contains(Kinds::of(value))).map(literal)));
            return Some(Type::intersection(types));
        }
        const OF_OBJECTS: [&str; 4] = ["properties", "required", "patternProperties", "additionalProperties"];
        const OF_ARRAYS: [&str; 2] = ["items", "prefixItems"];
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
        let (of_objects, of_arrays) = (has(&OF_OBJECTS), has(&OF_ARRAYS));
        if kinds == Kinds::ALL {
            let missing = |kind: &str| {
                Type::unknown(format!("the schema takes any value, because it does not say \"type\": \"{kind}\""))
            };
            return if of_objects { Some(missing("object")) } else { of_arrays.then(|| missing("array")) };
        }
        let of_objects = of_objects && kinds.contains(Kinds::OBJECT);
        let of_arrays = of_arrays && kinds.contains(Kinds::ARRAY);
        if is_said && !of_objects && !of_arrays {
            return None;
        }
        let mut types = Vec::new();
        if kinds.contains(Kinds::OBJECT) {
            types.push(self.object(schema, place));
        }
        if kinds.contains(Kinds::ARRAY) {
            types.push(self.array(schema, place));
        }
        types.extend(kinds.without(Kinds::OBJECT).without(Kinds::ARRAY).words());
        Some(Type::union(types))
    }

    fn object(&mut self, schema: &'a Map<String, Value>, place: &str) -> Type {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut members: Vec<Member> = Vec::new();
        for (name, property) in properties.into_iter().flatten() {
            let ty = self.of(property, &pointer(place, &["properties", name]), Kinds::ALL);
            let required = required.contains(&name.as_str());
            // The compiler would hold what is inherited against the type where the member is missing.
            let is_inherited = !required && INHERITED.contains(&name.as_str());
            let ty = if is_inherited { Type::unknown("every object has one by inheritance") } else { ty };
            members.push(Member { name: name.clone(), ty, required, doc: doc(property) });
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        let mut others: Vec<Type> = Vec::new();
        for (pattern, property) in patterns.into_iter().flatten() {
            others.push(self.of(property, &pointer(place, &["patternProperties", pattern]), Kinds::ALL));
        }
        let additional = schema.get("additionalProperties");
        match additional {
            Some(additional) => {
                others.push(self.of(additional, &pointer(place, &["additionalProperties"]), Kinds::ALL))
            }
            // Further members do no harm to the type of those that are named.
            None if others.is_empty() && !members.is_empty() => {}
            None => others.push(Type::Unknown(None)),
        }
        for name in required {
            if members.iter().all(|member| member.name != name) {
                let ty = if others.is_empty() { Type::Unknown(None) } else { Type::union(others.clone()) };
                members.push(Member { name: name.to_owned(), ty, required: true, doc: Vec::new() });
            }
        }
        let index = (!others.is_empty()).then(|| Type::union(others));
        Type::Object { index: index.and_then(|index| index_beside(&members, index)).map(Box::new), members }
    }

    fn array(&mut self, schema: &'a Map<String, Value>, place: &str) -> Type {
        let fixed = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let least = schema.get("minItems").and_then(Value::as_f64).unwrap_or_default();
        let elements = fixed.iter().enumerate().map(|(number, element)| {
            let ty = self.of(element, &pointer(place, &["prefixItems", &number.to_string()]), Kinds::ALL);
            Element { ty, required: (number as f64) < least }
        });
        let fixed: Vec<Element> = elements.collect();
        let rest = match schema.get("items") {
            None => Type::Unknown(None),
            Some(items) => self.of(items, &pointer(place, &["items"]), Kinds::ALL),
        };
        match (fixed.is_empty(), rest) {
            (true, rest) => Type::Array(Box::new(rest)),
            (false, Type::Never) => Type::Tuple { fixed, rest: None },
            (false, rest) => Type::Tuple { fixed, rest: Some(Box::new(rest)) },
        }
    }

    /// The type that is referred to, which gets a declaration of its own, and the kinds of values that it takes.
    fn named(&mut self, reference: &str, place: &str) -> (Type, Kinds) {
        let Some(target) = self.references.target(reference, place) else {
            return (Type::unknown(format!("the reference to {reference} is not followed")), Kinds::ALL);
        };
        let kinds = self.references.kinds_at(&target);
        if let Some(name) = self.names.get(&target) {
            return (Type::Named(name.clone()), kinds);
        }
        let last = target.rsplit('/').next().unwrap_or_default();
        let name = free_name(&format!("{}{}", self.prefix, type_name(last)), self.taken);
        self.names.insert(target.clone(), name.clone());
        self.waiting.push(target);
        (Type::Named(name), kinds)
    }
}

/// The name, or the next one with a number that is free; it is taken then.
pub(super) fn free_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{name}{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.expect("there is no end of numbers");
    taken.insert(free.clone());
    free
}

/// The type of further members, which must take those that are named as well; `None` where there are none.
fn index_beside(members: &[Member], index: Type) -> Option<Type> {
    if members.is_empty() {
        return Some(index);
    }
    if index == Type::Never {
        return None;
    }
    let named = members.iter().map(|member| member.ty.clone());
    let optional = members.iter().any(|member| !member.required).then(|| Type::word("undefined"));
    let all = Type::union(std::iter::once(index).chain(named).chain(optional));
    if all.is_short() { Some(all) } else { Some(Type::unknown("what is named above is of other types")) }
}

/// A value as a type.
fn literal(value: &Value) -> Type {
    match value {
        Value::String(text) => Type::Word(quoted(text)),
        Value::Array(values) => {
            let fixed = values.iter().map(|value| Element { ty: literal(value), required: true }).collect();
            Type::Tuple { fixed, rest: None }
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| Member {
                name: name.clone(),
                ty: literal(value),
                required: true,
                doc: Vec::new(),
            };
            let members: Vec<Member> = members.iter().map(member).collect();
            let index = members.is_empty().then(|| Box::new(Type::Never));
            Type::Object { members, index }
        }
        other => Type::Word(other.to_string()),
    }
}
