//! Regular expressions of ECMAScript, as the writer has them.

use lastgood_protocol::schema::{Engine, Invalid, Pattern, Schema, SchemaError, Violation};

pub(crate) struct Regress;

impl Engine for Regress {
    type Pattern = Compiled;

    fn compile(&self, source: &str) -> Result<Compiled, String> {
        regress::Regex::with_flags(source, "u").map(Compiled).map_err(|error| error.to_string())
    }
}

pub(crate) struct Compiled(regress::Regex);

impl Pattern for Compiled {
    fn is_in(&self, text: &str) -> bool {
        self.0.find(text).is_some()
    }
}

pub(crate) fn compile(schema: &str) -> Result<Schema<Compiled>, SchemaError> {
    Schema::compile(schema, &Regress)
}

/// Whether a payload fits a schema that is known to be good.
pub(crate) fn fits(schema: &str, payload: &str) -> bool {
    compile(schema).unwrap().validate(payload, 10).is_ok()
}

/// What is wrong with a payload, up to a hundred violations.
pub(crate) fn violations(schema: &str, payload: &str) -> Vec<Violation> {
    match compile(schema).unwrap().validate(payload, 100) {
        Ok(()) => Vec::new(),
        Err(Invalid::Violations(violations)) => violations.list,
        Err(other) => panic!("{other}"),
    }
}
