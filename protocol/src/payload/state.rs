//! What may come next in the grammar.

use super::number::Number;
use super::path::{Container, Path, Place};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Value,
    /// Or the end of the array that was opened just now.
    FirstElement,
    Name,
    /// Or the end of the object that was opened just now.
    FirstName,
    Colon,
    /// A comma or an end; after the outermost value only the end of the input.
    AfterValue,
    InNumber,
    InString,
    InName,
}

impl State {
    /// What is at fault when the grammar cannot go on.
    pub(super) fn place(self) -> Place {
        match self {
            Self::Value | Self::Colon | Self::InNumber | Self::InString => Place::Value,
            Self::FirstElement | Self::Name | Self::FirstName | Self::InName | Self::AfterValue => {
                Place::Container
            }
        }
    }

    /// What the grammar wants, in the words of a message.
    pub(super) fn expected(self, path: &Path, number: &Number) -> &'static str {
        match (self, path.innermost()) {
            (Self::Value, None) => "a value",
            (Self::Value, Some(Container::Object)) => "a value after the colon",
            (Self::Value, Some(Container::Array)) if path.index() > 0 => "a value after the comma",
            (Self::Value | Self::FirstElement, _) => "a value or `]`",
            (Self::Name, _) => "a name in double quotes after the comma",
            (Self::FirstName, _) => "a name in double quotes or `}`",
            (Self::Colon, _) => "a colon after the name",
            (Self::AfterValue, None) => "the end of the input",
            (Self::AfterValue, Some(Container::Array)) => "`,` or `]` after the element",
            (Self::AfterValue, Some(Container::Object)) => "`,` or `}` after the member",
            (Self::InNumber, _) => number.expected(),
            (Self::InString | Self::InName, _) => "the closing quote of the string",
        }
    }
}
