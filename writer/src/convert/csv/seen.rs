//! Which kinds of values a column has.

use super::value::Value;
use super::{ColumnType, Notation};

/// Which kinds of values a column has, one bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(u8);

impl Seen {
    pub(super) const NOTHING: Self = Self(0);
    /// Nothing that follows can change the type.
    pub(super) const TEXT: Self = Self(8);

    const INTEGER: u8 = 1;
    const FLOAT: u8 = 2;
    const BOOLEAN: u8 = 4;
    const PLAIN: u8 = Self::INTEGER | Self::FLOAT | Self::BOOLEAN;
    /// A word for null, in quotes: text where there is nothing else, null in a column of numbers.
    const QUOTED_NULL: u8 = 16;
    /// Text that is in all likelihood meant as null.
    const NULL_WORD: u8 = 32;
    /// Text that is in all likelihood meant as a number.
    const NUMBER: u8 = 64;

    #[inline]
    pub(super) fn add(&mut self, value: Value, notation: Option<Notation>) {
        self.0 |= match (value, notation) {
            (Value::Integer, _) => Self::INTEGER,
            (Value::Float | Value::NotFinite, _) => Self::FLOAT,
            (Value::Boolean, _) => Self::BOOLEAN,
            (_, Some(Notation::Null)) => Self::NULL_WORD,
            (_, Some(_)) => Self::NUMBER,
            // An inferred type must not make a number of what a browser would then change.
            (Value::UnsafeInteger | Value::UnsafeFloat | Value::Text, None) => Self::TEXT.0,
        };
        let mixed = self.0 & Self::BOOLEAN != 0 && self.0 & (Self::INTEGER | Self::FLOAT | Self::NUMBER) != 0;
        if self.0 & Self::TEXT.0 != 0 || mixed {
            *self = Self::TEXT;
        }
    }

    #[inline]
    pub(super) fn add_null(&mut self, quoted: bool) {
        if quoted {
            self.0 |= Self::QUOTED_NULL;
        }
    }

    /// The type that holds all of them; `None` when there are none.
    pub(super) fn kind(self) -> Option<ColumnType> {
        match self.0 & !Self::QUOTED_NULL {
            0 if self.0 == 0 => None,
            Self::INTEGER => Some(ColumnType::Integer),
            Self::FLOAT => Some(ColumnType::Float),
            Self::BOOLEAN => Some(ColumnType::Boolean),
            kinds if kinds == Self::INTEGER | Self::FLOAT => Some(ColumnType::Float),
            _ => Some(ColumnType::Text),
        }
    }

    /// The type that the column would have, were it not for values in another notation; `None` when it is not for them that
    /// it is text.
    pub(super) fn kind_but_for_notation(self) -> Option<ColumnType> {
        match (self.0 & Self::PLAIN, self.0 & Self::NUMBER != 0, self.0 & Self::NULL_WORD != 0) {
            _ if self == Self::TEXT => None,
            (_, true, _) => Some(ColumnType::Float),
            (0, ..) | (_, false, false) => None,
            (plain, ..) => Self(plain).kind(),
        }
    }
}
