//! The values that keywords can have.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::scalar::Kind;
use crate::schema::decimal::Decimal;
use crate::schema::equal::equal_elements;
use crate::schema::error::{SchemaError, SchemaErrorKind};
use crate::schema::keyword::Types;
use crate::schema::report::{shown, shown_name};
use crate::schema::sort::{places, sort};
use crate::schema::tree::{Elements, Value};

/// The members of an object of the schema, none of which occurs twice.
pub(in crate::schema) struct Keywords<'a>(Vec<(Cow<'a, [u8]>, Value<'a>)>);

impl<'a> Keywords<'a> {
    pub(in crate::schema) fn new(object: Value<'a>) -> Refusable<Self> {
        let members: Vec<_> = object.members().map(|(name, value)| (name.characters(), value)).collect();
        let name = |place: u32| &*members[place as usize].0;
        let mut order = places(members.len());
        sort(&mut order, &|a, b| name(a) < name(b));
        match order.iter().zip(order.iter().skip(1)).find(|&(&one, &next)| name(one) == name(next)) {
            Some((&twice, _)) => Err(error(object, SchemaErrorKind::DuplicateName { name: shown_name(name(twice)) })),
            None => Ok(Self(members)),
        }
    }

    /// The members of the value of a keyword.
    pub(in crate::schema) fn of(value: Value<'a>, keyword: &'static str, expected: &'static str) -> Refusable<Self> {
        if value.kind() == Kind::Object { Self::new(value) } else { Err(invalid(value, keyword, expected)) }
    }

    pub(in crate::schema) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.iter().find(|(other, _)| *other == name.as_bytes()).map(|(_, value)| value)
    }

    pub(in crate::schema) fn iter(&self) -> impl Iterator<Item = (&[u8], Value<'a>)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }
}

/// Boxed: what passes errors on is much smaller then.
pub(in crate::schema) type Refusable<T> = Result<T, Box<SchemaError>>;

pub(in crate::schema) fn error(value: Value<'_>, kind: SchemaErrorKind) -> Box<SchemaError> {
    Box::new(SchemaError { pointer: value.pointer(), kind })
}

pub(in crate::schema) fn invalid(value: Value<'_>, keyword: &'static str, expected: &'static str) -> Box<SchemaError> {
    error(value, SchemaErrorKind::Value { keyword, expected, found: found(value) })
}

/// A value as a message shows it.
pub(in crate::schema) fn found(value: Value<'_>) -> String {
    shown(value)
}

pub(in crate::schema) fn string<'a>(
    value: Value<'a>,
    keyword: &'static str,
    expected: &'static str,
) -> Refusable<Cow<'a, str>> {
    if value.kind() == Kind::String { Ok(value.text()) } else { Err(invalid(value, keyword, expected)) }
}

/// An array of names, each there once.
pub(in crate::schema) fn names<'a>(value: Value<'a>, keyword: &'static str) -> Refusable<Elements<'a>> {
    let all_strings = value.kind() == Kind::Array && value.elements().all(|element| element.kind() == Kind::String);
    if !all_strings || equal_elements(value).is_some() {
        return Err(invalid(value, keyword, "an array of names, each once"));
    }
    Ok(value.elements())
}

/// The value of a keyword that counts something.
pub(in crate::schema) fn count(value: Value<'_>, keyword: &'static str) -> Refusable<u64> {
    let number = (value.kind() == Kind::Number).then(|| Decimal::new(value.raw()));
    number.and_then(Decimal::count).ok_or_else(|| invalid(value, keyword, "an integer that is not negative"))
}

pub(in crate::schema) fn types(value: Value<'_>) -> Refusable<Types> {
    const EXPECTED: &str = "null, boolean, integer, number, string, array or object, or an array of these, each once";
    let one = |value: Value<'_>| match value.kind() {
        Kind::String => Types::named(&value.text()),
        _ => None,
    };
    let all = match value.kind() {
        Kind::Array => value.elements().try_fold(Types::default(), |types, element| {
            one(element).filter(|&named| !types.meets(named)).map(|named| types.with(named))
        }),
        _ => one(value),
    };
    all.filter(|&types| types != Types::default()).ok_or_else(|| invalid(value, "type", EXPECTED))
}
