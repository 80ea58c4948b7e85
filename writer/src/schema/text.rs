//! The text of a schema file: JSON, or what is wrong with it, and where.

use lastgood_protocol::payload::{self, Permit, RefusalKind, Rules};

use super::SchemaProblem;

/// The text of a schema. It is held to the rules for payloads, apart from those about numbers and halves of surrogate pairs: a schema
/// may compare with any.
pub(super) fn read(bytes: &[u8]) -> Result<&str, SchemaProblem> {
    if let Some(problem) = other_encoding(bytes) {
        return Err(SchemaProblem::NotJson {
            code: "invalid-utf8",
            line: 1,
            column: 1,
            pointer: String::new(),
            problem,
        });
    }
    let rules = Rules {
        unsafe_numbers: Permit::Allow,
        unpaired_surrogates: Permit::Allow,
        max_bytes: u64::MAX,
        ..Rules::default()
    };
    payload::check(bytes, &rules).map_err(|refusal| SchemaProblem::NotJson {
        code: code(&refusal.kind),
        problem: problem(&refusal.kind, bytes),
        line: refusal.line,
        column: refusal.column,
        pointer: refusal.pointer,
    })?;
    std::str::from_utf8(bytes).map_err(|_| SchemaProblem::NotUtf8)
}

fn code(kind: &RefusalKind) -> &'static str {
    match kind {
        RefusalKind::Truncated { .. } | RefusalKind::TrailingData { .. } => "not-json",
        other => other.code(),
    }
}

/// What is wrong, without the options of `publish`, which are for payloads.
fn problem(kind: &RefusalKind, bytes: &[u8]) -> String {
    match kind {
        RefusalKind::Truncated { .. } if bytes.trim_ascii().is_empty() => {
            "the file is empty, expected a JSON Schema; {} allows everything".to_owned()
        }
        RefusalKind::Truncated { expected } => format!("the file ends here, expected {expected}"),
        RefusalKind::TrailingData { .. } => "expected the end of the file: a schema is one JSON value".to_owned(),
        RefusalKind::ByteOrderMark => {
            "expected a value, found a byte order mark; save the schema as UTF-8 without one".to_owned()
        }
        RefusalKind::Nan { token } => format!("{token} is not JSON; write a number, or leave the keyword out"),
        RefusalKind::DuplicateName { name } => {
            let name = name.escape_debug();
            format!(
                "the name \"{name}\" occurs twice in this object; which of the two counts would be a guess: remove one"
            )
        }
        RefusalKind::NotJson { .. } if !matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) => {
            format!("{kind}; a schema is JSON: convert YAML and others to it")
        }
        other => other.to_string(),
    }
}

/// Names UTF-16, in which an ASCII character is a byte and a zero.
fn other_encoding(bytes: &[u8]) -> Option<String> {
    let utf_16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]);
    utf_16.then(|| "expected UTF-8, found UTF-16; save the schema as UTF-8".to_owned())
}
