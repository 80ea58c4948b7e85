//! Rules for arrays and objects.

use alloc::string::String;

use crate::scalar::Kind;
use crate::schema::keyword::{Contains, Id, Named, Properties};
use crate::schema::report::{amount, shown_name};
use crate::schema::sort::sort;
use crate::schema::tree::Value;

use super::Checker;

impl Checker<'_> {
    pub(super) fn properties(&mut self, properties: &Properties, value: Value<'_>, track: bool) -> bool {
        if value.kind() != Kind::Object {
            return true;
        }
        // A stack, because the members may have objects with properties in them.
        let first = self.seen.len();
        if properties.required > 0 {
            self.seen.resize(first + properties.names.len(), false);
        }
        let mut valid = true;
        for (name, member) in value.members() {
            let mut evaluated = false;
            if let Some(place) = properties.search(&name.characters()) {
                if let Some(seen) = self.seen.get_mut(first + place) {
                    *seen = true;
                }
                if let Some(id) = properties.names[place].schema {
                    evaluated = true;
                    valid &= self.check(id, member, false);
                }
            }
            for &(pattern, id) in &properties.patterns {
                if (self.matches)(pattern, &name.text()) {
                    evaluated = true;
                    valid &= self.check(id, member, false);
                }
            }
            if let Some(id) = properties.additional.filter(|_| !evaluated) {
                evaluated = true;
                valid &= self.check(id, member, false);
            }
            if track && evaluated {
                self.evaluated.push(member.at);
            }
            if !valid && self.quiet {
                break;
            }
        }
        if properties.required > 0 && (valid || !self.quiet) {
            valid &= self.required(properties, first, value);
        }
        self.seen.truncate(first);
        valid
    }

    fn required(&mut self, properties: &Properties, first: usize, value: Value<'_>) -> bool {
        let mut valid = true;
        for (place, property) in properties.names.iter().enumerate() {
            if property.required && !self.seen[first + place] {
                valid = false;
                if self.quiet {
                    break;
                }
                let schema_pointer = self.tree.value(properties.required_at).pointer();
                self.report(value, "required", schema_pointer, the_member(&property.name));
            }
        }
        valid
    }

    pub(super) fn property_names(&mut self, names: Id, value: Value<'_>) -> bool {
        let mut valid = true;
        for (name, _) in value.members() {
            valid &= self.check(names, name, false);
            if !valid && self.quiet {
                break;
            }
        }
        valid
    }

    pub(super) fn dependent_required(&mut self, at: u32, value: Value<'_>) -> bool {
        let mut valid = true;
        let dependent = self.tree.value(at);
        for (name, needed) in dependent.members() {
            let name = name.characters();
            for needed in needed.elements() {
                let needed = needed.characters();
                if !value.has(&name) || value.has(&needed) {
                    continue;
                }
                valid = false;
                if self.quiet {
                    break;
                }
                let expected = [&*the_member(&needed), " beside ", &shown_name(&name)].concat();
                self.report(value, "dependentRequired", dependent.pointer(), expected);
            }
        }
        valid
    }

    pub(super) fn dependent_schemas(&mut self, dependent: &[Named<Id>], value: Value<'_>, track: bool) -> bool {
        let mut valid = true;
        let before = self.evaluated.len();
        for (name, id) in dependent {
            if value.has(name) {
                valid &= self.check(*id, value, track);
                self.forget_repetitions(before, value);
                if !valid && self.quiet {
                    break;
                }
            }
        }
        valid
    }

    pub(super) fn items(&mut self, prefix: &[Id], rest: Option<Id>, value: Value<'_>, track: bool) -> bool {
        let mut valid = true;
        let mut prefix = prefix.iter().copied();
        for element in value.elements() {
            let Some(id) = prefix.next().or(rest) else { break };
            valid &= self.check(id, element, false);
            if track {
                self.evaluated.push(element.at);
            }
            if !valid && self.quiet {
                break;
            }
        }
        valid
    }

    pub(super) fn contains(&mut self, at: u32, contains: &Contains, value: Value<'_>, track: bool) -> bool {
        if value.kind() != Kind::Array {
            return true;
        }
        let &Contains { schema, min, max } = contains;
        let mut fitting = 0;
        for element in value.elements() {
            if self.fits(schema, element, false) {
                fitting += 1;
                if track {
                    self.evaluated.push(element.at);
                }
            }
            let decided = fitting >= min && max == u64::MAX || fitting > max && self.quiet;
            if decided && !track {
                break;
            }
        }
        let (at_most, keyword, wanted) = match (fitting < min, fitting > max) {
            (true, _) if min == 1 => (false, "contains", min),
            (true, _) => (false, "minContains", min),
            (_, true) => (true, "maxContains", max),
            _ => return true,
        };
        if !self.quiet {
            let expected = amount(at_most, wanted, "element that fits contains", fitting);
            self.report(value, keyword, self.tree.value(at).pointer(), expected);
        }
        false
    }

    /// Applies a subschema to what no rule has evaluated since `before`.
    pub(super) fn unevaluated(&mut self, id: Id, value: Value<'_>, before: usize, track: bool) -> bool {
        let mut valid = true;
        sort(&mut self.evaluated[before..], &|a, b| a < b);
        let noted = self.evaluated.len();
        let parts = value.elements().chain(value.members().map(|(_, member)| member));
        for part in parts {
            if self.evaluated[before..noted].binary_search(&part.at).is_ok() {
                continue;
            }
            valid &= self.check(id, part, false);
            if track {
                self.evaluated.push(part.at);
            }
            if !valid && self.quiet {
                break;
            }
        }
        valid
    }
}

fn the_member(name: &[u8]) -> String {
    ["the member ", &shown_name(name)].concat()
}
