//! JSON pointers to schemas, before and after.

use alloc::format;
use alloc::string::String;

use super::Dialect;
use super::place::{Holds, Place, place};
use crate::scalar::Kind;
use crate::schema::compile::values::{Keywords, Refusable};
use crate::schema::tree::Value;

/// What a pointer leads to.
pub(super) enum Led {
    /// A schema, which has this pointer afterwards.
    ToSchema(String),
    /// Something that is not converted, or is not there any more.
    Astray,
    /// Nothing.
    Nowhere,
}

/// Follows a pointer from the schema `at`.
pub(super) fn follow(dialect: Dialect, mut at: Value<'_>, pointer: &str) -> Refusable<Led> {
    let mut tokens = pointer.split('/').skip(1);
    let mut after = String::new();
    while let Some(token) = tokens.next() {
        let Some(value) = at.child(token).filter(|_| at.kind() == Kind::Object) else { return Ok(Led::Nowhere) };
        let keywords = Keywords::new(at)?;
        let name = unescaped(token);
        let (name, holds) = match place(dialect, name.as_bytes(), value, &keywords) {
            Place::As(new, holds) => (new.unwrap_or(token), holds),
            Place::Dependencies => ("dependentSchemas", Holds::Map),
            Place::Gone => return Ok(Led::Astray),
        };
        after = format!("{after}/{name}");
        at = match holds {
            Holds::Nothing => return Ok(Led::Astray),
            Holds::Schema => value,
            Holds::List | Holds::Map => {
                let Some(token) = tokens.next() else { return Ok(Led::Astray) };
                let Some(inner) = value.child(token) else { return Ok(Led::Nowhere) };
                after = format!("{after}/{token}");
                inner
            }
        };
        // The names that a property depends on.
        if at.kind() == Kind::Array {
            return Ok(Led::Astray);
        }
    }
    Ok(Led::ToSchema(after))
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// A pointer as the fragment of a URI.
pub(super) fn fragment(pointer: &str) -> String {
    let mut fragment = String::new();
    for char in pointer.chars() {
        if char <= ' ' || "\"<>\\^`{|}%#\x7f".contains(char) {
            fragment.push_str(&format!("%{:02X}", u32::from(char)));
        } else {
            fragment.push(char);
        }
    }
    fragment
}
