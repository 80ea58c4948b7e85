//! Rules that apply several subschemas to the same value.

use crate::scalar::Kind;
use crate::schema::keyword::{FOLLOWED, Id, Keyword};
use crate::schema::tree::Value;

use super::Checker;

impl Checker<'_> {
    pub(super) fn all_of(&mut self, all: &[Id], value: Value<'_>, track: bool) -> bool {
        let mut valid = true;
        let before = self.evaluated.len();
        for &id in all {
            valid &= self.check(id, value, track);
            self.forget_repetitions(before, value);
            if !valid && self.quiet {
                break;
            }
        }
        valid
    }

    /// `None`: it does not hold, and why has been reported.
    pub(super) fn any_of(&mut self, any: &[Id], value: Value<'_>, track: bool) -> Option<bool> {
        let mut holds = false;
        let before = self.evaluated.len();
        for &id in any {
            holds |= self.fits(id, value, track);
            self.forget_repetitions(before, value);
            // What the other branches evaluate may count, too.
            if holds && !track {
                break;
            }
        }
        if holds { Some(true) } else { self.explain(any, value) }
    }

    /// `None`: it does not hold, and why has been reported.
    pub(super) fn one_of(&mut self, one: &[Id], value: Value<'_>, track: bool) -> Option<bool> {
        let mut fitting = 0;
        for &id in one {
            fitting += u32::from(self.fits(id, value, track));
            if fitting == 2 {
                return Some(false);
            }
        }
        if fitting == 1 { Some(true) } else { self.explain(one, value) }
    }

    /// When the value can be meant for one branch only, what is wrong is what that branch says.
    fn explain(&mut self, branches: &[Id], value: Value<'_>) -> Option<bool> {
        if self.quiet {
            return Some(false);
        }
        let mut meant = branches.iter().filter(|&&id| self.is_meant(id, value, 0)).copied();
        let (first, second) = (meant.next(), meant.next());
        match (first, second) {
            // That it does not fit has just been found.
            (Some(only), None) => {
                self.check(only, value, false);
                None
            }
            _ => Some(false),
        }
    }

    /// Whether the type and the members that are constant, such as a discriminator, are those that a branch wants.
    fn is_meant(&self, id: Id, value: Value<'_>, followed: u32) -> bool {
        self.schema.rules(id).iter().all(|rule| match &rule.keyword {
            Keyword::Type(_) | Keyword::Const | Keyword::Enum(_) | Keyword::Never => {
                self.assertion(rule, value) == Some(true)
            }
            Keyword::Ref(target) if followed < FOLLOWED => self.is_meant(*target, value, followed + 1),
            Keyword::Properties(properties) if value.kind() == Kind::Object => value.members().all(|(name, member)| {
                let property = properties.search(&name.characters()).map(|place| &properties.names[place]);
                let schema = property.and_then(|property| property.schema);
                schema.is_none_or(|id| self.is_constant(id, member))
            }),
            _ => true,
        })
    }

    /// Whether a member has the value that it must have, if there is only one or a list of them.
    fn is_constant(&self, id: Id, value: Value<'_>) -> bool {
        self.schema.rules(id).iter().all(|rule| match rule.keyword {
            Keyword::Const | Keyword::Enum(_) => self.assertion(rule, value) == Some(true),
            _ => true,
        })
    }
}
