//! A schema, and instances of it.

use std::cell::Cell;
use std::rc::Rc;

use lastgood::protocol::schema::{Engine, Invalid, NotJson, Pattern, Schema, SchemaError, SchemaErrorKind, convert};

use crate::input::{assert_fit_for_a_terminal, parts};

/// As many violations as there can be in inputs of this length.
const ALL: usize = 1_000_000;

pub(crate) fn run(input: &[u8]) {
    let mut parts = parts(input).map_while(|part| std::str::from_utf8(part).ok());
    let Some(text) = parts.next() else { return };
    match convert(text) {
        // What is converted is of the draft that is read, and says nothing twice.
        Ok(Some(converted)) => assert_eq!(convert(&converted.text), Ok(None)),
        Ok(None) => {}
        Err(error) => refused(&error),
    }
    let engine = Ecmascript::default();
    let schema = match Schema::compile(text, &engine) {
        Ok(schema) => schema,
        Err(error) => return refused(&error),
    };
    // What decides by going through the text decides nothing at the root when there is a rule that needs a tree.
    let tree = with_rule(text).and_then(|text| Schema::compile(&text, &engine).ok());
    for instance in parts {
        let result = schema.validate(instance, ALL);
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(instance).is_ok();
        if instance.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() < 127 {
            assert_eq!(
                is_json,
                !matches!(result, Err(Invalid::NotJson(_))),
                "what is JSON is another matter to serde_json"
            );
        }
        if let Err(invalid) = &result {
            assert_fit_for_a_terminal(&invalid.to_string());
        }
        if let Err(Invalid::Violations(found)) = &result {
            assert!(found.more == 0 && !found.list.is_empty());
            for limit in [0, 1] {
                let Err(Invalid::Violations(first)) = schema.validate(instance, limit) else {
                    panic!("with a limit it is valid");
                };
                assert_eq!(first.list, found.list[..limit]);
                assert_eq!(first.more, (found.list.len() - limit) as u64);
            }
        }
        if let Some(tree) = &tree {
            assert_eq!(sorted(result), sorted(tree.validate(instance, ALL)), "through a tree it is another matter");
        }
    }
}

fn refused(error: &SchemaError) {
    assert_fit_for_a_terminal(&error.to_string());
    assert!(error.pointer.is_empty() || error.pointer.starts_with('/'));
    assert!(!error.kind.code().is_empty());
}

/// How many elements there are is told before or after what is wrong with them, and where there is no JSON, what is known of what is
/// expected may differ; nothing else.
fn sorted(result: Result<(), Invalid>) -> Result<(), Invalid> {
    result.map_err(|invalid| match invalid {
        Invalid::Violations(mut violations) => {
            violations.list.sort_by_key(ToString::to_string);
            Invalid::Violations(violations)
        }
        Invalid::NotJson(NotJson { at, .. }) => Invalid::NotJson(NotJson { at, expected: "" }),
        other => other,
    })
}

/// The schema with one more rule at the root, which always holds.
fn with_rule(text: &str) -> Option<String> {
    let members = text.trim_start_matches([' ', '\t', '\r', '\n']).strip_prefix('{')?;
    // A name that is written in another way makes two of one, which is refused.
    let rule =
        [r#""allOf":[true]"#, r#""not":false"#, r#""if":true"#].into_iter().find(|rule| !text.contains(&rule[..5]))?;
    let comma = if members.trim_start().starts_with('}') { "" } else { "," };
    Some(format!("{{{rule}{comma}{members}"))
}

/// Regular expressions as the writer has them, as far as they end: a backtracking one can go on for ever.
#[derive(Default)]
pub(crate) struct Ecmascript {
    /// Whether something was decided without the engine.
    pub(crate) tamed: Rc<Cell<bool>>,
}

pub(crate) struct Regex {
    regex: regress::Regex,
    is_simple: bool,
    tamed: Rc<Cell<bool>>,
}

/// The longest text that is tried.
const LONGEST: usize = 10;

impl Engine for Ecmascript {
    type Pattern = Regex;

    fn compile(&self, source: &str) -> Result<Regex, String> {
        let regex = regress::Regex::with_flags(source, "u").map_err(|error| error.to_string())?;
        let is_simple = !source.contains('{') && source.matches(['*', '+', '?']).count() <= 4;
        Ok(Regex { regex, is_simple, tamed: Rc::clone(&self.tamed) })
    }
}

impl Pattern for Regex {
    fn is_in(&self, text: &str) -> bool {
        if self.is_simple && text.len() <= LONGEST {
            return self.regex.find(text).is_some();
        }
        self.tamed.set(true);
        false
    }
}

/// Whether it is the regular expressions that the schema is refused for: each engine says that in its own words.
pub(crate) fn is_about_a_pattern(error: &SchemaError) -> bool {
    matches!(error.kind, SchemaErrorKind::Pattern { .. })
}
