//! A compiled schema: what is left of it when keywords have been understood and references followed.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::decimal::{Decimal, Divisor};
use super::sort::{places, sort};
use super::tree::{Node, Tree, Value};
use crate::scalar::Kind;

/// A compiled subschema: its place in [`Compiled::subschemas`].
pub(super) type Id = u32;

/// The name of a member in UTF-8; half of a surrogate pair as UTF-8 would have it.
pub(super) type Name = Box<[u8]>;

/// Something that a schema says about members of a name.
pub(super) type Named<T> = (Name, T);

/// How many references in a row are followed to explain what is wrong. They do not go in circles, but can make long chains.
pub(super) const FOLLOWED: u32 = 8;

pub(super) struct Compiled {
    pub(super) text: String,
    pub(super) nodes: Vec<Node>,
    /// The first one is the whole schema.
    pub(super) subschemas: Vec<Subschema>,
}

impl Compiled {
    pub(super) fn tree(&self) -> Tree<'_> {
        Tree { text: &self.text, nodes: &self.nodes }
    }

    #[inline(always)]
    pub(super) fn rules(&self, id: Id) -> &[Rule] {
        &self.subschemas[id as usize].rules
    }

    /// The subschema that one is when it is nothing but a reference.
    pub(super) fn target(&self, id: Id) -> Id {
        let mut id = id;
        for _ in 0..FOLLOWED {
            let [Rule { keyword: Keyword::Ref(target), .. }] = self.rules(id) else { break };
            id = *target;
        }
        id
    }

    /// The types that a subschema says by itself or by the reference that it is. `followed`: how many references led to it.
    pub(super) fn types(&self, id: Id, followed: u32) -> Option<Types> {
        self.rules(id).iter().find_map(|rule| match &rule.keyword {
            Keyword::Type(types) => Some(*types),
            Keyword::Ref(target) if followed < FOLLOWED => self.types(*target, followed + 1),
            _ => None,
        })
    }
}

#[derive(Default)]
pub(super) struct Subschema {
    /// Those that cost little first, `unevaluated…` last.
    pub(super) rules: Vec<Rule>,
    /// It has an `unevaluated…`, so what its other rules evaluate must be known.
    pub(super) tracks: bool,
    /// It can lead back to itself, further down in the instance.
    pub(super) recursive: bool,
}

pub(super) struct Rule {
    /// The node of the keyword's value in the schema.
    pub(super) at: u32,
    /// How the schema writes the keyword.
    pub(super) name: &'static str,
    pub(super) keyword: Keyword,
}

/// A keyword, or several that work together.
pub(super) enum Keyword {
    /// The schema `false`, as value of this keyword.
    Never,
    Type(Types),
    Enum(Vec<Choice>),
    Const,
    /// With the whole part of the limit, where that is enough for most numbers.
    Limit(Limit, Option<i64>),
    MultipleOf(Divisor),
    Count(Count),
    /// The number of the regular expression, or of the format.
    Pattern(u32),
    UniqueItems,
    /// `prefixItems` and `items`.
    Items {
        prefix: Vec<Id>,
        rest: Option<Id>,
    },
    Contains(Box<Contains>),
    Properties(Box<Properties>),
    PropertyNames(Id),
    /// An object of arrays of names.
    DependentRequired,
    DependentSchemas(Vec<Named<Id>>),
    Ref(Id),
    AllOf(Vec<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    If {
        condition: Id,
        then: Option<Id>,
        otherwise: Option<Id>,
    },
    UnevaluatedItems(Id),
    UnevaluatedProperties(Id),
}

/// A set of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Types(pub(super) u8);

impl Types {
    pub(super) const NAMES: [&'static str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
    const INTEGER: Self = Self(1 << 2);

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|&other| other == name).map(|place| Self(1 << place))
    }

    /// The type of a value; of an integer it is `number`.
    pub(super) fn of(kind: Kind) -> Self {
        Self(match kind {
            Kind::Null => 1 << 0,
            Kind::False | Kind::True => 1 << 1,
            Kind::Number => 1 << 3,
            Kind::String => 1 << 4,
            Kind::Array => 1 << 5,
            Kind::Object => 1 << 6,
        })
    }

    /// Whether a value is of one of them.
    pub(super) fn allow(self, value: Value<'_>) -> bool {
        let is_integer =
            || value.is_plain_integer() || value.kind() == Kind::Number && Decimal::new(value.raw()).is_integer();
        self.meets(Self::of(value.kind())) || self.meets(Self::INTEGER) && is_integer()
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(place, _)| self.0 & 1 << place != 0).map(|(_, name)| name)
    }
}

/// A value of `enum`, found by its hash.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) hash: u64,
    pub(super) at: u32,
}

/// What a number is to be, compared with another one.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) words: &'static str,
    order: Ordering,
    or_equal: bool,
}

impl Limit {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("minimum", Self { words: "a number of at least ", order: Ordering::Greater, or_equal: true }),
        ("maximum", Self { words: "a number of at most ", order: Ordering::Less, or_equal: true }),
        ("exclusiveMinimum", Self { words: "a number above ", order: Ordering::Greater, or_equal: false }),
        ("exclusiveMaximum", Self { words: "a number below ", order: Ordering::Less, or_equal: false }),
    ];

    /// How a number compares with the limit.
    pub(super) fn allows(self, order: Ordering) -> bool {
        order == self.order || self.or_equal && order == Ordering::Equal
    }
}

/// How many characters, elements or members there are to be at least or at most.
#[derive(Clone, Copy)]
pub(super) struct Count {
    /// A string, array or object.
    pub(super) of: Kind,
    pub(super) at_most: bool,
    pub(super) limit: u64,
}

impl Count {
    /// The keywords, what they count, and whether they want at most so many.
    pub(super) const ALL: [(&'static str, Kind, bool); 6] = [
        ("minLength", Kind::String, false),
        ("maxLength", Kind::String, true),
        ("minItems", Kind::Array, false),
        ("maxItems", Kind::Array, true),
        ("minProperties", Kind::Object, false),
        ("maxProperties", Kind::Object, true),
    ];

    pub(super) fn allows(self, count: u64) -> bool {
        if self.at_most { count <= self.limit } else { count >= self.limit }
    }
}

/// `contains`, `minContains` and `maxContains`.
pub(super) struct Contains {
    pub(super) schema: Id,
    pub(super) min: u64,
    pub(super) max: u64,
}

/// `properties`, `patternProperties`, `additionalProperties` and `required`: all that is decided while the members of an
/// object are gone through once.
#[derive(Default)]
pub(super) struct Properties {
    /// In the order in which the schema has them, which tends to be that of the members.
    pub(super) names: Vec<Property>,
    /// The places of the names in alphabetical order.
    pub(super) sorted: Vec<u32>,
    pub(super) patterns: Vec<(u32, Id)>,
    pub(super) additional: Option<Id>,
    pub(super) required_at: u32,
    pub(super) required: u32,
}

pub(super) struct Property {
    pub(super) name: Name,
    /// The name as the schema writes it, with the quotes.
    pub(super) token: Box<[u8]>,
    pub(super) schema: Option<Id>,
    pub(super) required: bool,
}

impl Property {
    pub(super) fn new(name: Value<'_>, schema: Option<Id>, required: bool) -> Self {
        Self { name: name.characters().into(), token: name.token().into(), schema, required }
    }
}

impl Properties {
    pub(super) fn sort(&mut self) {
        self.sorted = places(self.names.len());
        let name = |place: u32| &*self.names[place as usize].name;
        sort(&mut self.sorted, &|a, b| name(a) < name(b));
    }

    pub(super) fn search(&self, name: &[u8]) -> Option<usize> {
        let order = |&place: &u32| (*self.names[place as usize].name).cmp(name);
        self.sorted.binary_search_by(order).ok().map(|found| self.sorted[found] as usize)
    }
}
